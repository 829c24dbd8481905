//! Alpha dropout: dropout that keeps mean and variance, for networks of SELUs.

use slalom_regularize::classical_mask;
use slalom_tensor::Scalar;

use crate::dropout::{backward_by_mask, checked_width};
use crate::layer::copy_columns;
use crate::{Backward, Forward, Layer, LayerError, Mode, Pass};

/// Alpha dropout: while training, each input is set to α′ = −1.7581 (where SELU saturates) with
/// probability `rate`, and all are mapped by `a·x + b` back to mean 0 and variance 1; for use,
/// nothing is done.
///
/// ```text
/// a = 1/√((1 − rate)·(1 + rate·α′²)),   b = −a·rate·α′
/// ```
///
/// Same as PyTorch's and Keras's `AlphaDropout`. The mask is f(seed, step, layer).
///
/// ```
/// use slalom_layers::{Activation, AlphaDropout, Dense, Init, Network};
/// let hidden = Dense { init: Init::LecunNormal, ..Dense::new(16, Activation::Selu) };
/// let layers = [hidden.into(), AlphaDropout { rate: 0.1 }.into(), Dense::linear(3).into()];
/// let network = Network::<f64>::new(4, layers)?;
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Klambauer et al. 2017, "Self-normalizing neural networks".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AlphaDropout {
    /// Probability to drop, in 0..1.
    pub rate: f64,
}

/// −scale·alpha of SELU
const SATURATED: f64 = -1.758_099_340_847_376_6;

impl AlphaDropout {
    /// a and b
    fn map(&self) -> (f64, f64) {
        let a = ((1.0 - self.rate) * (1.0 + self.rate * SATURATED * SATURATED)).sqrt().recip();
        (a, -a * self.rate * SATURATED)
    }
}

impl<F: Scalar> Layer<F> for AlphaDropout {
    fn name(&self) -> &'static str {
        "alpha dropout"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        checked_width(self.rate, inputs, layer)
    }

    /// The mask, times a.
    fn cache(&self, inputs: usize, samples: usize) -> usize {
        inputs * samples
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
        let slopes = at.cache;
        let Mode::Train { seed, step } = pass.mode else { return slopes.fill(F::one()) };
        classical_mask(seed, step, pass.layer, 1.0 - self.rate, slopes);
        let (a, b) = self.map();
        let (a, kept, dropped) = (F::of(a), F::of(b), F::of(a * SATURATED + b));
        for (y, slope) in at.y.iter_mut().zip(slopes) {
            *slope *= a;
            *y = if *slope > F::zero() { a * *y + kept } else { dropped };
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        backward_by_mask(at, pass);
    }
}
