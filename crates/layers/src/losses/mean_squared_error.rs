//! Mean squared error.

use slalom_tensor::Scalar;

use super::PerOutput;

/// Squared error, the mean over outputs and samples:
///
/// ```text
/// loss = (y − t)²,   slope = 2·(y − t)
/// ```
///
/// Same as PyTorch's `mse_loss` and Keras's; scikit-learn's `MLPRegressor` minimises half of it.
///
/// ```
/// use slalom_layers::{Loss, MeanSquaredError};
/// assert_eq!(Loss::from(MeanSquaredError {}).name(), "mean squared error");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MeanSquaredError {}

impl PerOutput for MeanSquaredError {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let d = y - t;
        (d * d, d + d)
    }
}
