//! Bad input to a run: each an error that names what and where.

use slalom::prelude::*;
use slalom::tensor::Matrix;
use slalom_tests::rings;

fn network() -> Network<f32> {
    Network::new(2, [Dense::new(4, Activation::Relu).into(), Dense::linear(2).into()]).unwrap()
}

fn run(config: Config) -> Result<Run<f32>, String> {
    Run::new(network(), config, Threads::one()).map_err(|e| e.to_string())
}

fn refused(config: Config) -> String {
    run(config).map(|_| ()).unwrap_err()
}

/// What a run says to these inputs and classes.
fn said(x: &Matrix<f32>, classes: &[u32]) -> String {
    let samples = match Samples::new(x.as_view(), Targets::Classes(classes)) {
        Ok(samples) => samples,
        Err(error) => return error.to_string(),
    };
    let mut run = run(Config::default()).unwrap();
    run.epoch(samples, None).unwrap_err().to_string()
}

#[test]
fn data_that_do_not_fit() {
    let x = Matrix::from_element(2, 3, 0.5_f32);
    let mut hole = x.clone();
    hole[(1, 2)] = f32::NAN;
    let cases = [
        (Matrix::zeros(2, 0), vec![], "the data set is empty: 2 features x 0 samples"),
        (x.clone(), vec![0, 1], "inputs have 3 samples, targets have 2"),
        (x.clone(), vec![0, 1, 2], "the class of sample 2 is 2: with 2 outputs it must be below 2"),
        (
            hole,
            vec![0, 1, 1],
            "the input of sample 2, feature 1 is NaN: impute or drop it before training",
        ),
        (
            Matrix::from_element(3, 1, 0.0),
            vec![0],
            "the network takes 2 features, the samples have 3",
        ),
    ];
    for (x, classes, message) in cases {
        assert_eq!(said(&x, &classes), message);
    }
}

#[test]
fn targets_of_another_shape_are_never_broadcast() {
    let x = Matrix::from_element(2, 3, 0.5_f32);
    let y = Matrix::from_element(1, 3, 1.0_f32);
    let samples = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    let loss = Loss::MeanSquaredError(Default::default());
    let mut run = run(Config { loss, ..Config::default() }).unwrap();
    let message = run.epoch(samples, None).unwrap_err().to_string();
    assert_eq!(message, "the network has 2 outputs, the targets have 1 rows");
}

#[test]
fn configurations_out_of_range() {
    let with = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        refused(config)
    };
    assert_eq!(with(|c| c.batch = Batch::Size(0)), "batch size is 0: it must be at least 1");
    assert_eq!(with(|c| c.decay = -1.0), "decay is -1: it must be finite and at least 0");
    for message in [
        with(|c| c.rate = f64::NAN.into()),
        with(|c| c.rate = (-0.1).into()),
        with(|c| c.rule = Sgd { momentum: 1.0, ..Sgd::default() }.into()),
        with(|c| c.clip = Some(Clip::GlobalNorm(0.0))),
        with(|c| c.penalty.l1 = -1.0),
    ] {
        assert!(message.contains(" must be "), "{message}");
    }
}

#[test]
fn a_diverging_run_stops_with_its_place_and_keeps_what_was_good() {
    let train = rings(0..100);
    let config = Config { rule: Sgd::default().into(), rate: 1e30.into(), ..Config::default() };
    let mut run = run(config).unwrap();
    let message = loop {
        let before = run.params().to_vec();
        match run.step(train.samples()) {
            Ok(step) => assert!(step.is_some(), "one epoch at this rate diverges"),
            Err(error) => {
                assert_eq!(run.params(), before, "a refused step changes nothing");
                break error.to_string();
            }
        }
    };
    assert!(message.contains("in epoch 1, batch "), "{message}");
    assert!(message.contains("learning rate 1e30"), "{message}");
}
