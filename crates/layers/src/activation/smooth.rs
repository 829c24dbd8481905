//! Activations that bend smoothly from 0 to x.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

use slalom_tensor::Scalar;
use slalom_tensor::elementary::{exp, tanh};

use super::Curve;
use super::squashing::sigmoid;

/// x·Φ(x) = ½x·(1 + erf(x/√2))
#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl<F: Scalar> Curve<F> for Gelu {
    const NEEDS_X: bool = true;

    #[inline(always)]
    fn value(self, x: F) -> F {
        x * normal(x)
    }

    #[inline(always)]
    fn slope(self, x: F, _: F) -> F {
        // Φ + x·φ
        let density = F::of(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * (F::of(-0.5) * x * x).exp();
        normal(x) + x * density
    }
}

/// Φ(x): the share of the standard normal distribution below x.
#[inline(always)]
fn normal<F: Scalar>(x: F) -> F {
    // the complement keeps its digits far below 0
    F::of(0.5 * libm::erfc(-x.wide() * FRAC_1_SQRT_2))
}

/// ½x·(1 + tanh(√(2/π)·(x + 0.044715x³)))
#[derive(Clone, Copy)]
pub(super) struct GeluTanh;

const CUBIC: f64 = 0.044715;
/// √(2/π)
const SLOPE: f64 = FRAC_2_SQRT_PI * SQRT_2 / 2.0;

impl GeluTanh {
    #[inline(always)]
    fn tanh<F: Scalar>(x: F) -> F {
        tanh(F::of(SLOPE) * (x + F::of(CUBIC) * x * x * x))
    }
}

impl<F: Scalar> Curve<F> for GeluTanh {
    const NEEDS_X: bool = true;

    #[inline(always)]
    fn value(self, x: F) -> F {
        F::of(0.5) * x * (F::one() + Self::tanh(x))
    }

    #[inline(always)]
    fn slope(self, x: F, _: F) -> F {
        let (half, t) = (F::of(0.5), Self::tanh(x));
        let inner = F::of(SLOPE) * (F::one() + F::of(3.0 * CUBIC) * x * x);
        half * (F::one() + t) + half * x * (F::one() - t * t) * inner
    }
}

/// x·σ(x)
#[derive(Clone, Copy)]
pub(super) struct Silu;

impl<F: Scalar> Curve<F> for Silu {
    const NEEDS_X: bool = true;

    #[inline(always)]
    fn value(self, x: F) -> F {
        x * sigmoid(x)
    }

    #[inline(always)]
    fn slope(self, x: F, _: F) -> F {
        let s = sigmoid(x);
        s * (F::one() + x * (F::one() - s))
    }
}

/// x·tanh(ln(1 + eˣ))
#[derive(Clone, Copy)]
pub(super) struct Mish;

impl<F: Scalar> Curve<F> for Mish {
    const NEEDS_X: bool = true;

    #[inline(always)]
    fn value(self, x: F) -> F {
        x * tanh_softplus(x)
    }

    #[inline(always)]
    fn slope(self, x: F, _: F) -> F {
        let t = tanh_softplus(x);
        t + x * sigmoid(x) * (F::one() - t * t)
    }
}

/// tanh(ln(1 + eˣ)) = n/(n + 2) with n = eˣ·(eˣ + 2)
#[inline(always)]
fn tanh_softplus<F: Scalar>(x: F) -> F {
    // 1 to the last bit from here on; a NaN passes the comparison
    let e = exp(if x > F::of(20.0) { F::of(20.0) } else { x });
    let n = e * (e + F::of(2.0));
    n / (n + F::of(2.0))
}

/// ln(1 + eˣ), without overflow.
#[inline(always)]
pub(crate) fn softplus<F: Scalar>(x: F) -> F {
    (-x.abs()).exp().ln_1p() + if x > F::zero() { x } else { F::zero() }
}

/// ln(1 + e^(beta·x))/beta, x where beta·x > threshold.
#[derive(Clone, Copy)]
pub(super) struct Softplus<F> {
    beta: F,
    threshold: F,
}

impl<F: Scalar> Softplus<F> {
    pub(super) fn new(beta: f64, threshold: f64) -> Self {
        Self { beta: F::of(beta), threshold: F::of(threshold) }
    }
}

impl<F: Scalar> Curve<F> for Softplus<F> {
    const NEEDS_X: bool = true;

    #[inline(always)]
    fn value(self, x: F) -> F {
        let z = self.beta * x;
        if z > self.threshold { x } else { softplus(z) / self.beta }
    }

    #[inline(always)]
    fn slope(self, x: F, _: F) -> F {
        let z = self.beta * x;
        if z > self.threshold { F::one() } else { sigmoid(z) }
    }
}
