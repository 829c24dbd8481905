//! Scaling by the greatest absolute value: each feature into [−1, 1], zero stays zero.
//!
//! > y = x / max |x|
//!
//! As scikit-learn 1.9 (`MaxAbsScaler`): NaN is ignored and passed through; a feature whose greatest
//! absolute value is below 10 ε of the scalar is left as it is. Other than there, a feature without
//! any value is an error.

use crate::affine::Affine;
use crate::columns::check_features;
use crate::min_max::extremes;
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// Divides each feature by its greatest absolute value.
///
/// ```
/// use slalom_preprocess::{Fit, MaxAbs, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[-4.0], [0.0], [2.0]]);
/// let scaler = MaxAbs::default().fit(x.as_view())?;
/// scaler.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [-1.0, 0.0, 0.5]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxAbs {
    /// Whether values outside of what the fit saw are cut to [−1, 1]; no by default.
    pub clip: bool,
}

impl Fit for MaxAbs {
    type Fitted = FittedMaxAbs;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedMaxAbs, PreprocessError> {
        let seen = largest(x, threads)?;
        match seen.iter().position(|&largest| largest < 0.0) {
            Some(feature) => Err(PreprocessError::AllMissing { feature }),
            None => Ok(FittedMaxAbs { config: *self, epsilon: F::epsilon().wide(), seen }),
        }
    }
}

/// A scaling that knows the greatest absolute values of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedMaxAbs {
    config: MaxAbs,
    /// Machine epsilon of the scalar that was fitted.
    epsilon: f64,
    seen: Vec<f64>,
}

impl FittedMaxAbs {
    /// The greatest absolute value of each feature, as the fit saw it.
    pub fn largest(&self) -> &[f64] {
        &self.seen
    }

    /// Learns from more samples; the result is the same as that of one fit on all of them.
    ///
    /// # Errors
    /// As for the fit; what was learned before is kept.
    pub fn partial_fit<F: Scalar>(&mut self, x: View<'_, F>) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let more = largest(x, &Threads::one())?;
        self.seen.iter_mut().zip(more).for_each(|(seen, more)| *seen = seen.max(more));
        Ok(())
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.seen.extend(more.seen);
    }

    fn line(&self) -> Affine {
        let constant = 10.0 * self.epsilon;
        let scale = |&seen: &f64| if seen < constant { 1.0 } else { seen };
        Affine { shifts: vec![0.0; self.seen.len()], scales: self.seen.iter().map(scale).collect() }
    }
}

impl Transform for FittedMaxAbs {
    fn features(&self) -> usize {
        self.seen.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        let bounds = if self.config.clip { [-1.0, 1.0] } else { Affine::FREE };
        self.line().divide(x, threads, bounds)
    }

    fn inverse_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        self.line().multiply(x, threads, Affine::FREE)
    }
}

/// The greatest absolute value of each row, without NaN; −∞ where there is none.
fn largest<F: Scalar>(x: View<'_, F>, threads: &Threads) -> Result<Vec<f64>, PreprocessError> {
    let seen = extremes(x, threads)?;
    Ok(seen.into_iter().map(|[low, high]| high.max(-low)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn both_signs_count_and_zeros_stay() {
        let mut x = from_rows(&[[-8.0, 1e300, 0.0], [4.0, -5e299, 0.0]]);
        let scaler = MaxAbs::default().fit(x.as_view()).unwrap();
        assert_eq!(scaler.largest(), [8.0, 1e300, 0.0]);
        scaler.transform(x.as_view_mut()).unwrap();
        assert_eq!(x.as_slice(), [-1.0, 1.0, 0.0, 0.5, -0.5, 0.0]);
    }

    #[test]
    fn clipping_cuts_at_one() {
        let scaler = MaxAbs { clip: true }.fit(from_rows(&[[2.0]]).as_view()).unwrap();
        let mut y = from_rows(&[[-8.0], [1.0], [8.0]]);
        scaler.transform(y.as_view_mut()).unwrap();
        assert_eq!(y.as_slice(), [-1.0, 0.5, 1.0]);
    }

    #[test]
    fn nothing_but_missing_is_named() {
        let error = MaxAbs::default().fit(from_rows(&[[1.0, f64::NAN]]).as_view()).unwrap_err();
        assert!(error.to_string().starts_with("every value of feature 1"), "{error}");
    }

    #[test]
    fn the_bound_of_a_constant_is_the_first_that_is_none() {
        let bound = 10.0 * f64::EPSILON;
        let mut x = slalom_tensor::from_rows(&[[bound, 0.999 * bound]]);
        let scaler = MaxAbs::default().fit(x.as_view()).unwrap();
        assert_eq!(scaler.largest(), [bound, 0.999 * bound]);
        scaler.transform(x.as_view_mut()).unwrap();
        assert_eq!(x.as_slice(), [1.0, 0.999 * bound]);
    }
}
