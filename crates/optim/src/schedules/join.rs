//! Schedules one after the other.

use serde::{Deserialize, Serialize};

use crate::error::check;
use crate::{LearningRate, OptimError, Schedule};

/// Schedules one after the other, each from its own step 0.
///
/// Differs from PyTorch's `SequentialLR`: not at all; optax: `join_schedules`.
///
/// ```
/// use slalom_optim::{Join, Linear, Schedule};
/// let rise = Linear { start: 0.0, end: 0.4, steps: 2 };
/// let fall = Linear { start: 0.4, end: 0.0, steps: 4 };
/// let schedule = Join { borders: vec![2], parts: vec![rise.into(), fall.into()] };
/// assert_eq!([0, 1, 2, 4, 6].map(|t| schedule.at(t)), [0.0, 0.2, 0.4, 0.2, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The first step of every part but the first, each above the one before.
    pub borders: Vec<u64>,
    /// The schedules: one more than borders.
    pub parts: Vec<LearningRate>,
}

impl Join {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the schedule, the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        super::check_borders("Join", &self.borders)?;
        let holds = self.parts.len() == self.borders.len() + 1;
        check("Join", "number of parts", self.parts.len() as f64, holds, "one more than borders")?;
        self.parts.iter().try_for_each(LearningRate::validate)
    }
}

impl Schedule for Join {
    fn at(&self, step: u64) -> f64 {
        let part = self.borders.partition_point(|&border| border <= step);
        let start = if part == 0 { 0 } else { self.borders[part - 1] };
        self.parts[part].at(step - start)
    }
}
