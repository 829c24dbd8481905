//! A rate that falls when a metric has stopped improving.

use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::{check, check_not_negative};

/// A rate that falls when a metric has stopped improving: a pure function of the metric's history.
///
/// An epoch is bad that does not beat the best so far by the threshold; a NaN never does. After more
/// than `patience` bad epochs in a row the rate is multiplied by `factor`; then `cooldown` epochs are
/// not counted as bad.
///
/// Differs from PyTorch's `ReduceLROnPlateau`: not at all. Keras acts when `patience` bad epochs are
/// reached, one earlier, and its threshold (1e-4) is absolute.
///
/// ```
/// use slalom_optim::Plateau;
/// let plateau = Plateau { patience: 1, ..Plateau::default() };
/// assert_eq!(plateau.rate(0.1, &[3.0, 2.0, 2.0]), 0.1);
/// assert_eq!(plateau.rate(0.1, &[3.0, 2.0, 2.0, 2.0]), 0.1 * 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// Larger is better (default false).
    pub maximize: bool,
    /// What the rate is multiplied by, in `[0, 1)` (default 0.1).
    pub factor: f64,
    /// Bad epochs that are waited through (default 10).
    pub patience: u64,
    /// How much better an improvement must be, at least 0 (default 1e-4).
    pub threshold: f64,
    /// The threshold is a part of the best so far (default true), not a distance.
    pub relative: bool,
    /// Epochs after a fall of the rate that are never bad (default 0).
    pub cooldown: u64,
    /// The rate falls no further, at least 0 (default 0).
    pub min: f64,
    /// A fall by no more than this is left out, at least 0 (default 1e-8).
    pub eps: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            maximize: false,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            relative: true,
            cooldown: 0,
            min: 0.0,
            eps: 1e-8,
        }
    }
}

impl Plateau {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        let holds = (0.0..1.0).contains(&self.factor);
        check("Plateau", "factor", self.factor, holds, "at least 0 and below 1")?;
        check_not_negative("Plateau", "threshold", self.threshold)?;
        check_not_negative("Plateau", "min", self.min)?;
        check_not_negative("Plateau", "eps", self.eps)
    }

    /// The rate after these epochs, if it was `start` before the first.
    pub fn rate(&self, start: f64, history: &[f64]) -> f64 {
        let mut best = if self.maximize { f64::NEG_INFINITY } else { f64::INFINITY };
        let (mut rate, mut bad, mut cooling) = (start, 0, 0);
        for &value in history {
            if self.improves(value, best) {
                best = value;
                bad = 0;
            } else {
                bad += 1;
            }
            if cooling > 0 {
                cooling -= 1;
                bad = 0;
            }
            if bad > self.patience {
                let lower = (rate * self.factor).max(self.min);
                if rate - lower > self.eps {
                    rate = lower;
                }
                cooling = self.cooldown;
                bad = 0;
            }
        }
        rate
    }

    fn improves(&self, value: f64, best: f64) -> bool {
        match (self.maximize, self.relative) {
            (false, true) => value < best * (1.0 - self.threshold),
            (false, false) => value < best - self.threshold,
            (true, true) => value > best * (1.0 + self.threshold),
            (true, false) => value > best + self.threshold,
        }
    }
}
