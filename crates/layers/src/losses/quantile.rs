//! The quantile (pinball) loss.

use slalom_tensor::Scalar;

use super::PerOutput;

/// The loss whose minimum is a quantile rather than a mean; the mean over outputs and samples:
///
/// ```text
/// loss = q·(t − y) where y < t, (1 − q)·(y − t) elsewhere;   slope −q, 1 − q, and 0 at y = t
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `quantile` | 0.5 | q, above 0 and below 1; 0.5 is half the absolute error |
///
/// Same as scikit-learn's `mean_pinball_loss`; neither PyTorch nor Keras has it.
///
/// ```
/// use slalom_layers::{Loss, Quantile};
/// Loss::from(Quantile { quantile: 0.9 }).validate(1).unwrap();
/// ```
///
/// Reference: Koenker and Bassett 1978, "Regression quantiles".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Quantile {
    /// Which quantile, above 0 and below 1.
    pub quantile: f64,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { quantile: 0.5 }
    }
}

impl PerOutput for Quantile {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let (d, q) = (y - t, F::of(self.quantile));
        let slope = if d > F::zero() {
            F::one() - q
        } else if d < F::zero() {
            -q
        } else {
            F::zero()
        };
        (slope * d, slope)
    }
}
