//! `fit`: the loop over epochs, for people who do not want to write it.

use std::ops::ControlFlow;

use slalom_regularize::{Decision, Reason, StopRule};
use slalom_tensor::{Samples, Scalar};

use crate::{Epoch, Run, Step, TrainError};

/// How long [`Run::fit`] goes on.
///
/// | field | default | |
/// |---|---|---|
/// | `epochs` | 100 | the run has at most so many in all, earlier ones included |
/// | `stop` | none | rules asked after each epoch; the first that says stop counts |
/// | `restore_best` | true | end with the parameters of the best epoch, on every way out |
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Epochs of the run in all.
    pub epochs: u64,
    /// When to stop earlier.
    pub stop: Vec<StopRule>,
    /// Whether the best parameters are put in place at the end; needs
    /// [`keep_best`](crate::Config::keep_best).
    pub restore_best: bool,
}

impl Default for Fit {
    fn default() -> Self {
        Self { epochs: 100, stop: Vec::new(), restore_best: true }
    }
}

/// What a run tells while it trains.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A batch is done.
    Step(&'a Step),
    /// An epoch is done.
    Epoch(&'a Epoch),
}

/// Why a fit ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// A rule said stop.
    Stopped(Reason),
    /// The observer said stop; the run can go on where it is.
    Interrupted,
}

impl<F: Scalar> Run<F> {
    /// Trains until the epochs are done, a rule or the observer says stop.
    ///
    /// The observer sees every [`Event`] and may answer `ControlFlow::Break`: the run then stops
    /// after the batch under way, ready to be resumed.
    ///
    /// # Errors
    /// A stopping rule out of its range, and as [`Run::epoch`].
    pub fn fit(
        &mut self,
        train: Samples<'_, F>,
        valid: Option<Samples<'_, F>>,
        fit: &Fit,
        observer: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, TrainError> {
        fit.stop.iter().try_for_each(StopRule::validate)?;
        let outcome = self.go_on(train, valid, fit, observer)?;
        if fit.restore_best && outcome != Outcome::Interrupted {
            self.restore_best();
        }
        Ok(outcome)
    }

    fn go_on(
        &mut self,
        train: Samples<'_, F>,
        valid: Option<Samples<'_, F>>,
        fit: &Fit,
        observer: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, TrainError> {
        loop {
            if let Some(reason) = fit.stop.iter().find_map(|rule| self.decide(rule).reason) {
                return Ok(Outcome::Stopped(reason));
            }
            if self.epochs() >= fit.epochs {
                return Ok(Outcome::Finished);
            }
            let flow = match self.step(train)? {
                Some(step) => observer(Event::Step(&step)),
                None => observer(Event::Epoch(self.end_epoch(valid)?)),
            };
            if flow.is_break() {
                return Ok(Outcome::Interrupted);
            }
        }
    }

    /// What a stopping rule says about the history so far.
    pub fn decide(&self, rule: &StopRule) -> Decision {
        let history = self.history();
        let training: Vec<f64> = history.epochs().iter().map(|e| e.train_loss).collect();
        let mut elapsed = 0.0;
        let seconds: Vec<f64> = (history.epochs().iter())
            .map(|e| {
                elapsed += e.seconds;
                elapsed
            })
            .collect();
        let values = history.losses();
        rule.decide(slalom_regularize::History {
            values: &values,
            training: &training,
            seconds: &seconds,
        })
    }
}
