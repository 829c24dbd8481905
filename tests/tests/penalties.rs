//! Penalties in a run: on which blocks, in the reported loss, as gradient or as proximal step.

use slalom::layers::{ActivityPenalty, BatchNorm, Block, Kind, LayerSpec, Mode, Pass};
use slalom::prelude::*;
use slalom::regularize::{Constraint, GroupLasso, Groups};
use slalom::tensor::Matrix;
use slalom_tests::relative_difference;

const SAMPLES: usize = 24;

/// Six inputs of which the target follows the first two.
fn data() -> (Matrix<f64>, Matrix<f64>) {
    let x = Matrix::from_fn(6, SAMPLES, |i, j| ((i * i + 3) as f64 * (j as f64 + 0.7)).sin());
    let y = Matrix::from_fn(1, SAMPLES, |_, j| 2.0 * x[(0, j)] - x[(1, j)] * x[(0, j)]);
    (x, y)
}

fn network() -> Network<f64> {
    let layers: [LayerSpec; 5] = [
        Dense::new(5, Activation::Tanh).into(),
        ActivityPenalty { l1: 0.01, l2: 0.02 }.into(),
        BatchNorm::default().into(),
        Dense::new(4, Activation::Tanh).into(),
        Dense::linear(1).into(),
    ];
    Network::new(6, layers).unwrap().freeze("4.weight").unwrap()
}

/// Full batches of gradient descent.
fn config() -> Config {
    let rule = Sgd::default().into();
    let loss = slalom::layers::MeanSquaredError {}.into();
    Config { rule, loss, rate: 0.1.into(), batch: Batch::Full, ..Config::default() }
}

fn run(network: Network<f64>, config: Config) -> Run<f64> {
    Run::new(network, config, Threads::new(2).unwrap()).unwrap()
}

/// Every penalty at once: the first layer by itself, the bias of the last by its name in full.
fn mixed() -> Config {
    let lasso = GroupLasso { strength: 0.03, groups: Groups::Inputs };
    let bias = Penalty { l1: 0.0, l2: 0.3 };
    let blocks = vec![
        BlockConfig { rate: 7.0, ..BlockConfig::new("4.bias") },
        BlockConfig { group_lasso: lasso, rate: 0.5, ..BlockConfig::new("0") },
        BlockConfig { penalty: bias, ..BlockConfig::new("4.bias") },
    ];
    Config { penalty: Penalty { l1: 0.02, l2: 0.1 }, blocks, ..config() }
}

#[test]
fn the_reported_loss_is_what_the_update_makes_smaller() {
    let (x, y) = data();
    let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    let mut run = run(network(), mixed());
    run.step(train).unwrap(); // biases leave 0
    run.end_epoch(None).unwrap();
    let (network, params) = (network(), run.params().to_vec());
    let part = |name: &str| network.block(name).unwrap().range.clone();

    // by hand: the data, the activations behind layer 0, each block by its own rule
    let threads = Threads::one();
    let pass = Pass { mode: Mode::Train { seed: 0, step: 1 }, layer: 0, threads: &threads };
    let mut tape = network.tape(SAMPLES);
    network.forward(&params, x.as_view(), &mut tape, &pass);
    let loss = &config().loss;
    let of_data = loss.evaluate(tape.outputs(), train.targets(), None, None).value;
    let first = Network::new(6, [Dense::new(5, Activation::Tanh).into()]).unwrap();
    let hidden = first.predict(&params[..first.len()], x.as_view(), &threads).unwrap();
    let of_activations =
        hidden.iter().map(|y| 0.01 * y.abs() + 0.01 * y * y).sum::<f64>() / SAMPLES as f64;
    let lasso = 5_f64.sqrt()
        * network.part("0.weight", &params).unwrap().column_iter().map(|c| c.norm()).sum::<f64>();
    let elastic: f64 = params[part("3.weight")].iter().map(|w| 0.02 * w.abs() + 0.05 * w * w).sum();
    let of_bias = 0.15 * params[part("4.bias")][0].powi(2);
    let penalty = of_activations + 0.03 * lasso + elastic + of_bias;

    let step = run.step(train).unwrap().unwrap();
    assert!((step.penalty - penalty).abs() < 1e-14, "{} for {penalty}", step.penalty);
    assert!((step.loss - (of_data + penalty)).abs() < 1e-14, "{} with {of_data}", step.loss);
    let epoch = run.end_epoch(None).unwrap();
    assert!((epoch.train_loss - step.loss).abs() < 1e-15);
    // an evaluation is of the data alone
    let silent = Network::new(6, network.specs().unwrap().to_vec()).unwrap();
    let output = silent.predict(run.params(), x.as_view(), &threads).unwrap();
    let mean = (output - y.clone()).norm_squared() / SAMPLES as f64;
    assert!((run.evaluate(train).unwrap() - mean).abs() < 1e-14);
}

