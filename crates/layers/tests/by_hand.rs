//! Layers against numbers worked out by hand, where a slope alone would not show a wrong value.

use slalom_layers::*;
use slalom_tensor::{Matrix, Targets, Threads, View, from_rows};

const TRAIN: Mode = Mode::Train { seed: 3, step: 5 };

/// Outputs, and the derivatives by inputs and parameters for a derivative of the outputs.
fn pass(spec: impl Into<LayerSpec>, params: &[f64], x: View<'_, f64>, dy: &[f64]) -> [Vec<f64>; 3] {
    let (inputs, samples) = x.shape();
    let layer = spec.into().build::<f64>(inputs, 0).unwrap();
    let threads = Threads::one();
    let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
    let mut y = vec![f64::NAN; layer.outputs(inputs, 0).unwrap() * samples];
    let mut cache = vec![f64::NAN; layer.cache(inputs, samples)];
    layer.forward(Forward { params, x, y: &mut y, cache: &mut cache }, &pass);
    let (mut dx, mut grads) = (vec![f64::NAN; x.len()], vec![f64::NAN; params.len()]);
    let (dy, dx_of) = (&mut dy.to_vec(), Some(&mut dx[..]));
    let (grads_of, cache) = (&mut grads[..], &mut cache[..]);
    let at = Backward { params, x, y: &y, dy, dx: dx_of, grads: grads_of, cache, late: None };
    layer.backward(at, &pass);
    [y, dx, grads]
}

fn close(found: &[f64], wanted: &[f64]) -> bool {
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs().max(1.0);
    found.len() == wanted.len() && found.iter().zip(wanted).map(apart).all(|d| d < 1e-14)
}

#[test]
fn activations() {
    let (e, ln) = (|x: f64| x.exp(), |x: f64| x.ln());
    let scale = 1.0507009873554805;
    let bend = scale * 1.6732632423543772;
    let softplus = Activation::Softplus { beta: 2.0, threshold: 1.0 };
    // at threshold/beta it still bends, beyond it is x
    for (f, x, y, slope) in [
        (Activation::Identity, -2.0, -2.0, 1.0),
        (Activation::Relu, 2.0, 2.0, 1.0),
        (Activation::LeakyRelu { slope: 0.1 }, -2.0, -0.2, 0.1),
        (Activation::Elu { alpha: 2.0 }, -1.0, 2.0 * (e(-1.0) - 1.0), 2.0 * e(-1.0)),
        (Activation::Selu, 1.0, scale, scale),
        (Activation::Selu, -1.0, bend * (e(-1.0) - 1.0), bend * e(-1.0)),
        (softplus, 0.5, ln(1.0 + e(1.0)) / 2.0, 1.0 / (1.0 + e(-1.0))),
        (softplus, 0.5001, 0.5001, 1.0),
        (softplus, -3.0, ln(1.0 + e(-6.0)) / 2.0, 1.0 / (1.0 + e(6.0))),
        (Activation::Softsign, -3.0, -0.75, 0.0625),
        (Activation::HardSigmoid, 1.2, 0.7, 1.0 / 6.0),
        (Activation::HardSigmoid, -4.0, 0.0, 0.0),
        (Activation::HardSigmoid, 4.0, 1.0, 0.0),
        (Activation::HardTanh { min: -0.5, max: 2.0 }, -1.0, -0.5, 0.0),
        (Activation::HardTanh { min: -0.5, max: 2.0 }, 1.5, 1.5, 1.0),
        (Activation::Silu, 1.0, 1.0 / (1.0 + e(-1.0)), 0.9276705118714869),
        (Activation::Mish, 1.0, ln(1.0 + e(1.0)).tanh(), 1.0490362200997922),
    ] {
        let x = [x];
        let [found, found_slope, _] = pass(f, &[], View::from_slice(&x, 1, 1), &[1.0]);
        assert!(close(&found, &[y]), "{f:?} at {x:?}: {found:?} for {y}");
        assert!(close(&found_slope, &[slope]), "{f:?} at {x:?}: {found_slope:?} for {slope}");
    }
}

#[test]
fn softmax_is_shares_and_log_softmax_their_logarithms() {
    let x = from_rows(&[[1_f64.ln(), 2_f64.ln(), 5_f64.ln()]]);
    let shares = [0.125, 0.25, 0.625];
    let [y, dx, _] = pass(Softmax {}, &[], x.as_view(), &[1.0, 0.0, 0.0]);
    assert!(close(&y, &shares), "{y:?}");
    assert!(close(&dx, &[0.125 * 0.875, -0.25 * 0.125, -0.625 * 0.125]), "{dx:?}");
    let [y, dx, _] = pass(LogSoftmax {}, &[], x.as_view(), &[1.0, 0.0, 0.0]);
    assert!(close(&y, &shares.map(f64::ln)), "{y:?}");
    assert!(close(&dx, &[0.875, -0.25, -0.625]), "{dx:?}");
}

