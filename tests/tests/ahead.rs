//! Batches that are gathered while the one before is learned.

use std::ops::ControlFlow;

use slalom_layers::{Activation, Dense, Network};
use slalom_tensor::{Matrix, Samples, Targets, Threads};
use slalom_train::{Batch, Callback, Config, Event, Fit, Run, TrainError};

/// Enough features that a batch of 32 is gathered ahead.
const FEATURES: usize = 300;
const SAMPLES: usize = 200;

fn inputs(seed: usize) -> Matrix<f32> {
    let of = |i: usize, j: usize| ((i * 37 + j * 101 + seed * 13) % 64) as f32 / 64.0;
    Matrix::from_fn(FEATURES, SAMPLES, of)
}

fn classes() -> Vec<u32> {
    (0..SAMPLES).map(|j| (j * 7 % 10) as u32).collect()
}

fn run(threads: usize, config: Config) -> Run<f32> {
    let layers = [Dense::new(40, Activation::Tanh).into(), Dense::linear(10).into()];
    let network = Network::new(FEATURES, layers).unwrap();
    let config = Config { batch: Batch::Size(32), rate: 1e-2.into(), ..config };
    Run::new(network, config, Threads::new(threads).unwrap()).unwrap()
}

#[test]
fn an_epoch_is_the_same_as_its_steps() {
    let (x, classes) = (inputs(1), classes());
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let weights: Vec<f32> = (0..SAMPLES).map(|j| 0.5 + j as f32 / 100.0).collect();
    // the last batch is smaller, or left out; several make an update
    for (drop_last, accumulate) in [(false, 1), (true, 1), (false, 3)] {
        let config = Config { drop_last, accumulate, ..Config::default() };
        for samples in [samples, samples.weighted(&weights).unwrap()] {
            let mut wanted = run(1, config.clone());
            for _ in 0..5 {
                while wanted.step(samples).unwrap().is_some() {}
                wanted.end_epoch(None).unwrap();
            }
            for threads in [2, 3] {
                let mut found = run(threads, config.clone());
                (0..5).for_each(|_| drop(found.epoch(samples, None).unwrap().clone()));
                assert!(found.params() == wanted.params(), "{threads} threads, {config:?}");
                assert_eq!(found.fingerprint(), wanted.fingerprint());
            }
        }
    }
}

/// Stops after a number of steps.
struct Stop(usize);

impl Callback<f32> for Stop {
    fn on(&mut self, _: &Run<f32>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        self.0 -= usize::from(matches!(event, Event::Step(_)));
        Ok(if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// A batch comes from the samples that are handed over with it, whatever was gathered before.
#[test]
fn other_samples_are_not_mixed_with_what_was_gathered_ahead() {
    let (first, other, classes) = (inputs(1), inputs(2), classes());
    let [first, other] =
        [&first, &other].map(|x| Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap());
    let learned = |threads: usize, in_steps: bool| {
        let mut run = run(threads, Config::default());
        let fit = Fit { epochs: 1, ..Fit::default() };
        run.fit(first, None, &fit, &mut [&mut Stop(2)]).unwrap();
        if in_steps {
            run.step(other).unwrap();
            run.step(first).unwrap();
        }
        run.fit(other, None, &fit, &mut []).unwrap();
        run.params().to_vec()
    };
    for in_steps in [false, true] {
        assert!(learned(2, in_steps) == learned(1, in_steps), "in steps: {in_steps}");
    }
    assert!(learned(1, false) != learned(1, true));
}
