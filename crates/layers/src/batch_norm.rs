//! Batch normalisation, with running statistics for use.

use slalom_tensor::{Scalar, View};

use crate::error::require;
use crate::layer::{BLOCK, blocks};
use crate::{Backward, Forward, Init, Kind, Layer, LayerError, Mode, Parameter, Pass};

/// Batch normalisation: `y = scale·(x − μ)/√(σ² + eps) + shift`, unit by unit.
///
/// While training, μ and σ² are mean and (biased) variance over the batch; for use, they are the
/// running ones, which follow after each step by
///
/// ```text
/// running ← (1 − momentum)·running + momentum·batch        (with the unbiased variance)
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `momentum` | 0.1 | the weight of the new batch, in 0..=1 (PyTorch's; Keras's is 1 minus it, 0.01) |
/// | `eps` | 1e-5 | above 0 (PyTorch's; Keras 1e-3) |
/// | `cumulative` | false | follow the plain mean over all batches instead (PyTorch's `momentum=None`) |
///
/// The running statistics are blocks of kind [`Kind::Statistic`] in the slab: saved with the rest,
/// not touched by an optimizer. Keras follows the biased variance. A batch of one sample has
/// variance 0: its output is the shift (PyTorch refuses it).
///
/// ```
/// use slalom_layers::{Activation, BatchNorm, Dense, Network};
/// let hidden = Dense { bias: false, ..Dense::linear(8) }; // the shift is bias enough
/// let layers = [hidden.into(), BatchNorm::default().into(), Activation::Relu.into()];
/// let network = Network::<f64>::new(4, layers)?;
/// let names: Vec<_> = network.blocks().iter().map(|block| block.name.as_str()).collect();
/// assert_eq!(names[1..], ["1.scale", "1.shift", "1.running_mean", "1.running_variance"]);
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Ioffe and Szegedy 2015, "Batch normalization".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct BatchNorm {
    /// The weight of the new batch in the running statistics, in 0..=1.
    pub momentum: f64,
    /// Added to the variance, finite and above 0.
    pub eps: f64,
    /// The running statistics are the mean over all batches, whose number is one more block, and
    /// `momentum` is not read: for statistics gathered anew behind averaged weights.
    pub cumulative: bool,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { momentum: 0.1, eps: 1e-5, cumulative: false }
    }
}

