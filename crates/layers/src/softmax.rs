//! Softmax and its logarithm, as layers.
//!
//! A network that is trained with [`CrossEntropy`](crate::CrossEntropy) needs neither: that loss
//! takes logits.

use slalom_tensor::elementary::{exp, ln};
use slalom_tensor::{Scalar, vectorize};

use crate::layer::copy_columns;
use crate::{Backward, Forward, Layer, LayerError, Pass};

/// Softmax over the outputs of each sample: `y = eˣ / Σ eˣ`, finite for any finite x.
///
/// Derivative: `dx = y·(dy − Σ dy·y)`. Same as PyTorch's and Keras's over the features.
///
/// ```
/// use slalom_layers::{Dense, Network, Softmax};
/// let network = Network::<f64>::new(4, [Dense::linear(3).into(), Softmax {}.into()])?;
/// assert_eq!(network.outputs(), 3);
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Softmax {}

/// The logarithm of softmax: `y = x − ln Σ eˣ`, without the loss of digits of taking it afterwards.
///
/// Derivative: `dx = dy − eʸ·Σ dy`. Same as PyTorch's `log_softmax` over the features.
///
/// ```
/// use slalom_layers::{Dense, LogSoftmax, Network};
/// let network = Network::<f64>::new(4, [Dense::linear(3).into(), LogSoftmax {}.into()])?;
/// assert_eq!(network.outputs(), 3);
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogSoftmax {}

/// Replaces the logits of samples, so many each, by their softmax. The exponentials, which cost more than
/// all the rest, of all of them at once.
pub(crate) fn softmax<F: Scalar>(x: &mut [F], rows: usize) {
    for column in x.chunks_exact_mut(rows) {
        let top = largest(column);
        column.iter_mut().for_each(|v| *v -= top);
    }
    vectorize(
        #[inline(always)]
        || x.iter_mut().for_each(|v| *v = exp(*v)),
    );
    for column in x.chunks_exact_mut(rows) {
        let sum: F = column.iter().copied().sum();
        column.iter_mut().for_each(|v| *v /= sum);
    }
}

/// Replaces the logits of one sample by the logarithms of their softmax.
pub(crate) fn log_softmax<F: Scalar>(x: &mut [F]) {
    let top = largest(x);
    let sum: F = x.iter().map(|&v| exp(v - top)).sum();
    let log_sum = ln(sum);
    x.iter_mut().for_each(|v| *v = (*v - top) - log_sum);
}

pub(crate) fn largest<F: Scalar>(x: &[F]) -> F {
    x.iter().copied().fold(F::neg_infinity(), F::max)
}

impl<F: Scalar> Layer<F> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        Ok(inputs)
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
        softmax(at.y, at.x.nrows());
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let (Some(dx), rows) = (at.dx, at.x.nrows()) else { return };
        let columns = at.y.chunks_exact(rows).zip(at.dy.chunks_exact(rows));
        for (dx, (y, dy)) in dx.chunks_exact_mut(rows).zip(columns) {
            let dot: F = y.iter().zip(dy).map(|(&y, &d)| y * d).sum();
            for (dx, (&y, &d)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                *dx = y * (d - dot);
            }
        }
    }
}

impl<F: Scalar> Layer<F> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log softmax"
    }

    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        Ok(inputs)
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
        at.y.chunks_exact_mut(at.x.nrows()).for_each(log_softmax);
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let (Some(dx), rows) = (at.dx, at.x.nrows()) else { return };
        let columns = at.y.chunks_exact(rows).zip(at.dy.chunks_exact(rows));
        for (dx, (y, dy)) in dx.chunks_exact_mut(rows).zip(columns) {
            let sum: F = dy.iter().copied().sum();
            for (dx, (&y, &d)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                *dx = d - exp(y) * sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_logits_stay_finite() {
        let mut y = [800.0, -800.0, 799.0];
        softmax(&mut y, 3);
        assert!((y[0] - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-15 && y[1] == 0.0);
        let mut y = [800.0, -800.0_f32];
        log_softmax(&mut y);
        assert_eq!(y, [0.0, -1600.0]);
    }
}
