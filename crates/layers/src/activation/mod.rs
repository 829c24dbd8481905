//! Activations: element-wise functions, as layers of their own or fused behind a dense layer.

mod rectified;
mod smooth;
mod squashing;

use slalom_tensor::{Scalar, ViewMut, vectorize};

use crate::error::require;
use crate::layer::copy_columns;
use crate::{Backward, Forward, Layer, LayerError, Pass};
use rectified::{Elu, LeakyRelu, Relu};
use smooth::{Gelu, GeluTanh, Mish, Silu, Softplus};
use squashing::{HardSigmoid, HardTanh, LecunTanh, Sigmoid, Softsign, Tanh};

pub(crate) use squashing::sigmoid;

/// An element-wise function and its derivative.
///
/// Values and derivatives are PyTorch's, also at 0, at kinks and far out (±800), where none of them
/// overflows.
///
/// | | f(x) | reference |
/// |---|---|---|
/// | `Identity` | x | |
/// | `Relu` | max(x, 0) | Nair & Hinton 2010 |
/// | `LeakyRelu` | x, or slope·x below 0 | Maas et al. 2013 |
/// | `Elu` | x, or alpha·(eˣ − 1) below 0 | Clevert et al. 2016 |
/// | `Selu` | 1.0507·ELU with alpha 1.6733 | Klambauer et al. 2017 |
/// | `Gelu` | x·Φ(x), Φ the normal distribution | Hendrycks & Gimpel 2016 |
/// | `GeluTanh` | ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))) | the same |
/// | `Silu` | x·σ(x) | Elfwing et al. 2018 |
/// | `Mish` | x·tanh(softplus(x)) | Misra 2019 |
/// | `Softplus` | ln(1 + e^(beta·x))/beta, x where beta·x > threshold | Dugas et al. 2001 |
/// | `Softsign` | x/(1 + \|x\|) | Bergstra et al. 2009 |
/// | `Sigmoid` | σ(x) = 1/(1 + e⁻ˣ) | |
/// | `HardSigmoid` | clip(x/6 + ½, 0, 1) | Courbariaux et al. 2015 |
/// | `Tanh` | tanh x | |
/// | `LecunTanh` | 1.7159·tanh(2x/3) | LeCun et al. 1998 |
/// | `HardTanh` | clip(x, min, max) | Collobert 2004 |
///
/// ```
/// use slalom_layers::Activation;
/// let mut y = [-1.0, 0.0, 2.0];
/// Activation::LeakyRelu { slope: 0.1 }.apply(&mut y);
/// assert_eq!(y, [-0.1, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Activation {
    /// x
    #[default]
    Identity,
    /// max(x, 0); derivative 0 at 0.
    Relu,
    /// x, or slope·x below 0.
    LeakyRelu {
        /// Finite and at least 0; PyTorch's default is 0.01, Keras's 0.3.
        slope: f64,
    },
    /// x, or alpha·(eˣ − 1) below 0.
    Elu {
        /// Finite and above 0; 1 everywhere by default.
        alpha: f64,
    },
    /// The ELU that keeps mean 0 and variance 1 under LeCun-normal weights.
    Selu,
    /// x·Φ(x), exactly.
    Gelu,
    /// x·Φ(x) by the tanh approximation.
    GeluTanh,
    /// x·σ(x), also called swish.
    Silu,
    /// x·tanh(softplus(x))
    Mish,
    /// A smooth max(x, 0).
    Softplus {
        /// Sharpness, finite and above 0; 1 by default.
        beta: f64,
        /// Where the function becomes x; 20 by default.
        threshold: f64,
    },
    /// x/(1 + |x|)
    Softsign,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// clip(x/6 + ½, 0, 1); PyTorch's and Keras 3's, not the older slope of 0.2.
    HardSigmoid,
    /// tanh x
    Tanh,
    /// 1.7159·tanh(2x/3): f(±1) = ±1, as in LeCun's "Efficient BackProp".
    LecunTanh,
    /// clip(x, min, max)
    HardTanh {
        /// The least output, finite; −1 by default.
        min: f64,
        /// The largest output, finite and above `min`; 1 by default.
        max: f64,
    },
}

/// A function of one number and its derivative.
trait Curve<F: Scalar>: Copy {
    /// Whether the derivative needs x; otherwise y is enough, and x is not to be read.
    const NEEDS_X: bool = false;

    /// f(x)
    fn value(self, x: F) -> F;

    /// f′(x), where y = f(x)
    fn slope(self, x: F, y: F) -> F;
}

