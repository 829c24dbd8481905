//! The momentum that grows towards its bound.

use serde::{Deserialize, Serialize};

use crate::error::check_factor;
use crate::{OptimError, Schedule};

/// The momentum that grows towards its bound, for Nesterov's method.
///
/// ```text
/// μ_t = min(1 − 2^(−1 − log₂(⌊t/250⌋ + 1)), max)
/// ```
///
/// It goes to a step beside the learning rate, in [`Rates`](crate::Rates).
///
/// PyTorch and Keras have none.
///
/// ```
/// use slalom_optim::{Schedule, Sutskever};
/// let momentum = Sutskever { max: 0.99 };
/// assert_eq!([0, 249, 250, 750].map(|t| momentum.at(t)), [0.5, 0.5, 0.75, 0.875]);
/// assert_eq!(momentum.at(1_000_000), 0.99);
/// ```
///
/// Reference: Sutskever, Martens, Dahl, Hinton, *On the importance of initialization and momentum
/// in deep learning*, equation 5, ICML 2013.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sutskever {
    /// The bound, in `[0, 1)`: 0.9 to 0.999 in the paper.
    pub max: f64,
}

impl Sutskever {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_factor("Sutskever", "max", self.max)
    }
}

impl Schedule for Sutskever {
    fn at(&self, step: u64) -> f64 {
        (1.0 - 0.5 / ((step / 250) as f64 + 1.0)).min(self.max)
    }
}
