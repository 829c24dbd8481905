//! Stopped and resumed, on any number of threads: the same bits as a run that never stopped.

use slalom::prelude::*;
use slalom_tests::{RINGS, rings};

fn config() -> Config {
    Config {
        seed: 3,
        batch: Batch::Size(16),
        rule: Sgd { momentum: 0.9, ..Sgd::default() }.into(),
        rate: Cosine { start: 0.1, end: 0.001, steps: 130 }.into(),
        penalty: Penalty { l1: 1e-4, l2: 1e-3 },
        clip: Some(Clip::GlobalNorm(5.0)),
        ..Config::default()
    }
}

fn run(threads: usize) -> Run<f32> {
    let layers = [
        Dense::new(24, Activation::Relu).into(),
        Dropout::new(0.2).into(),
        Dense::new(12, Activation::Tanh).into(),
        Dense::linear(2).into(),
    ];
    Run::new(Network::new(2, layers).unwrap(), config(), Threads::new(threads).unwrap()).unwrap()
}

fn fit() -> Fit {
    let patience = EarlyStopping { patience: 6, min_delta: 1e-3, ..EarlyStopping::default() };
    Fit { epochs: 10, stop: vec![patience.into()], ..Fit::default() }
}

fn bits(run: &Run<f32>) -> Vec<u32> {
    run.params().iter().map(|p| p.to_bits()).collect()
}

#[test]
fn ten_epochs_equal_four_saved_loaded_and_six() {
    let (train, valid) = (rings(0..200), rings(200..RINGS));
    let (train, valid) = (train.samples(), Some(valid.samples()));

    let mut whole = run(1);
    let outcome = whole.fit(train, valid, &fit(), &mut []).unwrap();

    let mut first = run(2);
    for _ in 0..4 {
        first.epoch(train, valid).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rings.slalom");
    first.checkpoint().unwrap().save(&path).unwrap();
    drop(first);

    let file = Checkpoint::load(&path).unwrap();
    let mut second = Run::<f32>::resume(&file, Threads::new(3).unwrap()).unwrap();
    assert_eq!(second.epochs(), 4);
    assert_eq!(second.fit(train, valid, &fit(), &mut []).unwrap(), outcome);

    assert_eq!(second.history(), whole.history());
    assert_eq!(bits(&second), bits(&whole));
    assert_eq!(second.fingerprint(), whole.fingerprint());
}

#[test]
fn a_run_resumes_between_any_two_batches() {
    let train = rings(0..100);
    let train = train.samples();
    let mut whole = run(1);
    for _ in 0..2 {
        whole.epoch(train, None).unwrap();
    }
    for stop in 0..=14 {
        let mut run = run(1);
        for _ in 0..stop {
            if run.step(train).unwrap().is_none() {
                run.end_epoch(None).unwrap();
            }
        }
        let bytes = run.checkpoint().unwrap().to_bytes().unwrap();
        let file = Checkpoint::from_bytes(&bytes, &Default::default()).unwrap();
        let mut resumed = Run::<f32>::resume(&file, Threads::one()).unwrap();
        while resumed.epochs() < 2 {
            resumed.epoch(train, None).unwrap();
        }
        assert_eq!(resumed.fingerprint(), whole.fingerprint(), "stopped after {stop} batches");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let train = rings(0..200);
    let fingerprint = |threads| {
        let mut run = run(threads);
        for _ in 0..3 {
            run.epoch(train.samples(), None).unwrap();
        }
        run.fingerprint()
    };
    let one = fingerprint(1);
    for threads in [2, 3, 7] {
        assert_eq!(fingerprint(threads), one, "{threads} threads");
    }
}
