//! RAdam: Adam that waits until its variance can be trusted.

use serde::{Deserialize, Serialize};

use crate::error::{check_factor, check_positive};
use crate::float::narrow;
use crate::rules::adam::Moments;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// RAdam: steps by the mean alone until the variance of v is tractable, then rectified Adam.
///
/// ```text
/// ρ_∞ = 2/(1 − β₂) − 1           ρ_t = ρ_∞ − 2·t·β₂ᵗ/(1 − β₂ᵗ)
/// ρ_t ≤ 5: θ ← θ − η·m̂           m and v, m̂ as in Adam
/// ρ_t > 5: θ ← θ − η·r·m̂·√(1 − β₂ᵗ)/(√v + ε)
///          r = √((ρ_t − 4)(ρ_t − 2)ρ_∞ / ((ρ_∞ − 4)(ρ_∞ − 2)ρ_t))
/// ```
///
/// Differs from PyTorch: not at all. The paper's threshold is 4.
///
/// ```
/// use slalom_optim::{Block, Optimizer, RAdam};
/// let mut opt = Optimizer::<f64>::new(RAdam::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[2.0])?;
/// assert!((w[0] - 0.8).abs() < 1e-15); // the first steps are η·m̂
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Liu, Jiang, He, Chen, Liu, Gao, Han, *On the variance of the adaptive learning rate and
/// beyond*, ICLR 2020.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RAdam {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε above 0 (default 1e-8).
    pub eps: f64,
}

impl Default for RAdam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

impl Method for RAdam {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("RAdam", "beta1", self.beta1)?;
        check_factor("RAdam", "beta2", self.beta2)?;
        check_positive("RAdam", "eps", self.eps)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (t, beta1) = (at.step as f64, at.momentum);
        let correction1 = 1.0 - beta1.powf(t);
        let correction2 = 1.0 - self.beta2.powf(t);
        let end = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = end - 2.0 * t * self.beta2.powf(t) / correction2;
        let moments = |of_m: f64| Moments {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(of_m),
            of_g: F::zero(),
            of_v: F::one(),
            root: F::zero(),
            eps: narrow(self.eps),
        };
        if rho <= 5.0 {
            return visitor.update(Mean(moments(at.rate / correction1)));
        }
        let r = (rho - 4.0) * (rho - 2.0) * end / ((end - 4.0) * (end - 2.0) * rho);
        visitor.update(moments(at.rate / correction1 * (r * correction2).sqrt()));
    }
}

/// The step of the mean alone; the variance is kept for later.
#[derive(Clone, Copy)]
struct Mean<F>(Moments<F>);

impl<F: Float> Kernel<F, 2> for Mean<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [m, v] = self.0.averages(g, [m, v]);
        (p - self.0.of_m * m, [m, v])
    }
}
