//! Every layer, alone and in random compositions, against central differences in f64.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use slalom_layers::*;
use slalom_tensor::{Matrix, Threads, View};

#[path = "../examples/custom_layer.rs"]
mod custom_layer;

const TRAIN: Mode = Mode::Train { seed: 3, step: 5 };

/// `Σ upstream·outputs`, with activity penalties in training, and its gradient by the parameters if
/// asked.
fn run(
    network: &Network<f64>,
    params: &[f64],
    x: View<'_, f64>,
    mode: Mode,
    grads: Option<&mut [f64]>,
) -> f64 {
    let threads = Threads::one();
    let pass = Pass { mode, layer: 0, threads: &threads };
    let mut tape = network.tape(x.ncols());
    network.forward(params, x, &mut tape, &pass);
    let (y, mut dy) = tape.ends();
    let upstream = |i: usize, j: usize| ((5 * i + 3 * j + 1) as f64).sin();
    let mut value = 0.0;
    for j in 0..y.ncols() {
        for i in 0..y.nrows() {
            value += upstream(i, j) * y[(i, j)];
            dy[(i, j)] = upstream(i, j);
        }
    }
    if let Some(grads) = grads {
        grads.fill(f64::NAN); // what is not overwritten shows
        network.backward(params, x, &mut tape, grads, &pass);
    }
    let penalty = if mode == Mode::Predict { 0.0 } else { network.penalty(&tape) };
    value + penalty
}

/// The largest error of the gradient, relative where the slope is above 1.
fn error(network: &Network<f64>, params: &[f64], x: View<'_, f64>, mode: Mode) -> f64 {
    let mut grads = vec![0.0; params.len()];
    run(network, params, x, mode, Some(&mut grads));
    let mut moved = params.to_vec();
    let mut worst = 0_f64;
    for block in network.blocks().iter().filter(|b| b.kind != Kind::Statistic) {
        for i in block.range.clone() {
            let h = 1e-5 * params[i].abs().max(0.1);
            let mut at = |w| {
                moved[i] = w;
                run(network, &moved, x, mode, None)
            };
            let slope = (at(params[i] + h) - at(params[i] - h)) / (2.0 * h);
            moved[i] = params[i];
            let error = (slope - grads[i]).abs() / slope.abs().max(1.0);
            worst = if error.is_nan() { error } else { worst.max(error) };
            if error.is_nan() {
                return f64::NAN;
            }
        }
    }
    for block in network.blocks().iter().filter(|b| b.kind == Kind::Statistic) {
        assert!(
            grads[block.range.clone()].iter().all(|&g| g == 0.0),
            "a statistic has no gradient"
        );
    }
    worst
}

fn inputs(features: usize, samples: usize) -> Matrix<f64> {
    Matrix::from_fn(features, samples, |i, j| 1.5 * ((7 * i + 11 * j) as f64 * 0.37).sin() + 0.2)
}

fn activations() -> Vec<Activation> {
    vec![
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Elu { alpha: 1.3 },
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Mish,
        Activation::Softplus { beta: 1.5, threshold: 20.0 },
        Activation::Softsign,
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::Tanh,
        Activation::LecunTanh,
        Activation::HardTanh { min: -0.7, max: 1.2 },
    ]
}

/// Layers that take any width and keep it.
fn keeping() -> Vec<LayerSpec> {
    let mut layers: Vec<LayerSpec> = activations().into_iter().map(LayerSpec::from).collect();
    layers.extend([
        Prelu::default().into(),
        Prelu { init: 0.1, shared: true }.into(),
        Softmax {}.into(),
        LogSoftmax {}.into(),
        Dropout::new(0.4).into(),
        Dropout::classical(0.7).into(),
        GaussianDropout { rate: 0.3 }.into(),
        AlphaDropout { rate: 0.2 }.into(),
        BatchNorm { eps: 1e-2, ..Default::default() }.into(),
        LayerNorm { eps: 1e-2 }.into(),
        ActivityPenalty { l1: 0.3, l2: 0.2 }.into(),
    ]);
    layers
}

#[test]
fn every_layer() {
    for layer in keeping() {
        for mode in [TRAIN, Mode::Predict] {
            // wide enough to leave one block of rows, and layers before and after it
            for units in [5, 70] {
                let layers = [Dense::linear(units).into(), layer.clone(), Dense::linear(2).into()];
                let network = Network::new(3, layers).unwrap();
                let error = error(&network, &network.init(9), inputs(3, 4).as_view(), mode);
                assert!(error < 1e-6, "{layer:?} with {units} units, {mode:?}: {error}");
            }
        }
    }
}

