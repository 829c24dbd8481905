//! Standard scaling: each feature to mean 0 and deviation 1.
//!
//! > y = (x − μ) / σ,  σ² = Σ (x − μ)² / n
//!
//! with the population variance (divided by n) and f64 sums, as in scikit-learn 1.9
//! (`StandardScaler`), whose rules hold here: NaN is ignored and passed through; a feature counts as
//! constant, and has σ = 1, if σ² ≤ n ε σ² + (n μ ε)², the rounding error of the sums. Other than
//! there, squares that overflow or underflow are summed again in another unit, so features of
//! 1e300 and 1e-300 scale like any other, and a feature without any value is an error.

use crate::affine::Affine;
use crate::columns::check_features;
use crate::moments::{Moments, moments};
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

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
        match seen.iter().position(|m| m.count() == 0.0) {
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

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.seen.extend(more.seen);
    }

    fn line(&self) -> Affine {
        let Standard { mean, deviation } = self.config;
        let n = self.seen.len();
        Affine {
            shifts: if mean { self.means() } else { vec![0.0; n] },
            scales: if deviation { self.deviations() } else { vec![1.0; n] },
        }
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
        self.line().divide(x, threads, Affine::FREE)
    }

    fn inverse_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        self.line().multiply(x, threads, Affine::FREE)
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
