//! Diagnosis: what keeps a network from learning, found from statistics, with what to try.

use slalom_layers::{Activation, Kind, LayerSpec, Mode, NetworkSpec, Pass};
use slalom_tensor::{Matrix, Samples, Scalar, squared_norm};

use crate::batches::BatchView;
use crate::{Finding, Run, TrainError};

/// The statistics of a run on some samples, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// One entry a layer.
    pub layers: Vec<LayerStatistics>,
    /// One entry a block that learns.
    pub blocks: Vec<BlockStatistics>,
    /// By how much one update would move the parameters, relative to their norm.
    pub update: f64,
    /// What is wrong, worst place first within each kind; empty if nothing is.
    pub findings: Vec<Finding>,
}

/// A layer's outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerStatistics {
    /// Position of the layer, from 0.
    pub layer: usize,
    /// Mean of its outputs.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// Share of its units that are 0 for every sample.
    pub dead: f64,
    /// Share of outputs within 1 % of a bound of its activation; 0 if that has none.
    pub saturated: f64,
}

/// A block's gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockStatistics {
    /// The block's name.
    pub name: String,
    /// Root mean square of its gradient.
    pub gradient: f64,
    /// Root mean square of its parameters.
    pub parameters: f64,
}

/// Samples that are looked at, at most.
const SAMPLES: usize = 1024;
/// Share of units or outputs from which it is a finding.
const MANY: f64 = 0.5;
/// Ratio of gradients from which they explode, and below whose inverse they vanish.
const FAR: f64 = 1e3;
/// Relative changes by one update between which a rate is sound.
const SOUND: (f64, f64) = (1e-6, 0.1);
/// Size of a feature's mean or deviation from which it is unscaled.
const SCALED: f64 = 10.0;

impl<F: Scalar> Run<F> {
    /// Looks at the first 1,024 samples: inputs, each layer's outputs, each block's gradient, and
    /// what one update would do. The run stays as it is.
    ///
    /// ```
    /// # use slalom_layers::{Activation, Dense, Network};
    /// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
    /// # use slalom_train::{Config, Run};
    /// # let network = Network::<f64>::new(2, [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()])?;
    /// # let run = Run::new(network, Config::default(), Threads::one())?;
    /// let x = from_rows(&[[1.0, 500.0], [-1.0, 900.0]]);
    /// let diagnosis = run.diagnose(Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?)?;
    /// assert_eq!(
    ///     diagnosis.findings[0].to_string(),
    ///     "feature 1 has mean 700 and deviation 200: standardise the inputs"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Samples that do not fit, a network that cannot be cut (boxed layers), a gradient that is not
    /// finite.
    pub fn diagnose(&self, samples: Samples<'_, F>) -> Result<Diagnosis, TrainError> {
        self.check(&samples)?;
        let spec = self.network.spec().ok_or(TrainError::NoSpecs)?;
        let count = samples.len().min(SAMPLES);
        let data = BatchView {
            inputs: samples.inputs_range(0, count),
            targets: samples.targets_range(0, count),
            weights: samples.weights().map(|weights| &weights[..count]),
            largest: None,
        };
        let layers = self.layer_statistics(&spec, data)?;
        let (blocks, update, rate) = self.block_statistics(data)?;
        let mut findings = unscaled(data);
        findings.extend(
            layers
                .iter()
                .filter(|l| l.dead > MANY)
                .map(|l| Finding::Dead { layer: l.layer, share: l.dead }),
        );
        findings.extend(
            layers
                .iter()
                .filter(|l| l.saturated > MANY)
                .map(|l| Finding::Saturated { layer: l.layer, share: l.saturated }),
        );
        findings.extend(self.gradients(&blocks));
        if update > SOUND.1 {
            findings.push(Finding::RateTooHigh { update, rate });
        } else if update < SOUND.0 {
            findings.push(Finding::RateTooLow { update, rate });
        }
        Ok(Diagnosis { layers, blocks, update, findings })
    }

    /// Each layer's outputs, from networks that end behind it.
    fn layer_statistics(
        &self,
        spec: &NetworkSpec,
        data: BatchView<'_, F>,
    ) -> Result<Vec<LayerStatistics>, TrainError> {
        let statistics = |layer: usize| {
            let layers = spec.layers[..=layer].to_vec();
            let part = NetworkSpec { layers, inputs: spec.inputs, frozen: Vec::new() };
            let part = part.build::<F>()?;
            let y = part.predict(&self.params[..part.len()], data.inputs, &self.threads)?;
            Ok(of_layer(layer, &spec.layers[layer], &y))
        };
        (0..spec.layers.len()).map(statistics).collect()
    }

