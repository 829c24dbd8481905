//! A rate that falls by a factor every so many steps.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A rate that falls by a factor every so many steps.
///
/// ```text
/// start · factor^⌊t/every⌋
/// ```
///
/// Differs from PyTorch's `StepLR`: not at all. Keras: `ExponentialDecay` with `staircase`.
///
/// ```
/// use slalom_optim::{Schedule, StepDecay};
/// let schedule = StepDecay { start: 0.8, factor: 0.5, every: 3 };
/// assert_eq!([2, 3, 5, 6].map(|t| schedule.at(t)), [0.8, 0.4, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDecay {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// What it is multiplied by, at least 0.
    pub factor: f64,
    /// How many steps a rate lasts, at least 1.
    pub every: u64,
}

impl StepDecay {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("StepDecay", "start", self.start)?;
        check_not_negative("StepDecay", "factor", self.factor)?;
        check("StepDecay", "every", self.every as f64, self.every > 0, "at least 1")
    }
}

impl Schedule for StepDecay {
    fn at(&self, step: u64) -> f64 {
        self.start * self.factor.powf((step / self.every) as f64)
    }
}
