//! RAdam: Adam that waits until its variance can be trusted.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_eps, check_factor};
use crate::float::narrow;
use crate::rules::adam::{Moments, of_moments};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// RAdam: steps by the mean alone until the variance of v is tractable, then rectified Adam.
///
/// ```text
/// ρ_∞ = 2/(1 − β₂) − 1           ρ_t = ρ_∞ − 2·t·β₂ᵗ/(1 − β₂ᵗ)
/// ρ_t ≤ 5: θ ← θ − η·m̂           m and v, m̂ as in Adam
/// ρ_t > 5: θ ← θ − η·r·m̂·√(1 − β₂ᵗ)/(√(v + (1 − β₂ᵗ)·ε_root) + ε)
///          r = √((ρ_t − 4)(ρ_t − 2)ρ_∞ / ((ρ_∞ − 4)(ρ_∞ − 2)ρ_t))
/// ```
///
/// Differs from PyTorch: not at all with the defaults. The paper's threshold (5 above) is 4. optax's
/// ε stands beside the corrected root (`eps_hat` false); `eps_root`, `threshold` and `nesterov` are
/// its options.
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
    /// ε, at least 0, outside the root (default 1e-8).
    pub eps: f64,
    /// Inside the corrected root, at least 0 (default 0); one of the two must be above 0.
    pub eps_root: f64,
    /// ε is divided by `√(1 − β₂ᵗ)` with the rest (default true).
    pub eps_hat: bool,
    /// The ρ_t above which the step is divided by the root, at least 4 (default 5).
    pub threshold: f64,
    /// `m̂ = β₁·m / (1 − β₁ᵗ⁺¹) + (1 − β₁)·g / (1 − β₁ᵗ)` (default false).
    pub nesterov: bool,
}

impl Default for RAdam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            eps_hat: true,
            threshold: 5.0,
            nesterov: false,
        }
    }
}

impl Method for RAdam {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("RAdam", "beta1", self.beta1)?;
        check_factor("RAdam", "beta2", self.beta2)?;
        check_eps("RAdam", self.eps, self.eps_root)?;
        let holds = self.threshold >= 4.0 && self.threshold.is_finite();
        check("RAdam", "threshold", self.threshold, holds, "at least 4 and finite")
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (t, beta1) = (at.step as f64, at.momentum);
        let (of_m, of_g) = of_moments(beta1, at.step, self.nesterov, true);
        let correction2 = 1.0 - self.beta2.powf(t);
        let end = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = end - 2.0 * t * self.beta2.powf(t) / correction2;
        let moments = |rate: f64| Moments {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(rate * of_m),
            of_g: narrow(rate * of_g),
            of_v: F::one(),
            root: narrow(self.eps_root * correction2),
            eps: narrow(if self.eps_hat { self.eps } else { self.eps * correction2.sqrt() }),
        };
        if rho <= self.threshold {
            return visitor.update(Mean(moments(at.rate)));
        }
        let r = (rho - 4.0) * (rho - 2.0) * end / ((end - 4.0) * (end - 2.0) * rho);
        visitor.update(moments(at.rate * (r * correction2).sqrt()));
    }
}

/// The step of the mean alone; the variance is kept for later.
#[derive(Clone, Copy)]
struct Mean<F>(Moments<F>);

impl<F: Float> Kernel<F, 2> for Mean<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [m, v] = self.0.averages(g, [m, v]);
        (p - (self.0.of_m * m + self.0.of_g * g), [m, v])
    }
}