/// The update is rate times the slope of the reported loss, block by block: nothing is in one and
/// not in the other.
#[test]
fn the_update_follows_the_slope_of_the_reported_loss() {
    let (x, y) = data();
    let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    let smooth = Config {
        blocks: vec![
            BlockConfig {
                rate: 0.5,
                penalty: Penalty { l1: 0.05, l2: 0.2 },
                ..BlockConfig::new("0")
            },
            BlockConfig { penalty: Penalty { l1: 0.1, l2: 0.3 }, ..BlockConfig::new("3.bias") },
        ],
        ..mixed()
    };
    let mut start = network().init(5);
    start.iter_mut().enumerate().for_each(|(i, p)| *p += 0.01 * (i % 7) as f64 - 0.033);
    let from = |params: &[f64]| {
        let mut run =
            Run::with_params(network(), params.to_vec(), smooth.clone(), Threads::one()).unwrap();
        (run.step(train).unwrap().unwrap().loss, run)
    };
    let (_, after) = from(&start);
    for block in network().blocks() {
        let share = match block {
            Block { frozen: true, .. } | Block { kind: Kind::Statistic, .. } => continue,
            block if block.within("0") => 0.05,
            _ => 0.1,
        };
        for i in block.range.clone() {
            let at = |offset: f64| {
                let mut moved = start.clone();
                moved[i] += offset;
                from(&moved).0
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            let step = (start[i] - after.params()[i]) / share;
            assert!(
                relative_difference(step, slope) < 1e-8,
                "{} {i}: {step} for {slope}",
                block.name
            );
        }
    }
}

fn trained(config: Config) -> Run<f64> {
    let (x, y) = data();
    let layers = [Dense::new(8, Activation::Tanh).into(), Dense::linear(1).into()];
    let mut run = run(Network::new(6, layers).unwrap(), config);
    for _ in 0..400 {
        let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
        run.epoch(train, None).unwrap();
    }
    run
}

fn zeros(run: &Run<f64>, block: &str) -> usize {
    run.network().part(block, run.params()).unwrap().iter().filter(|&&w| w == 0.0).count()
}

#[test]
fn proximal_steps_make_zeros_and_sub_gradients_do_not() {
    let penalty = Penalty { l1: 0.02, l2: 0.001 };
    let jitter = trained(Config { penalty, ..config() });
    let sparse = trained(Config { penalty, proximal: true, ..config() });
    assert_eq!(zeros(&jitter, "0.weight"), 0);
    assert!(zeros(&sparse, "0.weight") > 20, "{}", zeros(&sparse, "0.weight"));
    assert_eq!(zeros(&sparse, "0.bias"), 0);
    // both go to the same minimum, and say so
    let loss = |run: &Run<f64>| run.history().last().unwrap().train_loss;
    assert!((loss(&jitter) - loss(&sparse)).abs() < 0.01, "{} {}", loss(&jitter), loss(&sparse));
}

#[test]
fn group_lasso_selects_inputs_and_prunes_units() {
    let lasso = |groups| {
        let group_lasso = GroupLasso { strength: 0.02, groups };
        let blocks = vec![BlockConfig { group_lasso, ..BlockConfig::new("0") }];
        let run = trained(Config { blocks, ..config() });
        assert_eq!((zeros(&run, "1.weight"), zeros(&run, "0.bias")), (0, 0), "{groups:?}");
        run.network().part("0.weight", run.params()).unwrap().into_owned()
    };
    let dead = |group: &[f64]| group.iter().filter(|&&w| w == 0.0).count();
    let by_inputs = lasso(Groups::Inputs);
    let counts: Vec<usize> = by_inputs.column_iter().map(|c| dead(c.as_slice())).collect();
    assert!(counts[..2] == [0, 0] && counts[2..].contains(&8), "{counts:?}");
    assert!(counts.iter().all(|&n| n == 0 || n == 8), "{counts:?}");
    let by_units = lasso(Groups::Units).transpose();
    let counts: Vec<usize> = by_units.column_iter().map(|c| dead(c.as_slice())).collect();
    assert!(counts.contains(&0) && counts.contains(&6), "{counts:?}");
    assert!(counts.iter().all(|&n| n == 0 || n == 6), "{counts:?}");
}

#[test]
fn the_threads_change_no_bit_of_the_penalty() {
    let (x, y) = data();
    let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    let losses = [1, 3].map(|count| {
        let layers = [Dense::new(6000, Activation::Tanh).into(), Dense::linear(1).into()];
        let network = Network::<f64>::new(6, layers).unwrap();
        let mut run =
            Run::new(network, mixed_for("0.weight"), Threads::new(count).unwrap()).unwrap();
        run.step(train).unwrap().unwrap().penalty.to_bits()
    });
    assert_eq!(losses[0], losses[1]);
    assert!(f64::from_bits(losses[0]) > 1.0);
}

fn mixed_for(name: &str) -> Config {
    let constraint = Some(Constraint::MaxNorm(1.0));
    let blocks = vec![BlockConfig {
        penalty: Penalty { l1: 0.3, l2: 0.1 },
        constraint,
        ..BlockConfig::new(name)
    }];
    Config { blocks, ..config() }
}

#[test]
fn what_no_block_is_called_and_what_is_out_of_range_is_named() {
    let network = Network::<f64>::new(6, [Dense::linear(1).into()]).unwrap();
    let refused = |config| match Run::new(
        network.spec().unwrap().build::<f64>().unwrap(),
        config,
        Threads::one(),
    ) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };
    let text = refused(mixed_for("0.weigh"));
    assert_eq!(text, "there is no block \"0.weigh\": the blocks are 0.weight, 0.bias");
    let with = |change: &dyn Fn(&mut BlockConfig)| {
        let mut config = mixed_for("0");
        change(&mut config.blocks[0]);
        refused(config)
    };
    assert_eq!(with(&|b| b.rate = -1.0), "rate of a block is -1: it must be finite and at least 0");
    assert!(with(&|b| b.decay = f64::NAN).starts_with("decay is NaN"));
    assert!(with(&|b| b.penalty.l1 = -1.0).starts_with("l1 is -1"));
    assert!(with(&|b| b.group_lasso.strength = -1.0).starts_with("strength is -1"));
    assert!(with(&|b| b.constraint = Some(Constraint::MaxNorm(0.0))).starts_with("max_norm is 0"));
    let group_lasso = GroupLasso { strength: 1e7, ..GroupLasso::default() };
    assert!(refused(Config { group_lasso, ..config() }).starts_with("strength is 1"));
    assert!(refused(Config { decay: -1.0, ..config() }).starts_with("decay is -1"));
}
