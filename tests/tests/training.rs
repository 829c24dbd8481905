//! What an epoch is: batches, their weights, accumulation, stopping at what is not finite.

use slalom::prelude::*;
use slalom::regularize::GroupLasso;
use slalom_tensor::View;
use slalom_tests::{relative_difference, rings};
use slalom_train::{Source, TrainError};

fn network() -> Network<f64> {
    Network::new(2, [Dense::new(6, Activation::Tanh).into(), Dense::linear(2).into()]).unwrap()
}

fn plain(batch: usize) -> Config {
    Config {
        batch: Batch::Size(batch),
        shuffle: false,
        rule: Sgd::default().into(),
        rate: 0.1.into(),
        ..Config::default()
    }
}

fn run(config: Config) -> Run<f64> {
    Run::new(network(), config, Threads::one()).unwrap()
}

/// So many points of the rings, in f64.
fn points(count: usize) -> (Matrix<f64>, Vec<u32>) {
    let rings = rings(0..count);
    let samples = rings.samples();
    let Targets::Classes(classes) = samples.targets() else { unreachable!("rings have classes") };
    (samples.inputs().map(f64::from), classes.to_vec())
}

fn assert_same(a: &Run<f64>, b: &Run<f64>, tolerance: f64) {
    for (x, y) in a.params().iter().zip(b.params()) {
        assert!(relative_difference(*x, *y) <= tolerance, "{x} {y}");
    }
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let (x, classes) = points(40);
    let weights: Vec<f64> = (0..40).map(|i| 0.5 + (i % 3) as f64).collect();
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    for train in [train, train.weighted(&weights).unwrap()] {
        let mut large = run(plain(12));
        let mut small = run(Config { accumulate: 3, ..plain(4) });
        for _ in 0..3 {
            let a = large.epoch(train, None).unwrap().clone();
            let b = small.epoch(train, None).unwrap();
            // 40 samples: three updates of twelve, and the four left over
            assert_eq!((a.updates, b.updates), (a.epoch * 4, a.epoch * 4));
            assert!(relative_difference(a.train_loss, b.train_loss) < 1e-13);
        }
        assert_same(&large, &small, 1e-13);
    }
}

#[test]
fn the_schedule_advances_once_an_update() {
    let (x, classes) = points(40);
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let rate = Cosine { start: 0.1, end: 0.0, steps: 10 };
    let mut run = run(Config { accumulate: 3, rate: rate.into(), ..plain(4) });
    for update in 0..4 {
        let step = run.step(train).unwrap().unwrap();
        assert_eq!(step.rate, rate.at(update));
    }
    assert!(run.step(train).unwrap().is_none());
}

#[test]
fn the_epochs_loss_weighs_a_short_last_batch_as_what_it_is() {
    let (x, classes) = points(10);
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let still = |batch| Config { rate: 0.0.into(), ..plain(batch) };
    let whole = run(still(10)).evaluate(train).unwrap();
    for batch in [1, 3, 4, 9, 10, 99] {
        let loss = run(still(batch)).epoch(train, None).unwrap().train_loss;
        assert!(relative_difference(loss, whole) < 1e-14, "batches of {batch}: {loss}, {whole}");
    }
}

#[test]
fn an_evaluation_weighs_every_sample_the_same_however_many_pass_at_a_time() {
    let (x, classes) = points(300);
    let weights: Vec<f64> = (0..300).map(|i| 0.25 + (i % 5) as f64).collect();
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    for train in [train, train.weighted(&weights).unwrap()] {
        let mut run = run(plain(300));
        let mut alone = |i: usize| {
            let targets = train.targets_range(i, 1);
            run.evaluate(Samples::new(train.inputs_range(i, 1), targets).unwrap()).unwrap()
        };
        let weight = |i: usize| train.weights().map_or(1.0, |weights| weights[i]);
        let sum: f64 = (0..300).map(|i| weight(i) * alone(i)).sum();
        let wanted = sum / (0..300).map(weight).sum::<f64>();
        let found = run.evaluate(train).unwrap();
        assert!(relative_difference(found, wanted) < 1e-14, "{found}, {wanted}");
        let config = Config { rate: 0.0.into(), final_loss: true, ..run.config().clone() };
        run.reconfigure(config).unwrap();
        let epoch = run.epoch(train, Some(train)).unwrap();
        assert_eq!((epoch.valid_loss, epoch.final_loss), (Some(found), Some(found)));
    }
}

