//! Faults that are built in are found and named; a sound run has none. And range test and replay.

use slalom::layers::LayerSpec;
use slalom::prelude::*;
use slalom_tests::rings;
use slalom_train::{Finding, RangeTest, Verification};

fn run(layers: Vec<LayerSpec>, config: Config) -> Run<f32> {
    Run::new(Network::new(2, layers).unwrap(), config, Threads::one()).unwrap()
}

fn dense(units: usize, activation: Activation) -> LayerSpec {
    Dense::new(units, activation).into()
}

fn plain(rate: f64) -> Config {
    Config { rate: rate.into(), rule: Sgd::default().into(), ..Config::default() }
}

/// The run with every weight multiplied.
fn scaled(run: Run<f32>, factor: impl Fn(usize) -> f32) -> Run<f32> {
    let params = run.params().iter().enumerate().map(|(i, w)| w * factor(i)).collect();
    let network = run.network().spec().unwrap().build().unwrap();
    Run::with_params(network, params, run.config().clone(), Threads::one()).unwrap()
}

#[test]
fn a_sound_run_has_no_findings() {
    let data = rings(0..200);
    let run = run(vec![dense(16, Activation::Relu), Dense::linear(2).into()], plain(0.1));
    let before = run.fingerprint();
    let diagnosis = run.diagnose(data.samples()).unwrap();
    assert_eq!(diagnosis.findings, []);
    assert_eq!((diagnosis.layers.len(), diagnosis.blocks.len()), (2, 4));
    assert!(diagnosis.layers[0].dead < 0.3 && diagnosis.layers[0].deviation > 0.1);
    assert_eq!(run.fingerprint(), before);
}

#[test]
fn dead_units_are_named_with_their_layer() {
    let data = rings(0..200);
    let layers =
        vec![dense(8, Activation::Relu), dense(4, Activation::Relu), Dense::linear(2).into()];
    let run = run(layers, plain(0.1));
    // biases far below 0 in the second layer: 8·2 + 8 + 4·8 numbers stand before them
    let mut params = run.params().to_vec();
    params[56..60].fill(-100.0);
    let network = run.network().spec().unwrap().build().unwrap();
    let run = Run::with_params(network, params, plain(0.1), Threads::one()).unwrap();
    let findings = run.diagnose(data.samples()).unwrap().findings;
    assert_eq!(findings[0], Finding::Dead { layer: 1, share: 1.0 });
    assert!(findings[0].to_string().contains("100 % of the units of layer 1 are 0"));
}

#[test]
fn saturation_vanishing_and_exploding_are_named() {
    let data = rings(0..200);
    let deep: Vec<LayerSpec> =
        (0..8).map(|_| dense(8, Activation::Sigmoid)).chain([Dense::linear(2).into()]).collect();
    let vanishing = run(deep.clone(), plain(0.1)).diagnose(data.samples()).unwrap().findings;
    let is = |f: &Finding| matches!(f, Finding::Vanishing { block, .. } if block == "0.weight");
    assert!(vanishing.iter().any(is), "{vanishing:?}");

    let tanh = run(vec![dense(8, Activation::Tanh), Dense::linear(2).into()], plain(0.1));
    let saturated = scaled(tanh, |_| 100.0).diagnose(data.samples()).unwrap().findings;
    let is = |f: &Finding| matches!(f, Finding::Saturated { layer: 0, share } if *share > 0.8);
    assert!(saturated.iter().any(is), "{saturated:?}");

    let linear: Vec<LayerSpec> = (0..6).map(|_| Dense::linear(8).into()).collect();
    let linear = [linear, vec![Dense::linear(2).into()]].concat();
    let run = run(linear, plain(1e-9));
    let first = run.network().blocks()[0].range.end;
    // a tiny first layer below large ones
    let run = scaled(run, |i| if i < first { 1e-7 } else { 8.0 });
    let exploding = run.diagnose(data.samples()).unwrap().findings;
    let is = |f: &Finding| matches!(f, Finding::Exploding { block, .. } if block == "0.weight");
    assert!(exploding.iter().any(is), "{exploding:?}");
}

