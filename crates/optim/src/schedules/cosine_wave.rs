//! A cosine that goes on rising and falling.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A cosine that goes on rising and falling between two rates.
///
/// ```text
/// low + (high − low)·(1 + cos(π·t/half))/2
/// ```
///
/// Differs from PyTorch's `CosineAnnealingLR`: not at all, past its end too. Whoever wants the rate
/// to stay at its end takes [`Cosine`](crate::Cosine).
///
/// ```
/// use slalom_optim::{CosineWave, Schedule};
/// let schedule = CosineWave { high: 1.0, low: 0.2, half: 10 };
/// assert_eq!([0, 10, 20].map(|t| schedule.at(t)), [1.0, 0.2, 1.0]);
/// ```
///
/// Reference: Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineWave {
    /// The rate at step 0, at least 0.
    pub high: f64,
    /// The rate at step `half`, at least 0.
    pub low: f64,
    /// Half the period in steps, at least 1.
    pub half: u64,
}

impl CosineWave {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("CosineWave", "high", self.high)?;
        check_not_negative("CosineWave", "low", self.low)?;
        check("CosineWave", "half", self.half as f64, self.half > 0, "at least 1")
    }
}

impl Schedule for CosineWave {
    fn at(&self, step: u64) -> f64 {
        let part = (step % self.half.saturating_mul(2)) as f64 / self.half as f64;
        self.low + (self.high - self.low) * (1.0 + (PI * part).cos()) / 2.0
    }
}
