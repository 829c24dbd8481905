//! Activity penalty: L1 or L2 on what a layer puts out, rather than on its weights.
//!
//! ```text
//! value    = (l1·Σ|y| + ½·l2·Σy²) / samples
//! gradient = (l1·sign(y) + l2·y) / samples
//! ```
//!
//! Sums run over all units and samples of a batch; dividing by the samples, as Keras does, makes the
//! strength independent of the batch size. L1 makes activations sparse.

use crate::float::Float;
use crate::{Penalty, RegularizeError};

/// Strengths of the penalty on a batch's activations.
///
/// ```
/// use slalom_regularize::ActivityPenalty;
/// let penalty = ActivityPenalty { l1: 0.1, l2: 0.0 };
/// let activations = [1.0, 0.0, 0.0, 3.0]; // two units, two samples
/// assert_eq!(penalty.value(&activations, 2), 0.2);
/// let mut gradient = [0.0; 4];
/// penalty.add_gradient(&activations, 2, &mut gradient);
/// assert_eq!(gradient, [0.05, 0.0, 0.0, 0.05]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ActivityPenalty {
    /// Strength on Σ|y|, in 0..=1e6. Default 0.
    pub l1: f64,
    /// Strength on ½·Σy², in 0..=1e6. Default 0.
    pub l2: f64,
}

impl ActivityPenalty {
    /// Checks both strengths.
    ///
    /// # Errors
    /// The first that is outside 0..=1e6.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        Penalty { l1: self.l1, l2: self.l2 }.validate()
    }

    /// What the penalty adds to the mean loss of a batch with so many samples; 0 of none.
    pub fn value<F: Float>(&self, activations: &[F], samples: usize) -> f64 {
        self.per_sample(samples).value(activations)
    }

    /// Adds the gradient by the activations.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn add_gradient<F: Float>(&self, activations: &[F], samples: usize, gradient: &mut [F]) {
        self.per_sample(samples).add_gradient(activations, gradient);
    }

    fn per_sample(&self, samples: usize) -> Penalty {
        let n = samples.max(1) as f64;
        Penalty { l1: self.l1 / n, l2: self.l2 / n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_size_does_not_matter() {
        let penalty = ActivityPenalty { l1: 0.3, l2: 0.7 };
        let once = penalty.value(&[1.0, -2.0], 1);
        let twice = penalty.value(&[1.0, -2.0, 1.0, -2.0], 2);
        assert!((once - twice).abs() < 1e-15 && (once - (0.9 + 0.35 * 5.0)).abs() < 1e-12);
        assert_eq!(penalty.value::<f64>(&[], 0), 0.0);
    }

    #[test]
    fn strengths_are_checked() {
        assert!(ActivityPenalty { l1: -1.0, l2: 0.0 }.validate().is_err());
        assert!(ActivityPenalty { l1: 1.0, l2: 1.0 }.validate().is_ok());
    }
}
