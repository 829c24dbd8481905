//! A flag that stops a run from outside: from a signal handler, another thread, a button.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slalom_tensor::Scalar;

use super::{Callback, Event};
use crate::{Run, TrainError};

/// Stops a fit after the update under way, once the flag is raised. Clones share the flag.
///
/// ```
/// use slalom_train::StopFlag;
/// let flag = StopFlag::default();
/// let in_the_handler = flag.clone();
/// assert!(!flag.is_raised());
/// in_the_handler.raise();
/// assert!(flag.is_raised());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks the run to stop. Safe to call from a signal handler.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for StopFlag {
    /// A flag that something else raises, such as the signal-hook crate.
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

impl<F: Scalar> Callback<F> for StopFlag {
    fn on(&mut self, _run: &Run<F>, _event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        Ok(if self.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
