//! Gaussian dropout: noise that multiplies, with the mean and the variance of dropout's.

use rand_distr::{Distribution, StandardNormal};
use slalom_tensor::{Purpose, Scalar, stream};

use crate::dropout::{backward_by_mask, checked_width};
use crate::layer::scale_columns;
use crate::{Backward, Forward, Layer, LayerError, Mode, Pass};

/// Gaussian dropout: while training, each input is multiplied by a draw from
/// N(1, rate/(1 − rate)); for use, nothing is done.
///
/// Same as Keras's `GaussianDropout`; PyTorch has none. The noise is f(seed, step, layer).
///
/// ```
/// use slalom_layers::{Dense, GaussianDropout, Network};
/// let network =
///     Network::<f64>::new(4, [GaussianDropout { rate: 0.2 }.into(), Dense::linear(3).into()])?;
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Srivastava et al. 2014, §10.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GaussianDropout {
    /// The dropout rate whose variance the noise has, in 0..1.
    pub rate: f64,
}

impl<F: Scalar> Layer<F> for GaussianDropout {
    fn name(&self) -> &'static str {
        "gaussian dropout"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        checked_width(self.rate, inputs, layer)
    }

    /// The noise.
    fn cache(&self, inputs: usize, samples: usize) -> usize {
        inputs * samples
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let noise = at.cache;
        match pass.mode {
            Mode::Predict => noise.fill(F::one()),
            Mode::Train { seed, step } => {
                let deviation = (self.rate / (1.0 - self.rate)).sqrt();
                let mut rng = stream(seed, Purpose::Noise, [step, pass.layer]);
                noise.fill_with(|| {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    F::of(1.0 + deviation * z)
                });
            }
        }
        scale_columns(at.x, noise, at.y);
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        backward_by_mask(at, pass);
    }
}
