//! Softmax cross-entropy, from logits.

use slalom_tensor::Scalar;

use super::{PerSample, Target};

/// Softmax cross-entropy of one sample: −Σ tᵢ·log softmax(y)ᵢ, computed from the logits y, so that
/// no logit is too large.
///
/// Targets: class indices, or a probability for each class (*classes × samples*).
/// Derivative: softmax(y)·Σt − t.
///
/// Same as PyTorch's `cross_entropy` and Keras's `from_logits=True`; the network's last layer has
/// no activation.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CrossEntropy {}

impl PerSample for CrossEntropy {
    fn sample<F: Scalar>(&self, logits: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let top = logits.iter().copied().fold(F::neg_infinity(), F::max);
        let sum: F = logits.iter().map(|&y| (y - top).exp()).sum();
        let log_sum = sum.ln();
        let log_softmax = |i: usize| (logits[i] - top) - log_sum;
        if let Some(dy) = dy {
            let scale = match target {
                Target::Class(_) => F::one(),
                Target::Values(t) => t.iter().copied().sum(),
            };
            for (d, &y) in dy.iter_mut().zip(logits) {
                *d = scale * ((y - top).exp() / sum);
            }
            match target {
                Target::Class(class) => dy[class] -= F::one(),
                Target::Values(t) => dy.iter_mut().zip(t).for_each(|(d, &t)| *d -= t),
            }
        }
        match target {
            Target::Class(class) => -log_softmax(class).wide(),
            Target::Values(t) => {
                -t.iter().enumerate().map(|(i, t)| t.wide() * log_softmax(i).wide()).sum::<f64>()
            }
        }
    }
}
