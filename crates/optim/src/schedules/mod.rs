//! Schedules: the learning rate (or the momentum) as a pure function of the step.

mod cosine;

use serde::{Deserialize, Serialize};

pub use cosine::Cosine;

use crate::OptimError;
use crate::error::check_not_negative;

/// A number as a function of the step. Closures are schedules.
///
/// ```
/// use slalom_optim::{Cosine, Schedule};
/// let cosine = Cosine { start: 0.1, end: 0.0, steps: 10 };
/// let warm = |step: u64| if step < 5 { 0.02 * step as f64 } else { cosine.at(step - 5) };
/// assert_eq!(warm.at(5), 0.1);
/// ```
pub trait Schedule {
    /// The value for the step, counted from 0. What a step is (a batch, an epoch) is the caller's
    /// choice.
    fn at(&self, step: u64) -> f64;
}

impl<S: Fn(u64) -> f64> Schedule for S {
    fn at(&self, step: u64) -> f64 {
        self(step)
    }
}

/// A schedule that can be written to a file.
///
/// ```
/// use slalom_optim::{Cosine, LearningRate, Schedule};
/// assert_eq!(LearningRate::from(0.1).at(1000), 0.1);
/// let rate = LearningRate::from(Cosine { start: 0.1, end: 0.0, steps: 10 });
/// assert!((rate.at(5) - 0.05).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LearningRate {
    /// The same at every step.
    Constant(f64),
    /// [`Cosine`]
    Cosine(Cosine),
}

impl LearningRate {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the schedule, the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        match self {
            Self::Constant(rate) => check_not_negative("Constant", "rate", *rate),
            Self::Cosine(schedule) => schedule.validate(),
        }
    }
}

impl Schedule for LearningRate {
    fn at(&self, step: u64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Cosine(schedule) => schedule.at(step),
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate)
    }
}

impl From<Cosine> for LearningRate {
    fn from(schedule: Cosine) -> Self {
        Self::Cosine(schedule)
    }
}
