//! The driver: a rule, the blocks of a slab, and one fused pass from gradient to parameter.

use crate::block::check_blocks;
use crate::error::{check, check_factor, check_length, check_not_negative};
use crate::plan::{Chunk, Plan};
use crate::share::Shared;
use crate::simd::Level;
use crate::stage::{Part, Stage};
use crate::threads::{Run, alone};
use crate::{Block, Clip, Float, OptimError, Rule, State};

/// A rule at work on a slab: it turns gradients into steps and keeps what the rule remembers.
///
/// One pass over memory does, number by number: clip → turn the sign if the block maximises →
/// penalties (l1, l2) → decoupled decay → rule → proximal step. The norm of the gradient needs a
/// reading of its own before.
///
/// The slab is cut into chunks by the configuration alone, and sums are added in the order of the
/// chunks, so the result has the same bits for any number of threads. With vectors of any width,
/// too: nothing is contracted or reordered.
///
/// ```
/// use slalom_optim::{Block, Clip, Optimizer, Sgd};
/// let blocks = vec![Block { l2: 0.1, ..Block::new("weight", 0..3) }, Block::new("bias", 3..4)];
/// let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
/// let mut opt = Optimizer::<f32>::new(sgd, blocks, Some(Clip::GlobalNorm(1.0)))?;
/// let mut params = [1.0, 2.0, 3.0, 4.0];
/// let step = opt.step(0.01, &mut params, &[0.0, 3.0, 0.0, 4.0])?;
/// assert_eq!(step.norm, 5.0);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer<F> {
    rule: Rule,
    blocks: Vec<Block>,
    clip: Option<Clip>,
    state: State<F>,
    len: usize,
    level: Level,
    buffers: Buffers,
}

/// What is filled anew in every step.
#[derive(Clone, Debug)]
struct Buffers {
    plan: Plan,
    /// A factor for the gradient of each block, from clipping.
    scales: Vec<f64>,
    /// A factor for the step of each block, from rules that scale by norms.
    trusts: Vec<f64>,
    /// The sums of squares of the parameters and of the direction, for each chunk.
    pairs: Vec<[f64; 2]>,
}

/// The learning rate of a step and, where a schedule moves it, the momentum.
///
/// ```
/// use slalom_optim::{Block, Optimizer, Rates, Sgd};
/// let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
/// let mut opt = Optimizer::<f64>::new(sgd, vec![Block::new("w", 0..1)], None)?;
/// opt.step(0.1, &mut [1.0], &[1.0])?; // momentum 0.9
/// opt.step(Rates { lr: 0.1, momentum: Some(0.5) }, &mut [1.0], &[1.0])?;
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The learning rate: at least 0 and finite. At 0 parameters stay while the state moves on.
    pub lr: f64,
    /// Stands in for the rule's momentum (of the Adam family: β₁) in this step; in `[0, 1)`.
    pub momentum: Option<f64>,
}

impl From<f64> for Rates {
    fn from(lr: f64) -> Self {
        Self { lr, momentum: None }
    }
}

/// What is known of a step that was made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The Euclidean norm of the gradient of all blocks that are not frozen, before clipping and
    /// without penalties.
    pub norm: f64,
}

impl<F: Float> Optimizer<F> {
    /// An optimizer before its first step.
    ///
    /// `blocks` must follow each other from 0 without a gap; where they end, the slab ends.
    ///
    /// # Errors
    /// What the rule, a block or the clipping has out of bounds, or blocks that leave a gap,
    /// overlap, are empty, or share a name.
    pub fn new(
        rule: impl Into<Rule>,
        blocks: Vec<Block>,
        clip: Option<Clip>,
    ) -> Result<Self, OptimError> {
        let rule = rule.into();
        let len = blocks.last().map_or(0, |block| block.range.end);
        let slots = rule.slots().iter().map(|_| vec![F::zero(); len]).collect();
        Self::resume(rule, blocks, clip, State { step: 0, product: 1.0, slots })
    }

