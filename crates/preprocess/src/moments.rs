//! Means and variances: sums that neither rounding nor large numbers spoil.
//!
//! The variance of a range of samples is the two-pass form with a correction term, and ranges are
//! joined by the pairwise formula: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample
//! variance", eq. 1.7 and 2.1. Squares that overflow or underflow are summed again in another unit.

use crate::PreprocessError;
use crate::columns::{by_columns, check_samples, refuse_infinite};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View};

/// Samples whose sums are taken together, while they are in the cache.
const BLOCK: usize = 256;

/// The moments of each row.
pub(crate) fn moments<F: Scalar>(
    x: View<'_, F>,
    threads: &Threads,
) -> Result<Vec<Moments>, PreprocessError> {
    check_samples(x)?;
    let ones = vec![1.0; x.nrows()];
    let mut seen = moments_in_units(x, &ones, threads);
    // sums that are not finite, and sums of squares so small that underflow may have eaten them
    let strange = |m: &Moments| {
        !m.mean.is_finite()
            || !m.squares.is_finite()
            || (m.squares < 1e-200 && m.mean.abs() < 1e-90)
    };
    if seen.iter().any(strange) {
        refuse_infinite(x)?;
        let units: Vec<f64> = largest(x, threads).into_iter().map(unit_of).collect();
        if units.iter().any(|&unit| unit != 1.0) {
            seen = moments_in_units(x, &units, threads);
        }
    }
    Ok(seen)
}

/// Count, mean and sum of squares of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    /// How many values are not missing.
    count: f64,
    /// Their mean, in units.
    mean: f64,
    /// Σ (x − mean)², in squared units.
    squares: f64,
    /// A power of two: 1, unless squares in that unit overflow or underflow.
    unit: f64,
}

impl Moments {
    const NONE: Self = Self { count: 0.0, mean: 0.0, squares: 0.0, unit: 1.0 };

    /// How many values are not missing.
    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    /// The mean.
    pub(crate) fn mean(&self) -> f64 {
        self.mean * self.unit
    }

    /// The population deviation; 1 where the values count as constant.
    pub(crate) fn deviation(&self) -> f64 {
        let n = self.count;
        let variance = self.squares / n;
        let rounding = n * self.mean * f64::EPSILON;
        // scikit-learn adds n ε σ², which can only decide from some 10¹⁵ samples on
        if variance <= rounding * rounding { 1.0 } else { variance.sqrt() * self.unit }
    }

    /// The moments of both sets of values, in the larger of their units.
    pub(crate) fn join(self, other: Self) -> Self {
        if self.count == 0.0 || other.count == 0.0 {
            return if other.count == 0.0 { self } else { other };
        }
        let unit = self.unit.max(other.unit);
        let ([mean_a, squares_a], [mean_b, squares_b]) = (self.in_unit(unit), other.in_unit(unit));
        let count = self.count + other.count;
        let (sum_a, sum_b) = (mean_a * self.count, mean_b * other.count);
        let between = sum_a * (other.count / self.count) - sum_b;
        let part = self.count / other.count / count;
        let squares = squares_a + squares_b + part * (between * between);
        Self { count, mean: (sum_a + sum_b) / count, squares, unit }
    }

    /// Mean and squares in another unit.
    fn in_unit(self, unit: f64) -> [f64; 2] {
        let ratio = self.unit / unit;
        [self.mean * ratio, self.squares * ratio * ratio]
    }
}

/// The moments of each row, each in its unit.
fn moments_in_units<F: Scalar>(x: View<'_, F>, units: &[f64], threads: &Threads) -> Vec<Moments> {
    let parts = by_columns(x, threads, &|part| {
        let mut seen = vec![Moments::NONE; part.nrows()];
        let mut sums = Sums::new(part.nrows());
        for start in (0..part.ncols()).step_by(BLOCK) {
            let block = part.columns(start, BLOCK.min(part.ncols() - start));
            sums.take(block, units);
            for (feature, seen) in seen.iter_mut().enumerate() {
                *seen = seen.join(sums.moments(feature, units[feature]));
            }
        }
        seen
    });
    let mut all = vec![Moments::NONE; x.nrows()];
    for part in parts {
        all.iter_mut().zip(part).for_each(|(all, part)| *all = all.join(part));
    }
    all
}

/// The sums of one block of samples, feature by feature.
struct Sums {
    counts: Vec<f64>,
    sums: Vec<f64>,
    means: Vec<f64>,
    squares: Vec<f64>,
    /// Σ (x − mean): 0 but for rounding.
    slips: Vec<f64>,
}

impl Sums {
    fn new(features: usize) -> Self {
        let zeros = || vec![0.0; features];
        Self { counts: zeros(), sums: zeros(), means: zeros(), squares: zeros(), slips: zeros() }
    }

