//! Shows how far a fit is: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Stderr, Write, stderr};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use slalom_tensor::Scalar;

use super::{Callback, Event};
use crate::{Run, Step, TrainError};

/// Shows epoch, batch, loss, learning rate and the time left (feature `progress`).
///
/// On a terminal it is one bar, gone when the fit ends; elsewhere plain lines: one an epoch, of long
/// runs a hundred in all, and in long epochs one every half minute. Time left is what the epochs
/// asked for would take: a run that stops early takes less.
///
/// ```
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, Fit, Progress, Run};
/// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
/// # let mut run = Run::new(network, Config::default(), Threads::one())?;
/// # let x = from_rows(&[[1.0], [2.0]]);
/// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?;
/// let fit = Fit { epochs: 3, ..Fit::default() };
/// let mut progress = Progress::lines("two", fit.epochs, Vec::new()); // or Progress::stderr
/// run.fit(train, None, &fit, &mut [&mut progress])?;
/// let lines = String::from_utf8(progress.into_inner())?;
/// assert!(lines.lines().nth(2).unwrap().starts_with("two: epoch 3 of 3, loss "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Progress<W = Stderr> {
    name: String,
    epochs: u64,
    out: W,
    bar: Option<ProgressBar>,
    /// When the first event came and at which batch; when something was shown last.
    began: Option<(Instant, u64)>,
    shown: Instant,
    batches: u64,
}

/// The most lines that end an epoch.
const LINES: u64 = 100;
/// The least time between two lines within an epoch, and between two changes of the bar.
const LINE: Duration = Duration::from_secs(30);
const BAR: Duration = Duration::from_millis(50);

impl Progress {
    /// On standard error, for a fit to so many epochs: a bar if it is a terminal, else lines.
    pub fn stderr(name: impl Into<String>, epochs: u64) -> Self {
        match stderr().is_terminal() {
            true => Self::bar(name, epochs, ProgressBar::new(0)),
            false => Self::lines(name, epochs, stderr()),
        }
    }

    /// A bar of the caller's, such as one among several.
    pub fn bar(name: impl Into<String>, epochs: u64, bar: ProgressBar) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:24} {wide_msg}");
        let name = name.into();
        let bar = bar.with_style(style.expect("a fixed template")).with_prefix(name.clone());
        Self { bar: Some(bar), ..Self::lines(name, epochs, stderr()) }
    }
}

impl<W: Write> Progress<W> {
    /// Plain lines on this writer.
    pub fn lines(name: impl Into<String>, epochs: u64, out: W) -> Self {
        let (name, shown) = (name.into(), Instant::now());
        Self { name, epochs, out, bar: None, began: None, shown, batches: 1 }
    }

    /// The writer of the lines.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// What there is to say after so many batches.
    fn words<F: Scalar>(&self, run: &Run<F>, epoch: u64, done: u64, rate: f64) -> String {
        let mut words = format!("epoch {epoch} of {}", self.epochs);
        let loss = match run.batch() {
            0 => run.history().last().map_or(f64::NAN, |epoch| epoch.train_loss),
            batch => {
                words += &format!(", batch {batch} of {}", self.batches);
                run.progress.loss / run.progress.weight
            }
        };
        words += &format!(", loss {loss:.4}");
        let valid = run.history().last().and_then(|epoch| epoch.valid_loss);
        if let Some(valid) = valid.filter(|_| run.batch() == 0) {
            words += &format!(", validation {valid:.4}");
        }
        words += &format!(", rate {rate:.2e}");
        if let Some((began, first)) = self.began.filter(|(_, first)| done > *first) {
            let left = self.epochs.saturating_mul(self.batches).saturating_sub(done);
            let seconds = began.elapsed().as_secs_f64() / (done - first) as f64 * left as f64;
            words += &format!(", {} left", Seconds(seconds));
        }
        words
    }

    fn show<F: Scalar>(&mut self, run: &Run<F>, epoch: u64, rate: f64) -> Result<(), TrainError> {
        self.shown = Instant::now();
        let done = run.epochs() * self.batches + run.batch();
        let words = self.words(run, epoch, done, rate);
        match &self.bar {
            Some(bar) => {
                bar.set_length(self.epochs.saturating_mul(self.batches));
                bar.set_position(done);
                bar.set_message(words);
                Ok(())
            }
            None => writeln!(self.out, "{}: {words}", self.name).map_err(TrainError::Log),
        }
    }

    fn step<F: Scalar>(&mut self, run: &Run<F>, step: &Step) -> Result<(), TrainError> {
        self.batches = step.batch.1.max(1);
        if self.began.is_none() {
            let done = run.epochs() * self.batches + run.batch();
            self.began = Some((Instant::now(), done));
        }
        let pause = if self.bar.is_some() { BAR } else { LINE };
        match self.shown.elapsed() < pause {
            true => Ok(()),
            false => self.show(run, run.epochs() + 1, step.rate),
        }
    }

    /// Whether an epoch is one of the hundred that have a line.
    fn is_due(&self, epoch: u64) -> bool {
        let lines = |epoch: u64| epoch.saturating_mul(LINES) / self.epochs.max(1);
        self.bar.is_some() || epoch >= self.epochs || lines(epoch) > lines(epoch - 1)
    }
}

impl<F: Scalar, W: Write> Callback<F> for Progress<W> {
    fn on(&mut self, run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        match event {
            Event::Step(step) => self.step(run, step)?,
            Event::Epoch(epoch) if self.is_due(epoch.epoch) => {
                self.show(run, epoch.epoch, epoch.rate)?;
            }
            Event::End(_) => self.bar.iter().for_each(ProgressBar::finish_and_clear),
            Event::Epoch(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Seconds as people say them.
struct Seconds(f64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.round() as u64;
        match (seconds / 3600, seconds / 60) {
            (0, 0) => write!(f, "{seconds} s"),
            (0, minutes) => write!(f, "{minutes} min {} s", seconds % 60),
            (hours, minutes) => write!(f, "{hours} h {} min", minutes % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_said_in_two_units_at_most() {
        for (seconds, words) in
            [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599.0, "59 min 59 s"), (7322.0, "2 h 2 min")]
        {
            assert_eq!(Seconds(seconds).to_string(), words);
        }
    }

    #[test]
    fn epochs_without_end_are_no_overflow() {
        let network =
            slalom_layers::Network::<f64>::new(1, [slalom_layers::Dense::linear(2).into()]);
        let run =
            Run::new(network.unwrap(), crate::Config::default(), slalom_tensor::Threads::one());
        let mut progress = Progress::bar("x", u64::MAX, ProgressBar::hidden());
        (progress.batches, progress.began) = (7, Some((Instant::now(), 0)));
        let run = run.unwrap();
        assert!(progress.words(&run, 1, 5, 0.1).ends_with(" min left"));
        progress.show(&run, 1, 0.1).unwrap();
    }

    #[test]
    fn at_most_a_hundred_epochs_have_a_line_and_the_last_is_one() {
        for (epochs, lines) in [(1, 1), (40, 40), (100, 100), (12_345, 100)] {
            let progress = Progress::lines("x", epochs, Vec::new());
            let due = (1..=epochs).filter(|&epoch| progress.is_due(epoch));
            assert_eq!((due.count(), progress.is_due(epochs)), (lines, true));
        }
    }
}
