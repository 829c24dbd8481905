//! Schedules: the learning rate, or the momentum, as a pure function of the step.

mod cosine;
mod cosine_restarts;
mod cosine_wave;
mod cyclic;
mod exponential;
mod inverse_time;
mod join;
mod linear;
mod multi_step;
mod noam;
mod one_cycle;
mod piecewise;
mod plateau;
mod polynomial;
mod step_decay;
mod sutskever;
mod warmup;

use serde::{Deserialize, Serialize};

pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use cosine_wave::CosineWave;
pub use cyclic::{Cyclic, Shape};
pub use exponential::Exponential;
pub use inverse_time::InverseTime;
pub use join::Join;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use noam::Noam;
pub use one_cycle::OneCycle;
pub use piecewise::Piecewise;
pub use plateau::Plateau;
pub use polynomial::Polynomial;
pub use step_decay::StepDecay;
pub use sutskever::Sutskever;
pub use warmup::Warmup;

use crate::OptimError;
use crate::error::{check, check_not_negative};

/// A number as a function of the step. Closures are schedules.
///
/// ```
/// use slalom_optim::{Cosine, Schedule};
/// let cosine = Cosine { start: 0.1, end: 0.0, steps: 10 };
/// let warm = |step: u64| if step < 5 { 0.02 * step as f64 } else { cosine.at(step - 5) };
/// assert_eq!(warm.at(5), 0.1);
/// ```
pub trait Schedule {
    /// The value for the step, counted from 0. What a step is (a batch, an epoch) is the caller's
    /// choice.
    fn at(&self, step: u64) -> f64;
}

impl<S: Fn(u64) -> f64> Schedule for S {
    fn at(&self, step: u64) -> f64 {
        self(step)
    }
}

macro_rules! schedules {
    ($($schedule:ident),+ $(,)?) => {
        /// A schedule that can be written to a file. Numbers and all schedules convert into it.
        ///
        /// ```
        /// use slalom_optim::{Cosine, LearningRate, Schedule};
        /// assert_eq!(LearningRate::from(0.1).at(1000), 0.1);
        /// let rate = LearningRate::from(Cosine { start: 0.1, end: 0.0, steps: 10 });
        /// assert!((rate.at(5) - 0.05).abs() < 1e-15);
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum LearningRate {
            /// The same at every step, at least 0.
            Constant(f64),
            $(#[doc = concat!("[`", stringify!($schedule), "`]")] $schedule($schedule),)+
        }

        $(impl From<$schedule> for LearningRate {
            fn from(schedule: $schedule) -> Self {
                Self::$schedule(schedule)
            }
        })+

        impl LearningRate {
            /// Whether every setting is within its bounds.
            ///
            /// # Errors
            /// Names the schedule, the field, the value and the bound.
            pub fn validate(&self) -> Result<(), OptimError> {
                match self {
                    Self::Constant(rate) => check_not_negative("Constant", "rate", *rate),
                    $(Self::$schedule(schedule) => schedule.validate(),)+
                }
            }
        }

        impl Schedule for LearningRate {
            fn at(&self, step: u64) -> f64 {
                match self {
                    Self::Constant(rate) => *rate,
                    $(Self::$schedule(schedule) => schedule.at(step),)+
                }
            }
        }
    };
}

schedules!(
    StepDecay,
    MultiStep,
    Exponential,
    InverseTime,
    Linear,
    Polynomial,
    Cosine,
    CosineWave,
    CosineRestarts,
    OneCycle,
    Cyclic,
    Noam,
    Warmup,
    Join,
    Piecewise,
    Sutskever,
);

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate)
    }
}

/// Refuses borders that do not grow, or a first one of 0.
fn check_borders(owner: &str, borders: &[u64]) -> Result<(), OptimError> {
    let mut before = 0;
    for &border in borders {
        check(owner, "borders", border as f64, border > before, "above the border before it")?;
        before = border;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
