//! One update: batches forth and back through the network, then one step of the optimizer.

use std::time::Instant;

use slalom_layers::{Mode, Network, Pass, Tape};
use slalom_optim::{OptimError, Schedule};
use slalom_tensor::{Samples, Scalar, Threads, View};

use crate::batches::BatchView;
use crate::descend::by_chunks;
use crate::{Run, Source, TrainError};

/// What one update did.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// What the update makes smaller: the mean loss over its samples, before it, with penalties.
    pub loss: f64,
    /// What of the loss is penalties, on weights and on activations.
    pub penalty: f64,
    /// Euclidean norm of the gradient, before clipping.
    pub norm: f64,
    /// The learning rate.
    pub rate: f64,
    /// Which batch of the epoch was the last, from 1, and how many there are; 0 if nobody knows.
    pub batch: (u64, u64),
}

/// What the batches of one update add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    batches: u64,
    /// Σ of the batches' losses times their weights, and Σ of these.
    loss: f64,
    weight: f64,
    /// The same of the activity penalties, which are part of the losses.
    penalty: f64,
    /// The penalties on the weights, before the update.
    of_weights: f64,
    /// The norm of the update's gradient.
    norm: f64,
    place: Place,
}

/// Epoch, batch and update under way, from 1, and the update's learning rate.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    epoch: u64,
    batch: u64,
    update: u64,
    rate: f64,
}

impl<F: Scalar> Run<F> {
    /// Makes the next update of the epoch; `None` when no batch is left, and
    /// [`end_epoch`](Run::end_epoch) is next.
    ///
    /// # Errors
    /// Samples that do not fit the network or the loss, or of another number than at the epoch's
    /// beginning; a loss or gradient that is not finite, or a sample that cannot be read:
    /// parameters and optimizer are then as before (with [`accumulate`](crate::Config::accumulate),
    /// running statistics may have moved).
    pub fn step(&mut self, train: impl Source<F>) -> Result<Option<Step>, TrainError> {
        self.batches.forget();
        self.timed(|run| run.advance(&train, false))
    }

