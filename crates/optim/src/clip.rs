//! Clipping: bounds for a gradient before the rule sees it.
//!
//! By norm: `g ← g·min(1, c / (‖g‖₂ + 10⁻⁶))`; by value: `g ← min(max(g, −c), c)`.
//!
//! Differs from PyTorch: not at all (`clip_grad_norm_`, `clip_grad_value_`); from Keras and optax,
//! which scale by `c / max(‖g‖₂, c)`, without the 10⁻⁶.

use serde::{Deserialize, Serialize};

use crate::block::check_blocks;
use crate::error::{check_length, check_positive};
use crate::float::{clamp, narrow};
use crate::plan::Plan;
use crate::simd::Level;
use crate::threads::alone;
use crate::{Block, Float, OptimError};

/// What PyTorch adds to a norm before it divides by it.
const MARGIN: f64 = 1e-6;

/// How gradients are bounded before the rule sees them.
///
/// ```
/// use slalom_optim::{Block, Clip};
/// let blocks = [Block::new("a", 0..2), Block::new("b", 2..3)];
/// let mut gradient = [3.0, 0.0, 4.0];
/// let norm = Clip::GlobalNorm(1.0).apply(&blocks, &mut gradient)?;
/// assert_eq!(norm, 5.0);
/// assert!((gradient[2] - 0.8_f64).abs() < 1e-6);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Clip {
    /// Scales all blocks together, so that the norm of the whole gradient is at most this. Frozen
    /// blocks do not count.
    GlobalNorm(f64),
    /// Scales each block by itself, so that the norm of each is at most this.
    BlockNorm(f64),
    /// Bounds each number: at most this, at least its negative.
    Value(f64),
}

impl Clip {
    /// Whether the bound is above 0 and finite.
    ///
    /// # Errors
    /// [`OptimError::Setting`] names the kind of clipping.
    pub fn validate(&self) -> Result<(), OptimError> {
        let (field, bound) = match *self {
            Self::GlobalNorm(bound) => ("global norm", bound),
            Self::BlockNorm(bound) => ("block norm", bound),
            Self::Value(bound) => ("value", bound),
        };
        check_positive("Clip", field, bound)
    }

    /// Clips `gradient` in place and gives the norm that it had, for loops that do without an
    /// [`Optimizer`](crate::Optimizer); the optimizer does the same on the fly.
    ///
    /// # Errors
    /// As [`Optimizer::step`](crate::Optimizer::step).
    pub fn apply<F: Float>(&self, blocks: &[Block], gradient: &mut [F]) -> Result<f64, OptimError> {
        self.validate()?;
        check_length("the gradient slice", gradient.len(), check_blocks(blocks)?)?;
        let plan = Plan::new(blocks, true, 0.0);
        let norm = plan.measure(Level::detect(), blocks, gradient, &alone)?;
        let mut scales = vec![1.0; blocks.len()];
        self.fill(&mut scales, norm, plan.block_norms(gradient));
        let bound = narrow(self.bound());
        for (block, scale) in blocks.iter().zip(scales).filter(|(block, _)| !block.frozen) {
            for value in &mut gradient[block.range.clone()] {
                *value = clamp(*value * narrow(scale), bound);
            }
        }
        Ok(norm)
    }

    /// The factor for the gradient of each block, given the norms; leaves others as they are.
    pub(crate) fn fill(
        &self,
        scales: &mut [f64],
        norm: f64,
        block_norms: impl Iterator<Item = (usize, f64)>,
    ) {
        match *self {
            Self::GlobalNorm(bound) => scales.fill(scale(norm, bound)),
            Self::BlockNorm(bound) => {
                block_norms.for_each(|(block, norm)| scales[block] = scale(norm, bound));
            }
            Self::Value(_) => {}
        }
    }

    /// The factor for the gradient of one block that is clipped without the others.
    pub(crate) fn block_scale(&self, norm: f64) -> f64 {
        match *self {
            Self::GlobalNorm(bound) | Self::BlockNorm(bound) => scale(norm, bound),
            Self::Value(_) => 1.0,
        }
    }

    /// The bound for each number.
    pub(crate) fn bound(&self) -> f64 {
        match *self {
            Self::Value(bound) => bound,
            Self::GlobalNorm(_) | Self::BlockNorm(_) => f64::INFINITY,
        }
    }
}

/// The factor that brings a gradient of this norm within the bound.
fn scale(norm: f64, bound: f64) -> f64 {
    (bound / (norm + MARGIN)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_pytorchs() {
        let mut gradient = [3.0_f64, 4.0];
        Clip::GlobalNorm(1.0).apply(&[Block::new("w", 0..2)], &mut gradient).unwrap();
        assert!((gradient[1] - 4.0 / (5.0 + 1e-6)).abs() < 1e-15);
    }
}
