//! A straight line from one rate to another.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A straight line from one rate to another, which then stays.
///
/// ```text
/// start + (end − start)·t/steps
/// ```
///
/// Differs from PyTorch's `LinearLR`: rates instead of factors of a base rate.
///
/// ```
/// use slalom_optim::{Linear, Schedule};
/// let schedule = Linear { start: 0.0, end: 0.8, steps: 4 };
/// assert_eq!([0, 2, 4, 9].map(|t| schedule.at(t)), [0.0, 0.4, 0.8, 0.8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate from step `steps` on, at least 0.
    pub end: f64,
    /// How many steps the way takes, at least 1.
    pub steps: u64,
}

impl Linear {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Linear", "start", self.start)?;
        check_not_negative("Linear", "end", self.end)?;
        check("Linear", "steps", self.steps as f64, self.steps > 0, "at least 1")
    }
}

impl Schedule for Linear {
    fn at(&self, step: u64) -> f64 {
        let part = step.min(self.steps) as f64 / self.steps as f64;
        self.start + (self.end - self.start) * part
    }
}
