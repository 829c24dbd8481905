//! The gradient of the composed network and loss against central differences, in f64.

use slalom::layers::{LayerSpec, LossValue, Mode, Pass};
use slalom::prelude::*;
use slalom::tensor::Matrix;
use slalom_tests::relative_difference;

const INPUTS: usize = 3;
const OUTPUTS: usize = 4;
const SAMPLES: usize = 6;
const STEP: f64 = 1e-5;

/// Data loss and penalty at these parameters, with the same dropout masks every time; the gradient
/// of both, if asked for.
fn objective(
    network: &Network<f64>,
    params: &[f64],
    (loss, penalty): (&Loss, Penalty),
    targets: Targets<'_, f64>,
    grads: Option<&mut Vec<f64>>,
) -> f64 {
    let x = Matrix::from_fn(INPUTS, SAMPLES, |i, j| ((i * 7 + j * 5) % 11) as f64 / 4.0 - 1.2);
    let threads = Threads::one();
    let pass = Pass { mode: Mode::Train { seed: 9, step: 4 }, layer: 0, threads: &threads };
    let mut tape = network.tape(SAMPLES);
    network.forward(params, x.as_view(), &mut tape, &pass);
    let (outputs, deltas) = tape.ends();
    let LossValue { value, .. } = loss.evaluate(outputs, targets, None, Some(deltas));
    let weights = || network.blocks().iter().filter(|block| block.name.ends_with("weight"));
    if let Some(grads) = grads {
        network.backward(params, x.as_view(), &mut tape, grads, &pass);
        for block in weights() {
            penalty.add_gradient(&params[block.range.clone()], &mut grads[block.range.clone()]);
        }
    }
    value + weights().map(|block| penalty.value(&params[block.range.clone()])).sum::<f64>()
}

#[test]
fn every_parameter_of_every_activation_and_loss() {
    let classes = [0, 3, 1, 2, 2, 0];
    let values = Matrix::from_fn(OUTPUTS, SAMPLES, |i, j| ((i + 3 * j) % 5) as f64 / 2.0 - 1.0);
    let losses = [
        (Loss::default(), Targets::Classes(&classes)),
        (Loss::MeanSquaredError(Default::default()), Targets::Values(values.as_view())),
    ];
    let penalty = Penalty { l1: 0.01, l2: 0.02 };
    for activation in
        [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Sigmoid]
    {
        for (loss, targets) in &losses {
            let layers: [LayerSpec; 4] = [
                Dense::new(7, activation).into(),
                Dropout::new(0.3).into(),
                Dense::new(5, activation).into(),
                Dense::linear(OUTPUTS).into(),
            ];
            let network = Network::new(INPUTS, layers).unwrap();
            // no unit exactly on a kink: biases begin at 0, and dropout may leave nothing else
            let mut params = network.init(2);
            params.iter_mut().enumerate().for_each(|(i, p)| *p += (i % 13) as f64 / 50.0 - 0.1);
            let mut grads = vec![0.0; network.len()];
            objective(&network, &params, (loss, penalty), *targets, Some(&mut grads));
            for i in 0..params.len() {
                let at = |offset: f64| {
                    let mut moved = params.clone();
                    moved[i] += offset;
                    objective(&network, &moved, (loss, penalty), *targets, None)
                };
                let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                let error = relative_difference(grads[i], difference);
                assert!(
                    error <= 1e-6,
                    "{activation:?}, {loss:?}, parameter {i}: {} for {difference}",
                    grads[i]
                );
            }
        }
    }
}
