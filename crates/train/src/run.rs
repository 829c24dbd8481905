//! The run: a network, its parameters, the optimizer and where they stand.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use slalom_layers::{Kind, LayerSpec, Mode, Network, Pass, Tape};
use slalom_optim::{Block, OptimError, Optimizer, Schedule, State};
use slalom_tensor::{Matrix, Samples, Scalar, Threads, View, squared_norm};

use crate::batches::Batches;
use crate::checkpoint::{Checkpoint, Kind as FileKind, body};
use crate::{Config, Epoch, Fingerprint, History, TrainError};

/// A run of training: call [`epoch`](Run::epoch) in a loop of your own, or [`fit`](Run::fit), which
/// is that loop.
///
/// ```
/// use slalom_layers::{Activation, Dense, Network};
/// use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// use slalom_train::{Batch, Config, Run};
///
/// let x = from_rows(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let xor = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 1, 0]))?;
/// let network = Network::<f64>::new(2, [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()])?;
/// let config = Config { batch: Batch::Full, rate: 0.1.into(), ..Config::default() };
/// let mut run = Run::new(network, config, Threads::one())?;
/// while run.epochs() < 100 {
///     let report = run.epoch(xor, None)?;
///     if report.train_loss < 0.01 {
///         break;
///     }
/// }
/// assert!(run.evaluate(xor)? < 0.02);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Run<F: Scalar> {
    network: Network<F>,
    config: Config,
    threads: Threads,
    params: Vec<F>,
    grads: Vec<F>,
    optimizer: Optimizer<F>,
    progress: Progress,
    history: History,
    best: Option<Best<F>>,
    batches: Batches<F>,
    tape: Option<Tape<F>>,
    /// For evaluation, of a capacity of its own.
    test_tape: Option<Tape<F>>,
}

/// Where a run stands, between two batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Batches met in the epoch under way.
    batch: u64,
    /// Batches met since the run began: numbers the dropout masks.
    step: u64,
    /// Σ of the batches' losses and of their weights.
    loss: f64,
    weight: f64,
    /// Of the last update.
    rate: f64,
    norm: f64,
    /// Time spent in the epoch under way.
    seconds: f64,
}

/// The parameters of the best epoch so far.
#[derive(Clone, Debug, PartialEq)]
struct Best<F> {
    epoch: u64,
    loss: f64,
    params: Vec<F>,
}

/// What one update did.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Mean loss over the batch, before the update, without penalties.
    pub loss: f64,
    /// Euclidean norm of the gradient, before clipping.
    pub norm: f64,
    /// The learning rate.
    pub rate: f64,
    /// Which batch of the epoch it was, from 1, and how many there are.
    pub batch: (u64, u64),
}

/// Samples that an evaluation takes through the network at a time.
const EVALUATE: usize = 256;

impl<F: Scalar> Run<F> {
    /// A run before its first batch, with the parameters that the seed gives.
    ///
    /// # Errors
    /// A field of the configuration out of its range.
    pub fn new(network: Network<F>, config: Config, threads: Threads) -> Result<Self, TrainError> {
        let params = network.init(config.seed);
        Self::with_params(network, params, config, threads)
    }

    /// The same from parameters of the caller's.
    ///
    /// # Errors
    /// A field of the configuration out of its range, or a slab of another length than the
    /// network's.
    pub fn with_params(
        network: Network<F>,
        params: Vec<F>,
        config: Config,
        threads: Threads,
    ) -> Result<Self, TrainError> {
        config.validate()?;
        network.check(&params, network.inputs())?;
        let optimizer =
            Optimizer::new(config.rule.clone(), blocks(&network, &config), config.clip)?;
        Ok(Self {
            grads: vec![F::zero(); params.len()],
            network,
            config,
            threads,
            params,
            optimizer,
            progress: Progress::default(),
            history: History::default(),
            best: None,
            batches: Batches::default(),
            tape: None,
            test_tape: None,
        })
    }

    /// Trains to the end of the epoch and, if there are validation samples, evaluates on them.
    /// Returns the new record of the history.
    ///
    /// # Errors
    /// Samples that do not fit the network or the loss; a loss or gradient that is not finite.
    pub fn epoch(
        &mut self,
        train: Samples<'_, F>,
        valid: Option<Samples<'_, F>>,
    ) -> Result<&Epoch, TrainError> {
        while self.step(train)?.is_some() {}
        self.end_epoch(valid)
    }

