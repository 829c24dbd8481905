//! The rules, one file each, and what the driver asks of them.
//!
//! A rule's file holds its configuration, the coefficients of one step computed from it in f64, and
//! a kernel: a pure function of (coefficients, parameter, gradient, slots) for one number. Clipping,
//! penalties, decay and the loop over the slab are the driver's and written once (`sweep.rs`).

mod ada_belief;
mod ada_delta;
mod adagrad;
mod adam;
mod adam_w;
mod adamax;
mod adan;
mod asgd;
mod lamb;
mod lars;
mod lion;
mod nadam;
mod radam;
mod rms_prop;
mod rprop;
mod sgd;
mod yogi;

use serde::{Deserialize, Serialize};

pub use ada_belief::AdaBelief;
pub use ada_delta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub use adan::Adan;
pub use asgd::Asgd;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rms_prop::RmsProp;
pub use rprop::Rprop;
pub use sgd::Sgd;
pub use yogi::Yogi;

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
    /// The product of all [`Method::factor`]s, that of this step included.
    pub(crate) product: f64,
    /// The decoupled decay of the block.
    pub(crate) decay: f64,
    /// The factor that a rule with [`Method::trust`] has measured for the block.
    pub(crate) trust: f64,
}

impl At {
    /// A slot's value before the first step, to be added to the slot, which starts at 0.
    pub(crate) fn start(&self, value: f64) -> f64 {
        if self.step == 1 { value } else { 0.0 }
    }
}

/// How a rule scales each block by norms: `coefficient·‖θ‖/(‖direction‖ + eps)`, and 1 where one of
/// the norms is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trust {
    pub(crate) coefficient: f64,
    pub(crate) eps: f64,
    /// Exempt blocks are scaled by 1.
    pub(crate) skip_exempt: bool,
}

/// What a rule does to one number.
pub(crate) trait Kernel<F, const SLOTS: usize>: Copy + Send + Sync {
    /// The parameter and the slots after the step.
    fn update(&self, p: F, g: F, slots: [F; SLOTS]) -> (F, [F; SLOTS]);
}

/// What a rule with [`Method::trust`] measures before its kernel runs.
pub(crate) trait Direction<F, const SLOTS: usize>: Copy + Send + Sync {
    /// The direction whose norm counts, and the slots that the kernel will find.
    fn direction(&self, p: F, g: F, slots: [F; SLOTS]) -> (F, [F; SLOTS]);
}

/// Whoever runs a kernel over numbers: generic over it, so that the loop is compiled around it.
pub(crate) trait Visit<F>: Sized {
    fn update<const SLOTS: usize>(self, kernel: impl Kernel<F, SLOTS>);

    /// For rules with [`Method::trust`]: called twice a step, to measure and to update.
    fn update_by_norm<const SLOTS: usize>(
        self,
        kernel: impl Kernel<F, SLOTS> + Direction<F, SLOTS>,
    ) {
        self.update(kernel);
    }
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

    /// What [`State::product`](crate::State::product) is multiplied by at a step.
    fn factor(&self, _step: u64, _momentum: f64) -> f64 {
        1.0
    }

    /// The rule's own decoupled decay, for blocks that are not exempt.
    fn decay(&self) -> f64 {
        0.0
    }

    /// Whether decay is part of the direction, so that the driver leaves it to the kernel.
    fn decays_itself(&self) -> bool {
        false
    }

    /// How blocks are scaled by norms, if they are.
    fn trust(&self) -> Option<Trust> {
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
            /// Every rule there is, with its defaults: for menus, and for tests that none may
            /// escape.
            ///
            /// ```
            /// assert!(slalom_optim::Rule::all().iter().any(|rule| rule.name() == "Yogi"));
            /// ```
            pub fn all() -> Vec<Self> {
                vec![$($rule::default().into()),+]
            }

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

            pub(crate) fn factor(&self, step: u64, momentum: f64) -> f64 {
                match self { $(Self::$rule(rule) => rule.factor(step, momentum),)+ }
            }

            pub(crate) fn decay(&self) -> f64 {
                match self { $(Self::$rule(rule) => rule.decay(),)+ }
            }

            pub(crate) fn decays_itself(&self) -> bool {
                match self { $(Self::$rule(rule) => rule.decays_itself(),)+ }
            }

            pub(crate) fn trust(&self) -> Option<Trust> {
                match self { $(Self::$rule(rule) => rule.trust(),)+ }
            }

            pub(crate) fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
                match self { $(Self::$rule(rule) => rule.visit(at, visitor),)+ }
            }
        }
    };
}

rules!(
    Sgd, AdaGrad, RmsProp, AdaDelta, Adam, AdamW, Adamax, NAdam, RAdam, Asgd, Rprop, AdaBelief,
    Yogi, Lion, Adan, Lars, Lamb,
);
