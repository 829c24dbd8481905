//! L-BFGS: a quasi-Newton method for whole batches.

mod line_search;
mod run;

use serde::{Deserialize, Serialize};

pub use run::LbfgsRun;

use crate::OptimError;
use crate::error::{check, check_not_negative};

/// What L-BFGS minimises: it asks for the value and the gradient as often as it needs them.
/// Closures are objectives.
pub trait Objective<F> {
    /// The value at `params`; leaves the gradient in `grads`.
    fn evaluate(&mut self, params: &[F], grads: &mut [F]) -> f64;
}

impl<F, T: FnMut(&[F], &mut [F]) -> f64> Objective<F> for T {
    fn evaluate(&mut self, params: &[F], grads: &mut [F]) -> f64 {
        self(params, grads)
    }
}

/// L-BFGS with a strong-Wolfe line search: a quasi-Newton method for whole batches.
///
/// ```text
/// d = −H·g       H from the last `memory` pairs s = θ − θ₋, y = g − g₋ (two-loop recursion)
/// θ ← θ + t·d    t by a line search, tried first at 1
/// ```
///
/// Differs from PyTorch: the line search is always there, and one [`step`](LbfgsRun::step) is one
/// iteration (there up to `max_iter` of them).
///
/// ```
/// use slalom_optim::{Lbfgs, LbfgsRun, Outcome};
/// let mut rosenbrock = |x: &[f64], g: &mut [f64]| {
///     let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
///     g.copy_from_slice(&[-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
///     a * a + 100.0 * b * b
/// };
/// let mut x = [-1.2, 1.0];
/// let mut run = LbfgsRun::new(Lbfgs::default(), 2)?;
/// while run.step(&mut x, &mut rosenbrock)?.outcome == Outcome::Moved {}
/// assert!((x[0] - 1.0).abs() < 1e-5 && (x[1] - 1.0).abs() < 1e-5);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Nocedal, Wright, *Numerical optimization*, 2nd edition, algorithm 7.5.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// How many pairs are kept, at least 1 (default 100).
    pub memory: usize,
    /// Done when no number of the gradient is larger, at least 0 (default 1e-7).
    pub tolerance_grad: f64,
    /// Done when no parameter moves by more, at least 0 (default 1e-9).
    pub tolerance_change: f64,
    /// c₁ of the line search, above 0 and below c₂ (default 1e-4).
    pub c1: f64,
    /// c₂ of the line search, below 1 (default 0.9).
    pub c2: f64,
    /// Evaluations that one line search may spend, at least 1 (default 25).
    pub evaluations: u64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            memory: 100,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            c1: 1e-4,
            c2: 0.9,
            evaluations: 25,
        }
    }
}

impl Lbfgs {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        check("Lbfgs", "memory", self.memory as f64, self.memory > 0, "at least 1")?;
        check_not_negative("Lbfgs", "tolerance_grad", self.tolerance_grad)?;
        check_not_negative("Lbfgs", "tolerance_change", self.tolerance_change)?;
        check("Lbfgs", "c1", self.c1, 0.0 < self.c1 && self.c1 < self.c2, "above 0 and below c2")?;
        check("Lbfgs", "c2", self.c2, self.c2 < 1.0, "below 1")?;
        let evaluations = self.evaluations;
        check("Lbfgs", "evaluations", evaluations as f64, evaluations > 0, "at least 1")
    }
}

/// How an iteration of L-BFGS ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The parameters moved.
    Moved,
    /// The gradient, or the last move, is within its tolerance.
    Converged,
    /// No lower point was found along the direction: rounding, or a gradient that is wrong.
    Stuck,
}

/// What is known of an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Iteration {
    /// The value of the objective at the parameters as they now are.
    pub value: f64,
    /// The largest number of the gradient there, in size.
    pub largest: f64,
    /// How often the objective was evaluated.
    pub evaluations: u64,
    /// How it ended.
    pub outcome: Outcome,
}
