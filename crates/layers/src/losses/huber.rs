//! Huber's loss.

use slalom_tensor::Scalar;

use super::PerOutput;
use super::mean_absolute_error::sign;

/// Squared near 0, absolute beyond `delta`; the mean over outputs and samples. With d = y − t:
///
/// ```text
/// loss = ½d² where |d| < delta, delta·(|d| − ½delta) beyond;   slope = clip(d, −delta, delta)
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `delta` | 1 | above 0 |
///
/// Same as PyTorch's `huber_loss` and Keras's `Huber`; `delta` times [`SmoothL1`](crate::SmoothL1).
///
/// ```
/// use slalom_layers::{Huber, Loss};
/// Loss::from(Huber { delta: 1.35 }).validate(1).unwrap();
/// ```
///
/// Reference: Huber 1964, "Robust estimation of a location parameter".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Huber {
    /// Where the loss turns from squared to absolute, finite and above 0.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl PerOutput for Huber {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let (d, delta, half) = (y - t, F::of(self.delta), F::of(0.5));
        if d.abs() < delta {
            (half * d * d, d)
        } else {
            (delta * (d.abs() - half * delta), delta * sign(d))
        }
    }
}
