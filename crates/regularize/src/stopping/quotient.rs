//! Prechelt's PQ: stop when the generalization loss is large for what training still gains.
//!
//! ```text
//! P_k(t) = 1000·(mean of E_tr over the strip / min of E_tr over the strip − 1)
//! stop   ⇔ GL(t)/P_k(t) > alpha    or    P_k(t) < min_progress
//! ```
//!
//! t is the end of a strip of k epochs. While training still moves fast, a rise of the validation
//! error may be repaired; when it has slowed down, hardly. Proben1 stops besides when
//! `P_5 < 0.1`: that is `min_progress: 0.1`.
//!
//! Reference: Prechelt 1998, "Early stopping — but when?".

use super::generalization_loss::generalization_loss;
use super::{Decision, Goal, History, Reason, watch};
use crate::RegularizeError;
use crate::error::require;

/// Stops when GL over the training progress exceeds `alpha`.
///
/// ```
/// use slalom_regularize::{History, ProgressQuotient};
/// let rule = ProgressQuotient { alpha: 0.75, strip: 2, ..Default::default() };
/// let values = [0.5, 0.4, 0.5, 0.6];
/// let fast = History { values: &values, training: &[1.0, 0.5, 0.3, 0.1], seconds: &[] };
/// let slow = History { training: &[1.0, 0.5, 0.11, 0.1], ..fast };
/// assert!(!rule.decide(fast).stop() && rule.decide(slow).stop());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ProgressQuotient {
    /// The limit of the quotient, above 0. Default 0.75.
    pub alpha: f64,
    /// Epochs in a strip, at least 1. Default 5.
    pub strip: usize,
    /// Training progress in thousandths below which to stop whatever the quotient, at least 0.
    /// Default 0: never.
    pub min_progress: f64,
}

impl Default for ProgressQuotient {
    fn default() -> Self {
        Self { alpha: 0.75, strip: 5, min_progress: 0.0 }
    }
}

impl ProgressQuotient {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        let (alpha, least) = (self.alpha, self.min_progress);
        require(alpha.is_finite() && alpha > 0.0, "alpha", alpha, "finite and above 0")?;
        require(self.strip >= 1, "strip", self.strip as f64, "at least 1")?;
        require(least.is_finite() && least >= 0.0, "min_progress", least, "finite and at least 0")
    }

    /// What the rule says about the history so far.
    ///
    /// # Panics
    /// If the history has fewer training losses than values.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let Self { alpha, strip, min_progress: least } = *self;
        let History { values, training, .. } = history.into();
        assert!(
            training.len() >= values.len(),
            "{} training losses for {} values",
            training.len(),
            values.len()
        );
        watch(values, Goal::Minimize, strip, 0, |check| {
            let epoch = check.epoch;
            let progress = progress(&training[epoch + 1 - strip.max(1)..=epoch]);
            if !progress.is_finite() {
                return Some(Reason::NotFinite { epoch, value: progress });
            }
            if progress < least {
                return Some(Reason::NoProgress { progress, least });
            }
            let quotient = generalization_loss(check.value, check.best) / progress;
            (quotient > alpha).then_some(Reason::ProgressQuotient { quotient, alpha })
        })
    }
}

/// P_k in thousandths; 0 where all losses of the strip are the same, also when they are 0.
fn progress(strip: &[f64]) -> f64 {
    let mean = strip.iter().sum::<f64>() / strip.len() as f64;
    let min = strip.iter().copied().fold(f64::INFINITY, f64::min);
    if mean == min { 0.0 } else { 1000.0 * (mean / min - 1.0) }
}
