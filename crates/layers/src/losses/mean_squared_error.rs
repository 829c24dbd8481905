//! Mean squared error.

use slalom_tensor::Scalar;

use super::{PerSample, Target};

/// Squared error of one sample, the mean over its k outputs: Σ (yᵢ − tᵢ)² / k.
///
/// Derivative: 2·(y − t)/k. Same as PyTorch's `mse_loss` and Keras's; scikit-learn's `MLPRegressor`
/// minimises half of it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MeanSquaredError {}

impl PerSample for MeanSquaredError {
    fn sample<F: Scalar>(&self, outputs: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let Target::Values(target) = target else {
            panic!("mean squared error needs targets as values, not classes")
        };
        let k = outputs.len() as f64;
        let pairs = outputs.iter().zip(target);
        let value = pairs.clone().map(|(&y, &t)| (y - t).wide().powi(2)).sum::<f64>() / k;
        if let Some(dy) = dy {
            let scale = F::of(2.0 / k);
            for (d, (&y, &t)) in dy.iter_mut().zip(pairs) {
                *d = scale * (y - t);
            }
        }
        value
    }
}
