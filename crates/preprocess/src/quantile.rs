//! The quantile transformation: each feature to a uniform or a normal distribution, by its rank
//! among the training data.
//!
//! > y = F(x) or Φ⁻¹(F(x)), F the empirical distribution between so many quantiles, linear between them
//!
//! As scikit-learn 1.9 (`QuantileTransformer`): where several quantiles are equal, y is the middle of
//! what they give; a normal result is cut at ±5.2; NaN is ignored and passed through. Other than
//! there, all samples are used, not 10,000 drawn ones, so that nothing is random.

use crate::columns::{check_features, each_column};
use crate::interpolate::{below, middle};
use crate::normal::{normal_cumulative, normal_quantile};
use crate::ranks::{order, quantiles_sorted};
use crate::rows::each_row;
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// How near to 0 and 1 a probability may come before it counts as the end.
const EDGE: f64 = 1e-7;

/// The distribution that a feature is brought to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Uniform between 0 and 1; the default.
    #[default]
    Uniform,
    /// Normal with mean 0 and deviation 1.
    Normal,
}

/// Brings each feature to a given distribution by its ranks.
///
/// ```
/// use slalom_preprocess::{Fit, Quantile, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[1.0], [10.0], [1000.0]]);
/// let quantile = Quantile::default().fit(x.as_view())?;
/// quantile.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [0.0, 0.5, 1.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quantile {
    /// How many quantiles are kept of each feature, at least 2; 1,000 by default, and never more
    /// than there are samples.
    pub quantiles: usize,
    /// The distribution of the result; uniform by default.
    pub shape: Shape,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { quantiles: 1000, shape: Shape::Uniform }
    }
}

impl Fit for Quantile {
    type Fitted = FittedQuantile;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedQuantile, PreprocessError> {
        if self.quantiles < 2 {
            return Err(PreprocessError::setting("quantiles", self.quantiles, "at least 2"));
        }
        // through percentages, whose rounding decides between equal values
        let percent = |share: f64| share * 100.0 / 100.0;
        let shares: Vec<f64> =
            shares(self.quantiles.min(x.ncols())).into_iter().map(percent).collect();
        let seen = each_row(x, threads, &|row| {
            row.sort_unstable_by(order);
            quantiles_sorted(row, &shares)
        })?;
        Ok(FittedQuantile { config: *self, seen })
    }
}

/// A quantile transformation that knows the quantiles of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedQuantile {
    config: Quantile,
    /// The quantiles of each feature, at equal distances, in order.
    seen: Vec<Vec<f64>>,
}

impl FittedQuantile {
    /// The quantiles of each feature, at equal distances from the least value to the greatest.
    pub fn quantiles(&self) -> &[Vec<f64>] {
        &self.seen
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.seen.extend(more.seen);
    }
}