    /// Each block's gradient, the relative change of all parameters by one update, and its rate.
    fn block_statistics(
        &self,
        data: BatchView<'_, F>,
    ) -> Result<(Vec<BlockStatistics>, f64, f64), TrainError> {
        let mut tape = self.network.tape(data.inputs.ncols());
        let pass = Pass { mode: Mode::Predict, layer: 0, threads: &self.threads };
        self.network.forward(&self.params, data.inputs, &mut tape, &pass);
        let (outputs, deltas) = tape.ends();
        self.config.loss.evaluate(outputs, data.targets, data.weights, Some(deltas));
        let mut grads = vec![F::zero(); self.params.len()];
        self.network.backward(&self.params, data.inputs, &mut tape, &mut grads, &pass);
        let rms = |part: &[F]| (squared_norm(part) / part.len().max(1) as f64).sqrt();
        let learns =
            self.network.blocks().iter().filter(|b| b.kind != Kind::Statistic && !b.frozen);
        let blocks = learns.map(|block| BlockStatistics {
            name: block.name.clone(),
            gradient: rms(&grads[block.range.clone()]),
            parameters: rms(&self.params[block.range.clone()]),
        });
        let blocks = blocks.collect();

        let rate = self.rate();
        let mut moved = self.params.clone();
        self.optimizer.clone().step(rate, &mut moved, &grads)?;
        let change: Vec<F> = moved.iter().zip(&self.params).map(|(&a, &b)| a - b).collect();
        let size = squared_norm(&self.params).sqrt();
        let update = if size > 0.0 { squared_norm(&change).sqrt() / size } else { 0.0 };
        Ok((blocks, update, rate))
    }

    /// Weights whose gradients are far from the last one's.
    fn gradients(&self, blocks: &[BlockStatistics]) -> Vec<Finding> {
        let is_weight = |name: &str| {
            self.network.blocks().iter().any(|b| b.name == name && b.kind == Kind::Weight)
        };
        let weights: Vec<_> = blocks.iter().filter(|b| is_weight(&b.name)).collect();
        let Some((last, earlier)) = weights.split_last().filter(|(l, _)| l.gradient > 0.0) else {
            return Vec::new();
        };
        let found = earlier.iter().filter_map(|block| {
            let (name, ratio) = (block.name.clone(), block.gradient / last.gradient);
            match ratio {
                r if r > FAR => Some(Finding::Exploding { block: name, ratio }),
                r if r < 1.0 / FAR => Some(Finding::Vanishing { block: name, ratio }),
                _ => None,
            }
        });
        found.collect()
    }
}

fn of_layer<F: Scalar>(layer: usize, spec: &LayerSpec, y: &Matrix<F>) -> LayerStatistics {
    let count = y.len().max(1) as f64;
    let mean = y.iter().map(|v| v.wide()).sum::<f64>() / count;
    let variance = y.iter().map(|v| (v.wide() - mean).powi(2)).sum::<f64>() / count;
    let dead = y.row_iter().filter(|row| row.iter().all(|v| *v == F::zero())).count();
    let activation = match spec {
        LayerSpec::Dense(dense) => dense.activation,
        LayerSpec::Activation(activation) => *activation,
        _ => Activation::Identity,
    };
    let saturated = match bounds(activation) {
        Some((low, high)) => {
            let edge = 0.01 * (high - low) / 2.0;
            let at_bound = |v: f64| v < low + edge || v > high - edge;
            y.iter().filter(|v| at_bound(v.wide())).count() as f64 / count
        }
        None => 0.0,
    };
    let dead = dead as f64 / y.nrows().max(1) as f64;
    LayerStatistics { layer, mean, deviation: variance.sqrt(), dead, saturated }
}

/// The values that an activation with two bounds lies between.
fn bounds(activation: Activation) -> Option<(f64, f64)> {
    match activation {
        Activation::Tanh | Activation::Softsign => Some((-1.0, 1.0)),
        Activation::Sigmoid | Activation::HardSigmoid => Some((0.0, 1.0)),
        Activation::LecunTanh => Some((-1.7159, 1.7159)),
        Activation::HardTanh { min, max } => Some((min, max)),
        _ => None,
    }
}

/// The feature that is furthest from mean 0 and deviation 1, if it is far.
fn unscaled<F: Scalar>(data: BatchView<'_, F>) -> Vec<Finding> {
    let count = data.inputs.ncols() as f64;
    let worst = (data.inputs.row_iter().enumerate())
        .map(|(feature, row)| {
            let mean = row.iter().map(|v| v.wide()).sum::<f64>() / count;
            let variance = row.iter().map(|v| (v.wide() - mean).powi(2)).sum::<f64>() / count;
            (feature, mean, variance.sqrt())
        })
        .max_by(|a, b| a.1.abs().max(a.2).total_cmp(&b.1.abs().max(b.2)));
    let far = worst.filter(|(_, mean, deviation)| mean.abs().max(*deviation) > SCALED);
    far.map(|(feature, mean, deviation)| Finding::Unscaled { feature, mean, deviation })
        .into_iter()
        .collect()
}
