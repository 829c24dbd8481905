//! `fit`: the loop over epochs, for people who do not want to write it.

use std::ops::ControlFlow;

use slalom_regularize::{Decision, Reason, StopRule};
use slalom_tensor::{Samples, Scalar};

use crate::{Callback, Event, Run, Source, TrainError};

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

/// Why a fit ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// A rule said stop.
    Stopped(Reason),
    /// A callback said stop; the run can go on where it is.
    Interrupted,
}

impl<F: Scalar> Run<F> {
    /// Trains until the epochs are done, a rule or a callback says stop.
    ///
    /// # Errors
    /// A stopping rule out of its range, a callback's, and as [`Run::epoch`]. The run is then as it
    /// was after the last update that succeeded, with the best parameters in place if a number was
    /// not finite.
    pub fn fit(
        &mut self,
        train: impl Source<F>,
        valid: Option<Samples<'_, F>>,
        fit: &Fit,
        callbacks: &mut [&mut dyn Callback<F>],
    ) -> Result<Outcome, TrainError> {
        fit.stop.iter().try_for_each(StopRule::validate)?;
        let outcome = self.go_on(&train, valid, fit, callbacks);
        // not where the run may go on as it stands: after a callback's word or error
        let over = match &outcome {
            Ok(outcome) => *outcome != Outcome::Interrupted,
            Err(error) => error.diverged(),
        };
        if fit.restore_best && over {
            self.restore_best();
        }
        let outcome = outcome?;
        // nothing is left to be stopped
        let _ = self.tell(Event::End(&outcome), callbacks)?;
        Ok(outcome)
    }

    fn go_on(
        &mut self,
        train: &impl Source<F>,
        valid: Option<Samples<'_, F>>,
        fit: &Fit,
        callbacks: &mut [&mut dyn Callback<F>],
    ) -> Result<Outcome, TrainError> {
        self.batches.forget();
        loop {
            if self.batch() == 0 {
                if let Some(reason) = fit.stop.iter().find_map(|rule| self.decide(rule).reason) {
                    return Ok(Outcome::Stopped(reason));
                }
                if self.epochs() >= fit.epochs {
                    return Ok(Outcome::Finished);
                }
            }
            let flow = match self.timed(|run| run.advance(train, true))? {
                Some(step) => self.tell(Event::Step(&step), callbacks)?,
                None => {
                    self.close(train, valid)?;
                    let epoch = self.history.last().expect("written by close");
                    self.tell(Event::Epoch(epoch), callbacks)?
                }
            };
            if flow.is_break() {
                return Ok(Outcome::Interrupted);
            }
        }
    }

    /// Tells every callback; whether one of them says stop.
    fn tell(
        &self,
        event: Event<'_>,
        callbacks: &mut [&mut dyn Callback<F>],
    ) -> Result<ControlFlow<()>, TrainError> {
        let mut flow = ControlFlow::Continue(());
        for callback in callbacks {
            if callback.on(self, event)?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        Ok(flow)
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