#[test]
fn an_epochs_record_is_that_of_its_last_update() {
    let (x, classes) = points(20);
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let rate = Cosine { start: 0.1, end: 0.0, steps: 10 };
    let mut run = run(Config { rate: rate.into(), accumulate: 2, ..plain(4) });
    let mut last = None;
    while let Some(step) = run.step(train).unwrap() {
        last = Some(step);
    }
    let (last, size) = (last.unwrap(), run.params().iter().map(|p| p * p).sum::<f64>().sqrt());
    let epoch = run.end_epoch(None).unwrap();
    assert_eq!((epoch.epoch, epoch.updates, last.batch), (1, 3, (5, 5)));
    assert_eq!((epoch.rate, epoch.gradient_norm), (last.rate, last.norm));
    assert!(relative_difference(epoch.weight_norm, size) < 1e-14);
}

#[test]
fn weights_order_and_dropout_are_functions_of_the_seed_and_dropout_of_the_step_too() {
    let (x, classes) = points(50);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let order = |seed| {
        let source = Recorder { samples, order: Vec::new().into(), calls: 0.into() };
        run(Config { shuffle: true, seed, ..plain(8) }).epoch(&source, None).unwrap();
        source.order.take()
    };
    assert!(order(1) == order(1) && order(1) != order(2));
    let weights = |seed| run(Config { seed, ..plain(8) }).params().to_vec();
    assert!(weights(1) == weights(1) && weights(1) != weights(2));
    // the same parameters throughout, so that only the masks differ
    let losses = |seed| {
        let layers = [Dense::new(20, Activation::Tanh).into(), Dropout::new(0.5).into()];
        let layers = layers.into_iter().chain([Dense::linear(2).into()]);
        let network = Network::new(2, layers).unwrap();
        let params = network.init(0);
        let config = Config { seed, rate: 0.0.into(), ..plain(50) };
        let mut run = Run::with_params(network, params, config, Threads::one()).unwrap();
        [0; 3].map(|_| run.epoch(samples, None).unwrap().train_loss)
    };
    let (first, second) = (losses(1), losses(2));
    assert!(first == losses(1) && first != second);
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2], "{first:?}");
}

#[test]
fn a_short_last_batch_is_kept_unless_asked_otherwise() {
    let (x, classes) = points(10);
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    assert_eq!(run(plain(4)).epoch(train, None).unwrap().updates, 3);
    assert_eq!(run(Config { drop_last: true, ..plain(4) }).epoch(train, None).unwrap().updates, 2);
    assert_eq!(run(Config { drop_last: true, ..plain(99) }).epoch(train, None).unwrap().updates, 1);
    let full = Config { batch: Batch::Full, shuffle: true, ..plain(1) };
    assert_eq!(run(full).epoch(train, None).unwrap().updates, 1);
}

/// Writes down which samples were asked for.
struct Recorder<'a> {
    samples: Samples<'a, f64>,
    order: std::cell::RefCell<Vec<usize>>,
    calls: std::cell::Cell<u32>,
}

impl Source<f64> for Recorder<'_> {
    fn features(&self) -> usize {
        self.samples.features()
    }

    fn targets(&self) -> Targets<'_, f64> {
        self.samples.targets()
    }

    fn gather(&self, chosen: &[usize], inputs: &mut [f64]) -> Result<(), TrainError> {
        self.order.borrow_mut().extend(chosen);
        self.calls.set(self.calls.get() + 1);
        self.samples.gather(chosen, inputs)
    }
}

#[test]
fn every_epoch_has_an_order_of_its_own_in_which_each_sample_comes_once() {
    let (x, classes) = points(50);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let source = Recorder { samples, order: Vec::new().into(), calls: 0.into() };
    let mut run = run(Config { shuffle: true, ..plain(8) });
    let mut orders = Vec::new();
    for _ in 0..4 {
        run.epoch(&source, None).unwrap();
        orders.push(source.order.take());
    }
    for (i, order) in orders.iter().enumerate() {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert!(orders[..i].iter().all(|earlier| earlier != order), "epoch {i} repeats an order");
    }
}

#[test]
fn a_batch_is_gathered_by_one_call_not_one_a_row() {
    let (x, classes) = points(50);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    for (shuffle, valid) in [(true, None), (false, Some(samples))] {
        let source = Recorder { samples, order: Vec::new().into(), calls: 0.into() };
        run(Config { shuffle, ..plain(8) }).epoch(&source, valid).unwrap();
        assert_eq!(source.calls.get(), 50_u32.div_ceil(8), "a call a batch");
    }
    let source = Recorder { samples, order: Vec::new().into(), calls: 0.into() };
    run(plain(8)).evaluate(&source).unwrap();
    assert_eq!(source.calls.get(), 1, "an evaluation takes many at once");
}

