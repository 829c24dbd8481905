//! Where the samples of an epoch come from.

use slalom_tensor::{Samples, Scalar, Targets, View};

use crate::TrainError;

/// Samples to train on, whose inputs may be anywhere; targets and weights are in memory.
///
/// [`Samples`] are one (all in memory), a [`FileSource`](crate::FileSource) is another (inputs in a
/// file larger than memory). Whoever has batches of their own, from an iterator say, needs none of
/// it: [`Run::update`](crate::Run::update) takes a batch as it comes.
pub trait Source<F: Scalar> {
    /// Input features of a sample.
    fn features(&self) -> usize;

    /// The target of every sample.
    fn targets(&self) -> Targets<'_, F>;

    /// Writes the inputs of the chosen samples into `inputs`, one after the other; it is exactly so
    /// long.
    ///
    /// # Errors
    /// A sample that cannot be read, or a number in it that is not finite.
    fn gather(&self, chosen: &[usize], inputs: &mut [F]) -> Result<(), TrainError>;

    /// The weight of every sample. None by default: each counts 1.
    fn weights(&self) -> Option<&[F]> {
        None
    }

    /// Inputs and targets of `count` samples from `start` on, where they can be had without a copy.
    fn range(&self, start: usize, count: usize) -> Option<(View<'_, F>, Targets<'_, F>)> {
        let _ = (start, count);
        None
    }
}

impl<F: Scalar> Source<F> for Samples<'_, F> {
    fn features(&self) -> usize {
        Samples::features(self)
    }

    fn targets(&self) -> Targets<'_, F> {
        Samples::targets(self)
    }

    fn gather(&self, chosen: &[usize], inputs: &mut [F]) -> Result<(), TrainError> {
        let all = Samples::inputs(self);
        // an empty input has no chunks: nothing to copy
        let columns = inputs.chunks_exact_mut(Samples::features(self).max(1));
        for (&j, column) in chosen.iter().zip(columns) {
            column.copy_from_slice(all.column(j).as_slice());
        }
        Ok(())
    }

    fn weights(&self) -> Option<&[F]> {
        Samples::weights(self)
    }

    fn range(&self, start: usize, count: usize) -> Option<(View<'_, F>, Targets<'_, F>)> {
        Some((self.inputs_range(start, count), self.targets_range(start, count)))
    }
}

impl<F: Scalar, S: Source<F> + ?Sized> Source<F> for &S {
    fn features(&self) -> usize {
        S::features(self)
    }

    fn targets(&self) -> Targets<'_, F> {
        S::targets(self)
    }

    fn gather(&self, chosen: &[usize], inputs: &mut [F]) -> Result<(), TrainError> {
        S::gather(self, chosen, inputs)
    }

    fn weights(&self) -> Option<&[F]> {
        S::weights(self)
    }

    fn range(&self, start: usize, count: usize) -> Option<(View<'_, F>, Targets<'_, F>)> {
        S::range(self, start, count)
    }
}
