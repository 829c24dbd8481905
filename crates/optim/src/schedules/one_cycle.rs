//! One rise and one fall, for super-convergence.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// One rise and one fall below the start, for super-convergence.
///
/// Differs from PyTorch's `OneCycleLR`: the last rate stays, where PyTorch fails. Its momentum, which
/// falls while the rate rises, is the same schedule with other numbers
/// ([`momentum`](Self::momentum)).
///
/// ```
/// use slalom_optim::{OneCycle, Schedule};
/// let schedule = OneCycle::new(1.0, 101);
/// assert_eq!(schedule.at(0), 0.04);
/// assert!((29..31).any(|t| schedule.at(t) > 0.99));
/// assert!(schedule.at(100) < 1e-5);
/// ```
///
/// Reference: Smith, Topin, *Super-convergence: very fast training of neural networks using large
/// learning rates*, 2018.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The rate at step 0, at least 0.
    pub start: f64,
    /// The rate at the end of the rise, at least 0.
    pub peak: f64,
    /// The rate from step `steps - 1` on, at least 0.
    pub end: f64,
    /// How many steps the cycle takes, at least 2.
    pub steps: u64,
    /// The part of the steps that the rise takes: it ends at step `rise·steps − 1`, which must lie
    /// above 0 and before the end of the cycle; with three phases before half of it.
    pub rise: f64,
    /// Straight lines instead of cosines.
    pub linear: bool,
    /// Fall to `start` as fast as the rise was, and from there to `end`.
    pub three_phase: bool,
}

impl OneCycle {
    /// PyTorch's defaults: from `peak/25` up to `peak` over 3/10 of the steps, then down to
    /// `peak/250000`, along cosines.
    pub fn new(peak: f64, steps: u64) -> Self {
        let start = peak / 25.0;
        let end = start / 1e4;
        Self { start, peak, end, steps, rise: 0.3, linear: false, three_phase: false }
    }

    /// PyTorch's momentum for it: from 0.95 to 0.85 and back.
    pub fn momentum(steps: u64) -> Self {
        Self { start: 0.95, peak: 0.85, end: 0.95, ..Self::new(0.0, steps) }
    }

    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("OneCycle", "start", self.start)?;
        check_not_negative("OneCycle", "peak", self.peak)?;
        check_not_negative("OneCycle", "end", self.end)?;
        check("OneCycle", "steps", self.steps as f64, self.steps > 1, "at least 2")?;
        let [first, second] = self.borders();
        let last = (self.steps - 1) as f64;
        let holds = 0.0 < first && second < last;
        let bound = "such that the rise ends after step 0 and the phases before the last step";
        check("OneCycle", "rise", self.rise, holds, bound)
    }

    /// Where the rise and the fall of the same length end; both the same with two phases.
    fn borders(&self) -> [f64; 2] {
        let first = self.rise * self.steps as f64 - 1.0;
        let second = 2.0 * self.rise * self.steps as f64 - 2.0;
        [first, if self.three_phase { second } else { first }]
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: u64) -> f64 {
        let last = (self.steps - 1) as f64;
        let step = (step as f64).min(last);
        let [first, second] = self.borders();
        let between = |from: f64, to: f64, start: f64, end: f64| {
            let part = (step - start) / (end - start);
            let gone = if self.linear { part } else { (1.0 - (PI * part).cos()) / 2.0 };
            from + (to - from) * gone
        };
        if step <= first {
            between(self.start, self.peak, 0.0, first)
        } else if step <= second {
            between(self.peak, self.start, first, second)
        } else {
            let from = if self.three_phase { self.start } else { self.peak };
            between(from, self.end, second, last)
        }
    }
}
