//! Cosines one after the other, each from the top again.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// Cosines one after the other, each from the top again and each longer than the last.
///
/// ```text
/// end + (start·shrink^i − end)·(1 + cos(π·t_i/T_i))/2        T_i = first·growth^i
/// ```
///
/// with `t_i` the steps since restart `i`.
///
/// Differs from PyTorch's `CosineAnnealingWarmRestarts`: not at all with `shrink` 1, which is Keras's
/// `m_mul`; Keras's `growth` is 2 by default, PyTorch's 1.
///
/// ```
/// use slalom_optim::{CosineRestarts, Schedule};
/// let schedule = CosineRestarts { start: 1.0, end: 0.0, first: 2, growth: 2, shrink: 0.5 };
/// let found = [0, 1, 2, 4, 6].map(|t| (schedule.at(t) * 1e9).round() / 1e9);
/// assert_eq!(found, [1.0, 0.5, 0.5, 0.25, 0.25]);
/// ```
///
/// Reference: Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate that each cosine falls towards, at least 0.
    pub end: f64,
    /// How many steps the first cosine lasts, at least 1.
    pub first: u64,
    /// How many times longer each is than the one before, at least 1.
    pub growth: u64,
    /// What the start is multiplied by at each restart, at least 0.
    pub shrink: f64,
}

impl CosineRestarts {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("CosineRestarts", "start", self.start)?;
        check_not_negative("CosineRestarts", "end", self.end)?;
        check("CosineRestarts", "first", self.first as f64, self.first > 0, "at least 1")?;
        check("CosineRestarts", "growth", self.growth as f64, self.growth > 0, "at least 1")?;
        check_not_negative("CosineRestarts", "shrink", self.shrink)
    }

    /// Restarts so far, steps since the last, and the length of the cosine under way.
    pub(super) fn place(&self, step: u64) -> (u64, u64, u64) {
        if self.growth == 1 {
            return (step / self.first, step % self.first, self.first);
        }
        let (mut restarts, mut since, mut length) = (0, step, self.first);
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.growth);
            restarts += 1;
        }
        (restarts, since, length)
    }
}

impl Schedule for CosineRestarts {
    fn at(&self, step: u64) -> f64 {
        let (restarts, since, length) = self.place(step);
        let start = self.start * self.shrink.powf(restarts as f64);
        let part = since as f64 / length as f64;
        self.end + (start - self.end) * (1.0 + (PI * part).cos()) / 2.0
    }
}