    fn take<F: Scalar>(&mut self, block: View<'_, F>, units: &[f64]) {
        let inverse: Vec<f64> = units.iter().map(|unit| 1.0 / unit).collect();
        self.counts.fill(block.ncols() as f64);
        self.sums.fill(0.0);
        for column in block.column_iter() {
            for ((sum, &v), u) in self.sums.iter_mut().zip(column.as_slice()).zip(&inverse) {
                *sum += v.wide() * u;
            }
        }
        // NaN in a sum says that something is missing: only then it pays to look for it
        let missing = self.sums.iter().any(|sum| sum.is_nan());
        if missing {
            self.leave_out_missing(block, &inverse);
        }
        let sums = self.sums.iter().zip(&self.counts);
        self.means.iter_mut().zip(sums).for_each(|(mean, (sum, count))| *mean = sum / count);
        self.squares.fill(0.0);
        self.slips.fill(0.0);
        for column in block.column_iter() {
            let accumulators = self.squares.iter_mut().zip(&mut self.slips).zip(&self.means);
            for (((square, slip), mean), (&v, u)) in
                accumulators.zip(column.as_slice().iter().zip(&inverse))
            {
                let d = v.wide() * u - mean;
                let d = if missing && d.is_nan() { 0.0 } else { d };
                *square += d * d;
                *slip += d;
            }
        }
    }

    fn leave_out_missing<F: Scalar>(&mut self, block: View<'_, F>, inverse: &[f64]) {
        self.counts.fill(0.0);
        self.sums.fill(0.0);
        for column in block.column_iter() {
            let accumulators = self.counts.iter_mut().zip(&mut self.sums);
            for ((count, sum), (&v, u)) in accumulators.zip(column.as_slice().iter().zip(inverse)) {
                if !v.is_nan() {
                    *count += 1.0;
                    *sum += v.wide() * u;
                }
            }
        }
    }

    fn moments(&self, i: usize, unit: f64) -> Moments {
        let count = self.counts[i];
        if count == 0.0 {
            return Moments::NONE;
        }
        let squares = self.squares[i] - self.slips[i] * self.slips[i] / count;
        Moments { count, mean: self.means[i], squares: squares.max(0.0), unit }
    }
}

/// The greatest absolute value of each row, without NaN.
fn largest<F: Scalar>(x: View<'_, F>, threads: &Threads) -> Vec<f64> {
    let parts = by_columns(x, threads, &|part| {
        let mut largest = vec![F::zero(); part.nrows()];
        for column in part.column_iter() {
            for (largest, &v) in largest.iter_mut().zip(column.as_slice()) {
                *largest = largest.max(v.abs());
            }
        }
        largest
    });
    let mut all = vec![0.0_f64; x.nrows()];
    for part in parts {
        all.iter_mut().zip(part).for_each(|(all, part)| *all = all.max(part.wide()));
    }
    all
}

/// The power of two to measure numbers up to `largest` in, so that their squares stay in range.
fn unit_of(largest: f64) -> f64 {
    if largest == 0.0 || (1e-90..1e120).contains(&largest) {
        1.0
    } else {
        largest.log2().floor().clamp(-1000.0, 1000.0).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::Matrix;

    fn of(values: &[f64]) -> Moments {
        let x = Matrix::from_row_slice(1, values.len(), values);
        moments(x.as_view(), &Threads::one()).unwrap()[0]
    }

    #[test]
    fn a_mean_that_must_be_rounded_does_not_spoil_the_squares() {
        // numbers near 1e15 are 1/8 apart: the mean, 1e15 + 1/3, is off by 1/24
        let values: Vec<f64> = (0..240).map(|i| 1e15 + f64::from(i % 3 == 0)).collect();
        let squares = of(&values).squares;
        assert!((squares - 240.0 * 2.0 / 9.0).abs() < 1e-9, "{squares}");
    }

    #[test]
    fn a_deviation_within_the_rounding_of_the_sums_is_none() {
        let with = |last: f64| of(&[[1e8; 99].as_slice(), &[1e8 + last]].concat()).deviation();
        // (n μ ε)² = 4.9e-12
        assert_eq!(with(1e-6), 1.0);
        assert!(with(1e-3) < 1e-3);
    }

    #[test]
    fn gaps_beside_very_large_numbers_are_left_out() {
        let found = of(&[1e300, f64::NAN, 3e300, f64::NAN]);
        assert_eq!((found.count(), found.mean()), (2.0, 2e300));
        assert!((found.deviation() / 1e300 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn units_are_powers_of_two_and_only_where_needed() {
        for largest in [0.0, 1e-90, 1.0, 5.0, 9e119] {
            assert_eq!(unit_of(largest), 1.0, "{largest}");
        }
        assert_eq!(unit_of(3.0 * 512.0_f64.exp2()), 513.0_f64.exp2());
        assert_eq!(unit_of(3.0 * (-512.0_f64).exp2()), (-511.0_f64).exp2());
        assert_eq!(unit_of(f64::MAX), 1000.0_f64.exp2());
    }
}
