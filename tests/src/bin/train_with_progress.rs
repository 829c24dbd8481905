//! Trains with its progress on standard error, to so many epochs or to a panic:
//! `train_with_progress EPOCHS|panic`.

use std::ops::ControlFlow;

use slalom::prelude::*;
use slalom::train::{Progress, TrainError};

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_default();
    let epochs = argument.parse().unwrap_or(1000);
    let data = slalom_tests::rings(0..40);
    let network = Network::<f32>::new(2, [Dense::linear(2).into()]).expect("a network");
    let mut run = Run::new(network, Config::default(), Threads::one()).expect("a valid run");
    let mut progress = Progress::stderr("rings", epochs);
    let mut panic = |run: &Run<f32>, _: Event<'_>| -> Result<ControlFlow<()>, TrainError> {
        // late enough for the bar to be there
        std::thread::sleep(std::time::Duration::from_millis(u64::from(argument == "panic")));
        assert!(argument != "panic" || run.epochs() < 100, "what went wrong is this");
        Ok(ControlFlow::Continue(()))
    };
    let fit = Fit { epochs, ..Fit::default() };
    run.fit(data.samples(), None, &fit, &mut [&mut progress, &mut panic]).expect("it trains");
}