#[test]
fn every_activation_behind_a_dense_layer() {
    for activation in activations() {
        for bias in [true, false] {
            let hidden = Dense { bias, ..Dense::new(6, activation) };
            let layers = [hidden.into(), Dense::new(3, activation).into()];
            let network = Network::new(3, layers).unwrap();
            let error = error(&network, &network.init(2), inputs(3, 5).as_view(), TRAIN);
            assert!(error < 1e-6, "{activation:?}: {error}");
        }
    }
}

#[test]
fn layers_that_hold_layers() {
    let penalty = ActivityPenalty { l1: 0.3, l2: 0.2 };
    let f = |units| vec![Dense::new(6, Activation::Tanh).into(), Dense::linear(units).into()];
    let within = Residual {
        layers: vec![
            Concat { layers: f(2) }.into(),
            Dropout::new(0.2).into(),
            BatchNorm { eps: 1e-2, ..Default::default() }.into(),
            Dense::new(4, Activation::Gelu).into(),
        ],
    };
    for layers in [
        vec![Residual { layers: f(3) }.into(), Dense::linear(2).into()],
        vec![
            Concat { layers: f(2) }.into(),
            Concat { layers: f(1) }.into(),
            Dense::linear(2).into(),
        ],
        vec![Dense::linear(4).into(), within.clone().into(), Dense::linear(2).into()],
        vec![Dense::linear(4).into(), within.into()],
        vec![
            Concat { layers: vec![Dense::linear(2).into(), penalty.into()] }.into(),
            Residual { layers: vec![penalty.into(), Dense::linear(5).into(), penalty.into()] }
                .into(),
        ],
    ] {
        let network = Network::new(3, layers.clone()).unwrap();
        for mode in [TRAIN, Mode::Predict] {
            let error = error(&network, &network.init(4), inputs(3, 5).as_view(), mode);
            assert!(error < 1e-6, "{layers:?}: {error}");
        }
    }
}

#[test]
fn embeddings() {
    let embedding =
        Embedding { tables: vec![EmbeddingTable::new(2, 3, 2), EmbeddingTable::new(0, 2, 3)] };
    let code = |i, j: usize| match i {
        0 => (j % 2) as f64,
        2 => (j * j % 3) as f64,
        _ => (j as f64).cos(),
    };
    let x = Matrix::from_fn(4, 7, code);
    let network = Network::new(4, [embedding.into(), Dense::new(2, Activation::Tanh).into()]);
    let network = network.unwrap();
    let error = error(&network, &network.init(4), x.as_view(), TRAIN);
    assert!(error < 1e-6, "{error}");
}

#[test]
fn the_custom_layer_of_the_example() {
    custom_layer::main().unwrap();
    for last in [Dense::linear(2), Dense::new(2, Activation::Tanh)] {
        let layers: Vec<Box<dyn Layer<f64>>> =
            vec![Box::new(Dense::linear(4)), Box::new(custom_layer::Sine), Box::new(last)];
        let network = Network::from_layers(3, layers).unwrap();
        let mut params = network.init(3);
        params[network.block("1.frequency").unwrap().range.start] = 1.7;
        let error = error(&network, &params, inputs(3, 5).as_view(), TRAIN);
        assert!(error < 1e-6, "{error}");
    }
}

/// A network of up to six layers from a list of choices.
fn composition(choices: &[(usize, usize)]) -> Vec<LayerSpec> {
    let (keeping, activations) = (keeping(), activations());
    let mut width = 3;
    let mut layers = Vec::new();
    for &(kind, units) in choices {
        let activation = activations[kind % activations.len()];
        let dense = |units| LayerSpec::from(Dense::new(units, activation));
        layers.push(match kind % 5 {
            0 | 1 => {
                width = units;
                dense(units)
            }
            2 => Residual { layers: vec![dense(units), Dense::linear(width).into()] }.into(),
            3 => {
                let layers = vec![dense(units)];
                width += units;
                Concat { layers }.into()
            }
            _ => keeping[kind / 5 % keeping.len()].clone(),
        });
    }
    layers
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(41), ..ProptestConfig::with_cases(200) })]

    #[test]
    fn random_compositions(
        choices in prop::collection::vec((0_usize..1000, 1_usize..5), 1..=6),
        seed in 0_u64..1000,
        samples in 2_usize..6,
        training: bool,
    ) {
        let layers = composition(&choices);
        let network = Network::new(3, layers.clone()).unwrap();
        // biases off 0, so that a dead unit does not sit on a kink
        let mut params = network.init(seed);
        params.iter_mut().enumerate().for_each(|(i, w)| *w += 0.1 * (i as f64 + 1.0).sin());
        let mode = if training { Mode::Train { seed, step: 7 } } else { Mode::Predict };
        let error = error(&network, &params, inputs(3, samples).as_view(), mode);
        prop_assert!(error < 1e-6, "{error}: {layers:?}");
    }
}
