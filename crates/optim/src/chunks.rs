//! A step whose gradient the caller hands over chunk by chunk, from as many threads as there are.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::float::wide;
use crate::norm::first_not_finite;
use crate::outer::Outer;
use crate::plan::Plan;
use crate::share::Parts;
use crate::stage::{Part, Stage};
use crate::sweep::SLOTS;
use crate::{Clip, Float, OptimError, Optimizer, Rates, Step};

/// A step that is made chunk by chunk, from [`Optimizer::begin_chunks`].
///
/// The gradient need not stand anywhere as a whole: a chunk of it can be computed right before it
/// is used, while it is in the cache, and its norm is found on the way. It gives the same bits as
/// [`Optimizer::step`], whatever the order of the chunks and whoever hands them over.
///
/// ```
/// use slalom_optim::{Adam, Block, Optimizer};
/// let mut opt = Optimizer::<f32>::new(Adam::default(), vec![Block::new("w", 0..10_000)], None)?;
/// let mut params = vec![1.0; 10_000];
/// let step = opt.begin_chunks(0.1, &mut params)?;
/// for index in 0..step.count() {
///     let gradient: Vec<f32> = step.range(index).map(|_| 0.5).collect();
///     step.update(index, &gradient);
/// }
/// assert_eq!(step.finish()?.norm, 50.0);
/// assert_eq!(params, [0.9; 10_000]);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
pub struct Chunks<'a, F> {
    stage: Stage<'a>,
    owners: &'a [usize],
    parts: Parts<'a, F, { SLOTS + 1 }>,
    /// The first number that was not finite, counted over the slab.
    bad: AtomicUsize,
}

impl<F> std::fmt::Debug for Chunks<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a step of {} chunks", self.owners.len())
    }
}

impl<F: Float> Optimizer<F> {
    /// Whether a step can be made chunk by chunk: not where clipping or the rule needs the norm of
    /// the gradient first.
    pub fn takes_chunks(&self) -> bool {
        matches!(self.clip, None | Some(Clip::Value(_))) && self.rule().trust().is_none()
    }

    /// Begins a step that is made chunk by chunk, and counts it.
    ///
    /// # Errors
    /// A rate or momentum out of bounds; a slab of another length than the blocks'; an optimizer
    /// that does not [take chunks](Self::takes_chunks).
    pub fn begin_chunks<'a>(
        &'a mut self,
        rates: impl Into<Rates>,
        params: &'a mut [F],
    ) -> Result<Chunks<'a, F>, OptimError> {
        let rates = rates.into();
        self.check_params(rates, params)?;
        if !self.takes_chunks() {
            let conflict = "a norm of the whole gradient is needed first: call step";
            return Err(OptimError::Conflict { owner: "begin_chunks".into(), conflict });
        }
        self.tick(rates);
        let (stage, [a, b, c, d], buffers) = self.stage(rates);
        let Plan { cuts, blocks } = &mut buffers.plan;
        let parts = cuts.cut([params, a, b, c, d]);
        Ok(Chunks { stage, owners: blocks, parts, bad: AtomicUsize::new(usize::MAX) })
    }
}

