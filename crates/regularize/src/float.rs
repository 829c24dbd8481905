//! The floating-point types that the slices may hold.

use std::fmt::Debug;

/// A floating-point type: [`f32`], [`f64`], or anybody's own that fits.
///
/// Implemented for every type that has the bounds. Configuration and sums stay f64.
pub trait Float: num_traits::Float + num_traits::NumAssign + Debug + Send + Sync + 'static {}

impl<T> Float for T where
    T: num_traits::Float + num_traits::NumAssign + Debug + Send + Sync + 'static
{
}

/// The nearest `F` to a number of the configuration.
#[inline(always)]
pub(crate) fn of<F: Float>(value: f64) -> F {
    F::from(value).unwrap_or_else(F::nan)
}

/// The number as f64, the type of every sum.
#[inline(always)]
pub(crate) fn wide<F: Float>(value: F) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// `Σ term(w)` over eight partial sums that are added in order, so that it vectorises and still
/// gives the same bits everywhere.
#[inline(always)]
pub(crate) fn sum<F: Float>(numbers: &[F], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let chunks = numbers.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &w) in lanes.iter_mut().zip(chunk) {
            *lane += term(wide(w));
        }
    }
    for (lane, &w) in lanes.iter_mut().zip(rest) {
        *lane += term(wide(w));
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_summed_once() {
        for n in 0..40 {
            let numbers: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            assert_eq!(sum(&numbers, |w| w), f64::from(n * (n + 1) / 2));
        }
    }
}
