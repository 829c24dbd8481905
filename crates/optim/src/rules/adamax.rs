//! Adamax: Adam with the largest gradient in place of the mean square.

use serde::{Deserialize, Serialize};

use crate::error::{check_factor, check_positive};
use crate::float::{larger, narrow};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Adamax: Adam with the (decaying) largest gradient in place of the mean square.
///
/// ```text
/// m ← β₁·m + (1 − β₁)·g
/// u ← max(β₂·u, |g| + ε)
/// θ ← θ − η·m / ((1 − β₁ᵗ)·u)
/// ```
///
/// Differs from PyTorch: not at all with the defaults. Keras and the paper's remark add ε to u where
/// it divides (`eps_outside`), so that it does not accumulate.
///
/// ```
/// use slalom_optim::{Adamax, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(Adamax::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[7.0])?;
/// assert!((w[0] - 0.9).abs() < 1e-9);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Kingma, Ba, *Adam: a method for stochastic optimization*, section 7.1, ICLR 2015.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adamax {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε above 0 (default 1e-8).
    pub eps: f64,
    /// `u ← max(β₂·u, |g|)` and a division by `u + ε` (default false).
    pub eps_outside: bool,
}

impl Default for Adamax {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, eps_outside: false }
    }
}

impl Method for Adamax {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Adamax", "beta1", self.beta1)?;
        check_factor("Adamax", "beta2", self.beta2)?;
        check_positive("Adamax", "eps", self.eps)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "largest"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let beta1 = at.momentum;
        let (inside, outside) = if self.eps_outside { (0.0, self.eps) } else { (self.eps, 0.0) };
        visitor.update(Update {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            inside: narrow(inside),
            outside: narrow(outside),
            rate: narrow(at.rate / (1.0 - beta1.powf(at.step as f64))),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    beta1: F,
    rest1: F,
    beta2: F,
    inside: F,
    outside: F,
    rate: F,
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, u]: [F; 2]) -> (F, [F; 2]) {
        let m = self.beta1 * m + self.rest1 * g;
        let u = larger(self.beta2 * u, g.abs() + self.inside);
        (p - self.rate * m / (u + self.outside), [m, u])
    }
}
