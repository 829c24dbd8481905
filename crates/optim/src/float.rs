//! The numbers that a slab may hold.

use std::fmt::Debug;

/// A floating-point type that the optimizers run on: f32, f64, and whatever else behaves like them.
///
/// It is implemented for every type that qualifies; nothing has to be written. Coefficients are
/// computed in f64 and converted once per step.
///
/// ```
/// fn zero<F: slalom_optim::Float>() -> F { F::zero() }
/// assert_eq!(zero::<f32>(), 0.0);
/// ```
pub trait Float: num_traits::Float + num_traits::NumAssign + Debug + Send + Sync + 'static {}

impl<T> Float for T where
    T: num_traits::Float + num_traits::NumAssign + Debug + Send + Sync + 'static
{
}

/// The `F` nearest to `value`.
#[inline(always)]
pub(crate) fn narrow<F: Float>(value: f64) -> F {
    F::from(value).expect("a float type holds the nearest of any f64")
}

/// `value` as f64.
#[inline(always)]
pub(crate) fn wide<F: Float>(value: F) -> f64 {
    value.to_f64().expect("a float converts to f64")
}

/// `a` clamped to `[-bound, bound]`; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<F: Float>(a: F, bound: F) -> F {
    clamp_between(a, -bound, bound)
}

/// `a` clamped to `[low, high]`; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp_between<F: Float>(a: F, low: F, high: F) -> F {
    let a = if a > high { high } else { a };
    if a < low { low } else { a }
}

/// The larger of two numbers that are not NaN; of equals the second.
#[inline(always)]
pub(crate) fn larger<F: Float>(a: F, b: F) -> F {
    if a > b { a } else { b }
}

/// `size` with the sign of `a`, and 0 where `a` is 0.
#[inline(always)]
pub(crate) fn signed<F: Float>(a: F, size: F) -> F {
    let positive = if a > F::zero() { size } else { F::zero() };
    if a < F::zero() { -size } else { positive }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_its_bounds_stays_to_the_bit() {
        let bits = |a: f64, bound: f64| clamp(a, bound).to_bits();
        for a in [0.0_f64, -0.0] {
            assert_eq!(bits(a, 0.0), a.to_bits());
            assert_eq!(bits(a, -0.0), a.to_bits());
        }
        assert!(clamp(f64::NAN, 1.0).is_nan());
        assert!(larger(0.0, -0.0_f64).is_sign_negative());
    }
}
