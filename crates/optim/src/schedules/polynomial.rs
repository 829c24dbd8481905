//! A power of the time left.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative, check_positive};
use crate::{OptimError, Schedule};

/// A power of the time left, from one rate to another, which then stays (or, with `cycle`, not).
///
/// ```text
/// end + (start − end)·(1 − t/T)^power          T = steps; with cycle steps·max(1, ⌈t/steps⌉)
/// ```
///
/// Differs from PyTorch's `PolynomialLR`, whose end is 0; Keras's is 1e-4, and `cycle` is Keras's.
///
/// ```
/// use slalom_optim::{Polynomial, Schedule};
/// let once = Polynomial { start: 0.8, end: 0.0, steps: 4, power: 2.0, cycle: false };
/// assert_eq!([0, 2, 4, 6].map(|t| once.at(t)), [0.8, 0.2, 0.0, 0.0]);
/// let again = Polynomial { cycle: true, ..once };
/// assert_eq!([0, 2, 4, 6].map(|t| again.at(t)), [0.8, 0.2, 0.0, 0.05]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate at step `steps` and, without `cycle`, from then on, at least 0.
    pub end: f64,
    /// How many steps the way takes, at least 1.
    pub steps: u64,
    /// Above 0.
    pub power: f64,
    /// After the end the rate leaps up and falls again, over ever longer ways: at step t, T is the
    /// next multiple of `steps` (default false in a file).
    #[serde(default)]
    pub cycle: bool,
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
        let cycles = if self.cycle { step.div_ceil(self.steps).max(1) } else { 1 };
        let steps = self.steps as f64 * cycles as f64;
        let left = (1.0 - step as f64 / steps).max(0.0);
        self.end + (self.start - self.end) * left.powf(self.power)
    }
}
