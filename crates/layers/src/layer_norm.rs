//! Layer normalisation: each sample by itself.

use slalom_tensor::Scalar;

use crate::error::require;
use crate::layer::{BLOCK, blocks};
use crate::{Backward, Forward, Init, Kind, Layer, LayerError, Parameter, Pass};

/// Layer normalisation: `y = scale·(x − μ)/√(σ² + eps) + shift`, with mean and (biased) variance
/// over the units of one sample. The same while training and for use.
///
/// | field | default | |
/// |---|---|---|
/// | `eps` | 1e-5 | above 0 (PyTorch's; Keras 1e-3) |
///
/// ```
/// use slalom_layers::{Activation, Dense, LayerNorm, Network};
/// let layers = [Dense::linear(8).into(), LayerNorm::default().into(), Activation::Gelu.into()];
/// let network = Network::<f64>::new(4, layers)?;
/// assert_eq!(network.block("1.shift")?.shape, (8, 1));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Ba, Kiros and Hinton 2016, "Layer normalization".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LayerNorm {
    /// Added to the variance, finite and above 0.
    pub eps: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { eps: 1e-5 }
    }
}

impl<F: Scalar> Layer<F> for LayerNorm {
    fn name(&self) -> &'static str {
        "layer norm"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        let eps = self.eps;
        require(eps.is_finite() && eps > 0.0, layer, "eps", eps, "finite and above 0")?;
        Ok(inputs)
    }

    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        vec![
            Parameter::new("scale", Kind::Scale, (inputs, 1), Init::Constant(1.0)),
            Parameter::new("shift", Kind::Bias, (inputs, 1), Init::Constant(0.0)),
        ]
    }

    /// Mean and inverse deviation of each sample.
    fn cache(&self, _inputs: usize, samples: usize) -> usize {
        2 * samples
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        let units = at.x.nrows();
        let (scale, shift) = at.params.split_at(units);
        let samples = at.x.column_iter().zip(at.y.chunks_exact_mut(units));
        for ((x, y), kept) in samples.zip(at.cache.chunks_exact_mut(2)) {
            let x = x.as_slice();
            let n = units as f64;
            let mean = x.iter().map(|v| v.wide()).sum::<f64>() / n;
            let variance = x.iter().map(|v| (v.wide() - mean).powi(2)).sum::<f64>() / n;
            let (mean, inverse) = (F::of(mean), F::of(1.0 / (variance + self.eps).sqrt()));
            kept.copy_from_slice(&[mean, inverse]);
            let per_unit = scale.iter().zip(shift);
            for ((y, &x), (&scale, &shift)) in y.iter_mut().zip(x).zip(per_unit) {
                *y = (x - mean) * inverse * scale + shift;
            }
        }
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let units = at.x.nrows();
        let scale = &at.params[..units];
        let (dscale, dshift) = at.grads.split_at_mut(units);
        for rows in blocks(units) {
            let (mut along, mut total) = ([0.0; BLOCK], [0.0; BLOCK]);
            let samples = at.x.column_iter().zip(at.dy.chunks_exact(units));
            for ((x, dy), kept) in samples.zip(at.cache.chunks_exact(2)) {
                let pairs = x.as_slice()[rows.clone()].iter().zip(&dy[rows.clone()]);
                for (i, (&x, &dy)) in pairs.enumerate() {
                    along[i] += dy.wide() * ((x - kept[0]) * kept[1]).wide();
                    total[i] += dy.wide();
                }
            }
            dscale[rows.clone()].iter_mut().zip(along).for_each(|(d, v)| *d = F::of(v));
            dshift[rows].iter_mut().zip(total).for_each(|(d, v)| *d = F::of(v));
        }
        let Some(dx) = at.dx else { return };
        let samples = at.x.column_iter().zip(at.dy.chunks_exact(units));
        let results = dx.chunks_exact_mut(units).zip(at.cache.chunks_exact(2));
        for ((x, dy), (dx, kept)) in samples.zip(results) {
            let (x, mean, inverse) = (x.as_slice(), kept[0], kept[1]);
            let (mut along, mut total) = (0.0, 0.0);
            for ((&x, &dy), &scale) in x.iter().zip(dy).zip(scale) {
                let d = (dy * scale).wide();
                along += d * ((x - mean) * inverse).wide();
                total += d;
            }
            let n = units as f64;
            let (along, total) = (F::of(along / n), F::of(total / n));
            for ((dx, (&x, &dy)), &scale) in dx.iter_mut().zip(x.iter().zip(dy)).zip(scale) {
                *dx = inverse * (dy * scale - total - (x - mean) * inverse * along);
            }
        }
    }
}
