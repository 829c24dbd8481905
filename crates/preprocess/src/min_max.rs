//! Min-max scaling: each feature to a range of the user's choice.
//!
//! With m and M the least and the greatest value that the fit saw and [a, b] the range,
//!
//! > y = x · s + (a − m · s),  s = (b − a) / (M − m)
//!
//! The default range is [0, 1], as in scikit-learn 1.9 (`MinMaxScaler`), whose rules hold here: NaN is
//! ignored and passed through; a feature whose range is below 10 ε of the scalar counts as constant
//! and has s = 1, so that it maps to a; values outside of what was seen land outside of the range
//! unless `clip` is set. Other than there, a range that overflows the scalar still scales, and a
//! feature without any value is an error.

use crate::affine::Affine;
use crate::columns::{by_columns, check_features, check_samples, refuse_infinite};
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// Scales each feature to a range.
///
/// ```
/// use slalom_preprocess::{Fit, MinMax, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[0.0], [5.0], [20.0]]);
/// let scaler = MinMax { range: [-1.0, 1.0], ..MinMax::default() }.fit(x.as_view())?;
/// scaler.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [-1.0, -0.5, 1.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MinMax {
    /// Where the least and the greatest value go: two finite numbers, the first below the second;
    /// [0, 1] by default.
    pub range: [f64; 2],
    /// Whether values outside of what the fit saw are cut to the range; no by default.
    pub clip: bool,
}

impl Default for MinMax {
    fn default() -> Self {
        Self { range: [0.0, 1.0], clip: false }
    }
}

impl Fit for MinMax {
    type Fitted = FittedMinMax;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedMinMax, PreprocessError> {
        let [low, high] = self.range;
        if !(low < high && (high - low).is_finite()) {
            let bound = "two finite numbers, the first below the second";
            return Err(PreprocessError::setting("range", self.range, bound));
        }
        let seen = extremes(x, threads)?;
        match seen.iter().position(|[low, high]| low > high) {
            Some(feature) => Err(PreprocessError::AllMissing { feature }),
            None => Ok(FittedMinMax { config: *self, epsilon: F::epsilon().wide(), seen }),
        }
    }
}

/// A min-max scaling that knows the extremes of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedMinMax {
    config: MinMax,
    /// Machine epsilon of the scalar that was fitted.
    epsilon: f64,
    /// The least and the greatest value of each feature.
    seen: Vec<[f64; 2]>,
}

impl FittedMinMax {
    /// The least and the greatest value of each feature, as the fit saw them.
    pub fn extremes(&self) -> &[[f64; 2]] {
        &self.seen
    }

    /// Learns from more samples; the result is the same as that of one fit on all of them.
    ///
    /// # Errors
    /// As for the fit; what was learned before is kept.
    pub fn partial_fit<F: Scalar>(&mut self, x: View<'_, F>) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let more = extremes(x, &Threads::one())?;
        for (seen, [low, high]) in self.seen.iter_mut().zip(more) {
            *seen = [seen[0].min(low), seen[1].max(high)];
        }
        Ok(())
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.seen.extend(more.seen);
    }

    /// The line from what is scaled back to what was there.
    fn line(&self) -> Affine {
        let [a, b] = self.config.range;
        let scale = |&[low, high]: &[f64; 2]| match high - low {
            // constant; in its own unit, where the product below would overflow
            span if span < 10.0 * self.epsilon => match (b - a) * low {
                product if product.is_finite() => b - a,
                _ => (b - a) / low.abs(),
            },
            // halves, as the difference may overflow
            _ => 0.5 * (b - a) / (0.5 * high - 0.5 * low),
        };
        let scales: Vec<f64> = self.seen.iter().map(scale).collect();
        let shifts = scales.iter().zip(&self.seen).map(|(s, [low, _])| a - low * s).collect();
        Affine { shifts, scales }
    }
}

impl Transform for FittedMinMax {
    fn features(&self) -> usize {
        self.seen.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        let bounds = if self.config.clip { self.config.range } else { Affine::FREE };
        self.line().multiply(x, threads, bounds)
    }

    fn inverse_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        self.line().divide(x, threads, Affine::FREE)
    }
}

