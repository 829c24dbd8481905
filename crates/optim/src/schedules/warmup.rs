//! A linear rise in front of any schedule.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{LearningRate, OptimError, Schedule};

/// A linear rise in front of any schedule.
///
/// ```text
/// t < steps: start + (then(0) − start)·t/steps, afterwards then(t − steps)
/// ```
///
/// Differs from Keras's warm-up of `CosineDecay`: not at all. PyTorch: `LinearLR` and
/// `SequentialLR`.
///
/// ```
/// use slalom_optim::{Cosine, Schedule, Warmup};
/// let cosine = Cosine { start: 0.4, end: 0.0, steps: 10 };
/// let schedule = Warmup { start: 0.0, steps: 4, then: Box::new(cosine.into()) };
/// assert_eq!([0, 1, 4, 14].map(|t| schedule.at(t)), [0.0, 0.1, 0.4, 0.0]);
/// ```
///
/// Reference: Goyal et al., *Accurate, large minibatch SGD: training ImageNet in 1 hour*, 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// How many steps the rise takes, at least 1.
    pub steps: u64,
    /// The schedule that follows, from its own step 0.
    pub then: Box<LearningRate>,
}

impl Warmup {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the schedule, the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Warmup", "start", self.start)?;
        check("Warmup", "steps", self.steps as f64, self.steps > 0, "at least 1")?;
        self.then.validate()
    }
}

impl Schedule for Warmup {
    fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.then.at(step - self.steps);
        }
        let part = step as f64 / self.steps as f64;
        self.start + (self.then.at(0) - self.start) * part
    }
}
