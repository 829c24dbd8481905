//! Adadelta.

use serde::{Deserialize, Serialize};

use crate::error::{check_factor, check_positive};
use crate::float::narrow;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Adadelta: gradients scaled to the size of the steps made so far, so that the rate has no unit.
///
/// ```text
/// v ← ρ·v + (1 − ρ)·g²
/// Δ = g·√(d + ε) / √(v + ε)
/// d ← ρ·d + (1 − ρ)·Δ²
/// θ ← θ − η·Δ
/// ```
///
/// Differs from PyTorch: not at all (η is 1 there). Keras has η = 0.001, ρ = 0.95 and ε = 1e-7.
///
/// ```
/// use slalom_optim::{AdaDelta, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(AdaDelta::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(1.0, &mut w, &[2.0])?;
/// assert!((w[0] - (1.0 - (1e-6_f64 / 0.1).sqrt())).abs() < 1e-8);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Zeiler, *ADADELTA: an adaptive learning rate method*, 2012.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaDelta {
    /// ρ in `[0, 1)` (default 0.9).
    pub rho: f64,
    /// ε above 0 (default 1e-6).
    pub eps: f64,
}

impl Default for AdaDelta {
    fn default() -> Self {
        Self { rho: 0.9, eps: 1e-6 }
    }
}

impl Method for AdaDelta {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("AdaDelta", "rho", self.rho)?;
        check_positive("AdaDelta", "eps", self.eps)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["variance", "squared_step"]
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        visitor.update(Update {
            rate: narrow(at.rate),
            rho: narrow(self.rho),
            rest: narrow(1.0 - self.rho),
            eps: narrow(self.eps),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    rate: F,
    rho: F,
    rest: F,
    eps: F,
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, d]: [F; 2]) -> (F, [F; 2]) {
        let v = self.rho * v + self.rest * g * g;
        let step = g * (d + self.eps).sqrt() / (v + self.eps).sqrt();
        let d = self.rho * d + self.rest * step * step;
        (p - self.rate * step, [v, d])
    }
}
