//! AdaGrad.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::float::narrow;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// AdaGrad: each number's rate falls with the sum of its squared gradients.
///
/// ```text
/// s ← s + g²                     s = s₀ before the first step
/// θ ← θ − η_t·g / (√(s + ε_root) + ε)        η_t = η / (1 + (t − 1)·lr_decay)
/// ```
///
/// Differs from PyTorch: not at all with the defaults. Keras and optax start from s₀ = 0.1 and have
/// their ε (1e-7) inside the root (`eps_root`).
///
/// ```
/// use slalom_optim::{AdaGrad, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(AdaGrad::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[3.0])?;
/// opt.step(0.1, &mut w, &[4.0])?;
/// assert!((w[0] - (1.0 - 0.1 - 0.08)).abs() < 1e-9); // 0.1·3/3, then 0.1·4/5
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Duchi, Hazan, Singer, *Adaptive subgradient methods for online learning and stochastic
/// optimization*, JMLR 12 (2011).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// How fast the rate falls besides, at least 0 (default 0).
    pub lr_decay: f64,
    /// s₀, at least 0 (default 0).
    pub initial_accumulator: f64,
    /// ε, at least 0, outside the root (default 1e-10).
    pub eps: f64,
    /// Inside the root, at least 0 (default 0); it, ε or s₀ must be above 0.
    pub eps_root: f64,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self { lr_decay: 0.0, initial_accumulator: 0.0, eps: 1e-10, eps_root: 0.0 }
    }
}

impl Method for AdaGrad {
    fn validate(&self) -> Result<(), OptimError> {
        check_not_negative("AdaGrad", "lr_decay", self.lr_decay)?;
        check_not_negative("AdaGrad", "initial_accumulator", self.initial_accumulator)?;
        check_not_negative("AdaGrad", "eps", self.eps)?;
        check_not_negative("AdaGrad", "eps_root", self.eps_root)?;
        // a sum that starts above 0 never falls, so that a gradient of 0 gives no 0/0
        let above = [self.eps, self.eps_root, self.initial_accumulator] != [0.0; 3];
        let bound = "above 0 where eps_root and initial_accumulator are 0";
        check("AdaGrad", "eps", self.eps, above, bound)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let passed = (at.step - 1) as f64;
        visitor.update(Update {
            rate: narrow(at.rate / (1.0 + passed * self.lr_decay)),
            start: narrow(at.start(self.initial_accumulator)),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    rate: F,
    start: F,
    root: F,
    eps: F,
}

impl<F: Float> Kernel<F, 1> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [s]: [F; 1]) -> (F, [F; 1]) {
        let s = self.start + s + g * g;
        (p - self.rate * g / ((s + self.root).sqrt() + self.eps), [s])
    }
}
