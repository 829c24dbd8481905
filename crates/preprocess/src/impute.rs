//! Filling in missing numbers: by the mean, the median, the most frequent value or a constant.
//!
//! As scikit-learn 1.9 (`SimpleImputer`): of equally frequent values the least is taken. Other than
//! there, a feature without any value is an error, not left out, unless a number is given for it.
//! What was missing cannot be told afterwards: there is no inverse, so ask for
//! [`indicators`](FittedImpute::indicators) before.

use crate::columns::{check_features, each_column};
use crate::ranks::{median, order};
use crate::rows::each_row_or;
use crate::{Fit, PreprocessError, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, Threads, View, ViewMut};

/// Fills in what is missing of each feature.
///
/// ```
/// use slalom_preprocess::{Fill, Fit, Impute, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[1.0], [f64::NAN], [5.0]]);
/// let impute = Impute { fill: Fill::Mean, ..Impute::default() }.fit(x.as_view())?;
/// assert_eq!(impute.indicators(x.as_view())?.as_slice(), [0.0, 1.0, 0.0]);
/// impute.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [1.0, 3.0, 5.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Impute {
    /// What a missing number becomes; the mean by default.
    pub fill: Fill,
    /// What the numbers of a feature become that has none in training, a finite number (0 is
    /// scikit-learn's `keep_empty_features`); an error by default.
    pub empty: Option<f64>,
}

/// What a missing number becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The mean of what is there; the default.
    #[default]
    Mean,
    /// The median of what is there.
    Median,
    /// The most frequent value, the least of several.
    MostFrequent,
    /// This finite number, in a feature without any value too.
    Constant(f64),
}

impl From<Fill> for Impute {
    fn from(fill: Fill) -> Self {
        Self { fill, ..Self::default() }
    }
}

impl Fit for Impute {
    type Fitted = FittedImpute;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedImpute, PreprocessError> {
        let mut given = [("empty", self.empty), ("constant", None)];
        if let Fill::Constant(value) = self.fill {
            given[1].1 = Some(value);
        }
        for (field, value) in given {
            if let Some(value) = value.filter(|value| !value.is_finite()) {
                return Err(PreprocessError::setting(field, value, "finite"));
            }
        }
        let fill = |row: &mut [F]| match self.fill {
            Fill::Mean => mean(row),
            Fill::Median => median(row),
            Fill::MostFrequent => most_frequent(row),
            Fill::Constant(value) => value,
        };
        let empty = match self.fill {
            Fill::Constant(value) => Some(value),
            _ => self.empty,
        };
        let fills = each_row_or(x, threads, &|| empty, &fill)?;
        let missing = |feature| x.row(feature).iter().any(|v| v.is_nan());
        let seen = |(feature, fill)| Seen { fill, missing: missing(feature) };
        Ok(FittedImpute { fills: fills.into_iter().enumerate().map(seen).collect() })
    }
}

/// An imputer that knows what its training data give for each feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedImpute {
    fills: Vec<Seen>,
}

impl FittedImpute {
    /// What fills the gaps of each feature.
    pub fn fills(&self) -> Vec<f64> {
        self.fills.iter().map(|fill| fill.fill).collect()
    }

    /// The features that had gaps in the training data: those that get an indicator.
    pub fn gaps(&self) -> Vec<usize> {
        (0..self.fills.len()).filter(|&feature| self.fills[feature].missing).collect()
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.fills.extend(more.fills);
    }

    /// One row for each of [`gaps`](FittedImpute::gaps): 1 where the number is missing, else 0. To
    /// be asked for before the transform.
    ///
    /// # Errors
    /// A matrix with another number of features.
    pub fn indicators<F: Scalar>(&self, x: View<'_, F>) -> Result<Matrix<F>, PreprocessError> {
        check_features(self.fills.len(), x.nrows())?;
        let gaps = self.gaps();
        let mark =
            |i: usize, sample| if x[(gaps[i], sample)].is_nan() { F::one() } else { F::zero() };
        Ok(Matrix::from_fn(gaps.len(), x.ncols(), mark))
    }
}