#[test]
fn rates_far_off_are_named() {
    let data = rings(0..200);
    let layers = || vec![dense(16, Activation::Relu), Dense::linear(2).into()];
    let high = run(layers(), plain(100.0)).diagnose(data.samples()).unwrap().findings;
    assert!(matches!(high[..], [Finding::RateTooHigh { rate: 100.0, .. }]), "{high:?}");
    let low = run(layers(), plain(1e-9)).diagnose(data.samples()).unwrap().findings;
    assert!(matches!(low[..], [Finding::RateTooLow { .. }]), "{low:?}");
    assert!(low[0].to_string().contains("the learning rate 1e-9 is too low"));
}

#[test]
fn a_range_test_finds_a_rate_that_trains_and_leaves_the_run_alone() {
    let data = rings(0..200);
    let fresh =
        |rate: f64| run(vec![dense(16, Activation::Relu), Dense::linear(2).into()], plain(rate));
    let untouched = fresh(0.1);
    let before = untouched.fingerprint();
    let curve = RangeTest::default().run(&untouched, data.samples()).unwrap();
    assert_eq!(untouched.fingerprint(), before);
    let rate = curve.suggestion().unwrap();
    assert!((1e-3..3.0).contains(&rate), "{rate}");
    let mut run = fresh(rate);
    let first = run.epoch(data.samples(), None).unwrap().train_loss;
    (0..19).for_each(|_| drop(run.epoch(data.samples(), None).unwrap().clone()));
    assert!(run.history().last().unwrap().train_loss < 0.8 * first);
    let bad = RangeTest { end: 1e-9, ..RangeTest::default() }.run(&run, data.samples());
    assert_eq!(
        bad.unwrap_err().to_string(),
        "end is 0.000000001: it must be finite and above the start"
    );
}

#[test]
fn a_replay_finds_the_same_run_and_names_the_epoch_of_another() {
    let (train, valid) = (rings(0..100), rings(100..200));
    let (train, valid) = (train.samples(), Some(valid.samples()));
    let layers =
        vec![dense(8, Activation::Tanh), Dropout::new(0.2).into(), Dense::linear(2).into()];
    let mut run = run(layers, Config::default());
    (0..3).for_each(|_| drop(run.epoch(train, valid).unwrap().clone()));
    run.step(train).unwrap();
    let verify = |run: &Run<f32>, train| {
        let file = run.checkpoint().unwrap();
        Run::<f32>::verify(&file, train, valid, Threads::new(2).unwrap()).unwrap()
    };
    assert_eq!(verify(&run, train), Verification::Same(run.fingerprint()));
    let other = rings(1..101);
    assert_eq!(verify(&run, other.samples()), Verification::Differs { epoch: Some(1) });
    let fit = Fit { epochs: 6, ..Fit::default() };
    run.fit(train, valid, &fit, &mut []).unwrap();
    assert_eq!(
        verify(&run, train),
        Verification::Same(run.fingerprint()),
        "with the best restored"
    );

    let network = run.network().spec().unwrap().build().unwrap();
    let mut elsewhere = Run::with_params(
        network,
        vec![0.1; run.params().len()],
        run.config().clone(),
        Threads::one(),
    )
    .unwrap();
    elsewhere.epoch(train, valid).unwrap();
    assert_eq!(verify(&elsewhere, train), Verification::Differs { epoch: Some(1) });

    // the history is the same, the parameters are not
    let averaging = Some(slalom::optim::Averaging::Polyak { start: 0 });
    let config = Config { averaging, ..Config::default() };
    let network = run.network().spec().unwrap().build().unwrap();
    let mut averaged = Run::new(network, config, Threads::one()).unwrap();
    averaged.epoch(train, valid).unwrap();
    assert_eq!(verify(&averaged, train), Verification::Same(averaged.fingerprint()));
    averaged.use_average();
    assert_eq!(verify(&averaged, train), Verification::Differs { epoch: None });
}