#[test]
fn a_source_and_the_samples_themselves_train_to_the_same_bits() {
    let (x, classes) = points(50);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    for shuffle in [false, true] {
        let config = Config { shuffle, final_loss: true, ..plain(8) };
        let source = Recorder { samples, order: Vec::new().into(), calls: 0.into() };
        let (mut a, mut b) = (run(config.clone()), run(config));
        for _ in 0..2 {
            a.epoch(samples, None).unwrap();
            b.epoch(&source, None).unwrap();
        }
        assert_eq!(a.fingerprint(), b.fingerprint());
        let last = a.history().last().unwrap().final_loss;
        assert_eq!(last, Some(a.evaluate(samples).unwrap()));
    }
}

#[test]
fn batches_of_the_callers_train_to_the_same_bits() {
    let (x, classes) = points(20);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let (mut a, mut b) = (run(plain(4)), run(plain(4)));
    a.epoch(samples, None).unwrap();
    for start in (0..20).step_by(4) {
        let targets = samples.targets_range(start, 4);
        let x: View<'_, f64> = samples.inputs_range(start, 4);
        b.update(Samples::new(x, targets).unwrap()).unwrap();
    }
    b.end_epoch(None).unwrap();
    assert_eq!(a.params(), b.params());
    assert_eq!(a.history(), b.history());
}

#[test]
fn another_set_of_samples_within_an_epoch_is_refused() {
    let (x, classes) = points(20);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let few = Samples::new(x.columns(0, 8), Targets::Classes(&classes[..8])).unwrap();
    let mut run = run(plain(4));
    run.step(samples).unwrap();
    assert_eq!(
        run.step(few).unwrap_err().to_string(),
        "the epoch began with 20 samples, now there are 8: end it first"
    );
    run.end_epoch(None).unwrap();
    run.step(few).unwrap();
}

#[test]
fn a_loss_that_is_not_finite_names_the_place_and_leaves_the_last_good_state() {
    let x = from_rows(&[[1.0, 1.0], [1e300, -1e300], [1.0, 0.0]]);
    let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 0])).unwrap();
    let layers = [Dense::linear(3).into(), Dense::linear(2).into()];
    let network = |scale: f64| {
        let network = Network::<f64>::new(2, layers.clone()).unwrap();
        let params = network.init(0).iter().map(|w| w * scale).collect();
        Run::with_params(network, params, plain(1), Threads::one()).unwrap()
    };
    let mut run = network(1e10);
    run.step(train).unwrap();
    let (params, before) = (run.params().to_vec(), run.fingerprint());
    let error = run.step(train).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("in epoch 1, batch 2 (update 2, learning rate 1e-1)"), "{text}");
    let TrainError::Diverged { block, epoch: 1, batch: 2, update: 2, .. } = error else {
        panic!("{text}")
    };
    assert_eq!(block, "0.bias", "the first layer's outputs overflow");
    assert_eq!((run.params(), run.fingerprint()), (&params[..], before));
}

#[test]
fn a_gradient_that_is_not_finite_names_its_block_and_leaves_the_last_good_state() {
    // the loss is finite, its derivative by the first weights is 1e250 · 1e100
    let x = from_rows(&[[1.0, 0.0], [1e250, 0.0]]);
    let y = from_rows(&[[0.0], [0.0]]);
    let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    let network =
        Network::<f64>::new(2, [Dense::linear(1).into(), Dense::linear(1).into()]).unwrap();
    let params = vec![1e-100, 0.0, 0.0, 1e2, 0.0];
    let config = Config { loss: Loss::MeanSquaredError(Default::default()), ..plain(1) };
    let mut run = Run::with_params(network, params, config, Threads::one()).unwrap();
    run.step(train).unwrap();
    let before = run.fingerprint();
    let error = run.step(train).unwrap_err().to_string();
    assert!(error.contains("epoch 1, batch 2") && error.contains("block"), "{error}");
    assert_eq!(run.fingerprint(), before);
}

#[test]
fn a_validation_loss_that_is_not_finite_is_an_error_and_never_the_best() {
    let (x, classes) = points(8);
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let huge = from_rows(&[[f64::MAX, f64::MAX]]);
    let valid = Samples::new(huge.as_view(), Targets::Classes(&[0])).unwrap();
    let network = Network::<f64>::new(2, [Dense::linear(2).into()]).unwrap();
    let params = network.init(0).iter().map(|w| w * 100.0).collect();
    let mut run = Run::with_params(network, params, plain(4), Threads::one()).unwrap();
    run.epoch(train, Some(train)).unwrap();
    let error = run.epoch(train, Some(valid)).unwrap_err().to_string();
    assert!(error.contains("after epoch 2"), "{error}");
    assert_eq!((run.epochs(), run.best_epoch()), (1, Some(1)));
}

