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

/// `a`, and 0 in place of a number so small that products with it may be subnormal: below 2¹⁶ times the
/// least normal number (8e-34 for f32). Many processors take a hundred times as long for subnormal
/// numbers, and what decays by a factor ends there: 0.9 times the least of them is rounded to itself.
/// Types of less than four bytes have no such numbers to spare.
#[inline(always)]
pub(crate) fn settled<F: Float>(a: F) -> F {
    let least = F::min_positive_value() * narrow(65536.0);
    if size_of::<F>() >= 4 && a.abs() < least { F::zero() } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_subnormal_is_settled() {
        let least = f32::MIN_POSITIVE * 65536.0;
        assert_eq!([least, -least].map(settled), [least, -least]);
        let below = least.next_down();
        assert_eq!([below, -below, f32::from_bits(1)].map(settled), [0.0; 3]);
        assert!(settled(f64::NAN).is_nan() && settled(-f64::INFINITY) == f64::NEG_INFINITY);
        assert_eq!(settled(1e-290_f64), 1e-290);
    }

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
