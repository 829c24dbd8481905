//! Patience: stop when the value has not improved for so many checks.
//!
//! ```text
//! better  ⇔ value < reference − min_delta         (relative: reference − min_delta·|reference|)
//! stop    ⇔ checks since the reference ≥ patience
//! ```
//!
//! The reference is the last value that was better; the first always is. The comparison with the
//! patience is `≥`, as in Keras, Lightning and skorch: `patience: 1` stops at the first check that
//! is no better (scikit-learn's `n_iter_no_change` stops one check later). Warm-up and baseline are
//! Keras's `start_from_epoch` and `baseline`. Unlike Keras, the epoch to restore is that of the
//! best value itself, even where it beat the reference by less than `min_delta`.

use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops after `patience` checks without an improvement.
///
/// ```
/// use slalom_regularize::EarlyStopping;
/// let rule = EarlyStopping { patience: 2, min_delta: 0.05, ..Default::default() };
/// let losses = [1.0, 0.8, 0.79, 0.78];
/// assert!(!rule.decide(&losses[..3]).stop());
/// let decision = rule.decide(&losses);
/// assert_eq!(decision.reason.unwrap().to_string(), "no improvement in 2 checks");
/// assert_eq!((decision.best, decision.epoch), (Some(3), Some(3)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct EarlyStopping {
    /// Whether to minimise or maximise. Default: minimise.
    pub goal: Goal,
    /// Checks without an improvement that stop the run, at least 1. Default 10.
    pub patience: usize,
    /// By how much a value must beat the reference to count, at least 0. Default 0: any bit.
    pub min_delta: f64,
    /// Whether `min_delta` is a fraction of the reference's size. Default false: absolute.
    pub relative: bool,
    /// Epochs at the start that count neither for patience nor as the best. Default 0.
    pub warm_up: usize,
    /// A value to be beaten (by `min_delta`) before the waiting is reset. Default none.
    pub baseline: Option<f64>,
    /// Look at every so manieth epoch only (the last of each strip of that length), at least 1;
    /// patience counts these checks, and the values between are not read. Default 1.
    pub every: usize,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self {
            goal: Goal::Minimize,
            patience: 10,
            min_delta: 0.0,
            relative: false,
            warm_up: 0,
            baseline: None,
            every: 1,
        }
    }
}

impl EarlyStopping {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require(self.patience >= 1, "patience", self.patience as f64, "at least 1")?;
        let delta = self.min_delta;
        require(delta.is_finite() && delta >= 0.0, "min_delta", delta, "finite and at least 0")?;
        let baseline = self.baseline.unwrap_or(0.0);
        require(baseline.is_finite(), "baseline", baseline, "finite")?;
        require(self.every >= 1, "every", self.every as f64, "at least 1")
    }

    /// What the rule says about the history so far.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let mut reference = None;
        let mut checks = 0;
        watch(history.into().values, self.goal, self.every, self.warm_up, |check| {
            checks += 1;
            if reference.is_none_or(|r| self.improves(check.value, r)) {
                reference = Some(check.value);
                if self.baseline.is_none_or(|b| self.improves(check.value, b)) {
                    checks = 0;
                    return None;
                }
            }
            (checks >= self.patience).then_some(Reason::Patience { checks })
        })
    }

    fn improves(&self, value: f64, reference: f64) -> bool {
        let scale = if self.relative { reference.abs() } else { 1.0 };
        self.goal.loss(value) < self.goal.loss(reference) - self.min_delta * scale
    }
}