impl Transform for FittedQuantile {
    fn features(&self) -> usize {
        self.seen.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let forward = match self.config.shape {
            Shape::Uniform => to_uniform,
            Shape::Normal => to_normal,
        };
        let shares: Vec<Vec<f64>> = self.seen.iter().map(|seen| shares(seen.len())).collect();
        each_column(x, threads, &|column| {
            for (v, (quantiles, shares)) in column.iter_mut().zip(self.seen.iter().zip(&shares)) {
                *v = F::of(forward(v.wide(), quantiles, shares));
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
        let backward = match self.config.shape {
            Shape::Uniform => from_uniform,
            Shape::Normal => from_normal,
        };
        let shares: Vec<Vec<f64>> = self.seen.iter().map(|seen| shares(seen.len())).collect();
        each_column(x, threads, &|column| {
            for (v, (quantiles, shares)) in column.iter_mut().zip(self.seen.iter().zip(&shares)) {
                *v = F::of(backward(v.wide(), quantiles, shares));
            }
        });
        Ok(())
    }
}

/// Numbers at equal distances from 0 to 1, rounded as NumPy's `linspace` rounds them.
fn shares(count: usize) -> Vec<f64> {
    let last = count.saturating_sub(1).max(1);
    let step = 1.0 / last as f64;
    (0..count).map(|i| if i == last { 1.0 } else { i as f64 * step }).collect()
}

fn to_uniform(x: f64, quantiles: &[f64], shares: &[f64]) -> f64 {
    match (quantiles.first(), quantiles.last()) {
        (Some(&low), _) if x <= low => 0.0,
        (_, Some(&high)) if x >= high => 1.0,
        _ => middle(x, quantiles, shares),
    }
}

fn to_normal(x: f64, quantiles: &[f64], shares: &[f64]) -> f64 {
    let share = match (quantiles.first(), quantiles.last()) {
        (Some(&low), _) if x - EDGE < low => 0.0,
        (_, Some(&high)) if x + EDGE > high => 1.0,
        _ => middle(x, quantiles, shares),
    };
    // not quite symmetric: 1 − 1e-7 is rounded, as there; NaN stays NaN
    let [low, high] = [EDGE - f64::EPSILON, 1.0 - (EDGE - f64::EPSILON)].map(normal_quantile);
    normal_quantile(share).clamp(low, high)
}

fn from_uniform(y: f64, quantiles: &[f64], shares: &[f64]) -> f64 {
    below(y, shares, quantiles)
}

fn from_normal(y: f64, quantiles: &[f64], shares: &[f64]) -> f64 {
    let share = normal_cumulative(y);
    match (quantiles.first(), quantiles.last()) {
        (Some(&low), _) if share - EDGE < 0.0 => low,
        (_, Some(&high)) if share + EDGE > 1.0 => high,
        _ => below(share, shares, quantiles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::{Matrix, from_rows};

    #[test]
    fn equal_quantiles_give_their_middle() {
        let mut x = from_rows(&[[0.0], [1.0], [1.0], [1.0], [2.0]]);
        let quantile = Quantile::default().fit(x.as_view()).unwrap();
        quantile.transform(x.as_view_mut()).unwrap();
        assert_eq!(x.as_slice(), [0.0, 0.5, 0.5, 0.5, 1.0]);
    }

    #[test]
    fn a_normal_result_is_cut_at_both_ends() {
        let x = Matrix::from_fn(1, 101, |_, j| j as f64);
        let quantile = Quantile { shape: Shape::Normal, ..Quantile::default() };
        let quantile = quantile.fit(x.as_view()).unwrap();
        let mut y = from_rows(&[[-5.0], [50.0], [97.5], [500.0], [f64::NAN]]);
        quantile.transform(y.as_view_mut()).unwrap();
        let end = 5.199_337_582_605_575;
        let wanted = [-end, 0.0, 1.959_963_984_540_054, end];
        assert!(y.iter().zip(wanted).all(|(v, w): (&f64, f64)| (v - w).abs() < 1e-9), "{y}");
        assert!(y[4].is_nan());
    }

    #[test]
    fn fewer_quantiles_than_samples() {
        let x = Matrix::from_fn(1, 101, |_, j| (j * j) as f64);
        let quantile = Quantile { quantiles: 3, ..Quantile::default() }.fit(x.as_view()).unwrap();
        assert_eq!(quantile.quantiles(), [[0.0, 2500.0, 10_000.0]]);
        let error = Quantile { quantiles: 1, ..Quantile::default() }.fit(x.as_view()).unwrap_err();
        assert_eq!(error.to_string(), "quantiles is 1: it must be at least 2");
    }

    /// scikit-learn 1.9.1, `QuantileTransformer(n_quantiles=7)`, equal values at both ends.
    #[test]
    fn ends_are_those_of_scikit_learn() {
        let x = from_rows(&[[0.0], [0.0], [1.0], [2.0], [2.5], [5.0], [5.0]]);
        let fit = |shape| Quantile { quantiles: 7, shape }.fit(x.as_view()).unwrap();
        let row = |values: &[f64]| Matrix::from_row_slice(1, values.len(), values);
        let check = |found: Matrix<f64>, wanted: &[f64]| {
            let near = |(v, w): (&f64, &f64)| (v - w).abs() < 1e-12;
            assert!(found.iter().zip(wanted).all(near), "{found}, not {wanted:?}");
        };
        let apply = [
            -1.0,
            0.0,
            9e-8,
            1.1e-7,
            2e-7,
            0.3,
            1.0,
            2.0,
            2.3,
            3.7,
            4.999_999_8,
            4.999_999_91,
            5.0,
            6.0,
        ];
        let mut y = row(&apply);
        fit(Shape::Uniform).transform(y.as_view_mut()).unwrap();
        check(y, &UNIFORM);
        let mut y = row(&apply);
        fit(Shape::Normal).transform(y.as_view_mut()).unwrap();
        check(y, &NORMAL);
        let mut y = row(&[-1.0, 0.0, 0.1, 0.3, 0.5, 0.77, 1.0, 2.0]);
        fit(Shape::Uniform).inverse(y.as_view_mut()).unwrap();
        check(y, &[0.0, 0.0, 0.0, 0.8, 2.0, 4.05, 5.0, 5.0]);
        let mut y = row(&[-6.0, -5.3, -1.0, 0.2, 1.3, 5.3, 6.0]);
        fit(Shape::Normal).inverse(y.as_view_mut()).unwrap();
        check(y, &[0.0, 0.0, 0.0, 2.237_779_128_317_309, 5.0, 5.0, 5.0]);
    }

    const UNIFORM: [f64; 14] = [
        0.0,
        0.0,
        0.166_666_681_666_666_65,
        0.166_666_684_999_999_98,
        0.166_666_7,
        0.216_666_666_666_666_67,
        0.333_333_333_333_333_37,
        0.5,
        0.6,
        0.746_666_666_666_666_6,
        0.833_333_319_999_999_9,
        0.833_333_327_333_333_2,
        1.0,
        1.0,
    ];

    const NORMAL: [f64; 14] = [
        -5.199_337_582_605_575,
        -5.199_337_582_605_575,
        -5.199_337_582_605_575,
        -0.967_421_492_724_620_2,
        -0.967_421_432_688_830_4,
        -0.783_500_375_389_774_1,
        -0.430_727_299_295_457_44,
        0.0,
        0.253_347_103_135_799_7,
        0.664_036_943_094_354_9,
        0.967_421_512_736_550_6,
        5.199_337_582_703_42,
        5.199_337_582_703_42,
        5.199_337_582_703_42,
    ];

    #[test]
    fn an_end_reaches_just_short_of_its_edge() {
        let x = from_rows(&[[-EDGE], [0.0], [EDGE]]);
        let quantile = Quantile { shape: Shape::Normal, ..Quantile::default() };
        let mut y = from_rows(&[[0.0]]);
        quantile.fit(x.as_view()).unwrap().transform(y.as_view_mut()).unwrap();
        assert_eq!(y[0], 0.0);
    }

    #[test]
    fn what_is_as_good_as_the_end_comes_back_as_the_end() {
        let x = from_rows(&[[0.0], [1e9], [2e9]]);
        let fit = |shape| Quantile { quantiles: 2, shape }.fit(x.as_view()).unwrap();
        // Φ(−5.3) = 5.8e-8 and Φ(−5.1) = 1.7e-7, around 1e-7
        let mut y = from_rows(&[[-5.3], [-5.1], [5.1], [5.3]]);
        fit(Shape::Normal).inverse(y.as_view_mut()).unwrap();
        assert_eq!((y[0], y[3]), (0.0, 2e9));
        let inner = 2e9 * normal_cumulative(-5.1);
        assert!((y[1] - inner).abs() < 1e-3 && (2e9 - y[2] - inner).abs() < 1e-3, "{y}");
        let mut y = from_rows(&[[-0.5], [0.0], [0.25], [1.0], [1.5], [f64::NAN]]);
        fit(Shape::Uniform).inverse(y.as_view_mut()).unwrap();
        assert_eq!(y.as_slice()[..5], [0.0, 0.0, 5e8, 2e9, 2e9]);
        assert!(y[5].is_nan());
    }
}
