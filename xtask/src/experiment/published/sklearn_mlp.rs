//! scikit-learn's `MLPClassifier`, number for number, on slalom's network and optimizers.
//!
//! Everything that decides a loss to six decimals follows scikit-learn: NumPy's random numbers, the
//! order of draws, batches as slices of a permutation that composes over the epochs, the penalty
//! in the loss before the update, the rule that stops.

use anyhow::Result;
use slalom::layers::{Activation, Dense, Kind, Mode, Network, Pass, Tape};
use slalom::optim::{Adam, Block, Optimizer, Rule, Sgd};
use slalom::tensor::{Matrix, Scalar, Threads, View};

use crate::experiment::net::winner;
use crate::experiment::numpy::RandomState;

/// What scikit-learn's constructor takes.
#[derive(Clone, Debug)]
pub(crate) struct MlpClassifier {
    pub(crate) hidden: Vec<usize>,
    pub(crate) rule: Rule,
    pub(crate) rate: f64,
    /// The rate of an epoch is `rate / √(samples seen + 1)`.
    pub(crate) inverse_scaling: bool,
    /// L2 penalty.
    pub(crate) alpha: f64,
    pub(crate) batch: usize,
    pub(crate) epochs: usize,
    pub(crate) random_state: u32,
    /// Stop after more than ten epochs that improve by less; infinite: never.
    pub(crate) tolerance: f64,
}

impl Default for MlpClassifier {
    fn default() -> Self {
        Self {
            hidden: vec![100],
            rule: adam(),
            rate: 1e-3,
            inverse_scaling: false,
            alpha: 1e-4,
            batch: 200,
            epochs: 200,
            random_state: 0,
            tolerance: 1e-4,
        }
    }
}

/// scikit-learn's Adam: ε is not bias-corrected.
pub(crate) fn adam() -> Rule {
    Adam { eps_hat: true, ..Adam::default() }.into()
}

/// scikit-learn's SGD: the learning rate is kept inside the velocity.
pub(crate) fn sgd(momentum: f64, nesterov: bool) -> Rule {
    Sgd { momentum, nesterov, rate_inside: true, ..Sgd::default() }.into()
}

/// A fitted classifier.
pub(crate) struct Fitted<F: Scalar> {
    network: Network<F>,
    params: Vec<F>,
    /// The loss of each epoch.
    pub(crate) losses: Vec<f64>,
}

impl<F: Scalar> Fitted<F> {
    /// The loss of the last epoch.
    pub(crate) fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    /// The share of samples whose class is found.
    pub(crate) fn score(&self, x: View<'_, F>, classes: &[u32], threads: &Threads) -> Result<f64> {
        let logits = self.network.predict(&self.params, x, threads)?;
        let found = |column: &[F]| match column {
            [logit] => usize::from(*logit > F::zero()),
            logits => winner(logits),
        };
        let hits = logits.column_iter().zip(classes);
        let hits =
            hits.filter(|(column, class)| found(column.as_slice()) == **class as usize).count();
        Ok(hits as f64 / classes.len() as f64)
    }
}