    /// Trains on the next batch of the epoch; `None` when there is none left, and
    /// [`end_epoch`](Run::end_epoch) is next.
    ///
    /// # Errors
    /// As [`epoch`](Run::epoch); parameters and optimizer are then as before.
    pub fn step(&mut self, train: Samples<'_, F>) -> Result<Option<Step>, TrainError> {
        let began = Instant::now();
        let size = self.config.batch.of(train.len());
        let batches = self.batches_of(train.len(), size);
        let batch = self.progress.batch;
        if batch >= batches {
            return Ok(None);
        }
        if batch == 0 {
            self.check(&train)?;
        }
        let start = batch as usize * size;
        let count = size.min(train.len() - start);
        let capacity = self.tape.as_ref().map_or(0, Tape::capacity);
        if capacity < size {
            self.tape = Some(self.network.tape(size));
        }
        let tape = self.tape.as_mut().expect("made above");

        let key = (self.config.seed, self.history.len() as u64);
        let data = match self.config.shuffle && count < train.len() {
            true => self.batches.shuffled(&train, key, (start, count)),
            false => crate::batches::in_order(&train, start, count),
        };
        let mode = Mode::Train { seed: self.config.seed, step: self.progress.step };
        let pass = Pass { mode, layer: 0, threads: &self.threads };
        let update = self.optimizer.state().step;
        let rate = self.config.rate.at(update);
        self.network.forward(&self.params, data.inputs, tape, &pass);
        let (outputs, deltas) = tape.ends();
        let loss = self.config.loss.evaluate(outputs, data.targets, data.weights, Some(deltas));
        let (epoch, batch, update) = (key.1 + 1, batch + 1, update + 1);
        if !loss.value.is_finite() {
            return Err(TrainError::Diverged { loss: loss.value, epoch, batch, update, rate });
        }
        self.network.backward(&self.params, data.inputs, tape, &mut self.grads, &pass);
        let threads = &self.threads;
        let step = self
            .optimizer
            .step_with(rate, &mut self.params, &self.grads, &|tasks, work| threads.run(tasks, work))
            .map_err(|source| match source {
                OptimError::NotFinite { .. } => {
                    TrainError::Gradient { source, epoch, batch, update, rate }
                }
                other => other.into(),
            })?;
        self.network.settle(&mut self.params, tape);

        self.progress.batch = batch;
        self.progress.step += 1;
        self.progress.loss += loss.value * loss.weight;
        self.progress.weight += loss.weight;
        (self.progress.rate, self.progress.norm) = (rate, step.norm);
        self.progress.seconds += began.elapsed().as_secs_f64();
        Ok(Some(Step { loss: loss.value, norm: step.norm, rate, batch: (batch, batches) }))
    }

    /// Ends the epoch: evaluates on the validation samples, if there are any, and writes the
    /// history.
    ///
    /// # Errors
    /// Validation samples that do not fit the network or the loss.
    pub fn end_epoch(&mut self, valid: Option<Samples<'_, F>>) -> Result<&Epoch, TrainError> {
        let began = Instant::now();
        let valid_loss = valid.map(|valid| self.evaluate(valid)).transpose()?;
        let Progress { loss, weight, rate, norm, seconds, .. } = self.progress;
        let train_loss = if weight > 0.0 { loss / weight } else { 0.0 };
        let epoch = self.epochs() + 1;
        let watched = valid_loss.unwrap_or(train_loss);
        let better = self.best.as_ref().is_none_or(|best| watched < best.loss);
        if self.config.keep_best && better && watched.is_finite() {
            let best = self.best.get_or_insert_with(|| Best {
                epoch,
                loss: watched,
                params: self.params.clone(),
            });
            (best.epoch, best.loss) = (epoch, watched);
            best.params.copy_from_slice(&self.params);
        }
        self.history.push(Epoch {
            epoch,
            updates: self.optimizer.state().step,
            train_loss,
            valid_loss,
            rate,
            gradient_norm: norm,
            weight_norm: squared_norm(&self.params).sqrt(),
            seconds: seconds + began.elapsed().as_secs_f64(),
            ..Epoch::default()
        });
        self.progress = Progress { step: self.progress.step, ..Progress::default() };
        Ok(self.history.last().expect("pushed above"))
    }

    /// The mean loss over the samples, each with its weight, without dropout and penalties.
    ///
    /// # Errors
    /// Samples that do not fit the network or the loss.
    pub fn evaluate(&mut self, samples: Samples<'_, F>) -> Result<f64, TrainError> {
        self.check(&samples)?;
        let tape = self.test_tape.get_or_insert_with(|| self.network.tape(EVALUATE));
        let pass = Pass { mode: Mode::Predict, layer: 0, threads: &self.threads };
        let (mut sum, mut total) = (0.0, 0.0);
        for start in (0..samples.len()).step_by(EVALUATE) {
            let count = EVALUATE.min(samples.len() - start);
            let data = crate::batches::in_order(&samples, start, count);
            self.network.forward(&self.params, data.inputs, tape, &pass);
            let loss = self.config.loss.evaluate(tape.outputs(), data.targets, data.weights, None);
            sum += loss.value * loss.weight;
            total += loss.weight;
        }
        Ok(if total > 0.0 { sum / total } else { 0.0 })
    }

