//! Averaged stochastic gradient descent.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::float::narrow;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Averaged SGD: a rate that falls by a power of the step, and beside it the mean of the parameters.
///
/// ```text
/// η_t = η / (1 + λ·η·(t − 1))^α
/// θ ← θ·(1 − λ·η_t) − η_t·g
/// a ← a + (θ − a)/max(1, t − 1 − t₀)         the slot "average"
/// ```
///
/// Differs from PyTorch: not at all while η is constant; there a new η takes hold one step later.
///
/// ```
/// use slalom_optim::{Asgd, Block, Optimizer};
/// let rule = Asgd { t0: 0.0, lambda: 0.0, ..Asgd::default() };
/// let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// for _ in 0..3 { opt.step(0.1, &mut w, &[1.0])?; } // w is 0.9, 0.8, 0.7
/// # assert!((w[0] - 0.7).abs() < 1e-15);
/// assert!((opt.state().slots[0][0] - 0.75).abs() < 1e-15); // from the second step on
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Polyak, Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM J.
/// Control Optim. 30 (1992).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asgd {
    /// λ, at least 0 (default 1e-4).
    pub lambda: f64,
    /// α, at least 0 (default 0.75).
    pub alpha: f64,
    /// t₀, at least 0: where averaging starts (default 1e6).
    pub t0: f64,
}

impl Default for Asgd {
    fn default() -> Self {
        Self { lambda: 1e-4, alpha: 0.75, t0: 1e6 }
    }
}

impl Method for Asgd {
    fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("Asgd", "lambda", self.lambda)?;
        check_not_negative("Asgd", "alpha", self.alpha)?;
        check_not_negative("Asgd", "t0", self.t0)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["average"]
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let passed = (at.step - 1) as f64;
        let rate = at.rate / (1.0 + self.lambda * at.rate * passed).powf(self.alpha);
        visitor.update(Update {
            kept: narrow(1.0 - self.lambda * rate),
            rate: narrow(rate),
            share: narrow(1.0 / (passed - self.t0).max(1.0)),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    kept: F,
    rate: F,
    share: F,
}

impl<F: Float> Kernel<F, 1> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [a]: [F; 1]) -> (F, [F; 1]) {
        let p = self.kept * p - self.rate * g;
        (p, [a + (p - a) * self.share])
    }
}
