//! Binary cross-entropy, from logits.

use slalom_tensor::Scalar;

use super::{PerSample, Target};
use crate::activation::sigmoid;

/// Binary cross-entropy, each output by itself (so it serves for many labels at once):
///
/// ```text
/// loss = v·(−w·t·ln σ(y) − (1 − t)·ln(1 − σ(y))) = v·((1 − t)·y + (1 + (w − 1)·t)·ln(1 + e⁻ʸ))
/// slope = v·((w·t + 1 − t)·σ(y) − w·t)
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `positive_weights` | 1 each | w, one for each output: weighs rare positives up |
/// | `weights` | 1 each | v, one for each output: which labels count more |
///
/// The mean is one over outputs and samples, whatever v. Targets: values in 0..=1 (*outputs × samples*), or, for
/// a single output, classes 0 and 1. Same as PyTorch's `binary_cross_entropy_with_logits` and
/// Keras's `BinaryCrossentropy(from_logits=True)`; the network's last layer has no activation.
///
/// ```
/// use slalom_layers::{BinaryCrossEntropy, Loss};
/// let rare = BinaryCrossEntropy { positive_weights: Some(vec![9.0]), ..Default::default() };
/// Loss::from(rare).validate(1).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct BinaryCrossEntropy {
    /// A weight for the positives of each output, finite and at least 0.
    pub positive_weights: Option<Vec<f64>>,
    /// A weight for each output, finite and at least 0.
    pub weights: Option<Vec<f64>>,
}

impl PerSample for BinaryCrossEntropy {
    fn sample<F: Scalar>(&self, logits: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let class;
        let targets = match target {
            Target::Values(values) => values,
            Target::Class(positive) => {
                class = [F::of(positive as f64)];
                &class
            }
        };
        let ones = |_| F::one();
        match (&self.positive_weights, &self.weights) {
            (None, None) => each(logits, targets, dy, ones, ones),
            (positive, whole) => {
                let of = |weights: &Option<Vec<f64>>, i: usize| {
                    weights.as_ref().map_or(F::one(), |weights| F::of(weights[i]))
                };
                each(logits, targets, dy, |i| of(positive, i), |i| of(whole, i))
            }
        }
    }

    fn share<F: Scalar>(&self, outputs: usize, _target: Target<'_, F>) -> f64 {
        outputs as f64
    }
}

fn each<F: Scalar>(
    logits: &[F],
    targets: &[F],
    dy: Option<&mut [F]>,
    weight: impl Fn(usize) -> F,
    whole: impl Fn(usize) -> F,
) -> f64 {
    let one = F::one();
    if let Some(dy) = dy {
        for (i, (d, (&y, &t))) in dy.iter_mut().zip(logits.iter().zip(targets)).enumerate() {
            let positive = weight(i) * t;
            *d = whole(i) * ((positive + one - t) * sigmoid(y) - positive);
        }
    }
    let loss = |(i, (&y, &t)): (usize, (&F, &F))| {
        // ln(1 + e⁻ʸ)
        let softplus = (-y.abs()).exp().ln_1p() + (-y).max(F::zero());
        (whole(i) * ((one - t) * y + (one + (weight(i) - one) * t) * softplus)).wide()
    };
    logits.iter().zip(targets).enumerate().map(loss).sum()
}