    /// Does some of the epoch's work, whose time counts. A look at the clock takes a hundredth of a small
    /// network's update.
    pub(crate) fn timed<R>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, TrainError>,
    ) -> Result<R, TrainError> {
        let began = Instant::now();
        let result = work(self);
        self.progress.seconds += began.elapsed().as_secs_f64();
        result
    }

    /// The same for a caller who goes on with these samples: `ahead`, the next batch is gathered by
    /// threads that would wait. The first time, [`forget`](crate::batches::Batches::forget) first.
    pub(crate) fn advance(
        &mut self,
        train: &impl Source<F>,
        ahead: bool,
    ) -> Result<Option<Step>, TrainError> {
        let samples = train.targets().len();
        let size = self.config.batch.of(samples);
        if size == 0 {
            let (field, bound) = ("number of samples", "at least 1");
            return Err(TrainError::Field { field, value: 0.0, bound });
        }
        if !self.recognised {
            self.check(train)?;
            self.recognise(train)?;
        }
        if self.progress.batch == 0 {
            self.check(train)?;
            self.progress.samples = samples as u64;
        } else if self.progress.samples != samples as u64 {
            let (began, found) = (self.progress.samples, samples as u64);
            return Err(TrainError::Samples { began, found });
        }
        let batches = self.batches_of(samples, size);
        let first = self.progress.batch;
        if first >= batches {
            return Ok(None);
        }
        let last = batches.min(first + self.config.accumulate as u64);
        let shuffled = self.config.shuffle && size < samples;
        let key = shuffled.then_some((self.config.seed, self.history.len() as u64));
        let mut room = std::mem::take(&mut self.batches);
        let threads = self.threads.clone();
        let mut sum = Sum::default();
        let learned = (first..last).try_for_each(|batch| {
            let range = |batch: u64| {
                let start = batch as usize * size;
                (start, size.min(samples - start))
            };
            let ranges = (range(batch), (ahead && batch + 1 < batches).then(|| range(batch + 1)));
            room.with(train, key, ranges, &threads, |data| {
                self.learn(data, size, &mut sum, batch + 1 == last)
            })
        });
        self.batches = room;
        learned?;
        self.finish(sum, batches).map(Some)
    }

    /// Makes one update on a batch of the caller's, for loops over batches from anywhere. The
    /// caller says when the epoch ends: [`end_epoch`](Run::end_epoch).
    ///
    /// ```
    /// # use slalom_layers::{Dense, Network};
    /// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
    /// # use slalom_train::{Config, Run};
    /// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
    /// # let mut run = Run::new(network, Config::default(), Threads::one())?;
    /// for i in 0..10 {
    ///     let x = from_rows(&[[i as f64], [-1.0 - i as f64]]);
    ///     run.update(Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?)?;
    /// }
    /// assert_eq!(run.end_epoch(None)?.updates, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Where making a batch is slow, a second thread makes the next one meanwhile:
    ///
    /// ```
    /// # use slalom_layers::{Dense, Network};
    /// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
    /// # use slalom_train::{Config, Run, TrainError};
    /// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
    /// # let mut run = Run::new(network, Config::default(), Threads::one())?;
    /// let slow = |i: u32| from_rows(&[[f64::from(i)], [-1.0]]); // reads, decodes, augments
    /// std::thread::scope(|scope| {
    ///     let (made, next) = std::sync::mpsc::sync_channel(1);
    ///     scope.spawn(move || (0..10).try_for_each(|i| made.send(slow(i))));
    ///     next.into_iter().try_for_each(|x| {
    ///         run.update(Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?).map(|_| ())
    ///     })
    /// })?;
    /// assert_eq!(run.batch(), 10);
    /// # Ok::<(), TrainError>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Run::step).
    pub fn update(&mut self, batch: Samples<'_, F>) -> Result<Step, TrainError> {
        self.timed(|run| {
            run.check(&batch)?;
            let mut sum = Sum::default();
            run.learn(BatchView::from(&batch), batch.len(), &mut sum, true)?;
            run.finish(sum, 0)
        })
    }

    /// Takes a batch through the network, forth and back; with the last batch of the update, makes
    /// the optimizer's step.
    fn learn(
        &mut self,
        data: BatchView<'_, F>,
        capacity: usize,
        sum: &mut Sum,
        last: bool,
    ) -> Result<(), TrainError> {
        sum.place = self.place(sum);
        let Place { epoch, batch, update, rate } = sum.place;
        let Self { network, params, grads, threads, config, optimizer, .. } = self;
        if self.tape.as_ref().map_or(0, Tape::capacity) < capacity {
            self.tape = Some(network.tape(capacity));
        }
        let tape = self.tape.as_mut().expect("made above");
        let step = self.progress.step + sum.batches;
        let pass = Pass { mode: Mode::Train { seed: config.seed, step }, layer: 0, threads };
        network.check_inputs(data.inputs)?;
        network.forward(params, data.inputs, tape, &pass);
        let (outputs, deltas) = tape.ends();
        let mut loss = config.loss.evaluate(outputs, data.targets, data.weights, Some(deltas));
        let penalty = network.penalty(tape);
        loss.value += penalty;
        if !loss.value.is_finite() {
            let (loss, block) =
                (loss.value, first_not_finite(network, params, data.inputs, threads));
            return Err(TrainError::Diverged { loss, block, epoch, batch, update, rate });
        }
        sum.batches += 1;
        sum.loss += loss.value * loss.weight;
        sum.penalty += penalty * loss.weight;
        sum.weight += loss.weight;
        if last {
            sum.of_weights = self.weights.penalty(params, threads);
        }
        let failed = |source| match source {
            OptimError::NotFinite { .. } => {
                TrainError::Gradient { source, epoch, batch, update, rate }
            }
            other => other.into(),
        };
        let gradient = network.backward_late(params, data.inputs, tape, grads, &pass);
        let alone = last && sum.batches == 1;
        if alone {
            let rooms = &mut self.rooms;
            let gradient = (&gradient, data.largest);
            let norm = by_chunks(gradient, optimizer, rate, params, rooms, threads);
            if let Some(norm) = norm.map_err(failed)? {
                sum.norm = norm;
                return Ok(());
            }
        }
        gradient.complete();
        if !alone {
            let first = sum.batches == 1;
            accumulate(&mut self.summed, grads, F::of(loss.weight), first);
        }
        if !last {
            network.settle(params, tape);
            return Ok(());
        }
        if !alone {
            let share = if sum.weight > 0.0 { F::of(1.0 / sum.weight) } else { F::zero() };
            grads.iter_mut().zip(&self.summed).for_each(|(g, &s)| *g = share * s);
        }
        let run = |tasks, work: &(dyn Fn(usize) + Sync)| threads.run(tasks, work);
        sum.norm = optimizer.step_with(rate, params, grads, &run).map_err(failed)?.norm;
        Ok(())
    }

    /// What follows the optimizer's step, and the books.
    fn finish(&mut self, sum: Sum, batches: u64) -> Result<Step, TrainError> {
        let Sum { of_weights, norm, place: Place { batch, update, rate, .. }, .. } = sum;
        self.weights.hold(rate, &mut self.params);
        if let Some(tape) = &self.tape {
            self.network.settle(&mut self.params, tape);
        }
        if let Some(average) = &mut self.average {
            average.update(update - 1, &self.params)?;
        }
        let progress = &mut self.progress;
        progress.batch = batch;
        progress.step += sum.batches;
        progress.loss += sum.loss + of_weights * sum.weight;
        progress.weight += sum.weight;
        (progress.rate, progress.norm) = (rate, norm);
        let mean = |sum_of: f64| if sum.weight > 0.0 { sum_of / sum.weight } else { 0.0 };
        let (loss, penalty) = (mean(sum.loss) + of_weights, mean(sum.penalty) + of_weights);
        Ok(Step { loss, penalty, norm, rate, batch: (batch, batches) })
    }

    /// The learning rate of the next update.
    pub fn rate(&self) -> f64 {
        let scheduled = self.config.rate.at(self.optimizer.state().step);
        match &self.config.plateau {
            Some(plateau) => plateau.rate(scheduled, &self.losses),
            None => scheduled,
        }
    }

    fn place(&self, sum: &Sum) -> Place {
        let batch = self.progress.batch + sum.batches + 1;
        let (epoch, update) = (self.epochs() + 1, self.optimizer.state().step + 1);
        Place { epoch, batch, update, rate: self.rate() }
    }

    /// How many batches an epoch has.
    fn batches_of(&self, samples: usize, size: usize) -> u64 {
        let whole = samples / size; // at least 1: a batch is never larger than the set
        let short = !self.config.drop_last && !samples.is_multiple_of(size);
        whole as u64 + u64::from(short)
    }
}

/// Adds a batch's gradient to those of the same update, by the batch's weight.
fn accumulate<F: Scalar>(summed: &mut Vec<F>, grads: &[F], weight: F, first: bool) {
    if first {
        summed.clear();
        summed.resize(grads.len(), F::zero());
    }
    summed.iter_mut().zip(grads).for_each(|(s, &g)| *s += weight * g);
}

/// The first block behind which the network's numbers are not finite; the last block if they all
/// are, or if the network cannot be cut.
fn first_not_finite<F: Scalar>(
    network: &Network<F>,
    params: &[F],
    x: View<'_, F>,
    threads: &Threads,
) -> String {
    let specs = network.specs().unwrap_or(&[]);
    let name = |network: &Network<F>| network.blocks().last().map(|block| block.name.clone());
    (1..=specs.len())
        .filter_map(|n| Network::<F>::new(network.inputs(), specs[..n].iter().cloned()).ok())
        .find(|part| {
            let outputs = part.predict(&params[..part.len()], x, threads);
            outputs.is_ok_and(|outputs| outputs.iter().any(|v| !v.is_finite()))
        })
        .and_then(|part| name(&part))
        .or_else(|| name(network))
        .unwrap_or_default()
}
