//! A rate that goes up and down between two bounds, again and again.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// A rate that goes up and down between two bounds, again and again.
///
/// ```text
/// low + (high − low)·x·h         x from 0 to 1 over `up` steps and back over `down`
/// h = 1, ½^cycle or γ^t          Triangular, Halving, Shrinking(γ)
/// ```
///
/// Differs from PyTorch's `CyclicLR`: not at all (its modes triangular, triangular2, exp_range). Its
/// momentum is the same schedule with the bounds exchanged.
///
/// ```
/// use slalom_optim::{Cyclic, Schedule, Shape};
/// let schedule = Cyclic { low: 0.0, high: 0.8, up: 2, down: 2, shape: Shape::Halving };
/// assert_eq!([0, 1, 2, 3, 4, 6].map(|t| schedule.at(t)), [0.0, 0.4, 0.8, 0.4, 0.0, 0.4]);
/// ```
///
/// Reference: Smith, *Cyclical learning rates for training neural networks*, WACV 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// The rate at step 0, at least 0.
    pub low: f64,
    /// The rate at step `up`, at least 0.
    pub high: f64,
    /// Steps from low to high, at least 1.
    pub up: u64,
    /// Steps from high to low, at least 1 (PyTorch: as many as up).
    pub down: u64,
    /// How later cycles compare to the first.
    pub shape: Shape,
}

/// How the cycles of [`Cyclic`] compare to the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// All are as high.
    Triangular,
    /// Each is half as high as the one before.
    Halving,
    /// The height is multiplied at every step by this factor, at least 0.
    Shrinking(f64),
}

impl Cyclic {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Cyclic", "low", self.low)?;
        check_not_negative("Cyclic", "high", self.high)?;
        check("Cyclic", "up", self.up as f64, self.up > 0, "at least 1")?;
        check("Cyclic", "down", self.down as f64, self.down > 0, "at least 1")?;
        match self.shape {
            Shape::Shrinking(factor) => check_not_negative("Cyclic", "shape", factor),
            Shape::Triangular | Shape::Halving => Ok(()),
        }
    }
}

impl Schedule for Cyclic {
    fn at(&self, step: u64) -> f64 {
        let period = self.up.saturating_add(self.down);
        let (cycle, since) = (step / period, step % period);
        let part = if since <= self.up {
            since as f64 / self.up as f64
        } else {
            (period - since) as f64 / self.down as f64
        };
        let height = match self.shape {
            Shape::Triangular => 1.0,
            Shape::Halving => 0.5_f64.powf(cycle as f64),
            Shape::Shrinking(factor) => factor.powf(step as f64),
        };
        self.low + (self.high - self.low) * part * height
    }
}