impl<F: Scalar> Layer<F> for BatchNorm {
    fn name(&self) -> &'static str {
        "batch norm"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        let Self { momentum: m, eps, .. } = *self;
        require((0.0..=1.0).contains(&m), layer, "momentum", m, "in 0..=1")?;
        require(eps.is_finite() && eps > 0.0, layer, "eps", eps, "finite and above 0")?;
        Ok(inputs)
    }

    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        let block =
            |name, kind, rows, value| Parameter::new(name, kind, (rows, 1), Init::Constant(value));
        let mut blocks = vec![
            block("scale", Kind::Scale, inputs, 1.0),
            block("shift", Kind::Bias, inputs, 0.0),
            block("running_mean", Kind::Statistic, inputs, 0.0),
            block("running_variance", Kind::Statistic, inputs, 1.0),
        ];
        if self.cumulative {
            blocks.push(block("batches", Kind::Statistic, 1, 0.0));
        }
        blocks
    }

    /// Mean and variance of each unit.
    fn cache(&self, inputs: usize, _samples: usize) -> usize {
        2 * inputs
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let (units, samples) = at.x.shape();
        let (learned, running) = at.params.split_at(2 * units);
        match pass.mode {
            Mode::Predict => at.cache.copy_from_slice(&running[..2 * units]),
            Mode::Train { .. } => {
                let (means, variances) = at.cache.split_at_mut(units);
                for rows in blocks(units) {
                    let n = samples as f64;
                    let mean = sums(at.x, rows.clone(), |x, _| x, &[0.0; BLOCK]).map(|s| s / n);
                    let squares =
                        sums(at.x, rows.clone(), |x, mean| (x - mean) * (x - mean), &mean);
                    means[rows.clone()].iter_mut().zip(mean).for_each(|(m, v)| *m = F::of(v));
                    let variances = variances[rows].iter_mut().zip(squares);
                    variances.for_each(|(s, v)| *s = F::of(v / n));
                }
            }
        }
        let (scale, shift) = learned.split_at(units);
        let (means, variances) = at.cache.split_at(units);
        for rows in blocks(units) {
            let mut factors = [F::zero(); BLOCK];
            for (factor, i) in factors.iter_mut().zip(rows.clone()) {
                *factor = scale[i] * self.inverse_deviation(variances[i]);
            }
            for (x, y) in at.x.column_iter().zip(at.y.chunks_exact_mut(units)) {
                let (x, y) = (&x.as_slice()[rows.clone()], &mut y[rows.clone()]);
                let per_unit = means[rows.clone()].iter().zip(&shift[rows.clone()]).zip(&factors);
                for ((y, &x), ((&mean, &shift), &factor)) in y.iter_mut().zip(x).zip(per_unit) {
                    *y = (x - mean) * factor + shift;
                }
            }
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        let (units, samples) = at.x.shape();
        let scale = &at.params[..units];
        let (means, variances) = at.cache.split_at(units);
        let (dscale, rest) = at.grads.split_at_mut(units);
        let (dshift, statistics) = rest.split_at_mut(units);
        statistics.fill(F::zero());
        let mut dx = at.dx;
        for rows in blocks(units) {
            let (mut along, mut total) = ([0.0; BLOCK], [0.0; BLOCK]);
            let mut inverse = [F::zero(); BLOCK];
            for (inverse, i) in inverse.iter_mut().zip(rows.clone()) {
                *inverse = self.inverse_deviation(variances[i]);
            }
            for (x, dy) in at.x.column_iter().zip(at.dy.chunks_exact(units)) {
                let (x, dy) = (&x.as_slice()[rows.clone()], &dy[rows.clone()]);
                let means = &means[rows.clone()];
                for (i, ((&x, &dy), &mean)) in x.iter().zip(dy).zip(means).enumerate() {
                    along[i] += dy.wide() * ((x - mean) * inverse[i]).wide();
                    total[i] += dy.wide();
                }
            }
            dscale[rows.clone()].iter_mut().zip(along).for_each(|(d, v)| *d = F::of(v));
            dshift[rows.clone()].iter_mut().zip(total).for_each(|(d, v)| *d = F::of(v));
            let Some(dx) = dx.as_deref_mut() else { continue };
            // while training, the batch's statistics depend on x too
            let share = match pass.mode {
                Mode::Predict => 0.0,
                Mode::Train { .. } => 1.0 / samples as f64,
            };
            let (along, total) = (along.map(|v| F::of(v * share)), total.map(|v| F::of(v * share)));
            let columns = at.x.column_iter().zip(at.dy.chunks_exact(units));
            for ((x, dy), dx) in columns.zip(dx.chunks_exact_mut(units)) {
                let (x, dy) = (&x.as_slice()[rows.clone()], &dy[rows.clone()]);
                let per_unit = means[rows.clone()].iter().zip(&scale[rows.clone()]).enumerate();
                let dx = dx[rows.clone()].iter_mut();
                for ((dx, (&x, &dy)), (i, (&mean, &scale))) in
                    dx.zip(x.iter().zip(dy)).zip(per_unit)
                {
                    let normal = (x - mean) * inverse[i];
                    *dx = scale * inverse[i] * (dy - total[i] - normal * along[i]);
                }
            }
        }
    }

    fn settle(&self, params: &mut [F], inputs: usize, samples: usize, cache: &[F]) {
        let unbiased = samples as f64 / samples.saturating_sub(1).max(1) as f64;
        let (means, rest) = params[2 * inputs..].split_at_mut(inputs);
        let (variances, batches) = rest.split_at_mut(inputs);
        let (batch_means, batch_variances) = cache.split_at(inputs);
        let momentum = match batches.first_mut() {
            None => self.momentum,
            Some(batches) => {
                *batches += F::one();
                1.0 / batches.wide()
            }
        };
        let follow = |running: &mut F, batch: f64| {
            *running = F::of((1.0 - momentum) * running.wide() + momentum * batch);
        };
        means.iter_mut().zip(batch_means).for_each(|(r, b)| follow(r, b.wide()));
        variances.iter_mut().zip(batch_variances).for_each(|(r, b)| follow(r, unbiased * b.wide()));
    }
}

impl BatchNorm {
    #[inline(always)]
    fn inverse_deviation<F: Scalar>(&self, variance: F) -> F {
        F::of(1.0 / (variance.wide() + self.eps).sqrt())
    }
}

/// Σ over the samples of `term(x, of the row)`, for some rows.
fn sums<F: Scalar>(
    x: View<'_, F>,
    rows: std::ops::Range<usize>,
    term: impl Fn(f64, f64) -> f64,
    of_row: &[f64; BLOCK],
) -> [f64; BLOCK] {
    let mut sums = [0.0; BLOCK];
    for x in x.column_iter() {
        for ((sum, &x), &r) in sums.iter_mut().zip(&x.as_slice()[rows.clone()]).zip(of_row) {
            *sum += term(x.wide(), r);
        }
    }
    sums
}
