//! AdamW: Adam with decoupled weight decay.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::rules::{Adam, At, Method, Visit};
use crate::{Float, OptimError};

/// AdamW: Adam with decoupled weight decay.
///
/// ```text
/// θ ← θ·(1 − η·λ), then Adam's step
/// ```
///
/// It is [`Adam`] with λ added to the decay of every block that is not exempt; a block's own `decay`
/// comes on top, and its `l2` must be 0.
///
/// Differs from PyTorch: exempt blocks (biases, normalisation) do not decay. Keras has λ = 0.004,
/// optax 1e-4.
///
/// ```
/// use slalom_optim::{AdamW, Block, Optimizer};
/// let rule = AdamW { decay: 0.1, ..AdamW::default() };
/// let blocks = vec![
///     Block::new("weight", 0..1),
///     Block { exempt: true, ..Block::new("bias", 1..2) },
/// ];
/// let mut opt = Optimizer::<f64>::new(rule, blocks, None)?;
/// let mut w = [1.0, 1.0];
/// opt.step(0.5, &mut w, &[0.0, 0.0])?;
/// assert_eq!(w, [0.95, 1.0]);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Loshchilov, Hutter, *Decoupled weight decay regularization*, ICLR 2019.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// The moments and ε.
    pub adam: Adam,
    /// λ, at least 0 (default 0.01).
    pub decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { adam: Adam::default(), decay: 0.01 }
    }
}

impl Method for AdamW {
    fn validate(&self) -> Result<(), OptimError> {
        self.adam.validate()?;
        check_not_negative("AdamW", "decay", self.decay)
    }

    fn slots(&self) -> &'static [&'static str] {
        self.adam.slots()
    }

    fn momentum(&self) -> Option<f64> {
        self.adam.momentum()
    }

    fn decay(&self) -> f64 {
        self.decay
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        self.adam.visit(at, visitor);
    }
}
