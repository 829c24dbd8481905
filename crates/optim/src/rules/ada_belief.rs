//! AdaBelief: Adam that divides by how far gradients stray from their mean.

use serde::{Deserialize, Serialize};

use crate::error::{check_eps, check_factor};
use crate::float::narrow;
use crate::rules::adam::of_moments;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// AdaBelief: Adam that divides by how far gradients stray from their mean.
///
/// ```text
/// m ← β₁·m + (1 − β₁)·g
/// s ← β₂·s + (1 − β₂)·(g − m)² + ε_root
/// θ ← θ − η·m̂ / (√ŝ + ε)         m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ)
/// ```
///
/// PyTorch and Keras have none. Differs from optax: not at all; `nesterov` is its option too.
///
/// ```
/// use slalom_optim::{AdaBelief, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(AdaBelief::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.09, &mut w, &[2.0])?;
/// assert!((w[0] - 0.9).abs() < 1e-12); // m̂ = 2, ŝ = (2 − 0.2)²
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Zhuang et al., *AdaBelief optimizer: adapting stepsizes by the belief in observed
/// gradients*, NeurIPS 2020.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaBelief {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε, at least 0, outside the root (default 1e-16).
    pub eps: f64,
    /// Added to s at every step, at least 0 (default 1e-16); one of the two must be above 0.
    pub eps_root: f64,
    /// `m̂ = β₁·m / (1 − β₁ᵗ⁺¹) + (1 − β₁)·g / (1 − β₁ᵗ)` (default false).
    pub nesterov: bool,
}

impl Default for AdaBelief {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-16, eps_root: 1e-16, nesterov: false }
    }
}

impl Method for AdaBelief {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("AdaBelief", "beta1", self.beta1)?;
        check_factor("AdaBelief", "beta2", self.beta2)?;
        check_eps("AdaBelief", self.eps, self.eps_root)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let beta1 = at.momentum;
        let (of_m, of_g) = of_moments(beta1, at.step, self.nesterov, true);
        visitor.update(Update {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(at.rate * of_m),
            of_g: narrow(at.rate * of_g),
            of_s: narrow(1.0 / (1.0 - self.beta2.powf(at.step as f64))),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    beta1: F,
    rest1: F,
    beta2: F,
    rest2: F,
    of_m: F,
    of_g: F,
    of_s: F,
    root: F,
    eps: F,
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, s]: [F; 2]) -> (F, [F; 2]) {
        let m = self.beta1 * m + self.rest1 * g;
        let strayed = g - m;
        let s = self.beta2 * s + self.rest2 * strayed * strayed + self.root;
        let step = (self.of_m * m + self.of_g * g) / ((self.of_s * s).sqrt() + self.eps);
        (p - step, [m, s])
    }
}
