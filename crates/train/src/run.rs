//! The run: a network, its parameters, the optimizer and where they stand.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use slalom_layers::{Network, Tape};
use slalom_optim::{Average, Optimizer, Slab};
use slalom_tensor::{Samples, Scalar, Threads, squared_norm};

use crate::batches::Batches;
use crate::blocks::{Weights, blocks};
use crate::descend::{GRADIENT, Room};
use crate::digest::Digest;
use crate::{Config, Epoch, History, Source, TrainError};

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
    pub(crate) network: Network<F>,
    pub(crate) config: Config,
    pub(crate) threads: Threads,
    pub(crate) params: Slab<F>,
    pub(crate) grads: Slab<F>,
    /// Gradients of the batches of one update, where there are several.
    pub(crate) summed: Vec<F>,
    /// Where each thread computes the part of the gradient that it is about to use.
    pub(crate) rooms: Vec<Room<F>>,
    pub(crate) optimizer: Optimizer<F>,
    pub(crate) progress: Progress,
    pub(crate) history: History,
    /// What the plateau looks at, if there is one: the history's losses.
    pub(crate) losses: Vec<f64>,
    pub(crate) weights: Weights,
    pub(crate) average: Option<Average<F>>,
    pub(crate) best: Option<Best<F>>,
    /// The samples that the run is trained on, and whether those at hand were compared.
    pub(crate) data: Option<Digest>,
    pub(crate) recognised: bool,
    pub(crate) batches: Batches<F>,
    pub(crate) tape: Option<Tape<F>>,
    /// For evaluation, of a size of their own.
    pub(crate) test_batches: Batches<F>,
    pub(crate) test_tape: Option<Tape<F>>,
}

/// Where a run stands, between two batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Samples of the epoch under way.
    pub(crate) samples: u64,
    /// Batches met in it.
    pub(crate) batch: u64,
    /// Batches met since the run began: numbers the dropout masks.
    pub(crate) step: u64,
    /// Σ of the batches' losses times their weights, and Σ of these.
    pub(crate) loss: f64,
    pub(crate) weight: f64,
    /// Of the last update.
    pub(crate) rate: f64,
    pub(crate) norm: f64,
    /// Time spent in the epoch under way.
    pub(crate) seconds: f64,
}

/// The parameters of the best epoch so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Best<F> {
    pub(crate) epoch: u64,
    pub(crate) loss: f64,
    pub(crate) params: Vec<F>,
}

impl<F: Scalar> Run<F> {
    /// A run before its first batch, with the parameters that the seed gives.
    ///
    /// # Errors
    /// A field of the configuration out of its range, or a block that the network has not.
    pub fn new(network: Network<F>, config: Config, threads: Threads) -> Result<Self, TrainError> {
        let params = network.init(config.seed);
        Self::with_params(network, params, config, threads)
    }

    /// The same from parameters of the caller's.
    ///
    /// # Errors
    /// A field of the configuration out of its range, a block that the network has not, or a slab
    /// of another length than the network's.
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
        let average = config.averaging.map(|averaging| Average::new(averaging, params.len()));
        Ok(Self {
            weights: Weights::new(&network, &config)?,
            average: average.transpose()?,
            grads: Slab::zeros_at(GRADIENT, params.len()),
            network,
            config,
            threads,
            params: params.into(),
            optimizer,
            progress: Progress::default(),
            history: History::default(),
            losses: Vec::new(),
            best: None,
            data: None,
            recognised: false,
            summed: Vec::new(),
            rooms: Vec::new(),
            batches: Batches::default(),
            tape: None,
            test_batches: Batches::default(),
            test_tape: None,
        })
    }

    /// Trains to the end of the epoch and, if there are validation samples, evaluates on them.
    /// Returns the new record of the history.
    ///
    /// # Errors
    /// As [`step`](Run::step) and [`end_epoch`](Run::end_epoch).
    pub fn epoch(
        &mut self,
        train: impl Source<F>,
        valid: Option<Samples<'_, F>>,
    ) -> Result<&Epoch, TrainError> {
        self.batches.forget();
        self.timed(|run| {
            while run.advance(&train, true)?.is_some() {}
            Ok(())
        })?;
        self.close(&train, valid)
    }

    /// Ends the epoch: evaluates on the validation samples, if there are any, and writes the
    /// history.
    ///
    /// # Errors
    /// Validation samples that do not fit the network or the loss; a metric without a value, a
    /// loss that is not finite.
    pub fn end_epoch(&mut self, valid: Option<Samples<'_, F>>) -> Result<&Epoch, TrainError> {
        self.record(None, valid)
    }

    /// [`end_epoch`](Run::end_epoch), with the training loss evaluated once more if it is asked
    /// for.
    pub(crate) fn close(
        &mut self,
        train: &impl Source<F>,
        valid: Option<Samples<'_, F>>,
    ) -> Result<&Epoch, TrainError> {
        let final_loss = match self.config.final_loss {
            true => Some(self.evaluate(train)?),
            false => None,
        };
        self.record(final_loss, valid)
    }

    fn record(
        &mut self,
        final_loss: Option<f64>,
        valid: Option<Samples<'_, F>>,
    ) -> Result<&Epoch, TrainError> {
        let began = Instant::now();
        let epoch = self.epochs() + 1;
        let (valid_loss, metrics) = match valid {
            Some(valid) => {
                let (loss, metrics) = self.measure(&valid)?;
                (Some(loss), metrics)
            }
            None => (None, Vec::new()),
        };
        if let Some(loss) = valid_loss.filter(|loss| !loss.is_finite()) {
            return Err(TrainError::Validation { loss, epoch });
        }
        let Progress { loss, weight, rate, norm, seconds, .. } = self.progress;
        let train_loss = if weight > 0.0 { loss / weight } else { 0.0 };
        self.keep_best(epoch, valid_loss.unwrap_or(train_loss));
        self.history.push(Epoch {
            epoch,
            updates: self.optimizer.state().step,
            train_loss,
            final_loss,
            valid_loss,
            metrics,
            rate,
            gradient_norm: norm,
            weight_norm: squared_norm(&self.params).sqrt(),
            seconds: seconds + began.elapsed().as_secs_f64(),
        });
        if self.config.plateau.is_some() {
            self.losses = self.history.losses();
        }
        self.progress = Progress { step: self.progress.step, ..Progress::default() };
        Ok(self.history.last().expect("pushed above"))
    }

    fn keep_best(&mut self, epoch: u64, loss: f64) {
        let better = self.best.as_ref().is_none_or(|best| loss < best.loss);
        if self.config.keep_best && better {
            // into the room of the last best ones: a wide network's parameters are many pages
            let mut params = self.best.take().map_or_else(Vec::new, |best| best.params);
            params.clear();
            params.extend_from_slice(&self.params);
            self.best = Some(Best { epoch, loss, params });
        }
    }

    /// Epochs completed.
    pub fn epochs(&self) -> u64 {
        self.history.len() as u64
    }

    /// Batches met in the epoch under way.
    pub fn batch(&self) -> u64 {
        self.progress.batch
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

    /// Puts the average of the parameters ([`Config::averaging`]) in place; nothing if there is none
    /// yet. Batch normalisation's statistics are averaged with the rest.
    pub fn use_average(&mut self) {
        if let Some(average) = &self.average {
            let written = average.write(&mut self.params);
            written.expect("made for these parameters, or checked on resume");
        }
    }

    pub(crate) fn check(&self, samples: &impl Source<F>) -> Result<(), TrainError> {
        self.network.check(&self.params, samples.features())?;
        self.config.loss.check(self.network.outputs(), samples.targets())?;
        Ok(())
    }
}
