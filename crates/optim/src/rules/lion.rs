//! Lion: the sign of a mean.

use serde::{Deserialize, Serialize};

use crate::error::check_factor;
use crate::float::{narrow, signed};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Lion: every number moves by the same step, against the sign of a mean of gradients.
///
/// ```text
/// θ ← θ − η·sign(β₁·m + (1 − β₁)·g)          sign(0) = 0
/// m ← β₂·m + (1 − β₂)·g
/// ```
///
/// PyTorch has none. Differs from optax and Keras: not at all, but that their weight decay (1e-3 in
/// optax) is the block's `decay`, 0 unless set. With β₁ = β₂ it is optax's `signum`, with both 0 its
/// `sign_sgd`. The rate should be a third to a tenth of Adam's.
///
/// ```
/// use slalom_optim::{Block, Lion, Optimizer};
/// let mut opt = Optimizer::<f64>::new(Lion::default(), vec![Block::new("w", 0..3)], None)?;
/// let mut w = [1.0; 3];
/// opt.step(0.25, &mut w, &[1e9, -1e-9, 0.0])?;
/// assert_eq!(w, [0.75, 1.25, 1.0]);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Chen et al., *Symbolic discovery of optimization algorithms*, NeurIPS 2023.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.99).
    pub beta2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.99 }
    }
}

impl Method for Lion {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Lion", "beta1", self.beta1)?;
        check_factor("Lion", "beta2", self.beta2)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        visitor.update(Update {
            rate: narrow(at.rate),
            beta1: narrow(at.momentum),
            rest1: narrow(1.0 - at.momentum),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    rate: F,
    beta1: F,
    rest1: F,
    beta2: F,
    rest2: F,
}

impl<F: Float> Kernel<F, 1> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m]: [F; 1]) -> (F, [F; 1]) {
        let step = signed(self.beta1 * m + self.rest1 * g, self.rate);
        (p - step, [self.beta2 * m + self.rest2 * g])
    }
}
