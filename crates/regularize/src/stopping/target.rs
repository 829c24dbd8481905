//! A value that is good enough.
//!
//! ```text
//! stop ⇔ value ≤ target         (maximising: value ≥ target)
//! ```

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops once the value reaches the target.
///
/// ```
/// use slalom_regularize::{Goal, Target};
/// let rule = Target { value: 0.98, goal: Goal::Maximize };
/// assert!(!rule.decide(&[0.9, 0.979]).stop());
/// assert!(rule.decide(&[0.9, 0.98]).stop());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Target {
    /// What is wanted, finite. Default 0.
    pub value: f64,
    /// Whether to minimise or maximise. Default: minimise.
    pub goal: Goal,
}

impl Target {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require(self.value.is_finite(), "value", self.value, "finite")
    }

    /// What the rule says about the history so far.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let Self { value: target, goal } = *self;
        watch(history.into().values, goal, 1, 0, |check| {
            let missed = goal.better(target, check.value);
            (!missed).then_some(Reason::Target { value: check.value, target })
        })
    }
}
