//! Activations: element-wise functions, as layers of their own or fused behind a dense layer.

use slalom_tensor::Scalar;

use crate::{Backward, Forward, Layer, LayerError, Pass};

/// An element-wise function and its derivative.
///
/// ```
/// use slalom_layers::Activation;
/// let mut y = [-1.0, 0.0, 2.0];
/// Activation::Relu.apply(&mut y);
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Activation {
    /// x
    #[default]
    Identity,
    /// max(x, 0); derivative 0 at 0, as in PyTorch.
    Relu,
    /// tanh x
    Tanh,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
}

impl Activation {
    /// Replaces each number by the function's value.
    pub fn apply<F: Scalar>(self, x: &mut [F]) {
        match self {
            Self::Identity => {}
            Self::Relu => {
                x.iter_mut().for_each(|v| *v = if *v > F::zero() { *v } else { F::zero() })
            }
            Self::Tanh => x.iter_mut().for_each(|v| *v = v.tanh()),
            Self::Sigmoid => x.iter_mut().for_each(|v| *v = sigmoid(*v)),
        }
    }

    /// Multiplies `dy` by the derivative, which is found from the outputs `y`.
    pub fn chain<F: Scalar>(self, y: &[F], dy: &mut [F]) {
        let pairs = y.iter().zip(dy);
        match self {
            Self::Identity => {}
            Self::Relu => pairs.for_each(|(&y, d)| *d = if y > F::zero() { *d } else { F::zero() }),
            Self::Tanh => pairs.for_each(|(&y, d)| *d *= F::one() - y * y),
            Self::Sigmoid => pairs.for_each(|(&y, d)| *d *= y * (F::one() - y)),
        }
    }
}

/// 1/(1 + e⁻ˣ), without overflow on either side.
fn sigmoid<F: Scalar>(x: F) -> F {
    let e = (-x.abs()).exp();
    let positive = F::one() / (F::one() + e);
    if x >= F::zero() { positive } else { e * positive }
}

impl<F: Scalar> Layer<F> for Activation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        Ok(inputs)
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        at.x.iter().zip(&mut *at.y).for_each(|(&x, y)| *y = x);
        self.apply(at.y);
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        if let Some(dx) = at.dx {
            dx.copy_from_slice(at.dy);
            self.chain(at.y, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_saturates_without_nan() {
        let mut x = [-800.0, -1.0, 0.0, 1.0, 800.0];
        Activation::Sigmoid.apply(&mut x);
        assert_eq!((x[0], x[2], x[4]), (0.0, 0.5, 1.0));
        assert!((x[1] + x[3] - 1.0_f64).abs() < 1e-15);
    }
}
