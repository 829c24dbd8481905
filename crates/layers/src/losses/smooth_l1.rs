//! Smooth L1.

use slalom_tensor::Scalar;

use super::PerOutput;
use super::mean_absolute_error::sign;

/// Absolute error, rounded off below `beta`; the mean over outputs and samples. With d = y − t:
///
/// ```text
/// loss = ½d²/beta where |d| < beta, |d| − ½beta beyond;   slope = clip(d/beta, −1, 1)
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `beta` | 1 | at least 0; 0 is the absolute error |
///
/// Same as PyTorch's `smooth_l1_loss`; Keras has none.
///
/// ```
/// use slalom_layers::{Loss, SmoothL1};
/// Loss::from(SmoothL1 { beta: 0.5 }).validate(1).unwrap();
/// ```
///
/// Reference: Girshick 2015, "Fast R-CNN".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SmoothL1 {
    /// Where the loss turns from squared to absolute, finite and at least 0.
    pub beta: f64,
}

impl Default for SmoothL1 {
    fn default() -> Self {
        Self { beta: 1.0 }
    }
}

impl PerOutput for SmoothL1 {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let (d, beta, half) = (y - t, F::of(self.beta), F::of(0.5));
        if d.abs() < beta {
            (half * d * d / beta, d / beta)
        } else {
            (d.abs() - half * beta, sign(d))
        }
    }
}
