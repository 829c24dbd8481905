//! Standard scaling: each feature to mean 0 and deviation 1.
//!
//! > y = (x − μ) / σ,  σ² = Σ (x − μ)² / n
//!
//! with the population variance (divided by n) and f64 sums, as in scikit-learn 1.9
//! (`StandardScaler`), whose rules hold here: NaN is ignored and passed through; a feature counts as
//! constant, and has σ = 1, if σ² ≤ n ε σ² + (n μ ε)², the rounding error of the sums. Other than
//! there, squares that overflow or underflow are summed again in another unit, so features of
//! 1e300 and 1e-300 scale like any other, and a feature without any value is an error.
//!
//! The variance of a range of samples is the two-pass form with a correction term, and ranges are
//! joined by the pairwise formula: Chan, Golub and LeVeque 1983, eq. 1.7 and 2.1.

use crate::columns::{by_columns, check_features, check_samples, each_column, refuse_infinite};
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// Samples whose sums are taken together, while they are in the cache.
const BLOCK: usize = 256;

/// Scales each feature to mean 0 and deviation 1.
///
/// ```
/// use slalom_preprocess::{Fit, Standard, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[1.0, 5.0], [3.0, 5.0]]);
/// let scaler = Standard::default().fit(x.as_view())?;
/// scaler.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [-1.0, 0.0, 1.0, 0.0]); // the second feature is constant
/// scaler.inverse(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [1.0, 5.0, 3.0, 5.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standard {
    /// Whether the mean is taken off; yes by default.
    pub mean: bool,
    /// Whether the deviation is divided by; yes by default.
    pub deviation: bool,
}

impl Default for Standard {
    fn default() -> Self {
        Self { mean: true, deviation: true }
    }
}

impl Fit for Standard {
    type Fitted = FittedStandard;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedStandard, PreprocessError> {
        let seen = moments(x, threads)?;
        match seen.iter().position(|m| m.count == 0.0) {
            Some(feature) => Err(PreprocessError::AllMissing { feature }),
            None => Ok(FittedStandard { config: *self, seen }),
        }
    }
}

/// A standard scaling that knows the moments of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedStandard {
    config: Standard,
    seen: Vec<Moments>,
}

impl FittedStandard {
    /// The mean of each feature.
    pub fn means(&self) -> Vec<f64> {
        self.seen.iter().map(Moments::mean).collect()
    }

    /// The population deviation of each feature, 1 where it is constant.
    pub fn deviations(&self) -> Vec<f64> {
        self.seen.iter().map(Moments::deviation).collect()
    }

    /// Learns from more samples; the result is that of one fit on all of them, up to rounding.
    ///
    /// # Errors
    /// As for the fit; what was learned before is kept.
    pub fn partial_fit<F: Scalar>(&mut self, x: View<'_, F>) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let more = moments(x, &Threads::one())?;
        self.seen.iter_mut().zip(more).for_each(|(seen, more)| *seen = seen.join(more));
        Ok(())
    }

    /// Several scalings with the same configuration as one, their features in order.
    pub(crate) fn stack(parts: Vec<Self>) -> Self {
        let config = parts.first().map_or_else(Standard::default, |part| part.config);
        Self { config, seen: parts.into_iter().flat_map(|part| part.seen).collect() }
    }

    /// What is taken off each feature, and what it is divided by.
    fn coefficients(&self) -> (Vec<f64>, Vec<f64>) {
        let Standard { mean, deviation } = self.config;
        let n = self.seen.len();
        (
            if mean { self.means() } else { vec![0.0; n] },
            if deviation { self.deviations() } else { vec![1.0; n] },
        )
    }
}

impl Transform for FittedStandard {
    fn features(&self) -> usize {
        self.seen.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let (shifts, scales) = self.coefficients();
        each_column(x, threads, &|column| {
            for (v, (m, s)) in column.iter_mut().zip(shifts.iter().zip(&scales)) {
                *v = F::of((v.wide() - m) / s);
            }
        });
        Ok(())
    }

    fn inverse_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let (shifts, scales) = self.coefficients();
        each_column(x, threads, &|column| {
            for (v, (m, s)) in column.iter_mut().zip(shifts.iter().zip(&scales)) {
                *v = F::of(v.wide() * s + m);
            }
        });
        Ok(())
    }
}