    /// The network's outputs for each sample, *outputs × samples*.
    ///
    /// # Errors
    /// Samples of another width than the network's.
    pub fn predict(&self, x: View<'_, F>) -> Result<Matrix<F>, TrainError> {
        Ok(self.network.predict(&self.params, x, &self.threads)?)
    }

    /// Epochs completed.
    pub fn epochs(&self) -> u64 {
        self.history.len() as u64
    }

    /// The record of every epoch.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The network.
    pub fn network(&self) -> &Network<F> {
        &self.network
    }

    /// The parameters, as they are now.
    pub fn params(&self) -> &[F] {
        &self.params
    }

    /// The epoch (from 1) whose parameters are kept as the best, if there is one.
    pub fn best_epoch(&self) -> Option<u64> {
        self.best.as_ref().map(|best| best.epoch)
    }

    /// Puts the parameters of the best epoch in place; nothing if there is none.
    pub fn restore_best(&mut self) {
        if let Some(best) = &self.best {
            self.params.copy_from_slice(&best.params);
        }
    }

    /// A hash over configuration, parameters, optimizer and history: two runs share it if and only
    /// if they are the same, whatever the time they took.
    pub fn fingerprint(&self) -> Fingerprint {
        let encoded = |what, value: Result<Vec<u8>, _>| -> (&str, Vec<u8>) {
            (what, value.expect("plain data can be serialised"))
        };
        let parts = [
            encoded("config", body::encode("config", &self.config)),
            ("params", bytemuck::cast_slice(&self.params).to_vec()),
            encoded("optimizer", body::encode("optimizer", self.optimizer.state())),
            ("history", self.history.fingerprint().as_bytes().to_vec()),
        ];
        Fingerprint::of_parts(parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
    }

    /// Everything that the run needs to go on elsewhere, to the bit.
    ///
    /// # Errors
    /// A network of boxed layers, which a file cannot describe.
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let specs = self.network.specs().ok_or(TrainError::NoSpecs)?;
        let mut file = Checkpoint::new::<F>(FileKind::Run);
        file.put("network", &(self.network.inputs() as u64, specs))?;
        file.put("config", &self.config)?;
        file.put("progress", &self.progress)?;
        file.put("history", &self.history)?;
        file.put_slab("params", &self.params);
        file.put("optimizer", self.optimizer.state())?;
        if let Some(best) = &self.best {
            file.put("best", &(best.epoch, best.loss))?;
            file.put_slab("best.params", &best.params);
        }
        Ok(file)
    }

    /// The run that a checkpoint was made of, at the batch at which it was made. With the same
    /// samples it goes on to the same bits, also on another number of threads.
    ///
    /// # Errors
    /// A file of another kind or scalar type, or one whose parts do not belong together.
    pub fn resume(file: &Checkpoint, threads: Threads) -> Result<Self, TrainError> {
        file.expect(FileKind::Run)?;
        let (inputs, specs): (u64, Vec<LayerSpec>) = file.get("network")?;
        let network = Network::new(inputs as usize, specs)?;
        let config: Config = file.get("config")?;
        let state: State<F> = file.get("optimizer")?;
        let optimizer =
            Optimizer::resume(config.rule.clone(), blocks(&network, &config), config.clip, state)?;
        let params: Vec<F> = file.slab("params")?;
        let mut run = Self::with_params(network, params, config, threads)?;
        (run.progress, run.history) = (file.get("progress")?, file.get("history")?);
        run.optimizer = optimizer;
        if file.names().any(|name| name == "best") {
            let (epoch, loss) = file.get("best")?;
            let params = file.slab("best.params")?;
            run.network.check(&params, run.network.inputs())?;
            run.best = Some(Best { epoch, loss, params });
        }
        Ok(run)
    }

    fn check(&self, samples: &Samples<'_, F>) -> Result<(), TrainError> {
        self.network.check(&self.params, samples.features())?;
        self.config.loss.check(self.network.outputs(), samples.targets())?;
        Ok(())
    }

    /// How many batches an epoch has.
    fn batches_of(&self, samples: usize, size: usize) -> u64 {
        let whole = samples / size; // at least 1: a batch is never larger than the set
        let short = u64::from(!self.config.drop_last && samples % size > 0);
        whole as u64 + short
    }
}

/// The network's blocks as the optimizer sees them: penalties and decay on weights alone,
/// statistics left to their layers.
fn blocks<F: Scalar>(network: &Network<F>, config: &Config) -> Vec<Block> {
    let of = |block: &slalom_layers::Block| Block {
        l1: config.penalty.l1,
        l2: config.penalty.l2,
        decay: config.decay,
        exempt: block.kind != Kind::Weight,
        frozen: block.kind == Kind::Statistic,
        ..Block::new(block.name.clone(), block.range.clone())
    };
    network.blocks().iter().map(of).collect()
}
