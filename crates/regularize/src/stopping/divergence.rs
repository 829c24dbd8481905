//! A value so bad that the run is lost.
//!
//! ```text
//! stop ⇔ value > limit          (maximising: value < limit)
//! ```
//!
//! NaN and infinity stop every rule; with its default limit this one stops for nothing else.

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops, as a failure, once the value is worse than the limit.
///
/// ```
/// use slalom_regularize::Divergence;
/// let decision = Divergence { limit: 100.0, ..Default::default() }.decide(&[2.0, 1e9]);
/// assert!(decision.reason.unwrap().failed());
/// assert_eq!(decision.best, Some(0));
/// assert!(Divergence::default().decide(&[2.0, f64::NAN]).reason.unwrap().failed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Divergence {
    /// The worst value allowed, finite. Default `f64::MAX`: NaN and infinity alone stop.
    pub limit: f64,
    /// Whether to minimise or maximise. Default: minimise.
    pub goal: Goal,
}

impl Default for Divergence {
    fn default() -> Self {
        Self { limit: f64::MAX, goal: Goal::Minimize }
    }
}

impl Divergence {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require(self.limit.is_finite(), "limit", self.limit, "finite")
    }

    /// What the rule says about the history so far.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let Self { limit, goal } = *self;
        watch(history.into().values, goal, 1, 0, |check| {
            let value = check.value;
            goal.better(limit, value).then_some(Reason::Diverged { value, limit })
        })
    }
}