impl Transform for FittedImpute {
    fn features(&self) -> usize {
        self.fills.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        let fills: Vec<F> = self.fills.iter().map(|fill| F::of(fill.fill)).collect();
        each_column(x, threads, &|column| {
            for (v, &fill) in column.iter_mut().zip(&fills) {
                *v = if v.is_nan() { fill } else { *v };
            }
        });
        Ok(())
    }

    fn inverse_with<F: Scalar>(
        &self,
        _x: ViewMut<'_, F>,
        _threads: &Threads,
    ) -> Result<(), PreprocessError> {
        Err(PreprocessError::NoInverse { what: "impute" })
    }
}

/// What was seen of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    fill: f64,
    missing: bool,
}

/// The mean; of numbers whose sum overflows too.
fn mean<F: Scalar>(row: &mut [F]) -> f64 {
    let n = row.len() as f64;
    match row.iter().map(|v| v.wide()).sum::<f64>() / n {
        mean if mean.is_finite() => mean,
        _ => row.iter().map(|v| v.wide() / n).sum(),
    }
}

fn most_frequent<F: Scalar>(row: &mut [F]) -> f64 {
    row.sort_unstable_by(order);
    let runs = row.chunk_by(|a, b| a == b);
    let longest = runs.reduce(|best, run| if run.len() > best.len() { run } else { best });
    longest.map_or(f64::NAN, |run| run[0].wide())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn every_strategy_by_hand() {
        let x = from_rows(&[[1.0], [f64::NAN], [9.0], [9.0], [2.0], [2.0], [4.0]]);
        let fill = |fill: Fill| Impute::from(fill).fit(x.as_view()).unwrap().fills()[0];
        assert_eq!(fill(Fill::Mean), 4.5);
        assert_eq!(fill(Fill::Median), 3.0);
        assert_eq!(fill(Fill::MostFrequent), 2.0);
        assert_eq!(fill(Fill::Constant(-1.0)), -1.0);
        assert_eq!(mean(&mut [1.5e308, 1.5e308]), 1.5e308);
    }

    #[test]
    fn gaps_are_those_of_the_training_data() {
        let x = from_rows(&[[1.0, f64::NAN], [2.0, 3.0]]);
        let impute = Impute::default().fit(x.as_view()).unwrap();
        assert_eq!(impute.gaps(), [1]);
        let mut y = from_rows(&[[f64::NAN, 5.0], [7.0, f64::NAN]]);
        assert_eq!(impute.indicators(y.as_view()).unwrap().as_slice(), [0.0, 1.0]);
        impute.transform(y.as_view_mut()).unwrap();
        assert_eq!(y.as_slice(), [1.5, 5.0, 7.0, 3.0]);
    }

    #[test]
    fn what_has_no_value_is_filled_only_where_asked_for() {
        let x = from_rows(&[[f64::NAN, 1.0], [f64::NAN, f64::NAN]]);
        for fill in [Fill::Mean, Fill::Median, Fill::MostFrequent] {
            let error = Impute::from(fill).fit(x.as_view()).unwrap_err().to_string();
            assert!(error.starts_with("every value of feature 0 is missing"), "{error}");
            let impute = Impute { fill, empty: Some(-3.0) }.fit(x.as_view()).unwrap();
            assert_eq!((impute.fills(), impute.gaps()), (vec![-3.0, 1.0], vec![0, 1]));
        }
        let constant = Impute { fill: Fill::Constant(0.5), empty: Some(7.0) };
        assert_eq!(constant.fit(x.as_view()).unwrap().fills(), [0.5, 0.5]);
        let error = |impute: Impute| impute.fit(x.as_view()).unwrap_err().to_string();
        assert_eq!(error(Fill::Constant(f64::NAN).into()), "constant is NaN: it must be finite");
        let infinite = Impute { empty: Some(f64::INFINITY), ..Impute::default() };
        assert_eq!(error(infinite), "empty is inf: it must be finite");
    }

    #[test]
    fn the_longest_run_is_the_most_frequent() {
        let of = |row: &[f64]| most_frequent(&mut row.to_vec());
        assert_eq!(of(&[9.0, 1.0, 9.0, 4.0, 9.0, 4.0]), 9.0);
        assert_eq!(of(&[3.0, 2.0, 2.0, 1.0]), 2.0);
    }
}
