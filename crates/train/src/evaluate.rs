//! A run without learning: losses, metrics and predictions.

use slalom_layers::{Mode, Pass};
use slalom_tensor::{Matrix, Samples, Scalar, View};

use crate::metrics::Metric;
use crate::{Run, Source, TrainError};

/// Samples that an evaluation takes through the network at a time.
const EVALUATE: usize = 256;

impl<F: Scalar> Run<F> {
    /// The mean loss over the samples, each with its weight, without dropout and penalties.
    ///
    /// # Errors
    /// Samples that do not fit the network or the loss, or cannot be read.
    pub fn evaluate(&mut self, samples: impl Source<F>) -> Result<f64, TrainError> {
        self.forward(&samples, &mut |_| ())
    }

    /// The loss, and every metric of the configuration over all samples.
    pub(crate) fn measure(
        &mut self,
        samples: &Samples<'_, F>,
    ) -> Result<(f64, Vec<(String, f64)>), TrainError> {
        if self.config.metrics.is_empty() {
            return Ok((self.evaluate(*samples)?, Vec::new()));
        }
        let mut outputs = Vec::with_capacity(self.network.outputs() * samples.len());
        let loss = self.forward(samples, &mut |batch| outputs.extend(batch.iter()))?;
        let outputs = View::from_slice(&outputs, self.network.outputs(), samples.len());
        let value = |metric: &Metric| match metric.evaluate(
            outputs,
            samples.targets(),
            samples.weights(),
        ) {
            Ok(value) => Ok((metric.name(), value)),
            Err(source) => Err(TrainError::Metric { metric: metric.name(), source }),
        };
        let metrics = self.config.metrics.iter().map(value).collect::<Result<_, _>>()?;
        Ok((loss, metrics))
    }

    /// Takes all samples through the network; returns the mean loss and shows each batch's outputs.
    fn forward(
        &mut self,
        samples: &impl Source<F>,
        seen: &mut dyn FnMut(View<'_, F>),
    ) -> Result<f64, TrainError> {
        self.check(samples)?;
        let tape = self.test_tape.get_or_insert_with(|| self.network.tape(EVALUATE));
        let pass = Pass { mode: Mode::Predict, layer: 0, threads: &self.threads };
        let (mut sum, mut total) = (0.0, 0.0);
        let all = samples.targets().len();
        for start in (0..all).step_by(EVALUATE) {
            let count = EVALUATE.min(all - start);
            let data = self.test_batches.get(samples, None, (start, count), &self.threads)?;
            self.network.check_inputs(data.inputs)?;
            self.network.forward(&self.params, data.inputs, tape, &pass);
            seen(tape.outputs());
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
}
