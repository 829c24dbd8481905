//! A power of the time left.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative, check_positive};
use crate::{OptimError, Schedule};

/// A power of the time left, from one rate to another, which then stays.
///
/// ```text
/// end + (start − end)·(1 − t/steps)^power
/// ```
///
/// Differs from PyTorch's `PolynomialLR`, whose end is 0; Keras's is 1e-4.
///
/// ```
/// use slalom_optim::{Polynomial, Schedule};
/// let schedule = Polynomial { start: 0.8, end: 0.0, steps: 4, power: 2.0 };
/// assert_eq!([0, 2, 4, 9].map(|t| schedule.at(t)), [0.8, 0.2, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate from step `steps` on, at least 0.
    pub end: f64,
    /// How many steps the way takes, at least 1.
    pub steps: u64,
    /// Above 0.
    pub power: f64,
}

impl Polynomial {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Polynomial", "start", self.start)?;
        check_not_negative("Polynomial", "end", self.end)?;
        check("Polynomial", "steps", self.steps as f64, self.steps > 0, "at least 1")?;
        check_positive("Polynomial", "power", self.power)
    }
}

impl Schedule for Polynomial {
    fn at(&self, step: u64) -> f64 {
        let left = 1.0 - step.min(self.steps) as f64 / self.steps as f64;
        self.end + (self.start - self.end) * left.powf(self.power)
    }
}
