//! The rules, one file each, and what the driver asks of them.
//!
//! A rule's file holds its configuration, the coefficients of one step computed from it in f64, and
//! a kernel: a pure function of (coefficients, parameter, gradient, slots) for one number. Clipping,
//! penalties, decay and the loop over the slab are the driver's and written once (`sweep.rs`).

mod adam;
mod sgd;

use serde::{Deserialize, Serialize};

pub use adam::Adam;
pub use sgd::Sgd;

use crate::{Float, OptimError};

/// What the coefficients of a step may depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// The number of the step, from 1.
    pub(crate) step: u64,
    /// The learning rate of the step times the block's factor.
    pub(crate) rate: f64,
    /// The momentum of the step: the schedule's, or else the rule's own.
    pub(crate) momentum: f64,
}

/// What a rule does to one number.
pub(crate) trait Kernel<F, const SLOTS: usize>: Copy + Send + Sync {
    /// The parameter and the slots after the step.
    fn update(&self, p: F, g: F, slots: [F; SLOTS]) -> (F, [F; SLOTS]);
}

/// Whoever runs a kernel over numbers: generic over it, so that the loop is compiled around it.
pub(crate) trait Visit<F> {
    fn update<const SLOTS: usize>(self, kernel: impl Kernel<F, SLOTS>);
}

/// What each rule's configuration tells the driver.
pub(crate) trait Method {
    /// Whether every number is within its bounds.
    fn validate(&self) -> Result<(), OptimError>;

    /// What is kept for each number, by name.
    fn slots(&self) -> &'static [&'static str];

    /// The momentum that a schedule may stand in for, if the rule has one.
    fn momentum(&self) -> Option<f64> {
        None
    }

    /// Hands over the kernel with the coefficients of one step.
    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>);
}

macro_rules! rules {
    ($($rule:ident),+ $(,)?) => {
        /// A rule with its settings, ready to be written to a file. Every rule converts into it.
        ///
        /// ```
        /// use slalom_optim::{Adam, Rule};
        /// let rule = Rule::from(Adam { beta2: 0.99, ..Adam::default() });
        /// assert_eq!(rule.name(), "Adam");
        /// assert_eq!(rule.slots(), ["mean", "variance"]);
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("[`", stringify!($rule), "`]")] $rule($rule),)+
        }

        $(impl From<$rule> for Rule {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        })+

        impl Rule {
            /// The rule's name, as in its type.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$rule(_) => stringify!($rule),)+ }
            }

            /// Whether every setting is within its bounds.
            ///
            /// # Errors
            /// Names the rule, the field, the value and the bound.
            pub fn validate(&self) -> Result<(), OptimError> {
                match self { $(Self::$rule(rule) => rule.validate(),)+ }
            }

            /// What the rule keeps for each parameter, by name, in the order of
            /// [`State::slots`](crate::State::slots).
            pub fn slots(&self) -> &'static [&'static str] {
                match self { $(Self::$rule(rule) => Method::slots(rule),)+ }
            }

            pub(crate) fn momentum(&self) -> Option<f64> {
                match self { $(Self::$rule(rule) => rule.momentum(),)+ }
            }

            pub(crate) fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
                match self { $(Self::$rule(rule) => rule.visit(at, visitor),)+ }
            }
        }
    };
}

rules!(Sgd, Adam);