/// Runs `$body` with `$curve` standing for the activation's curve: the one choice, made outside of
/// every loop.
macro_rules! with_curve {
    ($activation:expr, $curve:ident => $body:expr, identity => $identity:expr) => {{
        macro_rules! arm {
            ($value:expr) => {{
                let $curve = $value;
                $body
            }};
        }
        match $activation {
            Activation::Identity => $identity,
            Activation::Relu => arm!(Relu),
            Activation::LeakyRelu { slope } => arm!(LeakyRelu(F::of(slope))),
            Activation::Elu { alpha } => arm!(Elu::new(alpha)),
            Activation::Selu => arm!(Elu::selu()),
            Activation::Gelu => arm!(Gelu),
            Activation::GeluTanh => arm!(GeluTanh),
            Activation::Silu => arm!(Silu),
            Activation::Mish => arm!(Mish),
            Activation::Softplus { beta, threshold } => arm!(Softplus::new(beta, threshold)),
            Activation::Softsign => arm!(Softsign),
            Activation::Sigmoid => arm!(Sigmoid),
            Activation::HardSigmoid => arm!(HardSigmoid),
            Activation::Tanh => arm!(Tanh),
            Activation::LecunTanh => arm!(LecunTanh),
            Activation::HardTanh { min, max } => arm!(HardTanh(F::of(min), F::of(max))),
        }
    }};
}

impl Activation {
    /// Checks the parameters; `layer` is the position that the error names.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(self, layer: usize) -> Result<(), LayerError> {
        match self {
            Self::LeakyRelu { slope: s } => {
                require(s.is_finite() && s >= 0.0, layer, "slope", s, "finite and at least 0")
            }
            Self::Elu { alpha } => require(
                alpha.is_finite() && alpha > 0.0,
                layer,
                "alpha",
                alpha,
                "finite and above 0",
            ),
            Self::Softplus { beta, threshold } => {
                require(beta.is_finite() && beta > 0.0, layer, "beta", beta, "finite and above 0")?;
                require(threshold.is_finite(), layer, "threshold", threshold, "finite")
            }
            Self::HardTanh { min, max } => {
                require(min.is_finite(), layer, "min", min, "finite")?;
                require(max.is_finite() && max > min, layer, "max", max, "finite and above min")
            }
            _ => Ok(()),
        }
    }

    /// Replaces each number by the function's value.
    pub fn apply<F: Scalar>(self, x: &mut [F]) {
        with_curve!(self, curve => apply(curve, x), identity => {});
    }

    /// Replaces each number of a part of a matrix by the function's value of it plus its row's bias.
    pub(crate) fn apply_biased<F: Scalar>(self, bias: &[F], part: ViewMut<'_, F>) {
        with_curve!(
            self,
            curve => apply_biased(#[inline(always)] |x| curve.value(x), bias, part),
            identity => apply_biased(#[inline(always)] |x| x, bias, part)
        );
    }

    /// Multiplies `dy` by the derivative at each `x`, where `y` are the outputs.
    ///
    /// Without [`needs_input`](Activation::needs_input), `x` is not read, and any slice will do.
    ///
    /// # Panics
    /// If the slices that are read differ in length.
    pub fn chain<F: Scalar>(self, x: &[F], y: &[F], dy: &mut [F]) {
        with_curve!(self, curve => chain(curve, x, y, dy), identity => {});
    }

    /// Whether the derivative is found from the inputs; otherwise the outputs are enough.
    pub fn needs_input(self) -> bool {
        fn needs_x<F: Scalar, C: Curve<F>>(_: C) -> bool {
            C::NEEDS_X
        }
        type F = f64;
        with_curve!(self, curve => needs_x::<F, _>(curve), identity => false)
    }
}

fn apply<F: Scalar, C: Curve<F>>(curve: C, x: &mut [F]) {
    vectorize(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x = curve.value(*x)),
    );
}

fn apply_biased<F: Scalar>(value: impl Fn(F) -> F, bias: &[F], mut part: ViewMut<'_, F>) {
    vectorize(
        #[inline(always)]
        || {
            for mut column in part.column_iter_mut() {
                for (y, &b) in column.as_mut_slice().iter_mut().zip(bias) {
                    *y = value(*y + b);
                }
            }
        },
    );
}

fn chain<F: Scalar, C: Curve<F>>(curve: C, x: &[F], y: &[F], dy: &mut [F]) {
    assert_eq!(y.len(), dy.len(), "outputs and their derivatives");
    let x = if C::NEEDS_X { x } else { y };
    assert_eq!(x.len(), dy.len(), "inputs and the outputs' derivatives");
    vectorize(
        #[inline(always)]
        || {
            for ((d, &y), &x) in dy.iter_mut().zip(y).zip(x) {
                *d *= curve.slope(x, y);
            }
        },
    );
}

impl<F: Scalar> Layer<F> for Activation {
    fn name(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky relu",
            Self::Elu { .. } => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu (tanh)",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus { .. } => "softplus",
            Self::Softsign => "softsign",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid => "hard sigmoid",
            Self::Tanh => "tanh",
            Self::LecunTanh => "lecun tanh",
            Self::HardTanh { .. } => "hard tanh",
        }
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        self.validate(layer).map(|()| inputs)
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
        self.apply(at.y);
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let Some(dx) = at.dx else { return };
        dx.copy_from_slice(at.dy);
        let rows = at.x.nrows();
        for (j, dx) in dx.chunks_exact_mut(rows).enumerate() {
            let column = at.x.column(j);
            self.chain(column.as_slice(), &at.y[j * rows..(j + 1) * rows], dx);
        }
    }
}

#[cfg(test)]
mod tests;
