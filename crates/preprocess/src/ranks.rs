//! Order statistics of numbers without NaN: medians and quantiles, with NumPy's interpolation.

use slalom_tensor::Scalar;
use std::cmp::Ordering;

/// The median of values without NaN, which then stands in the middle, the smaller ones before it and
/// the greater ones behind it.
///
/// # Panics
/// If there are no values.
pub(crate) fn median<F: Scalar>(values: &mut [F]) -> f64 {
    let n = values.len();
    let [a, b] = neighbours(values, (n - 1) / 2);
    match n % 2 {
        1 => a,
        // halves first, as the sum may overflow
        _ => 0.5 * a + 0.5 * b,
    }
}

/// The quantile at `share` (0 to 1) of values around their [`median`], linear between its
/// neighbours: NumPy's default, with its rounding. Only one half is looked at.
///
/// # Panics
/// If there are no values.
pub(crate) fn quantile<F: Scalar>(values: &mut [F], share: f64) -> f64 {
    let last = values.len() - 1;
    let (middle, place) = (last / 2, share * last as f64);
    let [a, b] = match place as usize {
        rank if rank < middle => neighbours(&mut values[..=middle], rank),
        rank => neighbours(&mut values[middle..], rank - middle),
    };
    between(a, b, place.fract())
}

/// The quantiles at these shares of sorted values.
pub(crate) fn quantiles_sorted<F: Scalar>(sorted: &[F], shares: &[f64]) -> Vec<f64> {
    let last = sorted.len() - 1;
    let at = |&share: &f64| {
        let place = share * last as f64;
        let [a, b] = [place as usize, (place as usize + 1).min(last)].map(|i| sorted[i].wide());
        between(a, b, place.fract())
    };
    shares.iter().map(at).collect()
}

/// The order of numbers that are not NaN.
pub(crate) fn order<F: Scalar>(a: &F, b: &F) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Equal)
}

/// The values of rank `place` and of the rank after it (the same, after the last).
fn neighbours<F: Scalar>(values: &mut [F], place: usize) -> [f64; 2] {
    let (_, &mut at, above) = values.select_nth_unstable_by(place, order);
    let next = above.iter().copied().fold(F::infinity(), F::min);
    [at.wide(), if next.is_finite() { next.wide() } else { at.wide() }]
}

/// The number at `share` of the way from a to b, from the nearer end.
fn between(a: f64, b: f64, share: f64) -> f64 {
    let span = b - a;
    match share {
        _ if span.is_infinite() => a * (1.0 - share) + b * share,
        share if share >= 0.5 => b - span * (1.0 - share),
        share => a + span * share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        let values = [9.0, 1.0, 5.0, 3.0];
        let at = |share| {
            let mut values = values;
            median(&mut values);
            quantile(&mut values, share)
        };
        assert_eq!([at(0.0), at(0.25), at(0.5), at(0.75), at(1.0)], [1.0, 2.5, 4.0, 6.0, 9.0]);
        let sorted = [1.0, 3.0, 5.0, 9.0];
        assert_eq!(
            quantiles_sorted(&sorted, &[0.0, 0.25, 0.5, 0.75, 1.0]),
            [1.0, 2.5, 4.0, 6.0, 9.0]
        );
        assert_eq!(quantile(&mut [7.0_f32], 0.3), 7.0);
    }

    #[test]
    fn many_quantiles_of_few_values_are_in_order() {
        for sorted in
            [[-0.7, 0.1, 0.3], [1.0, 1.0 + 3.0 * f64::EPSILON, 7e15], [-1.5e308, 0.1, 1.5e308]]
        {
            let shares: Vec<f64> = (0..=10_000).map(|i| f64::from(i) / 10_000.0).collect();
            let quantiles = quantiles_sorted(&sorted, &shares);
            assert!(quantiles.is_sorted(), "{sorted:?}");
            assert_eq!((quantiles[0], quantiles[10_000]), (sorted[0], sorted[2]));
        }
    }

    #[test]
    fn medians_of_even_and_odd_counts() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut [1.5e308, 1.6e308]), 1.55e308);
        assert_eq!(median(&mut [5.0]), 5.0);
    }

    #[test]
    fn a_span_that_overflows_is_still_crossed() {
        assert_eq!(between(-1.5e308, 1.5e308, 0.5), 0.0);
        assert_eq!(between(-1.5e308, 1.5e308, 0.25), -7.5e307);
        // from the nearer end, as NumPy 2.4: `np.quantile([0.1, 0.7], 0.7)`
        assert_eq!(between(0.1, 0.7, 0.7), 0.519_999_999_999_999_9);
    }
}