/// Count, mean and sum of squares of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Moments {
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

    fn mean(&self) -> f64 {
        self.mean * self.unit
    }

    fn deviation(&self) -> f64 {
        let n = self.count;
        let variance = self.squares / n;
        let rounding = n * self.mean * f64::EPSILON;
        if variance <= n * f64::EPSILON * variance + rounding * rounding {
            1.0
        } else {
            variance.sqrt() * self.unit
        }
    }

    /// The moments of both sets of values, in the larger of their units.
    fn join(self, other: Self) -> Self {
        if self.count == 0.0 || other.count == 0.0 {
            return if other.count == 0.0 { self } else { other };
        }
        let unit = self.unit.max(other.unit);
        let (a, b) = (self.in_unit(unit), other.in_unit(unit));
        let count = a.count + b.count;
        let (sum_a, sum_b) = (a.mean * a.count, b.mean * b.count);
        let between = sum_a * (b.count / a.count) - sum_b;
        let squares = a.squares + b.squares + a.count / b.count / count * (between * between);
        Self { count, mean: (sum_a + sum_b) / count, squares, unit }
    }

    fn in_unit(self, unit: f64) -> Self {
        let ratio = self.unit / unit;
        let squares = self.squares * ratio * ratio;
        Self { mean: self.mean * ratio, squares, unit, ..self }
    }
}

/// The moments of each row.
fn moments<F: Scalar>(x: View<'_, F>, threads: &Threads) -> Result<Vec<Moments>, PreprocessError> {
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
            return Moments { unit, ..Moments::NONE };
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
                *largest = if v.abs() > *largest { v.abs() } else { *largest };
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
    use slalom_tensor::{Matrix, from_rows};

    fn fit<F: Scalar>(x: &Matrix<F>) -> FittedStandard {
        Standard::default().fit(x.as_view()).unwrap()
    }

    #[test]
    fn a_large_constant_is_constant() {
        let x = Matrix::from_element(1, 1000, 1e15 + 0.3);
        assert_eq!(fit(&x).deviations(), [1.0]);
        let x = Matrix::from_element(1, 1000, 0.1_f32);
        assert_eq!(fit(&x).deviations(), [1.0]);
    }

    #[test]
    fn very_large_and_very_small_numbers_scale_like_any_other() {
        for size in [1e308, 1e300, 1e150, 1.0, 1e-150, 1e-300] {
            let x = from_rows(&[[-size], [0.0], [size], [size]]);
            let scaler = fit(&x);
            let (mean, deviation) = (size / 4.0, size * (11.0_f64 / 16.0).sqrt());
            assert!((scaler.means()[0] / mean - 1.0).abs() < 1e-12, "{size}");
            assert!((scaler.deviations()[0] / deviation - 1.0).abs() < 1e-12, "{size}");
        }
    }

    #[test]
    fn moments_join_across_units() {
        let parts = [from_rows(&[[1e300], [-1e300]]), from_rows(&[[1.0], [3.0]])];
        let mut scaler = fit(&parts[1]);
        scaler.partial_fit(parts[0].as_view()).unwrap();
        let whole = fit(&from_rows(&[[1e300], [-1e300], [1.0], [3.0]]));
        assert!((scaler.deviations()[0] / whole.deviations()[0] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_small_deviation_beside_a_large_mean_is_seen_in_f32() {
        // f32 has steps of 1 at 1e7: sums in f32 would lose both the mean and the deviation
        let x = Matrix::from_fn(1, 100_000, |_, j| 1e7_f32 + (j % 3) as f32);
        let scaler = fit(&x);
        assert!((scaler.means()[0] - 10_000_000.999_99).abs() < 1e-8);
        assert!((scaler.deviations()[0] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-5);
    }

    #[test]
    fn what_is_missing_counts_for_nothing() {
        let x = from_rows(&[[1.0, f64::NAN], [f64::NAN, 4.0], [3.0, 6.0]]);
        let scaler = fit(&x);
        assert_eq!(scaler.means(), [2.0, 5.0]);
        assert_eq!(scaler.deviations(), [1.0, 1.0]);
    }

    #[test]
    fn infinity_is_named_and_nothing_but_missing_too() {
        let x = from_rows(&[[1.0, 2.0], [3.0, f64::INFINITY]]);
        let error = Standard::default().fit(x.as_view()).unwrap_err();
        assert!(error.to_string().starts_with("sample 1, feature 1 is inf"), "{error}");
        let x = from_rows(&[[1.0, f64::NAN], [3.0, f64::NAN]]);
        let error = Standard::default().fit(x.as_view()).unwrap_err();
        assert!(error.to_string().starts_with("every value of feature 1 is missing"), "{error}");
    }
}
