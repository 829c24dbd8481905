//! Adan: Adam with a Nesterov momentum made from differences of gradients.

use serde::{Deserialize, Serialize};

use crate::error::{check_eps, check_factor};
use crate::float::narrow;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Adan: Adam with a Nesterov momentum made from differences of gradients.
///
/// ```text
/// d = g − g₋                     g₋ the gradient before; d = 0 at the first step
/// m ← β₁·m + (1 − β₁)·g
/// v ← β₂·v + (1 − β₂)·d
/// n ← β₃·n + (1 − β₃)·(g + (1 − β₂)·d)²
/// θ ← θ − η·(m̂ + (1 − β₂)·v̂) / (√(n̂ + ε_root) + ε)      x̂ = x/(1 − βᵗ)
/// ```
///
/// The betas are optax's: how much is kept. The paper's are 1 − β, and its v enters with β₂.
///
/// PyTorch and Keras have none. Differs from optax: not at all; its weight decay is the block's
/// `decay`. The paper's decay divides by `1 + η·λ` after the step.
///
/// ```
/// use slalom_optim::{Adan, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(Adan::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[5.0])?;
/// assert!((w[0] - 0.9).abs() < 1e-8);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Xie, Zhou, Li, Lin, Yan, *Adan: adaptive Nesterov momentum algorithm for faster
/// optimizing deep models*, 2022.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adan {
    /// β₁ in `[0, 1)`, of the gradient (default 0.98).
    pub beta1: f64,
    /// β₂ in `[0, 1)`, of the differences (default 0.92).
    pub beta2: f64,
    /// β₃ in `[0, 1)`, of the squares (default 0.99).
    pub beta3: f64,
    /// ε, at least 0, outside the root (default 1e-8).
    pub eps: f64,
    /// Inside the root, at least 0 (default 1e-8); one of the two must be above 0.
    pub eps_root: f64,
}

impl Default for Adan {
    fn default() -> Self {
        Self { beta1: 0.98, beta2: 0.92, beta3: 0.99, eps: 1e-8, eps_root: 1e-8 }
    }
}

impl Method for Adan {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Adan", "beta1", self.beta1)?;
        check_factor("Adan", "beta2", self.beta2)?;
        check_factor("Adan", "beta3", self.beta3)?;
        check_eps("Adan", self.eps, self.eps_root)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "difference", "variance", "gradient"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (t, beta1) = (at.step as f64, at.momentum);
        visitor.update(Update {
            seen: narrow(if at.step == 1 { 0.0 } else { 1.0 }),
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            beta3: narrow(self.beta3),
            rest3: narrow(1.0 - self.beta3),
            of_m: narrow(at.rate / (1.0 - beta1.powf(t))),
            of_v: narrow(at.rate * (1.0 - self.beta2) / (1.0 - self.beta2.powf(t))),
            of_n: narrow(1.0 / (1.0 - self.beta3.powf(t))),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    seen: F,
    beta1: F,
    rest1: F,
    beta2: F,
    rest2: F,
    beta3: F,
    rest3: F,
    of_m: F,
    of_v: F,
    of_n: F,
    root: F,
    eps: F,
}

impl<F: Float> Kernel<F, 4> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v, n, before]: [F; 4]) -> (F, [F; 4]) {
        let d = self.seen * (g - before);
        let m = self.beta1 * m + self.rest1 * g;
        let v = self.beta2 * v + self.rest2 * d;
        let ahead = g + self.rest2 * d;
        let n = self.beta3 * n + self.rest3 * ahead * ahead;
        let step =
            (self.of_m * m + self.of_v * v) / ((self.of_n * n + self.root).sqrt() + self.eps);
        (p - step, [m, v, n, g])
    }
}
