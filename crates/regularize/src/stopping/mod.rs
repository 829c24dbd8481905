//! Early stopping: rules that decide, from a history alone, whether to go on.
//!
//! Every rule is plain data with `validate()` and `decide(history) -> Decision`, a pure function:
//! call it after each epoch with everything so far, in any loop, and after a resume just the same.
//! All keep these laws:
//!
//! - a history that stops goes on stopping, at the same epoch and for the same reason, whatever is
//!   appended to it;
//! - [`Decision::best`] is set on every way out, also when the epochs simply run out: the first of
//!   the best values seen;
//! - NaN and infinity are never an improvement; they stop the run and [`Reason::failed`] says so.
//!
//! Epochs count from 0. Watch a validation loss: a training loss says nothing about overfitting.

mod divergence;
mod generalization_loss;
mod patience;
mod quotient;
mod rises;
mod rule;
mod target;
mod time_limit;

pub use divergence::Divergence;
pub use generalization_loss::GeneralizationLoss;
pub use patience::EarlyStopping;
pub use quotient::ProgressQuotient;
pub use rises::SuccessiveRises;
pub use rule::StopRule;
pub use target::Target;
pub use time_limit::TimeLimit;

/// What a rule looks at: one entry an epoch. A slice, an array or a `Vec` of values turns into it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct History<'a> {
    /// The watched metric, usually the validation loss.
    pub values: &'a [f64],
    /// The training loss; only [`ProgressQuotient`] reads it.
    pub training: &'a [f64],
    /// Seconds since the run began, at each epoch's end; only [`TimeLimit`] reads it.
    pub seconds: &'a [f64],
}

impl<'a> History<'a> {
    /// The first `epochs` entries, or all where there are fewer.
    pub fn until(self, epochs: usize) -> Self {
        let cut = |part: &'a [f64]| &part[..part.len().min(epochs)];
        Self { values: cut(self.values), training: cut(self.training), seconds: cut(self.seconds) }
    }
}

impl<'a> From<&'a [f64]> for History<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self { values, ..Self::default() }
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for History<'a> {
    fn from(values: &'a [f64; N]) -> Self {
        values.as_slice().into()
    }
}

impl<'a> From<&'a Vec<f64>> for History<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        values.as_slice().into()
    }
}

/// Whether small values of a metric are good (losses) or large ones (accuracies).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Smaller is better; the default.
    #[default]
    Minimize,
    /// Larger is better.
    Maximize,
}

impl Goal {
    /// Whether `a` is better than `b`, strictly; never when one is NaN.
    pub fn better(self, a: f64, b: f64) -> bool {
        self.loss(a) < self.loss(b)
    }

    /// The value as something to be minimised.
    fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// What a rule says about a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// The epoch whose weights to keep: the first with the best value among those that the rule
    /// checked. `None` before the first check.
    pub best: Option<usize>,
    /// The epoch after which the rule stopped, if it did.
    pub epoch: Option<usize>,
    /// Why it stopped, if it did.
    pub reason: Option<Reason>,
}

impl Decision {
    /// Whether to stop.
    pub fn stop(&self) -> bool {
        self.reason.is_some()
    }
}

/// Why a run stopped. `Display` gives the sentence.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// [`EarlyStopping`]: too many checks without an improvement.
    Patience {
        /// How many.
        checks: usize,
    },
    /// [`GeneralizationLoss`]: too far above the lowest value so far.
    GeneralizationLoss {
        /// How far, in percent.
        loss: f64,
        /// The limit.
        alpha: f64,
    },
    /// [`ProgressQuotient`]: generalization loss too large for the progress of training.
    ProgressQuotient {
        /// The quotient.
        quotient: f64,
        /// The limit.
        alpha: f64,
    },
    /// [`ProgressQuotient`]: training hardly moves any more.
    NoProgress {
        /// The training progress over the last strip, in thousandths.
        progress: f64,
        /// The least wanted.
        least: f64,
    },
    /// [`SuccessiveRises`]: the value rose strip after strip.
    SuccessiveRises {
        /// How many times in succession.
        rises: usize,
    },
    /// [`TimeLimit`]: the time is up.
    TimeLimit {
        /// Seconds since the run began.
        seconds: f64,
        /// The limit.
        limit: f64,
    },
    /// [`Target`]: good enough.
    Target {
        /// The value.
        value: f64,
        /// What was wanted.
        target: f64,
    },
    /// [`Divergence`]: worse than allowed.
    Diverged {
        /// The value.
        value: f64,
        /// The limit.
        limit: f64,
    },
    /// A value is NaN or infinite.
    NotFinite {
        /// The epoch, from 0.
        epoch: usize,
        /// The value.
        value: f64,
    },
}

impl Reason {
    /// Whether the run went wrong, rather than came to an end: divergence, NaN, infinity.
    pub fn failed(&self) -> bool {
        matches!(self, Self::Diverged { .. } | Self::NotFinite { .. })
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Patience { checks } => write!(f, "no improvement in {checks} checks"),
            Self::GeneralizationLoss { loss, alpha } => {
                write!(f, "{loss:.3} % above the lowest value, limit {alpha} %")
            }
            Self::ProgressQuotient { quotient, alpha } => {
                write!(
                    f,
                    "generalization loss over training progress is {quotient:.3}, limit {alpha}"
                )
            }
            Self::NoProgress { progress, least } => {
                write!(f, "training progress is {progress:.3} thousandths, at least {least} wanted")
            }
            Self::SuccessiveRises { rises } => write!(f, "{rises} rises in succession"),
            Self::TimeLimit { seconds, limit } => {
                write!(f, "{seconds:.1} seconds have passed, limit {limit}")
            }
            Self::Target { value, target } => write!(f, "{value} reaches the target {target}"),
            Self::Diverged { value, limit } => write!(f, "diverged: {value} is beyond {limit}"),
            Self::NotFinite { epoch, value } => write!(f, "the value of epoch {epoch} is {value}"),
        }
    }
}

/// One value that a rule looks at, with the best so far, this one included.
struct Check {
    epoch: usize,
    value: f64,
    best: f64,
}

/// The loop of every rule: looks at every `every`-th value, keeps the best, and ends at the first
/// value that is not finite or at which the rule gives a reason. The best of the first `warm_up`
/// epochs is forgotten after them, and the rule is not asked there.
fn watch(
    values: &[f64],
    goal: Goal,
    every: usize,
    warm_up: usize,
    mut stops: impl FnMut(Check) -> Option<Reason>,
) -> Decision {
    let every = every.max(1);
    let mut best: Option<usize> = None;
    for epoch in (every - 1..values.len()).step_by(every) {
        let value = values[epoch];
        let stop = |best, reason| Decision { best, epoch: Some(epoch), reason: Some(reason) };
        if !value.is_finite() {
            return stop(best, Reason::NotFinite { epoch, value });
        }
        let kept = best.filter(|&b| b >= warm_up || epoch < warm_up);
        let b = kept.filter(|&b| !goal.better(value, values[b])).unwrap_or(epoch);
        best = Some(b);
        if epoch >= warm_up
            && let Some(reason) = stops(Check { epoch, value, best: values[b] })
        {
            return stop(best, reason);
        }
    }
    Decision { best, epoch: None, reason: None }
}

#[cfg(test)]
mod tests;