    /// An optimizer that goes on from a saved state, to the bit.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when the state has not the slots that the rule keeps, or not the
    /// length of the blocks.
    pub fn resume(
        rule: impl Into<Rule>,
        blocks: Vec<Block>,
        clip: Option<Clip>,
        state: State<F>,
    ) -> Result<Self, OptimError> {
        let rule = rule.into();
        rule.validate()?;
        clip.as_ref().map_or(Ok(()), Clip::validate)?;
        let len = check_blocks(&blocks)?;
        let (found, wanted) = (state.slots.len(), rule.slots().len());
        if found != wanted {
            return Err(OptimError::Slots { rule: rule.name(), found, wanted });
        }
        for slot in &state.slots {
            check_length("a slot of the state", slot.len(), len)?;
        }
        for block in &blocks {
            block.check_decay(rule.decay())?;
        }
        let apart = rule.trust().is_some() || matches!(clip, Some(Clip::BlockNorm(_)));
        let plan = Plan::new(&blocks, apart);
        let buffers = Buffers {
            scales: vec![1.0; blocks.len()],
            trusts: vec![1.0; blocks.len()],
            pairs: vec![[0.0; 2]; plan.chunks.len()],
            plan,
        };
        Ok(Self { buffers, level: Level::detect(), rule, blocks, clip, state, len })
    }

    /// One step on the calling thread.
    ///
    /// # Errors
    /// A rate or momentum out of bounds, a slice of the wrong length, or a gradient that is not
    /// finite, with its block and place. Parameters and state are then untouched.
    pub fn step(
        &mut self,
        rates: impl Into<Rates>,
        params: &mut [F],
        grads: &[F],
    ) -> Result<Step, OptimError> {
        self.step_with(rates, params, grads, &alone)
    }