/// At 0 the slope is that of the left, as in PyTorch.
#[test]
fn prelu() {
    let x = from_rows(&[[2.0, 0.0], [-3.0, -1.0]]);
    let [y, dx, grads] = pass(Prelu::default(), &[0.1, 0.2], x.as_view(), &[1.0, 1.0, 2.0, 3.0]);
    assert!(close(&y, &[2.0, 0.0, -0.3, -0.2]), "{y:?}");
    assert!(close(&dx, &[1.0, 0.2, 0.2, 0.6]), "{dx:?}");
    assert!(close(&grads, &[-6.0, -3.0]), "{grads:?}");
    let shared = Prelu { shared: true, ..Prelu::default() };
    let [_, _, grads] = pass(shared, &[0.1], x.as_view(), &[1.0, 1.0, 2.0, 3.0]);
    assert!(close(&grads, &[-9.0]), "{grads:?}");
}

#[test]
fn embeddings_stand_behind_the_columns_that_pass() {
    let tables = vec![EmbeddingTable::new(2, 2, 3), EmbeddingTable::new(0, 3, 2)];
    // codes 2 and 1, then 1 and 0; columns 1 and 3 pass
    let x = from_rows(&[[2.0, 0.5, 1.0, -0.5], [1.0, 0.25, 0.0, -0.25]]);
    let params: Vec<f64> = (0..12).map(f64::from).collect();
    let dy: Vec<f64> = (1..=14).map(f64::from).collect();
    let [y, dx, grads] = pass(Embedding { tables }, &params, x.as_view(), &dy);
    let first = [0.5, -0.5, 3.0, 4.0, 5.0, 10.0, 11.0];
    assert_eq!(y, [first, [0.25, -0.25, 0.0, 1.0, 2.0, 8.0, 9.0]].concat());
    assert_eq!(dx, [0.0, 1.0, 0.0, 2.0, 0.0, 8.0, 0.0, 9.0], "a code has no slope");
    assert_eq!(grads, [10.0, 11.0, 12.0, 3.0, 4.0, 5.0, 0.0, 0.0, 13.0, 14.0, 6.0, 7.0]);
}

#[test]
fn batch_norm_keeps_the_digits_of_a_large_mean() {
    let x = Matrix::from_fn(2, 4, |_, j| 1e9 + [-1.0, 1.0, -3.0, 3.0][j]);
    let norm = BatchNorm { eps: 1e-12, ..BatchNorm::default() };
    let [y, _, _] = pass(norm, &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], x.as_view(), &[0.0; 8]);
    let wanted = [-1.0, 1.0, -3.0, 3.0].map(|d: f64| d / 5_f64.sqrt());
    for (y, wanted) in y.chunks(2).zip(wanted) {
        assert!((y[0] - wanted).abs() < 1e-9 && y[0] == y[1], "{y:?} for {wanted}");
    }
    // a mean that is rounded
    let x = Matrix::from_fn(1, 3, |_, j| 1e9 + [0.0, 1.0, 3.0][j]);
    let [y, _, _] = pass(norm, &[1.0, 0.0, 0.0, 1.0], x.as_view(), &[0.0; 3]);
    for (y, wanted) in y.iter().zip([-4.0, -1.0, 5.0].map(|d: f64| d / 14_f64.sqrt())) {
        assert!((y - wanted).abs() < 1e-6, "{y} for {wanted}");
    }
}

/// Many more numbers than one task takes: every one meets its own part of the mask.
#[test]
fn dropout_of_a_large_batch() {
    let x = Matrix::from_fn(7, 5000, |i, j| 1.0 + (i + 7 * j) as f64);
    for (layer, scale) in [(Dropout::new(0.5), 2.0), (Dropout::classical(0.5), 1.0)] {
        let [y, dx, _] = pass(layer, &[], x.as_view(), &[1.0; 35_000]);
        let mut dropped = 0;
        for ((y, x), dx) in y.iter().zip(x.iter()).zip(&dx) {
            assert_eq!(*y, dx * x);
            assert!(*dx == 0.0 || *dx == scale);
            dropped += usize::from(*dx == 0.0);
        }
        assert!(dropped.abs_diff(17_500) < 500, "{dropped}");
    }
}

#[test]
fn noise_is_stable() {
    let x = from_rows(&[[1.0, 1.0]]);
    let [y, ..] = pass(GaussianDropout { rate: 0.5 }, &[], x.as_view(), &[0.0; 2]);
    assert_eq!(y, PINNED);
}

const PINNED: [f64; 2] = [0.3677916910970802, -0.2649721473233595];

/// Room for what the backward pass needs, and no more.
#[test]
fn caches() {
    let room = |spec: LayerSpec| spec.build::<f64>(3, 0).unwrap().cache(3, 5);
    assert_eq!(room(Dense::new(4, Activation::Tanh).into()), 0, "found from the outputs");
    assert_eq!(room(Dense::new(4, Activation::Gelu).into()), 20);
    assert_eq!(room(Softmax {}.into()), 0);
    assert_eq!(room(Dropout::new(0.5).into()), 15);
    let inner = [Dense::new(4, Activation::Gelu).into(), Dense::linear(2).into()];
    let network = Network::<f64>::new(3, inner.clone()).unwrap();
    // the first layer's outputs, the derivative by them, and the inputs of its activation
    assert_eq!(Layer::cache(&network, 3, 5), 20 + 20 + 20);
    assert_eq!(room(Concat { layers: inner.to_vec() }.into()), 2 * 10 + 60);
    assert_eq!(network.tape(6).capacity(), 6);
}

