//! Callbacks: whoever wants to know what a run does, and may say stop.

mod logs;
#[cfg(feature = "progress")]
mod progress;
mod save;
mod stop_flag;
mod tensorboard;

use std::ops::ControlFlow;

use slalom_tensor::Scalar;

use crate::{Epoch, Outcome, Run, Step, TrainError};

pub use logs::{CsvLog, JsonLog};
#[cfg(feature = "progress")]
pub use progress::Progress;
pub use save::{Every, Newest, Save};
pub use stop_flag::StopFlag;
pub use tensorboard::TensorBoard;

/// What a run tells while it trains.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An update is done.
    Step(&'a Step),
    /// An epoch is done.
    Epoch(&'a Epoch),
    /// The fit is over.
    End(&'a Outcome),
}

/// Watches a [`fit`](Run::fit). It sees the run and may say stop; it never changes it, so a run
/// does not depend on who looks on.
///
/// Closures are callbacks:
///
/// ```
/// use std::ops::ControlFlow;
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, Event, Fit, Outcome, Run};
/// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
/// # let mut run = Run::new(network, Config::default(), Threads::one())?;
/// # let x = from_rows(&[[1.0], [2.0]]);
/// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?;
/// let mut third = |run: &Run<f64>, event: Event<'_>| match event {
///     Event::Epoch(_) if run.epochs() == 3 => Ok(ControlFlow::Break(())),
///     _ => Ok(ControlFlow::Continue(())),
/// };
/// let outcome = run.fit(train, None, &Fit::default(), &mut [&mut third])?;
/// assert_eq!((outcome, run.epochs()), (Outcome::Interrupted, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Callback<F: Scalar> {
    /// Called at each event; `Break` stops the fit after the update under way, ready to go on.
    ///
    /// # Errors
    /// Whatever keeps the callback from its work, such as a checkpoint that cannot be saved: the
    /// fit ends with it, and the run is as it was.
    fn on(&mut self, run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError>;
}

impl<F: Scalar, C> Callback<F> for C
where
    C: FnMut(&Run<F>, Event<'_>) -> Result<ControlFlow<()>, TrainError>,
{
    fn on(&mut self, run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        self(run, event)
    }
}
