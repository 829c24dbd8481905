//! Activations whose outputs stay between two bounds.

use slalom_tensor::Scalar;
use slalom_tensor::elementary::{exp, tanh};

use super::Curve;

/// σ(x) = 1/(1 + e⁻ˣ)
#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

impl<F: Scalar> Curve<F> for Sigmoid {
    #[inline(always)]
    fn value(self, x: F) -> F {
        sigmoid(x)
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        y * (F::one() - y)
    }
}

/// 1/(1 + e⁻ˣ), without overflow on either side.
#[inline(always)]
pub(crate) fn sigmoid<F: Scalar>(x: F) -> F {
    let e = exp(-x.abs());
    let positive = F::one() / (F::one() + e);
    if x >= F::zero() { positive } else { e * positive }
}

/// clip(x/6 + ½, 0, 1)
#[derive(Clone, Copy)]
pub(super) struct HardSigmoid;

impl<F: Scalar> Curve<F> for HardSigmoid {
    #[inline(always)]
    fn value(self, x: F) -> F {
        clip(x + F::of(3.0), F::zero(), F::of(6.0)) / F::of(6.0)
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        if y > F::zero() && y < F::one() { F::of(1.0 / 6.0) } else { F::zero() }
    }
}

/// tanh x
#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl<F: Scalar> Curve<F> for Tanh {
    #[inline(always)]
    fn value(self, x: F) -> F {
        tanh(x)
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        F::one() - y * y
    }
}

/// 1.7159·tanh(2x/3)
#[derive(Clone, Copy)]
pub(super) struct LecunTanh;

/// The height and the steepness of LeCun et al. 1998, §4.4.
const HEIGHT: f64 = 1.7159;
const STEEPNESS: f64 = 2.0 / 3.0;

impl<F: Scalar> Curve<F> for LecunTanh {
    #[inline(always)]
    fn value(self, x: F) -> F {
        F::of(HEIGHT) * tanh(F::of(STEEPNESS) * x)
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        F::of(STEEPNESS) * (F::of(HEIGHT) - y * y * F::of(1.0 / HEIGHT))
    }
}

/// clip(x, min, max)
#[derive(Clone, Copy)]
pub(super) struct HardTanh<F>(pub(super) F, pub(super) F);

impl<F: Scalar> Curve<F> for HardTanh<F> {
    #[inline(always)]
    fn value(self, x: F) -> F {
        clip(x, self.0, self.1)
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        if y > self.0 && y < self.1 { F::one() } else { F::zero() }
    }
}

/// x/(1 + |x|)
#[derive(Clone, Copy)]
pub(super) struct Softsign;

impl<F: Scalar> Curve<F> for Softsign {
    #[inline(always)]
    fn value(self, x: F) -> F {
        x / (F::one() + x.abs())
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        let rest = F::one() - y.abs();
        rest * rest
    }
}

/// x between the bounds, and NaN where x is NaN.
#[inline(always)]
fn clip<F: Scalar>(x: F, min: F, max: F) -> F {
    let x = if x < min { min } else { x };
    if x > max { max } else { x }
}