#[test]
fn metrics_are_of_the_whole_validation_set() {
    use slalom_train::metrics::{Average, Metric};
    let (x, classes) = points(300);
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let metrics = vec![Metric::Accuracy, Metric::F1(Average::Macro), Metric::RocAuc];
    let mut run = run(Config { metrics: metrics.clone(), ..plain(32) });
    let epoch = run.epoch(samples, Some(samples)).unwrap().clone();
    let outputs = run.predict(samples.inputs()).unwrap();
    for (metric, (name, value)) in metrics.iter().zip(&epoch.metrics) {
        assert_eq!(*name, metric.name());
        let wanted = metric.evaluate(outputs.as_view(), samples.targets(), None).unwrap();
        assert_eq!(*value, wanted, "{name}");
    }
    assert_eq!(epoch.metrics.len(), 3);
}

#[test]
fn settings_out_of_range_are_named() {
    let text =
        |config: Config| Run::new(network(), config, Threads::one()).unwrap_err().to_string();
    assert_eq!(text(plain(0)), "batch size is 0: it must be at least 1");
    assert_eq!(
        text(Config { accumulate: 0, ..plain(1) }),
        "accumulate is 0: it must be at least 1"
    );
    for rate in [f64::NAN, -1.0, f64::INFINITY] {
        let error = text(Config { rate: rate.into(), ..plain(1) });
        assert!(error.contains("learning rate") || error.contains("rate"), "{error}");
    }
    assert!(text(Config { decay: -1.0, ..plain(1) }).contains("decay is -1"));
}

#[test]
fn the_best_parameters_are_put_back_however_the_fit_ends() {
    let (x, classes) = points(60);
    let train = Samples::new(x.columns(0, 30), Targets::Classes(&classes[..30])).unwrap();
    let valid = Samples::new(x.columns(30, 30), Targets::Classes(&classes[30..])).unwrap();
    // a rate at which the validation loss goes up and down
    let config = || Config { rate: 4.0.into(), ..plain(3) };
    let patience = EarlyStopping { patience: 3, ..EarlyStopping::default() };
    for stop in [vec![], vec![StopRule::from(patience)]] {
        let mut fitted = run(config());
        let fit = Fit { epochs: 12, stop, ..Fit::default() };
        fitted.fit(train, Some(valid), &fit, &mut []).unwrap();
        let losses = fitted.history().losses();
        if let Some(rule) = fit.stop.first() {
            assert_eq!(rule.decide(&losses).epoch, Some(losses.len() - 1), "no value is stale");
        }
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(*losses.last().unwrap() > least, "the last epoch must not be the best: {losses:?}");
        assert_eq!(fitted.evaluate(valid).unwrap(), least);
    }
    // a loss that becomes NaN is a way out too
    let rate = slalom::optim::Piecewise { borders: vec![25], values: vec![0.5, f64::MAX] };
    let mut lost = run(Config { rate: rate.into(), ..plain(3) });
    let error = lost.fit(train, Some(valid), &Fit::default(), &mut []).unwrap_err();
    assert!(error.diverged(), "{error}");
    let least = lost.history().losses().into_iter().fold(f64::INFINITY, f64::min);
    assert_eq!(lost.evaluate(valid).unwrap(), least);
    let mut kept = run(config());
    let fit = Fit { epochs: 12, restore_best: false, ..Fit::default() };
    kept.fit(train, Some(valid), &fit, &mut []).unwrap();
    assert_eq!(kept.evaluate(valid).unwrap(), *kept.history().losses().last().unwrap());
}

#[test]
fn configurations_that_differ_are_told_apart_field_by_field() {
    let (a, b) = (plain(4), Config { seed: 9, rate: 0.2.into(), ..plain(8) });
    let differences = a.differences(&b);
    assert_eq!(differences.len(), 3);
    assert_eq!(differences[0], "seed: 0 here, 9 there");
    assert!(differences[1].starts_with("batch: Size(4) here, Size(8) there"));
    assert!(differences[2].starts_with("rate: "));
    assert!(a.differences(&a).is_empty());
    let group_lasso = GroupLasso { strength: 0.5, ..GroupLasso::default() };
    let blocks = vec![BlockConfig::new("2")];
    let b = Config { proximal: true, group_lasso, blocks, ..a.clone() };
    let differences: Vec<_> = a.differences(&b).iter().map(|d| d[..6].to_string()).collect();
    assert_eq!(differences, ["proxim", "group_", "blocks"]);
}
