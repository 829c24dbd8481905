//! The Kullback–Leibler divergence, from logits.

use slalom_tensor::Scalar;
use slalom_tensor::elementary::exp;

use super::cross_entropy::log_sum;
use super::{PerSample, Target};

/// How far the softmax of the outputs y is from a distribution t, the mean over samples:
///
/// ```text
/// loss = Σ tᵢ·(ln tᵢ − ln softmax(y)ᵢ), 0 where tᵢ = 0;   slope = softmax(y)·Σt − t
/// ```
///
/// It is the cross-entropy with soft targets less what no network could save, the targets' own
/// entropy. Targets: values, at least 0. PyTorch's `kl_div` with `reduction="batchmean"` takes
/// log-probabilities and Keras's `KLDivergence` probabilities; here a softmax is included.
///
/// ```
/// use slalom_layers::{KlDivergence, Loss};
/// assert_eq!(Loss::from(KlDivergence {}).name(), "kl divergence");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KlDivergence {}

impl PerSample for KlDivergence {
    fn sample<F: Scalar>(&self, logits: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let targets = target.values();
        let (top, log_sum, sum) = log_sum(logits);
        if let Some(dy) = dy {
            let all: F = targets.iter().copied().sum();
            for (d, (&y, &t)) in dy.iter_mut().zip(logits.iter().zip(targets)) {
                *d = all * (exp(y - top) / sum) - t;
            }
        }
        let loss = |(&y, &t): (&F, &F)| {
            let log_p = (y - top) - log_sum;
            if t > F::zero() { (t * (t.ln() - log_p)).wide() } else { 0.0 }
        };
        logits.iter().zip(targets).map(loss).sum()
    }
}
