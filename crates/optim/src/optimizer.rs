//! The driver: a rule, the blocks of a slab, and one fused pass from gradient to parameter.

use crate::block::check_blocks;
use crate::error::{check, check_factor, check_length, check_not_negative};
use crate::plan::Plan;
use crate::share::Sums;
use crate::simd::Level;
use crate::stage::{Part, Stage, momentum, slots};
use crate::sweep::SLOTS;
use crate::threads::{Run, SHARED_FROM, alone, started};
use crate::{Block, Clip, Float, OptimError, Pass, Rates, Rule, Slab, State, Step};

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
    pub(crate) clip: Option<Clip>,
    state: State<F>,
    len: usize,
    pub(crate) level: Level,
    buffers: Buffers,
}

/// What is filled anew in every step.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    pub(crate) plan: Plan,
    /// A factor for the gradient of each block, from clipping.
    scales: Vec<f64>,
    /// A factor for the step of each block, from rules that scale by norms.
    trusts: Vec<f64>,
    /// The sums of squares of the parameters and of the direction, for each chunk.
    norms: [Sums; 2],
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
        let slots = (1..=rule.slots().len()).map(|turn| Slab::zeros_at(turn, len)).collect();
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
        mut state: State<F>,
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
        let slots = state.slots.into_iter().zip(1..);
        state.slots = slots.map(|(slot, turn)| slot.at(turn)).collect();
        let apart = rule.trust().is_some() || matches!(clip, Some(Clip::BlockNorm(_)));
        let plan = Plan::new(&blocks, apart, rule.decay());
        let buffers = Buffers {
            scales: vec![1.0; blocks.len()],
            trusts: vec![1.0; blocks.len()],
            norms: [Sums::new(plan.blocks.len()), Sums::new(plan.blocks.len())],
            plan,
        };
        Ok(Self { buffers, level: Level::detect(), rule, blocks, clip, state, len })
    }

    /// One step. Slabs of 2²¹ numbers and more are shared out between as many threads as the machine
    /// has, started for this step; below that it runs on the calling thread.
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
        self.step_with(rates, params, grads, started(self.len))
    }

    /// One step whose chunks `run` may share out between threads: it is given a number of tasks and
    /// the work of one, and must have called the work once for each task when it returns. Slabs below
    /// 2¹⁶ numbers are not shared: `run` is not called. Nothing is allocated.
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
    ///
    /// # Panics
    /// When `run` leaves out a task or runs one twice.
    pub fn step_with(
        &mut self,
        rates: impl Into<Rates>,
        params: &mut [F],
        grads: &[F],
        run: &Run<'_>,
    ) -> Result<Step, OptimError> {
        let rates = rates.into();
        self.check_step(rates, params, grads)?;
        let run = if self.len < SHARED_FROM { &alone } else { run };
        let norm = self.measure(grads, run)?;
        self.tick(rates);
        self.update(rates, params, grads, run);
        Ok(Step { norm })
    }

    /// One step as [`step_with`](Self::step_with) makes it, to the bit, in one pass over memory: the
    /// gradient is checked piece by piece right before the numbers move. With clipping by a norm and for
    /// rules that scale blocks by norms there is nothing to save, and it is the same as `step_with`.
    ///
    /// # Errors
    /// As [`step`](Self::step), but where the gradient is not finite, the step is counted and all
    /// but the pieces (of at most 128 numbers) that hold such a number have moved; what is not finite
    /// has reached neither parameters nor state.
    ///
    /// # Panics
    /// As [`step_with`](Self::step_with).
    pub fn sweep_with(
        &mut self,
        rates: impl Into<Rates>,
        params: &mut [F],
        grads: &[F],
        run: &Run<'_>,
    ) -> Result<Step, OptimError> {
        let rates = rates.into();
        if !self.takes_chunks() {
            return self.step_with(rates, params, grads, run);
        }
        self.check_step(rates, params, grads)?;
        let run = if self.len < SHARED_FROM { &alone } else { run };
        self.tick(rates);
        let (stage, [a, b, c, d], Buffers { plan, .. }) = self.stage(rates);
        let Plan { cuts, blocks } = plan;
        let parts = cuts.cut([params, a, b, c, d]);
        run(blocks.len(), &|task| {
            let (range, [params, slots @ ..]) = parts.take(task);
            let part =
                Part { block: blocks[task], scale: 1.0, grads: &grads[range], params, slots };
            parts.cuts().set_sum(task, stage.update_checked(part));
        });
        parts.check_all_taken();
        let norm = self.buffers.plan.checked_norm(&self.blocks, grads)?;
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
        if self.clip.is_some_and(|clip| clip.is_global()) {
            let conflict = "clipping by the global norm needs the whole gradient: call step";
            return Err(OptimError::Conflict { owner: "begin".into(), conflict });
        }
        self.tick(rates);
        Ok(Pass::new(self, rates))
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

    fn check_step(&self, rates: Rates, params: &[F], grads: &[F]) -> Result<(), OptimError> {
        self.check_params(rates, params)?;
        check_length("the gradient slice", grads.len(), self.len)
    }

    pub(crate) fn check_params(&self, rates: Rates, params: &[F]) -> Result<(), OptimError> {
        self.check_rates(rates)?;
        check_length("the parameter slice", params.len(), self.len)
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
            let counted = clip.norm(norm, &self.blocks, grads);
            clip.fill(scales, counted, plan.block_norms(grads));
        }
        Ok(norm)
    }

    /// Updates every chunk.
    fn update(&mut self, rates: Rates, params: &mut [F], grads: &[F], run: &Run<'_>) {
        if self.rule.trust().is_some() {
            self.trust(rates, params, grads, run);
        }
        let (stage, slots, buffers) = self.stage(rates);
        let Buffers { plan, scales, trusts, .. } = buffers;
        let [a, b, c, d] = slots;
        let parts = plan.cuts.cut([params, a, b, c, d]);
        run(plan.blocks.len(), &|task| {
            let (range, [params, slots @ ..]) = parts.take(task);
            let block = plan.blocks[task];
            let part = Part { block, scale: scales[block], grads: &grads[range], params, slots };
            stage.update(part, trusts[block]);
        });
        parts.check_all_taken();
    }

    /// Measures the direction of a rule that scales blocks by norms; leaves the factors in `trusts`.
    fn trust(&mut self, rates: Rates, params: &mut [F], grads: &[F], run: &Run<'_>) {
        let (stage, slots, buffers) = self.stage(rates);
        let Buffers { plan, scales, trusts, norms: [of_params, of_direction] } = buffers;
        let [a, b, c, d] = slots;
        let parts = plan.cuts.cut([params, a, b, c, d]);
        run(plan.blocks.len(), &|task| {
            let (range, [params, slots @ ..]) = parts.take(task);
            let block = plan.blocks[task];
            let part = Part { block, scale: scales[block], grads: &grads[range], params, slots };
            let sums = stage.measure(part);
            of_params.set(task, sums[0]);
            of_direction.set(task, sums[1]);
        });
        parts.check_all_taken();
        for (block, chunks) in plan.by_block() {
            let sums = [of_params.total(chunks.clone()), of_direction.total(chunks)];
            trusts[block] = stage.trust(block, sums);
        }
    }

    /// Counts a step.
    pub(crate) fn tick(&mut self, rates: Rates) {
        self.state.step += 1;
        self.state.product *= self.rule.factor(self.state.step, momentum(&self.rule, rates));
    }

    /// What the tasks of the step just counted share, the slots, and what the step fills.
    pub(crate) fn stage(&mut self, rates: Rates) -> (Stage<'_>, [&mut [F]; SLOTS], &mut Buffers) {
        let stage = Stage {
            rule: &self.rule,
            blocks: &self.blocks,
            level: self.level,
            rates,
            bound: self.clip.map_or(f64::INFINITY, |clip| clip.bound()),
            step: self.state.step,
            product: self.state.product,
        };
        (stage, slots(&mut self.state), &mut self.buffers)
    }
}
