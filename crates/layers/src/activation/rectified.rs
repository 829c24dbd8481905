//! Activations that are x above 0 and something small below.

use slalom_tensor::Scalar;
use slalom_tensor::elementary::exp_m1;

use super::Curve;

/// max(x, 0)
#[derive(Clone, Copy)]
pub(super) struct Relu;

impl<F: Scalar> Curve<F> for Relu {
    #[inline(always)]
    fn value(self, x: F) -> F {
        // not `max`, which would hide NaN
        if x < F::zero() { F::zero() } else { x }
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        if y > F::zero() { F::one() } else { F::zero() }
    }
}

/// x, or slope·x below 0.
#[derive(Clone, Copy)]
pub(super) struct LeakyRelu<F>(pub(super) F);

impl<F: Scalar> Curve<F> for LeakyRelu<F> {
    #[inline(always)]
    fn value(self, x: F) -> F {
        if x > F::zero() { x } else { self.0 * x }
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        if y > F::zero() { F::one() } else { self.0 }
    }
}

/// scale·x, or scale·alpha·(eˣ − 1) below 0.
#[derive(Clone, Copy)]
pub(super) struct Elu<F> {
    scale: F,
    /// scale·alpha
    depth: F,
}

impl<F: Scalar> Elu<F> {
    pub(super) fn new(alpha: f64) -> Self {
        Self { scale: F::one(), depth: F::of(alpha) }
    }

    /// The fixed point of Klambauer et al. 2017, eq. 14.
    pub(super) fn selu() -> Self {
        let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
        Self { scale: F::of(scale), depth: F::of(scale * alpha) }
    }
}

impl<F: Scalar> Curve<F> for Elu<F> {
    #[inline(always)]
    fn value(self, x: F) -> F {
        if x > F::zero() { self.scale * x } else { self.depth * exp_m1(x) }
    }

    #[inline(always)]
    fn slope(self, _: F, y: F) -> F {
        if y > F::zero() { self.scale } else { y + self.depth }
    }
}
