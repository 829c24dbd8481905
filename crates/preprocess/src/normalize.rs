//! Normalising: each sample, not each feature, to norm 1.
//!
//! > y = x / ‖x‖,  ‖x‖ = Σ|x|, √Σx² or max |x|
//!
//! As scikit-learn 1.9 (`Normalizer`): a sample whose norm is below 10 ε of the scalar, one of zeros
//! above all, is left as it is. Other than there, missing values are left out of the norm and stay
//! missing, and squares of very large numbers do not overflow. What was the norm is lost: there is
//! no inverse.

use crate::columns::{check_features, check_samples, each_column, refuse_infinite};
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// Which norm of a sample becomes 1.
///
/// ```
/// use slalom_preprocess::{Fit, Normalize, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[3.0, 4.0], [0.0, 0.0]]);
/// Normalize::L2.fit(x.as_view())?.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [0.6, 0.8, 0.0, 0.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// The sum of the absolute values.
    L1,
    /// The root of the sum of the squares; the default.
    #[default]
    L2,
    /// The greatest absolute value.
    Max,
}

impl Fit for Normalize {
    type Fitted = FittedNormalize;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        _threads: &Threads,
    ) -> Result<FittedNormalize, PreprocessError> {
        check_samples(x)?;
        refuse_infinite(x)?;
        Ok(FittedNormalize { config: *self, features: x.nrows() })
    }
}

/// A normaliser for samples of so many features; it learns nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedNormalize {
    config: Normalize,
    features: usize,
}

impl FittedNormalize {
    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.features += more.features;
    }
}

impl Transform for FittedNormalize {
    fn features(&self) -> usize {
        self.features
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features, x.nrows())?;
        let measure: fn(&[F], f64) -> f64 = match self.config {
            Normalize::L1 => l1,
            Normalize::L2 => l2,
            Normalize::Max => max,
        };
        let zero = 10.0 * F::epsilon().wide();
        each_column(x, threads, &|column| {
            let plain = measure(column, 1.0);
            // measured in its greatest value where the sum overflows
            let unit = if plain.is_finite() { 1.0 } else { max(column, 1.0) };
            let norm = if plain.is_finite() { plain } else { measure(column, unit) };
            if norm * unit >= zero {
                column.iter_mut().for_each(|v| *v = F::of(v.wide() / unit / norm));
            }
        });
        Ok(())
    }

    fn inverse_with<F: Scalar>(
        &self,
        _x: ViewMut<'_, F>,
        _threads: &Threads,
    ) -> Result<(), PreprocessError> {
        Err(PreprocessError::NoInverse { what: "normalize" })
    }
}

fn l1<F: Scalar>(sample: &[F], unit: f64) -> f64 {
    sizes(sample, unit).sum()
}

fn l2<F: Scalar>(sample: &[F], unit: f64) -> f64 {
    sizes(sample, unit).map(|size| size * size).sum::<f64>().sqrt()
}

fn max<F: Scalar>(sample: &[F], unit: f64) -> f64 {
    sizes(sample, unit).fold(0.0, f64::max)
}

/// The absolute values that are not missing.
fn sizes<F: Scalar>(sample: &[F], unit: f64) -> impl Iterator<Item = f64> {
    sample.iter().map(move |v| v.wide().abs() / unit).filter(|size| !size.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    fn normalize(norm: Normalize, sample: &[f64]) -> Vec<f64> {
        let mut x = from_rows(&[sample]);
        norm.fit(x.as_view()).unwrap().transform(x.as_view_mut()).unwrap();
        x.as_slice().to_vec()
    }

    #[test]
    fn every_norm_by_hand() {
        assert_eq!(normalize(Normalize::L1, &[1.0, -3.0]), [0.25, -0.75]);
        assert_eq!(normalize(Normalize::L2, &[3.0, -4.0]), [0.6, -0.8]);
        assert_eq!(normalize(Normalize::Max, &[1.0, -4.0]), [0.25, -1.0]);
    }

    #[test]
    fn zeros_stay_zeros() {
        for norm in [Normalize::L1, Normalize::L2, Normalize::Max] {
            assert_eq!(normalize(norm, &[0.0, 0.0]), [0.0, 0.0]);
            assert_eq!(normalize(norm, &[1e-300, 0.0]), [1e-300, 0.0]);
        }
    }

    #[test]
    fn large_numbers_do_not_overflow_and_missing_ones_are_left_out() {
        let y = normalize(Normalize::L2, &[3e300, 4e300]);
        assert!((y[0] - 0.6).abs() < 1e-15 && (y[1] - 0.8).abs() < 1e-15, "{y:?}");
        let y = normalize(Normalize::L1, &[1e308, 1e308]);
        assert_eq!(y, [0.5, 0.5]);
        let y = normalize(Normalize::Max, &[f64::NAN, 4.0]);
        assert!(y[0].is_nan() && y[1] == 1.0, "{y:?}");
    }
}