impl<F: Float> Chunks<'_, F> {
    /// How many chunks there are.
    pub fn count(&self) -> usize {
        self.owners.len()
    }

    /// The place of a chunk in the slab; chunks are in order, at most 2¹³ numbers long, and leave
    /// out what is frozen.
    pub fn range(&self, index: usize) -> Range<usize> {
        self.parts.range(index)
    }

    /// Where the parameters and the slots of a range of the slab stand, for those who ask the
    /// processor for them early; empty for slots that the rule does not have.
    pub fn places(&self, range: Range<usize>) -> [*const [F]; SLOTS + 1] {
        self.parts.places(range)
    }

    /// Updates a chunk by its gradient. Where a number of that is not finite, the piece around it (of
    /// at most 128 numbers) stays as it is, and [`finish`](Chunks::finish) says so.
    ///
    /// # Panics
    /// For a chunk that there is not or that was updated before, or a gradient of another length
    /// than the chunk's.
    pub fn update(&self, index: usize, grads: &[F]) {
        let (range, [params, slots @ ..]) = self.parts.take(index);
        assert_eq!(grads.len(), range.len(), "numbers of the chunk's gradient");
        let part = Part { block: self.owners[index], scale: 1.0, grads, params, slots };
        let sum = self.stage.update_checked(part);
        self.parts.cuts().set_sum(index, sum);
        if !sum.is_finite()
            && let Some((at, value)) = first_not_finite(grads)
        {
            self.parts.cuts().set_sum(index, value);
            self.bad.fetch_min(range.start + at, Ordering::Relaxed);
        }
    }

    /// Updates a chunk by a part of the outer product a·bᵀ, whose numbers are counted column by
    /// column, from the number `first` on: the gradient that one sample gives a dense layer's
    /// weights. It is multiplied out where it is used, and otherwise the same as
    /// [`update`](Chunks::update).
    ///
    /// ```
    /// use slalom_optim::{Block, Optimizer, Sgd};
    /// let mut opt = Optimizer::<f64>::new(Sgd::default(), vec![Block::new("w", 0..4)], None)?;
    /// let mut w = [0.0; 4];
    /// let step = opt.begin_chunks(1.0, &mut w)?;
    /// step.update_outer(0, &[1.0, 2.0], &[3.0, 4.0], 0);
    /// assert_eq!(step.finish()?.norm, 125.0_f64.sqrt());
    /// assert_eq!(w, [-3.0, -6.0, -4.0, -8.0]);
    /// # Ok::<(), slalom_optim::OptimError>(())
    /// ```
    ///
    /// # Panics
    /// For a chunk that there is not or that was updated before, or that ends behind the product.
    pub fn update_outer(&self, index: usize, a: &[F], b: &[F], first: usize) {
        let range = self.parts.range(index);
        assert!(first + range.len() <= a.len() * b.len(), "numbers of the outer product");
        let outer = Outer { a, b, first, len: range.len() };
        let sum = outer.squares(self.stage.level);
        let largest = wide(F::max_value());
        if sum.is_nan() || sum >= largest * largest {
            // a number may not be finite: it has to be found
            let columns = outer.columns().flat_map(|(a, by)| a.iter().map(move |&a| a * by));
            return self.update(index, &columns.collect::<Vec<_>>());
        }
        let (_, [params, slots @ ..]) = self.parts.take(index);
        let part = Part { block: self.owners[index], scale: 1.0, grads: &[], params, slots };
        self.stage.update_outer(part, outer);
        self.parts.cuts().set_sum(index, sum);
    }

    /// Ends the step. Its norm is infinite where squares of the gradient overflow.
    ///
    /// # Errors
    /// The first number of the gradient that was not finite; it has reached neither parameters nor
    /// state, while all but the piece around it have moved.
    ///
    /// # Panics
    /// Where a chunk was left out.
    pub fn finish(self) -> Result<Step, OptimError> {
        self.parts.check_all_taken();
        let place = self.bad.into_inner();
        if place == usize::MAX {
            return Ok(Step { norm: self.parts.cuts().sum(0..self.owners.len()).sqrt() });
        }
        let block = self.stage.blocks.iter().find(|block| block.range.contains(&place));
        let chunk = (0..self.owners.len()).find(|&chunk| self.parts.range(chunk).contains(&place));
        let (block, chunk) = block.zip(chunk).expect("the place is in a chunk, and so in a block");
        let (name, index) = (block.name.clone(), place - block.range.start);
        let value = self.parts.cuts().sum(chunk..chunk + 1);
        Err(OptimError::NotFinite { block: name, index, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adam, Block, Lamb, Sgd};

    #[test]
    fn what_is_not_finite_is_named_and_kept_out() {
        let blocks = vec![Block::new("a", 0..9000), Block::new("b", 9000..9010)];
        let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None).unwrap();
        let mut w = vec![1.0; 9010];
        let mut grads = vec![0.5; 9010];
        grads[9003] = f32::NAN;
        let step = opt.begin_chunks(0.1, &mut w).unwrap();
        (0..step.count()).rev().for_each(|i| step.update(i, &grads[step.range(i)]));
        let error = step.finish().unwrap_err().to_string();
        assert_eq!(error, "the gradient of block \"b\" is NaN at index 3 of the block");
        assert!(w[..8192].iter().all(|&w| w == 0.9) && w[9003] == 1.0);
    }

    #[test]
    fn pieces_without_what_is_not_finite_move_by_the_outer_product() {
        let blocks = vec![Block::new("w", 0..600)];
        let mut opt = Optimizer::<f32>::new(Sgd::default(), blocks, None).unwrap();
        let (mut w, mut a) = (vec![0.0; 600], vec![2.0; 300]);
        a[0] = f32::NAN;
        let step = opt.begin_chunks(1.0, &mut w).unwrap();
        assert_eq!(format!("{step:?}"), "a step of 1 chunks");
        step.update_outer(0, &a, &[3.0, 5.0], 0);
        let error = step.finish().unwrap_err().to_string();
        assert_eq!(error, "the gradient of block \"w\" is NaN at index 0 of the block");
        // 128 numbers are a piece: those around 0 and 300 stay
        for (range, moved) in [(0..128, 0.0), (128..256, -6.0), (256..384, 0.0), (384..600, -10.0)]
        {
            assert!(w[range.clone()].iter().all(|&w| w == moved), "{range:?}");
        }
    }

    #[test]
    fn norms_that_are_needed_first_are_refused() {
        let blocks = || vec![Block::new("a", 0..2)];
        let clip = Some(Clip::GlobalNorm(1.0));
        let clipped = Optimizer::<f64>::new(Sgd::default(), blocks(), clip).unwrap();
        let scaled = Optimizer::<f64>::new(Lamb::default(), blocks(), None).unwrap();
        for mut opt in [clipped, scaled] {
            assert!(!opt.takes_chunks());
            let error = opt.begin_chunks(0.1, &mut [1.0, 1.0]).unwrap_err().to_string();
            assert!(error.contains("needed first") && opt.state().step == 0, "{error}");
        }
    }

    #[test]
    #[should_panic(expected = "task Some(0) is not run")]
    fn a_chunk_left_out_is_noticed() {
        let mut opt = Optimizer::<f64>::new(Sgd::default(), vec![Block::new("a", 0..2)], None);
        let _ = opt.as_mut().unwrap().begin_chunks(0.1, &mut [1.0, 1.0]).unwrap().finish();
    }
}