#[test]
fn what_is_inside_of_a_layer_is_checked_counted_and_followed() {
    let embedding = Embedding { tables: vec![EmbeddingTable::new(0, 3, 2)] };
    let concat = Concat { layers: vec![embedding.into(), Dropout::new(0.5).into()] };
    let inner = Network::<f64>::new(2, [concat.into(), Dropout::new(0.5).into()]).unwrap();
    assert_eq!(inner.span(), 3);
    assert_eq!(inner.specs().unwrap().len(), 2);
    let boxed: Vec<Box<dyn Layer<f64>>> = vec![Box::new(inner)];
    let network = Network::from_layers(2, boxed).unwrap();
    assert_eq!(network.summary().rows[0].layer, "network");
    let x = from_rows(&[[3.0, 0.0]]);
    let error = network.check_inputs(x.as_view()).unwrap_err().to_string();
    assert_eq!(error, "feature 0 of sample 0 is 3: it must be a category from 0 to 2");
}

#[test]
fn statistics_inside_of_a_shortcut_follow_as_outside() {
    let x = Matrix::from_fn(3, 6, |i, j| ((i + 1) * j) as f64 - 4.0);
    let norm = || -> LayerSpec { BatchNorm { momentum: 0.3, ..BatchNorm::default() }.into() };
    let threads = Threads::one();
    let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
    let settled = |layer: LayerSpec| {
        // a layer before and one after, so that parts of the caches differ
        let layers = [Prelu::default().into(), layer, Dense::new(2, Activation::Gelu).into()];
        let network = Network::<f64>::new(3, layers).unwrap();
        let (mut params, mut tape) = (network.init(1), network.tape(6));
        network.forward(&params, x.as_view(), &mut tape, &pass);
        network.settle(&mut params, &tape);
        let blocks = network.blocks().iter().filter(|block| block.kind == Kind::Statistic);
        blocks.flat_map(|block| params[block.range.clone()].to_vec()).collect::<Vec<_>>()
    };
    let wanted = settled(norm());
    assert!(wanted.len() == 6 && wanted[0] != 0.0 && wanted[5] != 1.0);
    let plain = || -> LayerSpec { Activation::Identity.into() };
    for layers in [vec![norm()], vec![norm(), plain()], vec![plain(), norm(), plain(), plain()]] {
        assert_eq!(settled(Concat { layers: layers.clone() }.into()), wanted);
        assert_eq!(settled(Residual { layers }.into()), wanted);
    }
}

#[test]
fn penalties_are_of_the_outputs_of_the_layer_before() {
    let x = from_rows(&[[1.0, -2.0], [3.0, 0.0]]);
    let penalty = || -> LayerSpec { ActivityPenalty { l1: 1.0, l2: 0.0 }.into() };
    let linear = || -> LayerSpec { Dense::linear(3).into() };
    let of = |layers: Vec<LayerSpec>| {
        let network = Network::<f64>::new(2, layers).unwrap();
        let (threads, mut tape) = (Threads::one(), network.tape(4));
        let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
        network.forward(&vec![1.0; network.len()], x.as_view(), &mut tape, &pass);
        network.penalty(&tape)
    };
    assert_eq!(of(vec![linear()]), 0.0);
    assert_eq!(of(vec![penalty()]), 3.0); // (1 + 2 + 3 + 0)/2
    assert_eq!(of(vec![penalty(), linear()]), 3.0);
    assert_eq!(of(vec![linear(), penalty()]), 6.0); // three units: 0 and 4 each
    assert_eq!(of(vec![linear(), penalty(), linear(), penalty()]), 6.0 + 3.0 * 14.0 / 2.0);
    assert_eq!(of(vec![Concat { layers: vec![linear(), penalty()] }.into(), linear()]), 6.0);
}

/// In PyTorch the bias begins like the weights, and as far apart.
#[test]
fn biases_of_pytorchs_linear() {
    let bias = |init| {
        let network = Network::<f64>::new(25, [Dense { init, ..Dense::linear(400) }.into()]);
        let network = network.unwrap();
        let params = network.init(7);
        network.part("0.bias", &params).unwrap().iter().map(|b| b.abs()).fold(0.0, f64::max)
    };
    let most = bias(Init::TorchLinear);
    assert!(most > 0.19 && most <= 0.2, "{most}");
    assert_eq!(bias(Init::HeNormal), 0.0);
}

#[test]
fn the_loss_of_no_samples_is_0() {
    let none = Matrix::<f64>::zeros(2, 0);
    let loss = Loss::default().evaluate(none.as_view(), Targets::Classes(&[]), None, None);
    assert_eq!((loss.value, loss.weight), (0.0, 0.0));
}