    /// One step whose chunks `run` may share out between threads: it is given a number of tasks and
    /// the work of one, and must have called the work once for each task when it returns. Nothing
    /// is allocated.
    ///
    /// ```
    /// # use slalom_optim::{Adam, Block, Optimizer};
    /// # let mut opt = Optimizer::<f32>::new(Adam::default(), vec![Block::new("w", 0..9)], None)?;
    /// # let (mut params, grads) = ([0.5; 9], [0.1; 9]);
    /// opt.step_with(0.01, &mut params, &grads, &|tasks, work| (0..tasks).for_each(work))?;
    /// # Ok::<(), slalom_optim::OptimError>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_with(
        &mut self,
        rates: impl Into<Rates>,
        params: &mut [F],
        grads: &[F],
        run: &Run<'_>,
    ) -> Result<Step, OptimError> {
        let rates = rates.into();
        self.check_rates(rates)?;
        check_length("the parameter slice", params.len(), self.len)?;
        check_length("the gradient slice", grads.len(), self.len)?;
        let norm = self.measure(grads, run)?;
        self.update(rates, params, grads, run);
        Ok(Step { norm })
    }

    /// Begins a step that is made block by block.
    ///
    /// # Errors
    /// A rate or momentum out of bounds; clipping by the global norm, which is not known before all
    /// gradients are.
    pub fn begin(&mut self, rates: impl Into<Rates>) -> Result<Pass<'_, F>, OptimError> {
        let rates = rates.into();
        self.check_rates(rates)?;
        if let Some(Clip::GlobalNorm(_)) = self.clip {
            let conflict = "clipping by the global norm needs the whole gradient: call step";
            return Err(OptimError::Conflict { owner: "begin".into(), conflict });
        }
        self.tick(rates);
        Ok(Pass { optimizer: self, rates })
    }

    /// What the rule remembers: with the configuration, all that a checkpoint needs.
    pub fn state(&self) -> &State<F> {
        &self.state
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The blocks of the slab.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    fn check_rates(&self, rates: Rates) -> Result<(), OptimError> {
        check_not_negative("step", "learning rate", rates.lr)?;
        let Some(momentum) = rates.momentum else { return Ok(()) };
        check_factor("step", "momentum", momentum)?;
        let kept = self.rule.momentum().is_some();
        check(self.rule.name(), "momentum", momentum, kept, "absent: the rule keeps none")
    }

    /// The norm of the gradient; leaves the factor of each block in `scales`.
    fn measure(&mut self, grads: &[F], run: &Run<'_>) -> Result<f64, OptimError> {
        let Buffers { plan, scales, .. } = &mut self.buffers;
        let norm = plan.measure(self.level, &self.blocks, grads, run)?;
        if let Some(clip) = &self.clip {
            clip.fill(scales, norm, plan.block_norms(grads));
        }
        Ok(norm)
    }

    /// Moves the clock and updates every chunk.
    fn update(&mut self, rates: Rates, params: &mut [F], grads: &[F], run: &Run<'_>) {
        self.tick(rates);
        let (stage, buffers) = self.stage(rates);
        let Buffers { plan, scales, trusts, pairs } = buffers;
        let params = Shared::new(params);
        let part = |task: usize| {
            let Chunk { block, range } = plan.chunks[task].clone();
            // SAFETY: chunks do not overlap, and each is one task's.
            let params = unsafe { params.part(range.clone()) };
            Part { block, params, grads: &grads[range.clone()], range, scale: scales[block] }
        };
        if stage.rule.trust().is_some() {
            let shared = Shared::new(pairs);
            run(plan.chunks.len(), &|task| {
                // SAFETY: each task has a chunk and a place of its own.
                unsafe { shared.part(task..task + 1)[0] = stage.measure(part(task)) };
            });
            for (block, chunks) in plan.by_block() {
                let sums = pairs[chunks].iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
                trusts[block] = stage.trust(block, sums);
            }
        }
        run(plan.chunks.len(), &|task| {
            let part = part(task);
            let trust = trusts[part.block];
            // SAFETY: each task has a chunk of its own.
            unsafe { stage.update(part, trust) };
        });
    }

    /// Counts a step.
    fn tick(&mut self, rates: Rates) {
        let momentum = rates.momentum.or(self.rule.momentum()).unwrap_or(0.0);
        self.state.step += 1;
        self.state.product *= self.rule.factor(self.state.step, momentum);
    }

    /// What the tasks of the step just counted share, and what they fill.
    fn stage(&mut self, rates: Rates) -> (Stage<'_, F>, &mut Buffers) {
        let bound = self.clip.map_or(f64::INFINITY, |clip| clip.bound());
        let mut slots = self.state.slots.iter_mut().map(Vec::as_mut_slice);
        let stage = Stage {
            rule: &self.rule,
            blocks: &self.blocks,
            level: self.level,
            rates,
            bound,
            step: self.state.step,
            product: self.state.product,
            slots: std::array::from_fn(|_| Shared::new(slots.next().unwrap_or(&mut []))),
        };
        (stage, &mut self.buffers)
    }
}

/// A step that is made block by block.
///
/// A block is updated when its gradient is there, for instance in the backward pass while both are
/// still in the cache. It takes one pass over memory less than [`Optimizer::step`], and gives the
/// same bits. Blocks may come in any order, each once; a block that is left out stays as it is.
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

