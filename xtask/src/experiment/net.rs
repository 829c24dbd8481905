//! A network with its slab, gradients and tape: what the experiments' own loops step.

use std::time::Instant;

use anyhow::Result;
use slalom::layers::{Activation, Dense, Kind, LayerSpec, Loss, Mode, Network, Pass, Tape};
use slalom::optim::{Block, Optimizer, Rule};
use slalom::regularize::{Constraint, Penalty};
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

/// How the samples of an epoch are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Anew each epoch.
    Fresh,
    /// Once, the same for all epochs.
    Fixed,
    /// By class, the same for all epochs.
    Sorted,
}

/// How the experiments' own loop trains.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) rule: Rule,
    pub(crate) rate: f64,
    /// Samples a batch; never more than there are.
    pub(crate) batch: usize,
    pub(crate) penalty: Penalty,
    pub(crate) order: Order,
}

impl Recipe {
    /// Shuffled batches without penalties.
    pub(crate) fn new(rule: impl Into<Rule>, rate: f64, batch: usize) -> Self {
        Self { rule: rule.into(), rate, batch, penalty: Penalty::default(), order: Order::Fresh }
    }
}

/// Samples with their classes.
#[derive(Clone, Debug)]
pub(crate) struct Classes<F: Scalar> {
    pub(crate) x: Matrix<F>,
    pub(crate) classes: Vec<u32>,
}

impl<F: Scalar> Classes<F> {
    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    pub(crate) fn targets(&self) -> Targets<'_, F> {
        Targets::Classes(&self.classes)
    }

    /// The samples of these indices.
    pub(crate) fn subset(&self, indices: &[usize]) -> Self {
        let classes = indices.iter().map(|&i| self.classes[i]).collect();
        Self { x: self.x.select_columns(indices), classes }
    }

    /// The first `n` samples of a random order, and the rest.
    pub(crate) fn split(&self, n: usize, seed: u64) -> [Self; 2] {
        let order = permutation(self.len(), &mut stream(seed, Purpose::Split, [0, 0]));
        let (head, tail) = order.split_at(n.min(self.len()));
        [self.subset(head), self.subset(tail)]
    }
}

/// A network with the optimizer that trains it on samples with classes.
pub(crate) struct Trainer<'a, F: Scalar> {
    pub(crate) net: Net<F>,
    recipe: Recipe,
    optimizer: Optimizer<F>,
    data: &'a Classes<F>,
    batch: Batch<F>,
    seed: u64,
    /// Updates made.
    pub(crate) updates: u64,
    /// Seconds spent in updates.
    pub(crate) seconds: f64,
}

impl<'a, F: Scalar> Trainer<'a, F> {
    pub(crate) fn new(
        layers: Vec<LayerSpec>,
        loss: Loss,
        recipe: &Recipe,
        data: &'a Classes<F>,
        seed: u64,
    ) -> Result<Self> {
        let recipe = Recipe { batch: recipe.batch.min(data.len()), ..recipe.clone() };
        let net = Net::new(data.x.nrows(), layers, loss, recipe.batch, seed)?;
        let blocks = net.network.blocks().iter().map(|block| Block {
            l1: recipe.penalty.l1,
            l2: recipe.penalty.l2,
            exempt: block.kind != Kind::Weight,
            frozen: block.kind == Kind::Statistic,
            ..Block::new(&block.name, block.range.clone())
        });
        let optimizer = Optimizer::new(recipe.rule.clone(), blocks.collect(), None)?;
        let batch = Batch::new(data.x.nrows(), recipe.batch);
        Ok(Self { net, recipe, optimizer, data, batch, seed, updates: 0, seconds: 0.0 })
    }

    /// One epoch; `each` sees the network after every update. False when it has diverged.
    pub(crate) fn epoch(
        &mut self,
        epoch: u64,
        threads: &Threads,
        each: &mut dyn FnMut(u64, f64, &Net<F>),
    ) -> bool {
        let n = self.data.len();
        let indices = match self.recipe.order {
            Order::Fresh => order(n, self.seed, epoch),
            Order::Fixed => order(n, self.seed, 0),
            Order::Sorted => {
                let mut indices: Vec<usize> = (0..n).collect();
                indices.sort_by_key(|&i| self.data.classes[i]);
                indices
            }
        };
        for chosen in indices.chunks(self.recipe.batch) {
            let start = Instant::now();
            let (x, targets) = self.batch.take(&self.data.x, &self.data.classes, chosen);
            let loss = self.net.gradient(x, targets, threads);
            let Net { params, grads, .. } = &mut self.net;
            let shared: &slalom::optim::Run<'_> = &|tasks, work| threads.run(tasks, work);
            let step = self.optimizer.step_with(self.recipe.rate, params, grads, shared);
            if !loss.is_finite() || step.is_err() {
                return false;
            }
            self.seconds += start.elapsed().as_secs_f64();
            self.updates += 1;
            each(self.updates, loss, &self.net);
        }
        true
    }

    /// One update on the batch of that number in an order of the caller's, from the start again when
    /// the order ends; the batch's loss.
    pub(crate) fn update(
        &mut self,
        order: &[usize],
        number: usize,
        threads: &Threads,
    ) -> Result<f64> {
        let began = Instant::now();
        let batches = order.len().div_ceil(self.recipe.batch);
        let chosen = order.chunks(self.recipe.batch).nth(number % batches).unwrap_or(order);
        let (x, targets) = self.batch.take(&self.data.x, &self.data.classes, chosen);
        let loss = self.net.gradient(x, targets, threads);
        let Net { params, grads, .. } = &mut self.net;
        let shared: &slalom::optim::Run<'_> = &|tasks, work| threads.run(tasks, work);
        self.optimizer.step_with(self.recipe.rate, params, grads, shared)?;
        self.updates += 1;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(loss)
    }

    /// Puts the incoming weights of every unit under a constraint.
    pub(crate) fn constrain(&mut self, constraint: &Constraint) {
        for block in self.net.network.blocks().iter().filter(|b| b.kind == Kind::Weight) {
            constraint.apply(block.shape.0, &mut self.net.params[block.range.clone()]);
        }
    }

    /// The learning rate from now on.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.recipe.rate = rate;
    }

    /// Loss and accuracy on the training samples.
    pub(crate) fn training(&self, threads: &Threads) -> Result<(f64, f64)> {
        self.on(self.data, threads)
    }

    /// Loss and accuracy on other samples.
    pub(crate) fn on(&self, data: &Classes<F>, threads: &Threads) -> Result<(f64, f64)> {
        self.net.evaluate(data.x.as_view(), data.targets(), threads)
    }
}

/// A perceptron's layers: hidden ones with an activation, ten or so linear outputs.
pub(crate) fn perceptron(
    hidden: &[usize],
    activation: Activation,
    outputs: usize,
) -> Vec<LayerSpec> {
    let hidden = hidden.iter().map(|&units| Dense::new(units, activation).into());
    hidden.chain([Dense::linear(outputs).into()]).collect()
}