impl MlpClassifier {
    /// Trains on samples (*features × samples*) of so many classes.
    pub(crate) fn fit<F: Scalar>(
        &self,
        x: &Matrix<F>,
        classes: &[u32],
        count: usize,
        threads: &Threads,
    ) -> Result<Fitted<F>> {
        // two classes share one logistic output
        let outputs = if count == 2 { 1 } else { count };
        let hidden = self.hidden.iter().map(|&units| Dense::new(units, Activation::Relu).into());
        let layers = hidden.chain([Dense::linear(outputs).into()]);
        let network = Network::<F>::new(x.nrows(), layers)?;
        let mut rng = RandomState::new(self.random_state);
        let mut params = initial(&network, &mut rng);
        let weights = network.blocks().iter().filter(|block| block.kind == Kind::Weight);
        let weights: Vec<_> = weights.map(|block| block.range.clone()).collect();
        let mut optimizer =
            Optimizer::new(self.rule.clone(), vec![Block::new("all", 0..params.len())], None)?;

        let n = x.ncols();
        let batch = self.batch.min(n);
        let mut tape = network.tape(batch);
        let mut grads = vec![F::zero(); params.len()];
        let mut buffer = Matrix::zeros(x.nrows(), batch);
        let mut order: Vec<usize> = (0..n).collect();
        let (mut losses, mut best, mut idle) = (Vec::new(), f64::INFINITY, 0);
        let mut rate = self.rate;
        for epoch in 0..self.epochs {
            order = rng.permutation(n).into_iter().map(|i| order[i]).collect();
            let mut sum = 0.0;
            for indices in order.chunks(batch) {
                for (to, &from) in indices.iter().enumerate() {
                    buffer.column_mut(to).as_mut_slice().copy_from_slice(x.column(from).as_slice());
                }
                let (inputs, size) = (buffer.columns(0, indices.len()), indices.len() as f64);
                let mode = Mode::Train { seed: 0, step: 0 };
                let pass = Pass { mode, layer: 0, threads };
                network.forward(&params, inputs, &mut tape, &pass);
                let squares: f64 = weights
                    .iter()
                    .flat_map(|range| &params[range.clone()])
                    .map(|w| w.wide() * w.wide())
                    .sum();
                let log_loss = log_loss(&mut tape, |sample| classes[indices[sample]]);
                sum += (log_loss + 0.5 * self.alpha * squares) / size * size;
                network.backward(&params, inputs, &mut tape, &mut grads, &pass);
                for range in &weights {
                    let pairs = grads[range.clone()].iter_mut().zip(&params[range.clone()]);
                    pairs.for_each(|(g, w)| *g += F::of(self.alpha / size) * *w);
                }
                optimizer.step(rate, &mut params, &grads)?;
            }
            let loss = sum / n as f64;
            losses.push(loss);
            idle = if loss > best - self.tolerance { idle + 1 } else { 0 };
            best = best.min(loss);
            if self.inverse_scaling {
                rate = self.rate / (((epoch + 1) * n + 1) as f64).sqrt();
            }
            if idle > 10 {
                break;
            }
        }
        Ok(Fitted { network, params, losses })
    }
}

/// Glorot-uniform weights and biases, drawn layer by layer, the weights first.
fn initial<F: Scalar>(network: &Network<F>, rng: &mut RandomState) -> Vec<F> {
    let mut params = vec![F::zero(); network.len()];
    let mut bound = 0.0;
    for block in network.blocks() {
        if block.kind == Kind::Weight {
            bound = (6.0 / (block.shape.0 + block.shape.1) as f64).sqrt();
        }
        params[block.range.clone()].fill_with(|| F::of(rng.uniform(-bound, bound)));
    }
    params
}

/// The sum of the samples' log losses, from clipped probabilities; its derivative, divided by the
/// samples, is left on the tape.
fn log_loss<F: Scalar>(tape: &mut Tape<F>, class: impl Fn(usize) -> u32) -> f64 {
    let (logits, mut deltas) = tape.ends();
    let scale = F::of(1.0 / logits.ncols() as f64);
    let clipped = |p: F| p.max(F::epsilon()).min(F::one() - F::epsilon()).wide();
    let mut sum = 0.0;
    for (sample, logits) in logits.column_iter().enumerate() {
        let class = class(sample);
        let mut delta = deltas.column_mut(sample);
        if let [logit] = logits.as_slice() {
            let p = F::one() / (F::one() + (-*logit).exp());
            sum -= if class == 1 { clipped(p).ln() } else { (1.0 - clipped(p)).ln() };
            delta[0] = (p - F::of(f64::from(class))) * scale;
            continue;
        }
        let top = logits.iter().copied().fold(F::neg_infinity(), F::max);
        let total: F = logits.iter().map(|&z| (z - top).exp()).sum();
        for (i, (d, &z)) in delta.iter_mut().zip(logits.iter()).enumerate() {
            let p = (z - top).exp() / total;
            let hit = i == class as usize;
            if hit {
                sum -= clipped(p).ln();
            }
            *d = (p - if hit { F::one() } else { F::zero() }) * scale;
        }
    }
    sum
}
