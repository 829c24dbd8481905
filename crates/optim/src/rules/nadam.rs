//! NAdam: Adam with Nesterov's momentum.

use serde::{Deserialize, Serialize};

use crate::error::{check_factor, check_not_negative, check_positive};
use crate::float::narrow;
use crate::rules::adam::Moments;
use crate::rules::{At, Method, Visit};
use crate::{Float, OptimError};

/// NAdam: Adam with Nesterov's momentum, whose factor grows from β₁/2 to β₁.
///
/// ```text
/// μ_t = β₁·(1 − ½·0.96^(t·ψ))    Π_t = μ₁·…·μ_t
/// m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
/// θ ← θ − η·(μ_{t+1}·m/(1 − Π_{t+1}) + (1 − μ_t)·g/(1 − Π_t)) / (√(v/(1 − β₂ᵗ)) + ε)
/// ```
///
/// Differs from PyTorch: not at all with the defaults. Keras has ψ = 1 (`momentum_decay`); optax's
/// `nadam` has no growing factor and is [`Adam`](crate::Adam) with `nesterov`.
///
/// ```
/// use slalom_optim::{Block, NAdam, Optimizer};
/// let mut opt = Optimizer::<f64>::new(NAdam::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[2.0])?;
/// assert!(w[0] < 1.0 && opt.state().product < 0.9);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Dozat, *Incorporating Nesterov momentum into Adam*, ICLR workshop 2016.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NAdam {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε above 0 (default 1e-8).
    pub eps: f64,
    /// ψ, at least 0 (default 0.004).
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, momentum_decay: 0.004 }
    }
}

impl NAdam {
    /// μ_t.
    fn mu(&self, beta1: f64, step: u64) -> f64 {
        beta1 * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * self.momentum_decay))
    }
}

impl Method for NAdam {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("NAdam", "beta1", self.beta1)?;
        check_factor("NAdam", "beta2", self.beta2)?;
        check_positive("NAdam", "eps", self.eps)?;
        check_not_negative("NAdam", "momentum_decay", self.momentum_decay)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn factor(&self, step: u64, momentum: f64) -> f64 {
        self.mu(momentum, step)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let beta1 = at.momentum;
        let (mu, next) = (self.mu(beta1, at.step), self.mu(beta1, at.step + 1));
        visitor.update(Moments {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(at.rate * next / (1.0 - at.product * next)),
            of_g: narrow(at.rate * (1.0 - mu) / (1.0 - at.product)),
            of_v: narrow(1.0 / (1.0 - self.beta2.powf(at.step as f64))),
            root: F::zero(),
            eps: narrow(self.eps),
        });
    }
}
