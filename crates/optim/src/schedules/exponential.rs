//! A rate that falls by the same factor at every step.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A rate that falls by the same factor at every step.
///
/// ```text
/// start · factor^(t/steps)
/// ```
///
/// Differs from PyTorch's `ExponentialLR`: not at all with `steps` 1. Keras and optax have `steps`.
///
/// ```
/// use slalom_optim::{Exponential, Schedule};
/// let schedule = Exponential { start: 0.8, factor: 0.25, steps: 2 };
/// assert_eq!([0, 1, 2].map(|t| schedule.at(t)), [0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// What it is multiplied by over `steps` steps, at least 0.
    pub factor: f64,
    /// At least 1.
    pub steps: u64,
}

impl Exponential {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Exponential", "start", self.start)?;
        check_not_negative("Exponential", "factor", self.factor)?;
        check("Exponential", "steps", self.steps as f64, self.steps > 0, "at least 1")
    }
}

impl Schedule for Exponential {
    fn at(&self, step: u64) -> f64 {
        self.start * self.factor.powf(step as f64 / self.steps as f64)
    }
}
