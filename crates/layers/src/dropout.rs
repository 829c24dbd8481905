//! Dropout, in the inverted and in the paper's classical form.

use slalom_regularize::{MASK_PIECE, classical_mask_from, dropout_mask_from};
use slalom_tensor::{Scalar, vectorize};

use crate::error::require;
use crate::layer::{PIECE, product, scale_columns};
use crate::{Backward, Forward, Layer, LayerError, Mode, Pass};

/// Sets random activations to zero while training, so that units do not rely on each other.
///
/// | form | training | prediction |
/// |---|---|---|
/// | [`Inverted`](DropoutForm::Inverted) (default) | `y = x·m/(1 − rate)` | `y = x` |
/// | [`Classical`](DropoutForm::Classical) | `y = x·m` | `y = x·(1 − rate)` |
///
/// m is 0 with probability `rate`, else 1: a function of (seed, step, layer), never the same twice
/// in a run and the same again on resume. Scaling the activations of use by 1 − rate is scaling
/// the outgoing weights by the probability to keep, as the paper says. Both forms agree in
/// expectation.
///
/// Differs from the paper, whose p is the probability to *keep*: `rate` = 1 − p, as in Keras and
/// PyTorch.
///
/// Reference: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
/// overfitting".
///
/// ```
/// use slalom_layers::{Activation, Dense, Dropout, LayerSpec};
/// let hidden: [LayerSpec; 2] = [Dense::new(512, Activation::Relu).into(), Dropout::new(0.5).into()];
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dropout {
    /// The probability to drop, at least 0 and below 1. At 0 nothing changes, to the bit.
    pub rate: f64,
    /// Where the scale is made up for.
    #[serde(default)]
    pub form: DropoutForm,
}

/// When dropout makes up for what it takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DropoutForm {
    /// While training: what is kept is divided by 1 − rate.
    #[default]
    Inverted,
    /// In use: everything is multiplied by 1 − rate.
    Classical,
}

impl Dropout {
    /// Inverted dropout with this probability to drop.
    pub fn new(rate: f64) -> Self {
        Self { rate, form: DropoutForm::Inverted }
    }

    /// The paper's dropout with this probability to *keep*.
    pub fn classical(keep: f64) -> Self {
        Self { rate: 1.0 - keep, form: DropoutForm::Classical }
    }
}

impl<F: Scalar> Layer<F> for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        checked_width(self.rate, inputs, layer)
    }

    /// The mask.
    fn cache(&self, inputs: usize, samples: usize) -> usize {
        inputs * samples
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let rows = at.x.nrows();
        pass.threads.pairs(at.cache, at.y, piece(rows), &|first, mask, y| {
            match (pass.mode, self.form) {
                (Mode::Train { seed, step }, DropoutForm::Inverted) => vectorize(
                    #[inline(always)]
                    || dropout_mask_from(first, seed, step, pass.layer, self.rate, mask),
                ),
                (Mode::Train { seed, step }, DropoutForm::Classical) => vectorize(
                    #[inline(always)]
                    || classical_mask_from(first, seed, step, pass.layer, 1.0 - self.rate, mask),
                ),
                (Mode::Predict, DropoutForm::Inverted) => mask.fill(F::one()),
                (Mode::Predict, DropoutForm::Classical) => mask.fill(F::of(1.0 - self.rate)),
            }
            scale_columns(at.x.columns(first / rows, y.len() / rows), mask, y);
        });
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        backward_by_mask(at, pass);
    }
}

/// How many numbers a task takes: whole columns, and whole pieces of a mask.
fn piece(rows: usize) -> usize {
    // a multiple of 2ⁿ rows is one of 4 with 2²⁻ⁿ columns
    let columns = MASK_PIECE >> rows.trailing_zeros().min(MASK_PIECE.trailing_zeros());
    rows * PIECE.div_ceil(rows).next_multiple_of(columns)
}

/// The width of every kind of dropout, if its rate is one.
pub(crate) fn checked_width(rate: f64, inputs: usize, layer: usize) -> Result<usize, LayerError> {
    require((0.0..1.0).contains(&rate), layer, "rate", rate, "at least 0 and below 1")?;
    Ok(inputs)
}

/// The backward pass of every kind: times what the forward pass left in the cache.
pub(crate) fn backward_by_mask<F: Scalar>(at: Backward<'_, F>, pass: &Pass<'_>) {
    let Some(dx) = at.dx else { return };
    let (dy, mask) = (&*at.dy, &*at.cache);
    pass.threads.pieces(dx, PIECE, &|first, dx| {
        let range = first..first + dx.len();
        product(&dy[range.clone()], &mask[range], dx);
    });
}
