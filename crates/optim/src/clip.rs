//! Clipping: bounds for a gradient before the rule sees it.
//!
//! By norm: `g ← g·min(1, c / (‖g‖ + 10⁻⁶))`; by value: `g ← min(max(g, −c), c)`.
//!
//! Differs from PyTorch: not at all (`clip_grad_norm_`, `clip_grad_value_`); from Keras and optax,
//! which scale by `c / max(‖g‖₂, c)`, without the 10⁻⁶: [`Clip::PNorm`] with `p = 2` and `margin = 0`.

use serde::{Deserialize, Serialize};

use crate::block::check_blocks;
use crate::error::{check, check_length, check_not_negative, check_positive};
use crate::float::{clamp, narrow};
use crate::norm::p_norm;
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
    /// As [`GlobalNorm`](Self::GlobalNorm) with `(Σ|g|ᵖ)^(1/p)` for the norm: PyTorch's `norm_type`.
    /// Unless p is 2, it takes one more reading of the gradient, on the calling thread.
    PNorm {
        /// What the norm is at most.
        bound: f64,
        /// p above 0; infinite for the largest `|g|`.
        p: f64,
        /// What is added to the norm that the bound is divided by, at least 0: PyTorch's 10⁻⁶, or
        /// optax's and Keras's 0.
        margin: f64,
    },
}

impl Clip {
    /// Whether the bound is above 0 and finite, p above 0, and the margin at least 0 and finite.
    ///
    /// # Errors
    /// [`OptimError::Setting`] names the kind of clipping.
    pub fn validate(&self) -> Result<(), OptimError> {
        let (field, bound) = match *self {
            Self::GlobalNorm(bound) => ("global norm", bound),
            Self::BlockNorm(bound) => ("block norm", bound),
            Self::Value(bound) => ("value", bound),
            Self::PNorm { bound, p, margin } => {
                check("Clip", "p", p, p > 0.0, "above 0")?;
                check_not_negative("Clip", "margin", margin)?;
                ("p-norm", bound)
            }
        };
        check_positive("Clip", field, bound)
    }

