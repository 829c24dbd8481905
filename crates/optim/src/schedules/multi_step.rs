//! A rate that falls by a factor at each of a list of steps.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A rate that falls by a factor at each of a list of steps.
///
/// ```text
/// start · factor^(number of milestones ≤ t)
/// ```
///
/// Differs from PyTorch's `MultiStepLR`: not at all.
///
/// ```
/// use slalom_optim::{MultiStep, Schedule};
/// let schedule = MultiStep { start: 0.8, factor: 0.5, milestones: vec![2, 5] };
/// assert_eq!([1, 2, 4, 5].map(|t| schedule.at(t)), [0.8, 0.4, 0.4, 0.2]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// What it is multiplied by, at least 0.
    pub factor: f64,
    /// The steps at which it is, none smaller than the one before; one that stands twice counts
    /// twice.
    pub milestones: Vec<u64>,
}

impl MultiStep {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("MultiStep", "start", self.start)?;
        check_not_negative("MultiStep", "factor", self.factor)?;
        match self.milestones.windows(2).find(|pair| pair[0] > pair[1]) {
            Some(pair) => check(
                "MultiStep",
                "milestones",
                pair[1] as f64,
                false,
                "at least the milestone before it",
            ),
            None => Ok(()),
        }
    }
}

impl Schedule for MultiStep {
    fn at(&self, step: u64) -> f64 {
        let passed = self.milestones.partition_point(|&milestone| milestone <= step);
        self.start * self.factor.powf(passed as f64)
    }
}
