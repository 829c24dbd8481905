//! The Poisson distribution's negative log-likelihood.

use std::f64::consts::TAU;

use slalom_tensor::Scalar;

use super::PerOutput;

/// Negative log-likelihood of counts t under Poisson(λ), the mean over outputs and samples:
///
/// | `log_input` | λ | loss | slope |
/// |---|---|---|---|
/// | true | eʸ | eʸ − t·y | eʸ − t |
/// | false | y | y − t·ln(y + eps) | 1 − t/(y + eps) |
///
/// | field | default | |
/// |---|---|---|
/// | `log_input` | true | whether outputs are logarithms of λ |
/// | `full` | false | adds Stirling's t·ln t − t + ½·ln(2πt) where t > 1 |
/// | `eps` | 1e-8 | above 0; used where `log_input` is false |
///
/// Targets are at least 0. Same as PyTorch's `poisson_nll_loss`; Keras's `Poisson` has `log_input`
/// false, `eps` 1e-7.
///
/// ```
/// use slalom_layers::{Loss, Poisson};
/// Loss::from(Poisson { full: true, ..Default::default() }).validate(1).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Poisson {
    /// Whether outputs are logarithms of λ.
    pub log_input: bool,
    /// Whether the term without y is added.
    pub full: bool,
    /// Keeps ln(y) finite, finite and above 0.
    pub eps: f64,
}

impl Default for Poisson {
    fn default() -> Self {
        Self { log_input: true, full: false, eps: 1e-8 }
    }
}

impl PerOutput for Poisson {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let (loss, slope) = if self.log_input {
            let rate = y.exp();
            (rate - t * y, rate - t)
        } else {
            let above_0 = y + F::of(self.eps);
            (y - t * above_0.ln(), F::one() - t / above_0)
        };
        let constant = if self.full { stirling(t) } else { F::zero() };
        (loss + constant, slope)
    }
}

/// ln t!, nearly.
fn stirling<F: Scalar>(t: F) -> F {
    if t > F::one() { t * t.ln() - t + F::of(0.5) * (F::of(TAU) * t).ln() } else { F::zero() }
}
