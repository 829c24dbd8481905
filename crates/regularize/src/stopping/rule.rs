//! Any of the rules, or several, as one plain value: what a configuration holds.

use super::*;
use crate::RegularizeError;
use crate::error::require;

/// One of the rules, or a combination of them.
///
/// Proben1's architecture search stopped when three criteria had each been fulfilled once:
///
/// ```
/// use slalom_regularize::{GeneralizationLoss, ProgressQuotient, StopRule, SuccessiveRises};
/// let rule = StopRule::All(vec![
///     GeneralizationLoss::default().into(),
///     SuccessiveRises { rises: 8, ..Default::default() }.into(),
///     ProgressQuotient { alpha: 3.0, ..Default::default() }.into(),
/// ]);
/// rule.validate().unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopRule {
    /// Patience.
    EarlyStopping(EarlyStopping),
    /// Prechelt's GL.
    GeneralizationLoss(GeneralizationLoss),
    /// Prechelt's PQ.
    ProgressQuotient(ProgressQuotient),
    /// Prechelt's UP.
    SuccessiveRises(SuccessiveRises),
    /// So many seconds.
    TimeLimit(TimeLimit),
    /// Good enough.
    Target(Target),
    /// Bad enough.
    Divergence(Divergence),
    /// Stops when the first of the rules does (the first in the list, if several at once). The best
    /// epoch is that of the first rule in the list.
    Any(Vec<StopRule>),
    /// Stops when each of the rules has stopped, not necessarily at the same epoch; the reason is
    /// that of the last. NaN and infinity stop at once. The best epoch is that of the first rule.
    All(Vec<StopRule>),
}

impl StopRule {
    /// Checks every field of every rule.
    ///
    /// # Errors
    /// The first field outside its range; a combination of no rules.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        match self {
            Self::EarlyStopping(rule) => rule.validate(),
            Self::GeneralizationLoss(rule) => rule.validate(),
            Self::ProgressQuotient(rule) => rule.validate(),
            Self::SuccessiveRises(rule) => rule.validate(),
            Self::TimeLimit(rule) => rule.validate(),
            Self::Target(rule) => rule.validate(),
            Self::Divergence(rule) => rule.validate(),
            Self::Any(rules) | Self::All(rules) => {
                require(!rules.is_empty(), "number of rules", 0.0, "at least 1")?;
                rules.iter().try_for_each(Self::validate)
            }
        }
    }

    /// What the rule says about the history so far.
    ///
    /// # Panics
    /// If the history lacks the training losses or the seconds that one of the rules reads.
    pub fn decide<'a>(&self, history: impl Into<History<'a>>) -> Decision {
        let history = history.into();
        match self {
            Self::EarlyStopping(rule) => rule.decide(history),
            Self::GeneralizationLoss(rule) => rule.decide(history),
            Self::ProgressQuotient(rule) => rule.decide(history),
            Self::SuccessiveRises(rule) => rule.decide(history),
            Self::TimeLimit(rule) => rule.decide(history),
            Self::Target(rule) => rule.decide(history),
            Self::Divergence(rule) => rule.decide(history),
            Self::Any(rules) => combine(rules, history, first),
            Self::All(rules) => combine(rules, history, last),
        }
    }
}

/// When, and why, a rule stopped.
type Stop = (usize, Reason);

fn first(stops: &[Option<Stop>]) -> Option<Stop> {
    stops.iter().flatten().copied().min_by_key(|stop| stop.0)
}

fn last(stops: &[Option<Stop>]) -> Option<Stop> {
    let broken = |stop: &&Stop| matches!(stop.1, Reason::NotFinite { .. });
    let lost = stops.iter().flatten().filter(broken).min_by_key(|stop| stop.0);
    let all: Option<Vec<Stop>> = stops.iter().copied().collect();
    lost.copied().or_else(|| all?.into_iter().max_by_key(|stop| stop.0))
}

fn combine(
    rules: &[StopRule],
    history: History<'_>,
    choose: fn(&[Option<Stop>]) -> Option<Stop>,
) -> Decision {
    let when = |rule: &StopRule| {
        let decision = rule.decide(history);
        decision.epoch.zip(decision.reason)
    };
    let stop = choose(&rules.iter().map(when).collect::<Vec<_>>());
    let seen = stop.map_or(history, |(epoch, _)| history.until(epoch + 1));
    let best = rules.first().and_then(|rule| rule.decide(seen).best);
    Decision { best, epoch: stop.map(|s| s.0), reason: stop.map(|s| s.1) }
}

macro_rules! from_rules {
    ($($rule:ident)*) => {$(
        impl From<$rule> for StopRule {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        }
    )*};
}

from_rules!(EarlyStopping GeneralizationLoss ProgressQuotient SuccessiveRises TimeLimit Target Divergence);
