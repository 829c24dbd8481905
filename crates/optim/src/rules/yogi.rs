//! Yogi: Adam whose mean square moves by bounded steps.

use serde::{Deserialize, Serialize};

use crate::error::{check_eps, check_factor, check_not_negative};
use crate::float::{narrow, signed};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Yogi: Adam whose v moves towards g² by steps of `(1 − β₂)·g²`, however far it is.
///
/// ```text
/// m ← β₁·m + (1 − β₁)·g          m = m₀, v = v₀ before the first step
/// v ← v − (1 − β₂)·sign(v − g²)·g²
/// θ ← θ − η·m̂ / (√(v̂ + ε_root) + ε)         m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)
/// ```
///
/// PyTorch and Keras have none. Differs from optax: not at all. As there, m starts at 1e-6 like v,
/// so parameters move a little even without a gradient; the paper starts m at 0 (`initial_mean`).
///
/// ```
/// use slalom_optim::{Block, Optimizer, Yogi};
/// let rule = Yogi { initial_mean: 0.0, ..Yogi::default() };
/// let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[3.0])?;
/// assert!((w[0] - 0.9).abs() < 1e-4);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Zaheer, Reddi, Sachan, Kale, Kumar, *Adaptive methods for nonconvex optimization*,
/// NeurIPS 2018.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Yogi {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε, at least 0, outside the root (default 1e-3).
    pub eps: f64,
    /// Inside the root, at least 0 (default 0); one of the two must be above 0.
    pub eps_root: f64,
    /// m₀, at least 0 (default 1e-6).
    pub initial_mean: f64,
    /// v₀, at least 0 (default 1e-6).
    pub initial_variance: f64,
}

impl Default for Yogi {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-3,
            eps_root: 0.0,
            initial_mean: 1e-6,
            initial_variance: 1e-6,
        }
    }
}

impl Method for Yogi {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Yogi", "beta1", self.beta1)?;
        check_factor("Yogi", "beta2", self.beta2)?;
        check_eps("Yogi", self.eps, self.eps_root)?;
        check_not_negative("Yogi", "initial_mean", self.initial_mean)?;
        check_not_negative("Yogi", "initial_variance", self.initial_variance)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (t, beta1) = (at.step as f64, at.momentum);
        visitor.update(Update {
            start1: narrow(at.start(self.initial_mean)),
            start2: narrow(at.start(self.initial_variance)),
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(at.rate / (1.0 - beta1.powf(t))),
            of_v: narrow(1.0 / (1.0 - self.beta2.powf(t))),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    start1: F,
    start2: F,
    beta1: F,
    rest1: F,
    rest2: F,
    of_m: F,
    of_v: F,
    root: F,
    eps: F,
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let (m, v) = (self.start1 + m, self.start2 + v);
        let m = self.beta1 * m + self.rest1 * g;
        let v = v - signed(v - g * g, self.rest2 * g * g);
        (p - self.of_m * m / ((self.of_v * v + self.root).sqrt() + self.eps), [m, v])
    }
}
