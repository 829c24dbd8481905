//! Robust scaling: each feature by its median and the span between two of its quantiles, which
//! outliers do not move.
//!
//! > y = (x − median) / (q_high − q_low)
//!
//! As scikit-learn 1.9 (`RobustScaler`): NaN is ignored and passed through; a feature whose span is
//! below 10 ε of the scalar counts as constant and is not divided; with `unit_variance` the span is
//! divided by that of the standard normal distribution, so that normal data end with deviation 1.
//! Other than there, a feature without any value is an error.

use crate::affine::Affine;
use crate::normal::normal_quantile;
use crate::ranks::{median, quantile};
use crate::rows::each_row;
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// Scales each feature by its median and a range of quantiles.
///
/// ```
/// use slalom_preprocess::{Fit, Robust, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[1.0], [2.0], [3.0], [4.0], [1e9]]);
/// let scaler = Robust::default().fit(x.as_view())?;
/// scaler.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice()[..4], [-1.0, -0.5, 0.0, 0.5]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Robust {
    /// Whether the median is taken off; yes by default.
    pub center: bool,
    /// Whether the span is divided by; yes by default.
    pub scale: bool,
    /// The two quantiles in percent, 0 ≤ low < high ≤ 100; [25, 75] by default.
    pub quantiles: [f64; 2],
    /// Whether normal data end with deviation 1; no by default.
    pub unit_variance: bool,
}

impl Default for Robust {
    fn default() -> Self {
        Self { center: true, scale: true, quantiles: [25.0, 75.0], unit_variance: false }
    }
}

impl Fit for Robust {
    type Fitted = FittedRobust;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedRobust, PreprocessError> {
        let [low, high] = self.quantiles;
        if !(0.0 <= low && low < high && high <= 100.0) {
            let bound = "two percentages from 0 to 100, the first below the second";
            return Err(PreprocessError::setting("quantiles", self.quantiles, bound));
        }
        let [low, high] = [low / 100.0, high / 100.0];
        let normal =
            if self.unit_variance { normal_quantile(high) - normal_quantile(low) } else { 1.0 };
        let constant = 10.0 * F::epsilon().wide();
        let seen = each_row(x, threads, &|row| {
            let center = median(row);
            let span = quantile(row, high) - quantile(row, low);
            Center { center, scale: if span < constant { 1.0 } else { span } / normal }
        })?;
        Ok(FittedRobust { config: *self, seen })
    }
}

/// A robust scaling that knows the medians and spans of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedRobust {
    config: Robust,
    seen: Vec<Center>,
}

impl FittedRobust {
    /// The median of each feature.
    pub fn medians(&self) -> Vec<f64> {
        self.seen.iter().map(|seen| seen.center).collect()
    }

    /// What each feature is divided by.
    pub fn scales(&self) -> Vec<f64> {
        self.seen.iter().map(|seen| seen.scale).collect()
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.seen.extend(more.seen);
    }

    fn line(&self) -> Affine {
        let n = self.seen.len();
        Affine {
            shifts: if self.config.center { self.medians() } else { vec![0.0; n] },
            scales: if self.config.scale { self.scales() } else { vec![1.0; n] },
        }
    }
}

impl Transform for FittedRobust {
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

/// What was seen of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Center {
    center: f64,
    /// The span between the quantiles; 1 where the feature is constant.
    scale: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn outliers_move_nothing_and_missing_values_are_left_out() {
        let x = from_rows(&[[1.0], [2.0], [f64::NAN], [3.0], [4.0], [5.0]]);
        let wild = from_rows(&[[-1e9], [2.0], [f64::NAN], [3.0], [4.0], [1e9]]);
        let fit = |x: &slalom_tensor::Matrix<f64>| Robust::default().fit(x.as_view()).unwrap();
        assert_eq!(fit(&x), fit(&wild));
        assert_eq!((fit(&x).medians(), fit(&x).scales()), (vec![3.0], vec![2.0]));
    }

    #[test]
    fn unit_variance_divides_by_the_normal_span() {
        let x = from_rows(&[[1.0], [2.0], [3.0], [4.0], [5.0]]);
        let scaler = Robust { unit_variance: true, ..Robust::default() }.fit(x.as_view()).unwrap();
        assert!((scaler.scales()[0] - 2.0 / 1.348_979_500_392_163_4).abs() < 1e-14);
    }

    #[test]
    fn quantiles_out_of_order_are_refused() {
        let x = from_rows(&[[1.0]]);
        for quantiles in [[75.0, 25.0], [50.0, 50.0], [-1.0, 50.0], [1.0, 101.0], [f64::NAN, 1.0]] {
            let error = Robust { quantiles, ..Robust::default() }.fit(x.as_view()).unwrap_err();
            assert!(error.to_string().starts_with("quantiles is ["), "{error}");
        }
    }

    #[test]
    fn the_bound_of_a_constant_is_the_first_that_is_none() {
        let bound = 10.0 * f64::EPSILON;
        let x = from_rows(&[[0.0, 0.0], [bound, 0.999 * bound]]);
        let whole = Robust { quantiles: [0.0, 100.0], ..Robust::default() };
        assert_eq!(whole.fit(x.as_view()).unwrap().scales(), [bound, 1.0]);
    }
}