/// The least and the greatest value of each row, without NaN; ∞ and −∞ where there is none.
pub(crate) fn extremes<F: Scalar>(
    x: View<'_, F>,
    threads: &Threads,
) -> Result<Vec<[f64; 2]>, PreprocessError> {
    check_samples(x)?;
    let parts = by_columns(x, threads, &|part| {
        let mut low = vec![F::infinity(); part.nrows()];
        let mut high = vec![F::neg_infinity(); part.nrows()];
        for column in part.column_iter() {
            for ((&v, low), high) in column.as_slice().iter().zip(&mut low).zip(&mut high) {
                // NaN fails both comparisons
                *low = if v < *low { v } else { *low };
                *high = if v > *high { v } else { *high };
            }
        }
        (low, high)
    });
    let mut all = vec![[f64::INFINITY, f64::NEG_INFINITY]; x.nrows()];
    for (lows, highs) in parts {
        for (seen, (low, high)) in all.iter_mut().zip(lows.iter().zip(&highs)) {
            *seen = [seen[0].min(low.wide()), seen[1].max(high.wide())];
        }
    }
    if all.iter().any(|[low, high]| low.is_infinite() || high.is_infinite()) {
        refuse_infinite(x)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn constant_features_go_to_the_low_end_and_keep_their_offset() {
        let x = from_rows(&[[7.0], [7.0]]);
        let scaler = MinMax { range: [-1.0, 1.0], clip: false }.fit(x.as_view()).unwrap();
        let mut y = from_rows(&[[7.0], [7.5]]);
        scaler.transform(y.as_view_mut()).unwrap();
        assert_eq!(y.as_slice(), [-1.0, 0.0]);
    }

    #[test]
    fn a_range_that_overflows_still_scales() {
        let mut x = from_rows(&[[-1.5e308], [0.0], [1.5e308]]);
        let scaler = MinMax::default().fit(x.as_view()).unwrap();
        scaler.transform(x.as_view_mut()).unwrap();
        assert!(
            x.iter().zip([0.0, 0.5, 1.0]).all(|(v, w): (&f64, f64)| (v - w).abs() < 1e-12),
            "{x}"
        );
    }

    #[test]
    fn clipping_cuts_what_lies_outside_and_keeps_what_is_missing() {
        let x = from_rows(&[[0.0_f32], [10.0]]);
        let scaler = MinMax { clip: true, ..MinMax::default() }.fit(x.as_view()).unwrap();
        let mut y = from_rows(&[[-5.0_f32], [4.0], [50.0], [f32::NAN]]);
        scaler.transform(y.as_view_mut()).unwrap();
        assert_eq!(y.as_slice()[..3], [0.0, 0.4, 1.0]);
        assert!(y[3].is_nan());
    }

    #[test]
    fn a_range_of_nothing_is_refused() {
        let x = from_rows(&[[1.0]]);
        for range in [[1.0, 1.0], [1.0, 0.0], [f64::NAN, 1.0], [0.0, f64::INFINITY]] {
            let error = MinMax { range, clip: false }.fit(x.as_view()).unwrap_err();
            assert!(error.to_string().starts_with("range is ["), "{error}");
        }
    }

    #[test]
    fn constants_of_any_size_go_to_the_low_end() {
        for size in [1e308, -1e308, 3.0] {
            let mut x = from_rows(&[[size], [size]]);
            let scaler = MinMax { range: [-2.0, 3.0], clip: false }.fit(x.as_view()).unwrap();
            assert_eq!(scaler.extremes(), [[size, size]]);
            scaler.transform(x.as_view_mut()).unwrap();
            assert!(x.iter().all(|v: &f64| (v + 2.0).abs() < 1e-12), "{size}: {x}");
        }
        let x = from_rows(&[[1e308], [1e308]]);
        let scaler = MinMax { range: [-2.0, 3.0], clip: false }.fit(x.as_view()).unwrap();
        let mut y = from_rows(&[[0.5e308_f64]]);
        scaler.transform(y.as_view_mut()).unwrap();
        assert!((y[0] + 4.5).abs() < 1e-12, "{y}");
        // the range at which a feature counts as constant is the first that does not
        let bound = 10.0 * f64::EPSILON;
        let x = from_rows(&[[0.0, 0.0], [bound, 0.999 * bound]]);
        let scaler = MinMax::default().fit(x.as_view()).unwrap();
        let mut y = x.clone();
        scaler.transform(y.as_view_mut()).unwrap();
        assert_eq!(y.column(1).as_slice(), [1.0, 0.999 * bound]);
    }

    #[test]
    fn a_range_that_overflows_scales_to_any_range() {
        let mut x = from_rows(&[[-1.5e308], [0.0], [1.5e308]]);
        let scaler = MinMax { range: [-2.0, 3.0], clip: false }.fit(x.as_view()).unwrap();
        scaler.transform(x.as_view_mut()).unwrap();
        assert!(x.iter().zip([-2.0, 0.5, 3.0]).all(|(v, w): (&f64, f64)| (v - w).abs() < 1e-12));
        let wide = MinMax { range: [-1.5e308, 1.5e308], clip: false };
        assert!(wide.fit(x.as_view()).is_err());
    }
}
