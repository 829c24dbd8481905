//! A limit on the time that a run may take.
//!
//! ```text
//! stop ⇔ seconds(t) ≥ seconds
//! ```
//!
//! The time is part of the history that the caller gives: no clock is read here, so a resumed run
//! that carries its seconds along keeps to the limit as a whole.

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops after the epoch by whose end so many seconds have passed.
///
/// ```
/// use slalom_regularize::{History, TimeLimit};
/// let rule = TimeLimit { seconds: 60.0, ..Default::default() };
/// let history = History { values: &[0.5, 0.4], seconds: &[31.0, 62.0], training: &[] };
/// assert!(!rule.decide(history.until(1)).stop());
/// assert!(rule.decide(history).stop());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TimeLimit {
    /// The limit in seconds, above 0. Default 3600.
    pub seconds: f64,
    /// Which value is the best when the time is up. Default: the smallest.
    pub goal: Goal,
}

impl Default for TimeLimit {
    fn default() -> Self {
        Self { seconds: 3600.0, goal: Goal::Minimize }
    }
}

impl TimeLimit {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        let limit = self.seconds;
        require(limit.is_finite() && limit > 0.0, "seconds", limit, "finite and above 0")
    }

    /// What the rule says about the history so far.
    ///
    /// # Panics
    /// If the history has fewer seconds than values.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let History { values, seconds, .. } = history.into();
        assert!(
            seconds.len() >= values.len(),
            "{} times for {} values",
            seconds.len(),
            values.len()
        );
        let limit = self.seconds;
        watch(values, self.goal, 1, 0, |check| {
            let seconds = seconds[check.epoch];
            (seconds >= limit).then_some(Reason::TimeLimit { seconds, limit })
        })
    }
}
