//! Prechelt's UP: stop when the validation error rose in so many successive strips.
//!
//! ```text
//! UP_1 ⇔ E(t) > E(t − k);   UP_s ⇔ UP_{s−1} at t − k, and E(t) > E(t − k)
//! ```
//!
//! t is the end of a strip of k epochs. It asks whether the error rises, not by how much, so it
//! works for likelihoods below 0 too.
//!
//! Reference: Prechelt 1998, "Early stopping — but when?".

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops after `rises` rises in succession.
///
/// ```
/// use slalom_regularize::SuccessiveRises;
/// let rule = SuccessiveRises { rises: 2, strip: 1 };
/// assert!(!rule.decide(&[0.5, 0.6, 0.4, 0.5]).stop());
/// assert!(rule.decide(&[0.5, 0.4, 0.5, 0.6]).stop());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SuccessiveRises {
    /// Rises in succession that stop the run, at least 1. Default 5.
    pub rises: usize,
    /// Epochs in a strip, at least 1. Default 5.
    pub strip: usize,
}

impl Default for SuccessiveRises {
    fn default() -> Self {
        Self { rises: 5, strip: 5 }
    }
}

impl SuccessiveRises {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require(self.rises >= 1, "rises", self.rises as f64, "at least 1")?;
        require(self.strip >= 1, "strip", self.strip as f64, "at least 1")
    }

    /// What the rule says about the history so far.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let (mut rises, mut last) = (0, f64::INFINITY);
        watch(history.into().values, Goal::Minimize, self.strip, 0, |check| {
            rises = if check.value > last { rises + 1 } else { 0 };
            last = check.value;
            (rises >= self.rises.max(1)).then_some(Reason::SuccessiveRises { rises })
        })
    }
}
