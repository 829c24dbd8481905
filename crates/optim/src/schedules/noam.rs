//! The schedule of the first Transformer.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_positive};
use crate::{OptimError, Schedule};

/// The schedule of the first Transformer: a linear rise, then the inverse root of the step.
///
/// ```text
/// factor · size^(−½) · min(n^(−½), n·warmup^(−3/2))          n = t + 1
/// ```
///
/// PyTorch and Keras have none.
///
/// ```
/// use slalom_optim::{Noam, Schedule};
/// let schedule = Noam { factor: 1.0, size: 4, warmup: 100 };
/// assert!((schedule.at(99) - 0.05).abs() < 1e-15); // the peak
/// assert!((schedule.at(399) - 0.025).abs() < 1e-15);
/// ```
///
/// Reference: Vaswani et al., *Attention is all you need*, section 5.3, NeurIPS 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noam {
    /// Above 0.
    pub factor: f64,
    /// The width of the model, at least 1.
    pub size: u64,
    /// How many steps the rise takes, at least 1.
    pub warmup: u64,
}

impl Noam {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_positive("Noam", "factor", self.factor)?;
        check("Noam", "size", self.size as f64, self.size > 0, "at least 1")?;
        check("Noam", "warmup", self.warmup as f64, self.warmup > 0, "at least 1")
    }
}

impl Schedule for Noam {
    fn at(&self, step: u64) -> f64 {
        let n = step as f64 + 1.0;
        let rise = n * (self.warmup as f64).powf(-1.5);
        self.factor / (self.size as f64).sqrt() * rise.min(1.0 / n.sqrt())
    }
}
