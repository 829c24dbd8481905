//! A rate that falls with the inverse of time, or a power of it.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::{OptimError, Schedule};

/// A rate that falls with the inverse of time, or a power of it.
///
/// ```text
/// start / (1 + decay·t)^power
/// ```
///
/// PyTorch has none. Keras's `InverseTimeDecay` has `power` 1 and `decay` = its decay rate over its
/// decay steps; scikit-learn's "invscaling" is `decay` 1 and `power` 0.5 with t counted in samples.
///
/// ```
/// use slalom_optim::{InverseTime, Schedule};
/// let schedule = InverseTime { start: 0.8, decay: 1.0, power: 1.0 };
/// assert_eq!([0, 1, 3].map(|t| schedule.at(t)), [0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseTime {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// How fast it falls, at least 0.
    pub decay: f64,
    /// At least 0.
    pub power: f64,
}

impl InverseTime {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("InverseTime", "start", self.start)?;
        check_not_negative("InverseTime", "decay", self.decay)?;
        check_not_negative("InverseTime", "power", self.power)
    }
}

impl Schedule for InverseTime {
    fn at(&self, step: u64) -> f64 {
        self.start / (1.0 + self.decay * step as f64).powf(self.power)
    }
}
