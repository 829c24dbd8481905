//! One step under way: everything that its tasks read, and the slots that they share.

use std::ops::Range;

use crate::rules::At;
use crate::share::Shared;
use crate::simd::Level;
use crate::sweep::{Common, Measure, SLOTS, Sweep};
use crate::{Block, Float, Rates, Rule};

/// What the tasks of a step share.
pub(crate) struct Stage<'a, F> {
    pub(crate) rule: &'a Rule,
    pub(crate) blocks: &'a [Block],
    pub(crate) level: Level,
    pub(crate) rates: Rates,
    /// What a clipped gradient's numbers are bounded by.
    pub(crate) bound: f64,
    /// The number of the step, from 1.
    pub(crate) step: u64,
    pub(crate) product: f64,
    pub(crate) slots: [Shared<'a, F>; SLOTS],
}

/// The numbers of one task.
pub(crate) struct Part<'a, F> {
    /// The block that says how they are treated.
    pub(crate) block: usize,
    /// Their place in the slab.
    pub(crate) range: Range<usize>,
    pub(crate) params: &'a mut [F],
    pub(crate) grads: &'a [F],
    /// The factor of the gradient, from clipping.
    pub(crate) scale: f64,
}

impl<F: Float> Stage<'_, F> {
    /// Updates the numbers of a part.
    ///
    /// # Safety
    /// No other part that overlaps its range may be in use.
    pub(crate) unsafe fn update(&self, part: Part<'_, F>, trust: f64) {
        let at = self.at(part.block, trust);
        // SAFETY: the caller's promise.
        self.rule.visit(at, unsafe { self.sweep(part) });
    }

    /// The sums of squares of the parameters and the direction of a part; the slots move.
    ///
    /// # Safety
    /// As [`update`](Self::update).
    pub(crate) unsafe fn measure(&self, part: Part<'_, F>) -> [f64; 2] {
        let at = self.at(part.block, 1.0);
        let mut sums = [0.0; 2];
        // SAFETY: the caller's promise.
        let sweep = unsafe { self.sweep(part) };
        self.rule.visit(at, Measure { sweep, sums: &mut sums });
        sums
    }

    /// The factor of a block from the sums of squares over it, where the rule scales blocks.
    pub(crate) fn trust(&self, block: usize, [params, direction]: [f64; 2]) -> f64 {
        match self.rule.trust() {
            Some(trust) if params > 0.0 && direction > 0.0 => {
                if trust.skip_exempt && self.blocks[block].exempt {
                    return 1.0;
                }
                trust.coefficient * params.sqrt() / (direction.sqrt() + trust.eps)
            }
            _ => 1.0,
        }
    }

    fn at(&self, block: usize, trust: f64) -> At {
        let block = &self.blocks[block];
        At {
            step: self.step,
            rate: self.rates.lr * block.rate,
            momentum: self.rates.momentum.or(self.rule.momentum()).unwrap_or(0.0),
            product: self.product,
            decay: self.decay(block),
            trust,
        }
    }

    fn decay(&self, block: &Block) -> f64 {
        if block.exempt { 0.0 } else { block.decay + self.rule.decay() }
    }

    /// # Safety
    /// As [`update`](Self::update).
    unsafe fn sweep<'b>(&'b self, part: Part<'b, F>) -> Sweep<'b, F> {
        let block = &self.blocks[part.block];
        let decay = if self.rule.decays_itself() { 0.0 } else { self.decay(block) };
        let rate = self.rates.lr * block.rate;
        Sweep {
            level: self.level,
            common: Common::new(block, rate, decay, part.scale, self.bound),
            params: part.params,
            grads: part.grads,
            slots: self.slots.each_ref().map(|slot| {
                let range = if slot.is_empty() { 0..0 } else { part.range.clone() };
                // SAFETY: the caller keeps ranges apart.
                unsafe { slot.part(range) }
            }),
        }
    }
}
