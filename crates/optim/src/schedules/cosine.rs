//! Half a cosine from one rate to another.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// Half a cosine from one rate to another, which then stays.
///
/// ```text
/// end + (start − end)·(1 + cos(π·t/steps))/2
/// ```
///
/// Differs from PyTorch's `CosineAnnealingLR`, which rises again past its end.
///
/// ```
/// use slalom_optim::{Cosine, Schedule};
/// let cosine = Cosine { start: 1.0, end: 0.2, steps: 10 };
/// assert_eq!((cosine.at(0), cosine.at(10), cosine.at(15)), (1.0, 0.2, 0.2));
/// ```
///
/// Reference: Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate from step `steps` on, at least 0.
    pub end: f64,
    /// How many steps the way takes, at least 1.
    pub steps: u64,
}

impl Cosine {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Cosine", "start", self.start)?;
        check_not_negative("Cosine", "end", self.end)?;
        check("Cosine", "steps", self.steps as f64, self.steps > 0, "at least 1")
    }
}

impl Schedule for Cosine {
    fn at(&self, step: u64) -> f64 {
        let part = step.min(self.steps) as f64 / self.steps as f64;
        self.end + (self.start - self.end) * (1.0 + (PI * part).cos()) / 2.0
    }
}
