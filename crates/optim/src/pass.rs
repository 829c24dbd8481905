//! A step made block by block.

use crate::error::check_length;
use crate::norm::norm;
use crate::plan::check_finite;
use crate::stage::Part;
use crate::{Float, OptimError, Optimizer, Rates};

/// A step that is made block by block, from [`Optimizer::begin`].
///
/// A block is updated when its gradient is there, for instance in the backward pass while both are
/// still in the cache. It gives the same bits as [`Optimizer::step`]. Blocks may come in any order,
/// each once; a block that is left out stays as it is.
///
/// ```
/// use slalom_optim::{Adam, Block, Optimizer};
/// let blocks = vec![Block::new("a", 0..2), Block::new("b", 2..3)];
/// let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None)?;
/// let mut params = [1.0, 1.0, 1.0];
/// let mut pass = opt.begin(0.1)?;
/// pass.block(1, &mut params[2..3], &[0.5])?;
/// pass.block(0, &mut params[0..2], &[0.5, 0.5])?;
/// assert_eq!(params, [0.9; 3]);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Debug)]
pub struct Pass<'a, F> {
    optimizer: &'a mut Optimizer<F>,
    rates: Rates,
}

impl<'a, F: Float> Pass<'a, F> {
    pub(crate) fn new(optimizer: &'a mut Optimizer<F>, rates: Rates) -> Self {
        Self { optimizer, rates }
    }

    /// Updates block `index` from its own parameters and gradient, and gives the norm that its
    /// gradient had (0 for a frozen block).
    ///
    /// # Errors
    /// A slice that has not the block's length, or a gradient that is not finite: the block is then
    /// untouched.
    ///
    /// # Panics
    /// Where there is no such block.
    pub fn block(
        &mut self,
        index: usize,
        params: &mut [F],
        grads: &[F],
    ) -> Result<f64, OptimError> {
        let (level, clip) = (self.optimizer.level, self.optimizer.clip);
        let (stage, slots, _) = self.optimizer.stage(self.rates);
        let block = &stage.blocks[index];
        check_length("the parameter slice of the block", params.len(), block.range.len())?;
        check_length("the gradient slice of the block", grads.len(), block.range.len())?;
        if block.frozen {
            return Ok(0.0);
        }
        let norm = norm(level, grads);
        if !norm.is_finite() {
            check_finite(block, grads)?;
        }
        let scale = clip.map_or(1.0, |clip| clip.block_scale(norm));
        let mut slots = slots.map(|slot| {
            let range = if slot.is_empty() { 0..0 } else { block.range.clone() };
            &mut slot[range]
        });
        let mut trust = 1.0;
        if stage.rule.trust().is_some() {
            let slots = slots.each_mut().map(|slot| &mut **slot);
            let sums = stage.measure(Part { block: index, scale, grads, params, slots });
            trust = stage.trust(index, sums);
        }
        stage.update(Part { block: index, scale, grads, params, slots }, trust);
        Ok(norm)
    }
}
