//! Prechelt's GL: stop when the validation error is too far above its lowest value so far.
//!
//! ```text
//! GL(t) = 100·(E(t)/E_opt(t) − 1),   E_opt(t) = min over t' ≤ t of E(t')
//! stop  ⇔ GL(t) > alpha
//! ```
//!
//! The error is looked at once a strip of epochs, as in Proben1; `strip: 1` looks at every epoch.
//! It must be positive (a likelihood may not be).
//!
//! Reference: Prechelt 1998, "Early stopping — but when?"; `alpha` 5 and strips of 5 from
//! Prechelt 1994, "Proben1".

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops when the value is more than `alpha` percent above its minimum.
///
/// ```
/// use slalom_regularize::GeneralizationLoss;
/// let rule = GeneralizationLoss { alpha: 5.0, strip: 1 };
/// assert!(!rule.decide(&[0.5, 0.4, 0.42]).stop());
/// assert!(rule.decide(&[0.5, 0.4, 0.43]).stop());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct GeneralizationLoss {
    /// The limit in percent, above 0. Default 5.
    pub alpha: f64,
    /// Epochs in a strip, at least 1. Default 5.
    pub strip: usize,
}

impl Default for GeneralizationLoss {
    fn default() -> Self {
        Self { alpha: 5.0, strip: 5 }
    }
}

impl GeneralizationLoss {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        let alpha = self.alpha;
        require(alpha.is_finite() && alpha > 0.0, "alpha", alpha, "finite and above 0")?;
        require(self.strip >= 1, "strip", self.strip as f64, "at least 1")
    }

    /// What the rule says about the history so far.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let alpha = self.alpha;
        watch(history.into().values, Goal::Minimize, self.strip, 0, |check| {
            let loss = generalization_loss(check.value, check.best);
            (loss > alpha).then_some(Reason::GeneralizationLoss { loss, alpha })
        })
    }
}

/// GL in percent. Where the lowest value is 0 it is infinite above it and NaN at it, and NaN is above
/// no limit.
pub(super) fn generalization_loss(value: f64, best: f64) -> f64 {
    100.0 * (value / best - 1.0)
}
