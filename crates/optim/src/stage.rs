//! One step under way: everything that its tasks read.

use crate::outer::{Multiplied, Outer};
use crate::rules::At;
use crate::simd::Level;
use crate::sweep::{Checked, Common, Measure, SLOTS, Sweep};
use crate::{Block, Float, Rates, Rule, State};

/// What the tasks of a step share.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) blocks: &'a [Block],
    pub(crate) level: Level,
    pub(crate) rates: Rates,
    /// What a clipped gradient's numbers are bounded by.
    pub(crate) bound: f64,
    /// The number of the step, from 1.
    pub(crate) step: u64,
    pub(crate) product: f64,
}

/// The numbers of one task.
pub(crate) struct Part<'a, F> {
    /// The block that says how they are treated.
    pub(crate) block: usize,
    /// The factor of the gradient, from clipping.
    pub(crate) scale: f64,
    pub(crate) grads: &'a [F],
    pub(crate) params: &'a mut [F],
    pub(crate) slots: [&'a mut [F]; SLOTS],
}

impl Stage<'_> {
    /// Updates the numbers of a part.
    pub(crate) fn update<F: Float>(&self, part: Part<'_, F>, trust: f64) {
        self.rule.visit(self.at(part.block, trust), self.sweep(part));
    }

    /// Updates the numbers of a part whose gradient is finite, group by group; gives the sum of
    /// squares of the gradient.
    pub(crate) fn update_checked<F: Float>(&self, part: Part<'_, F>) -> f64 {
        let at = self.at(part.block, 1.0);
        let mut sum = 0.0;
        self.rule.visit(at, Checked { sweep: self.sweep(part), sum: &mut sum });
        sum
    }

    /// Updates the numbers of a part, whose gradient stands nowhere, by a finite outer product.
    pub(crate) fn update_outer<F: Float>(&self, part: Part<'_, F>, outer: Outer<'_, F>) {
        let at = self.at(part.block, 1.0);
        self.rule.visit(at, Multiplied { sweep: self.sweep(part), outer });
    }

    /// The sums of squares of the parameters and the direction of a part; the slots move.
    pub(crate) fn measure<F: Float>(&self, part: Part<'_, F>) -> [f64; 2] {
        let at = self.at(part.block, 1.0);
        let mut sums = [0.0; 2];
        self.rule.visit(at, Measure { sweep: self.sweep(part), sums: &mut sums });
        sums
    }

    /// The factor of a block from the sums of squares over it, where the rule scales blocks.
    pub(crate) fn trust(&self, block: usize, [params, direction]: [f64; 2]) -> f64 {
        let Some(trust) = self.rule.trust() else { return 1.0 };
        let skipped = trust.skip_exempt && self.blocks[block].exempt;
        if skipped || params == 0.0 || direction == 0.0 {
            return 1.0;
        }
        trust.coefficient * params.sqrt() / (direction.sqrt() + trust.eps)
    }

    fn at(&self, block: usize, trust: f64) -> At {
        let block = &self.blocks[block];
        At {
            step: self.step,
            rate: self.rates.lr * block.rate,
            momentum: momentum(self.rule, self.rates),
            product: self.product,
            decay: self.decay(block),
            trust,
        }
    }

    fn decay(&self, block: &Block) -> f64 {
        if block.exempt { 0.0 } else { block.decay + self.rule.decay() }
    }

    fn sweep<'a, F: Float>(&self, part: Part<'a, F>) -> Sweep<'a, F> {
        let block = &self.blocks[part.block];
        let decay = if self.rule.decays_itself() { 0.0 } else { self.decay(block) };
        let rate = self.rates.lr * block.rate;
        Sweep {
            level: self.level,
            common: Common::new(block, rate, decay, part.scale, self.bound),
            params: part.params,
            grads: part.grads,
            slots: part.slots,
        }
    }
}

/// The momentum of a step: the schedule's, or else the rule's own.
pub(crate) fn momentum(rule: &Rule, rates: Rates) -> f64 {
    rates.momentum.or(rule.momentum()).unwrap_or(0.0)
}

/// The slots of a state as one list, with empty slices behind the last.
pub(crate) fn slots<F>(state: &mut State<F>) -> [&mut [F]; SLOTS] {
    let mut slots = state.slots.iter_mut();
    std::array::from_fn(|_| slots.next().map_or(&mut [][..], |slot| slot))
}