impl<F: Float> Pass<'_, F> {
    /// Updates block `index` from its own parameters and gradient, and gives the norm that its
    /// gradient had.
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
        let Optimizer { blocks, level, clip, .. } = &*self.optimizer;
        let Block { name, range, frozen, .. } = blocks[index].clone();
        check_length("the parameter slice of the block", params.len(), range.len())?;
        check_length("the gradient slice of the block", grads.len(), range.len())?;
        if frozen {
            return Ok(0.0);
        }
        let own = [Block::new(name, 0..range.len())];
        let mut plan = Plan::new(&own, true);
        let norm = plan.measure(*level, &own, grads, &alone)?;
        let mut scale = [1.0];
        if let Some(clip) = clip {
            clip.fill(&mut scale, norm, [(0, norm)].into_iter());
        }
        let (stage, _) = self.optimizer.stage(self.rates);
        let mut trust = 1.0;
        if stage.rule.trust().is_some() {
            let mut sums = [0.0; 2];
            for Chunk { range: chunk, .. } in &plan.chunks {
                let part = Part {
                    block: index,
                    range: range.start + chunk.start..range.start + chunk.end,
                    params: &mut params[chunk.clone()],
                    grads: &grads[chunk.clone()],
                    scale: scale[0],
                };
                // SAFETY: one part at a time.
                let pair = unsafe { stage.measure(part) };
                sums = [sums[0] + pair[0], sums[1] + pair[1]];
            }
            trust = stage.trust(index, sums);
        }
        let part = Part { block: index, range, params, grads, scale: scale[0] };
        // SAFETY: the only part in use.
        unsafe { stage.update(part, trust) };
        Ok(norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adam, Sgd};

    #[test]
    fn penalties_decay_rate_and_clipping_enter_the_step() {
        let block = Block { rate: 2.0, l1: 0.5, ..Block::new("w", 0..3) };
        let kept = 1.0 - 0.2 * 0.2;
        for (block, wanted) in [
            (Block { l2: 0.1, ..block.clone() }, [1.0 - 0.2 * 1.6, -0.2, -2.0 - 0.2 * 0.3]),
            (Block { decay: 0.2, ..block }, [kept - 0.2 * 1.5, -0.2, -2.0 * kept - 0.2 * 0.5]),
        ] {
            let mut opt = Optimizer::<f64>::new(Sgd::default(), vec![block], None).unwrap();
            let mut w = [1.0, 0.0, -2.0];
            opt.step(0.1, &mut w, &[1.0, 1.0, 1.0]).unwrap();
            for (w, wanted) in w.iter().zip(wanted) {
                assert!((w - wanted).abs() < 1e-15, "{w} {wanted}");
            }
        }
    }

    #[test]
    fn exempt_and_frozen_blocks_are_left_alone() {
        let block = Block { l1: 0.5, decay: 0.2, ..Block::new("bias", 0..1) };
        let blocks = vec![
            Block { exempt: true, ..block.clone() },
            Block { name: "frozen".into(), range: 1..2, frozen: true, ..block },
        ];
        let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None).unwrap();
        let mut w = [3.0, 3.0];
        let step = opt.step(0.1, &mut w, &[0.0, f32::NAN]).unwrap();
        assert_eq!((w, step.norm), ([3.0, 3.0], 0.0));
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing() {
        let blocks = vec![Block::new("a", 0..2), Block::new("b", 2..4)];
        let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None).unwrap();
        let mut w = [1.0; 4];
        let error = opt.step(0.1, &mut w, &[1.0, 1.0, 1.0, f32::INFINITY]).unwrap_err();
        assert_eq!(error.to_string(), "the gradient of block \"b\" is inf at index 1 of the block");
        assert_eq!((w, opt.state().step), ([1.0; 4], 0));
        assert!(opt.state().slots.iter().flatten().all(|&slot| slot == 0.0));
    }

    #[test]
    fn huge_gradients_are_clipped_without_overflow() {
        let clip = Some(Clip::GlobalNorm(1.0));
        let blocks = vec![Block::new("w", 0..2)];
        let mut single = Optimizer::<f32>::new(Sgd::default(), blocks.clone(), clip).unwrap();
        let mut w = [0.0_f32; 2];
        single.step(1.0, &mut w, &[3e30, 4e30]).unwrap();
        assert!((w[0] + 0.6).abs() < 1e-6 && (w[1] + 0.8).abs() < 1e-6);
        let mut double = Optimizer::<f64>::new(Sgd::default(), blocks, clip).unwrap();
        let mut w = [0.0_f64; 2];
        double.step(1.0, &mut w, &[3e300, 4e300]).unwrap();
        assert!((w[0] + 0.6).abs() < 1e-12 && (w[1] + 0.8).abs() < 1e-12);
    }
}
