//! A network with its slab, gradients and tape: what the experiments' own loops step.

use anyhow::Result;
use slalom::layers::{LayerSpec, Loss, Mode, Network, Pass, Tape};
use slalom::optim::Block;
use slalom::tensor::{Matrix, Purpose, Scalar, Targets, Threads, View, permutation, stream};

/// A network in training.
pub(crate) struct Net<F: Scalar> {
    pub(crate) network: Network<F>,
    pub(crate) loss: Loss,
    pub(crate) params: Vec<F>,
    pub(crate) grads: Vec<F>,
    tape: Tape<F>,
    seed: u64,
    step: u64,
}

impl<F: Scalar> Net<F> {
    /// A network with initial parameters of the seed, for batches of up to so many samples.
    pub(crate) fn new(
        inputs: usize,
        layers: impl IntoIterator<Item = LayerSpec>,
        loss: Loss,
        batch: usize,
        seed: u64,
    ) -> Result<Self> {
        let network = Network::new(inputs, layers)?;
        let (params, tape) = (network.init(seed), network.tape(batch));
        let grads = vec![F::zero(); params.len()];
        Ok(Self { network, loss, params, grads, tape, seed, step: 0 })
    }

    /// The blocks for an optimizer, without penalties.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let blocks = self.network.blocks().iter();
        blocks.map(|block| Block::new(&block.name, block.range.clone())).collect()
    }

    /// The mean loss of a batch; its gradient stands in `grads`.
    pub(crate) fn gradient(
        &mut self,
        x: View<'_, F>,
        targets: Targets<'_, F>,
        threads: &Threads,
    ) -> f64 {
        let mode = Mode::Train { seed: self.seed, step: self.step };
        let pass = Pass { mode, layer: 0, threads };
        self.step += 1;
        self.network.forward(&self.params, x, &mut self.tape, &pass);
        let (outputs, deltas) = self.tape.ends();
        let loss = self.loss.evaluate(outputs, targets, None, Some(deltas));
        self.network.backward(&self.params, x, &mut self.tape, &mut self.grads, &pass);
        loss.value
    }

    /// The mean loss over samples, and the share of classes that are hit (0 for values).
    pub(crate) fn evaluate(
        &self,
        x: View<'_, F>,
        targets: Targets<'_, F>,
        threads: &Threads,
    ) -> Result<(f64, f64)> {
        let outputs = self.network.predict(&self.params, x, threads)?;
        let loss = self.loss.evaluate(outputs.as_view(), targets, None, None).value;
        let hit = match targets {
            Targets::Classes(classes) => accuracy(&outputs, classes),
            Targets::Values(_) => 0.0,
        };
        Ok((loss, hit))
    }
}

/// The row of a column's largest number; the first of equals.
pub(crate) fn winner<F: Scalar>(column: &[F]) -> usize {
    let mut best = 0;
    for (i, value) in column.iter().enumerate() {
        if *value > column[best] {
            best = i;
        }
    }
    best
}

/// The share of columns whose largest number stands in the class's row.
pub(crate) fn accuracy<F: Scalar>(outputs: &Matrix<F>, classes: &[u32]) -> f64 {
    let columns = outputs.column_iter().zip(classes);
    let hits =
        columns.filter(|(column, class)| winner(column.as_slice()) == **class as usize).count();
    hits as f64 / classes.len() as f64
}

/// A buffer for batches of samples taken in any order.
pub(crate) struct Batch<F: Scalar> {
    x: Matrix<F>,
    classes: Vec<u32>,
}

impl<F: Scalar> Batch<F> {
    pub(crate) fn new(features: usize, samples: usize) -> Self {
        Self { x: Matrix::zeros(features, samples), classes: vec![0; samples] }
    }

    /// Gathers the samples of these indices.
    pub(crate) fn take(
        &mut self,
        x: &Matrix<F>,
        classes: &[u32],
        indices: &[usize],
    ) -> (View<'_, F>, Targets<'_, F>) {
        for (to, &from) in indices.iter().enumerate() {
            self.x.column_mut(to).as_mut_slice().copy_from_slice(x.column(from).as_slice());
            self.classes[to] = classes[from];
        }
        let n = indices.len();
        (self.x.columns(0, n), Targets::Classes(&self.classes[..n]))
    }
}

/// The order of an epoch's samples.
pub(crate) fn order(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    permutation(n, &mut stream(seed, Purpose::Shuffle, [epoch, 0]))
}