    /// Clips `gradient` in place and gives the norm that it had (the Euclidean one unless p says
    /// otherwise), for loops that do without an [`Optimizer`](crate::Optimizer); the optimizer does
    /// the same on the fly.
    ///
    /// # Errors
    /// As [`Optimizer::step`](crate::Optimizer::step).
    pub fn apply<F: Float>(&self, blocks: &[Block], gradient: &mut [F]) -> Result<f64, OptimError> {
        self.validate()?;
        check_length("the gradient slice", gradient.len(), check_blocks(blocks)?)?;
        let plan = Plan::new(blocks, true, 0.0);
        let norm = plan.measure(Level::detect(), blocks, gradient, &alone)?;
        let norm = self.norm(norm, blocks, gradient);
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

    /// The norm of the whole gradient that counts, given the Euclidean one.
    pub(crate) fn norm<F: Float>(&self, euclidean: f64, blocks: &[Block], gradient: &[F]) -> f64 {
        let Self::PNorm { p, .. } = *self else { return euclidean };
        if p == 2.0 {
            return euclidean;
        }
        let trained = blocks.iter().filter(|block| !block.frozen);
        p_norm(p, trained.flat_map(|block| &gradient[block.range.clone()]))
    }

    /// The factor for the gradient of each block, given the norms; leaves others as they are.
    pub(crate) fn fill(
        &self,
        scales: &mut [f64],
        norm: f64,
        block_norms: impl Iterator<Item = (usize, f64)>,
    ) {
        match *self {
            Self::GlobalNorm(bound) => scales.fill(scale(norm, bound, MARGIN)),
            Self::PNorm { bound, margin, .. } => scales.fill(scale(norm, bound, margin)),
            Self::BlockNorm(bound) => {
                block_norms.for_each(|(block, norm)| scales[block] = scale(norm, bound, MARGIN));
            }
            Self::Value(_) => {}
        }
    }

    /// The factor for the gradient of one block that is clipped without the others.
    pub(crate) fn block_scale(&self, norm: f64) -> f64 {
        match *self {
            Self::BlockNorm(bound) => scale(norm, bound, MARGIN),
            _ => 1.0,
        }
    }

    /// The bound for each number.
    pub(crate) fn bound(&self) -> f64 {
        match *self {
            Self::Value(bound) => bound,
            _ => f64::INFINITY,
        }
    }

    /// Whether the whole gradient must be known before the first number moves.
    pub(crate) fn is_global(&self) -> bool {
        matches!(self, Self::GlobalNorm(_) | Self::PNorm { .. })
    }
}

/// The factor that brings a gradient of this norm within the bound.
fn scale(norm: f64, bound: f64, margin: f64) -> f64 {
    (bound / (norm + margin)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Optimizer, Sgd};

    #[test]
    fn the_margin_is_pytorchs() {
        let mut gradient = [3.0_f64, 4.0];
        Clip::GlobalNorm(1.0).apply(&[Block::new("w", 0..2)], &mut gradient).unwrap();
        assert!((gradient[1] - 4.0 / (5.0 + 1e-6)).abs() < 1e-15);
    }

    #[test]
    fn without_a_margin_the_norm_is_the_bound_and_zeros_stay() {
        let clip = Clip::PNorm { bound: 1.0, p: 2.0, margin: 0.0 };
        for (mut gradient, wanted) in
            [([3.0, 4.0], [0.6, 0.8]), ([0.6, 0.8], [0.6, 0.8]), ([0.0; 2], [0.0; 2])]
        {
            let norm = f64::hypot(gradient[0], gradient[1]);
            assert_eq!(clip.apply(&[Block::new("w", 0..2)], &mut gradient), Ok(norm));
            assert!(gradient.iter().zip(wanted).all(|(g, w)| (g - w).abs() < 1e-15));
        }
    }

    #[test]
    fn other_norms_count_what_is_trained() {
        let frozen = Block { frozen: true, ..Block::new("frozen", 1..2) };
        let blocks = [Block::new("a", 0..1), frozen, Block::new("b", 2..3)];
        for (p, wanted) in [
            (1.0, 7.0),
            (2.0, 5.0),
            (3.0, 91.0_f64.cbrt()),
            (0.5, 7.0 + 48_f64.sqrt()),
            (f64::INFINITY, 4.0),
        ] {
            let clip = Clip::PNorm { bound: 1.0, p, margin: 1e-6 };
            let mut gradient = [3.0, 9.0, -4.0];
            let norm = clip.apply(&blocks, &mut gradient).unwrap();
            assert!((norm / wanted - 1.0).abs() < 1e-15, "{p}: {norm} for {wanted}");
            let scaled = [3.0 / (wanted + 1e-6), 9.0, -4.0 / (wanted + 1e-6)];
            let close = gradient.iter().zip(scaled).all(|(g, w)| (g - w).abs() < 1e-14);
            assert!(close, "{p}: {gradient:?}");
            let mut params = [0.0; 3];
            let mut sgd =
                Optimizer::<f64>::new(Sgd::default(), blocks.to_vec(), Some(clip)).unwrap();
            let step = sgd.step(1.0, &mut params, &[3.0, 9.0, -4.0]).unwrap();
            assert_eq!((step.norm, params), (5.0, [-gradient[0], 0.0, -gradient[2]]));
            assert!(!sgd.takes_chunks() && sgd.begin(0.1).is_err());
        }
    }

    #[test]
    fn norms_beyond_their_powers_and_of_nothing() {
        let clipped = |p, mut gradient: [f64; 2]| {
            let clip = Clip::PNorm { bound: 1.0, p, margin: 1e-6 };
            let norm = clip.apply(&[Block::new("w", 0..2)], &mut gradient);
            (norm.unwrap(), gradient)
        };
        let (norm, gradient) = clipped(4.0, [3e200, -3e200]);
        assert!((norm / (3e200 * 2_f64.powf(0.25)) - 1.0).abs() < 1e-15, "{norm}");
        assert!((gradient[0] - 0.5_f64.powf(0.25)).abs() < 1e-15 && gradient[1] == -gradient[0]);
        assert_eq!(clipped(3.0, [0.0; 2]), (0.0, [0.0; 2]));
        let norm = |bound, p, margin| Clip::PNorm { bound, p, margin };
        for (clip, named) in [
            (norm(1.0, 0.0, 0.0), "Clip: p is 0: it must be above 0"),
            (norm(1.0, f64::NAN, 0.0), "Clip: p is NaN"),
            (norm(0.0, 1.0, 0.0), "Clip: p-norm is 0"),
            (norm(1.0, 1.0, -1e-6), "Clip: margin is -0.000001: it must be at least 0 and finite"),
        ] {
            let message = clip.validate().unwrap_err().to_string();
            assert!(message.starts_with(named), "{message}");
        }
    }
}
