//! The run that is killed and resumed: small, with everything on that has a state.

use std::path::Path;

use slalom::prelude::*;

use crate::rings;

/// The run before its first epoch.
///
/// # Panics
/// If threads cannot be started.
pub fn saved_run(threads: usize) -> Run<f32> {
    let layers = [
        Dense::new(64, Activation::Relu).into(),
        Dropout::new(0.2).into(),
        Dense::new(32, Activation::Tanh).into(),
        Dense::linear(2).into(),
    ];
    let config = Config {
        seed: 11,
        batch: Batch::Size(16),
        rule: Adam::default().into(),
        rate: Cosine { start: 0.01, end: 1e-4, steps: 20_000 }.into(),
        ..Config::default()
    };
    let network = Network::new(2, layers).expect("a network that can be");
    Run::new(network, config, Threads::new(threads).expect("threads")).expect("a valid run")
}

/// Trains to so many epochs from where the file is, or from the beginning where there is none, and
/// saves after each epoch; tells of each save.
///
/// # Panics
/// If the file is there and cannot be resumed.
pub fn train_and_save(path: &Path, epochs: u64, threads: usize, saved: &mut dyn FnMut(u64)) {
    let data = rings(0..64);
    let mut run = match path.try_exists().expect("the folder can be read") {
        true => {
            let file = Checkpoint::load(path).expect("the file is whole");
            Run::resume(&file, Threads::new(threads).expect("threads")).expect("it resumes")
        }
        false => saved_run(threads),
    };
    while run.epochs() < epochs {
        run.epoch(data.samples(), Some(data.samples())).expect("it trains");
        run.checkpoint().and_then(|file| Ok(file.save(path)?)).expect("it saves");
        saved(run.epochs());
    }
}
