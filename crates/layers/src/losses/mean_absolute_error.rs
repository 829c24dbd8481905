//! Mean absolute error.

use slalom_tensor::Scalar;

use super::PerOutput;

/// Absolute error, the mean over outputs and samples; it fits medians:
///
/// ```text
/// loss = |y − t|,   slope = sign(y − t), 0 at 0
/// ```
///
/// Same as PyTorch's `l1_loss` and Keras's `MeanAbsoluteError`.
///
/// ```
/// use slalom_layers::{Loss, MeanAbsoluteError};
/// assert_eq!(Loss::from(MeanAbsoluteError {}).name(), "mean absolute error");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MeanAbsoluteError {}

impl PerOutput for MeanAbsoluteError {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let d = y - t;
        (d.abs(), sign(d))
    }
}

/// −1, 0 or 1; `signum` has no 0.
#[inline(always)]
pub(super) fn sign<F: Scalar>(d: F) -> F {
    if d == F::zero() { F::zero() } else { d.signum() }
}
