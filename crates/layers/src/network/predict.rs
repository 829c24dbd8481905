//! Prediction: batches of samples taken through the network, shared among threads.

use std::sync::{Mutex, PoisonError};

use slalom_tensor::{Matrix, Scalar, Threads, View};

use super::Network;
use crate::softmax::softmax;
use crate::{Activation, LayerError, Mode, Pass};

/// Samples that are taken through the network at a time.
const BATCH: usize = 256;

impl<F: Scalar> Network<F> {
    /// The network's outputs for each sample, *outputs × samples*.
    ///
    /// Batches are shared among the threads; the bits are the same however many there are.
    ///
    /// # Errors
    /// A slab or samples of another size than the network's, or inputs that its first layer cannot
    /// take.
    pub fn predict(
        &self,
        params: &[F],
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<Matrix<F>, LayerError> {
        self.check(params, x.nrows())?;
        self.check_inputs(x)?;
        let rows = self.outputs();
        let mut outputs = Matrix::zeros(rows, x.ncols());
        let pass = Pass { mode: Mode::Predict, layer: 0, threads };
        let parts = outputs.as_mut_slice().chunks_mut(rows * BATCH).map(Mutex::new);
        let parts: Vec<_> = parts.collect();
        threads.run(parts.len(), &|task| {
            let mut part = parts[task].lock().unwrap_or_else(PoisonError::into_inner);
            let samples = part.len() / rows;
            let mut tape = self.tape(samples);
            self.forward(params, x.columns(task * BATCH, samples), &mut tape, &pass);
            part.copy_from_slice(&tape.y[..samples * rows]);
        });
        drop(parts);
        Ok(outputs)
    }

    /// The most likely class of each sample: the index of its largest output (the first of equal
    /// ones); with a single output, whether that is above 0.
    ///
    /// # Errors
    /// As [`Network::predict`].
    pub fn classes(
        &self,
        params: &[F],
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<Vec<u32>, LayerError> {
        let outputs = self.predict(params, x, threads)?;
        let class = |outputs: &[F]| match outputs {
            [logit] => u32::from(*logit > F::zero()),
            _ => largest(outputs) as u32,
        };
        Ok(outputs.as_slice().chunks_exact(self.outputs()).map(class).collect())
    }

    /// The classes' probabilities for each sample, *outputs × samples*, with the outputs taken for
    /// logits, as the cross-entropies do: their softmax; with a single output, its sigmoid.
    ///
    /// # Errors
    /// As [`Network::predict`].
    pub fn probabilities(
        &self,
        params: &[F],
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<Matrix<F>, LayerError> {
        let mut outputs = self.predict(params, x, threads)?;
        match self.outputs() {
            1 => Activation::Sigmoid.apply(outputs.as_mut_slice()),
            rows => softmax(outputs.as_mut_slice(), rows),
        }
        Ok(outputs)
    }
}

fn largest<F: Scalar>(outputs: &[F]) -> usize {
    let better = |best: usize, i: usize| if outputs[i] > outputs[best] { i } else { best };
    (0..outputs.len()).fold(0, better)
}
