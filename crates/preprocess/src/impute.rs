//! Filling in what is missing: numbers by their mean, median or most frequent value, text by its
//! most frequent value, either by a constant.
//!
//! As scikit-learn 1.9 (`SimpleImputer`): of equally frequent values the least is taken. Other than
//! there, a feature without any value is an error unless a constant fills it. What was missing
//! cannot be told afterwards: there is no inverse, so ask for
//! [`indicators`](FittedImpute::indicators) before.

use crate::columns::{check_features, check_samples, each_column, refuse_infinite};
use crate::rows::{each_row, median};
use crate::{Fit, PreprocessError, Text, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, Threads, View, ViewMut};

/// What a missing number becomes.
///
/// ```
/// use slalom_preprocess::{Fit, Impute, Transform};
/// use slalom_tensor::from_rows;
/// let mut x = from_rows(&[[1.0], [f64::NAN], [5.0]]);
/// let impute = Impute::Mean.fit(x.as_view())?;
/// assert_eq!(impute.indicators(x.as_view())?.as_slice(), [0.0, 1.0, 0.0]);
/// impute.transform(x.as_view_mut())?;
/// assert_eq!(x.as_slice(), [1.0, 3.0, 5.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impute {
    /// The mean of what is there; the default.
    #[default]
    Mean,
    /// The median of what is there.
    Median,
    /// The most frequent value, the least of several.
    MostFrequent,
    /// This finite number.
    Constant(f64),
}

impl Fit for Impute {
    type Fitted = FittedImpute;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedImpute, PreprocessError> {
        check_samples(x)?;
        let fills = match *self {
            Self::Mean => each_row(x, threads, &|row| mean(row))?,
            Self::Median => each_row(x, threads, &|row| median(row))?,
            Self::MostFrequent => each_row(x, threads, &|row| most_frequent(row))?,
            Self::Constant(value) if value.is_finite() => {
                refuse_infinite(x)?;
                vec![value; x.nrows()]
            }
            Self::Constant(value) => {
                return Err(PreprocessError::setting("constant", value, "finite"));
            }
        };
        let missing = |feature| x.row(feature).iter().any(|v| v.is_nan());
        let fill = |(feature, fill)| Fill { fill, missing: missing(feature) };
        Ok(FittedImpute { fills: fills.into_iter().enumerate().map(fill).collect() })
    }
}

/// An imputer that knows what its training data give for each feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedImpute {
    fills: Vec<Fill>,
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

/// What a missing text becomes.
///
/// ```
/// use slalom_preprocess::{ImputeText, Text};
/// let mut colours: Text = [Some("red"), None, Some("red"), Some("blue")].into_iter().collect();
/// ImputeText::MostFrequent.fit(&colours)?.transform(&mut colours);
/// assert_eq!(colours.get(1), Some("red"));
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeText {
    /// The most frequent value, the first in byte order of several; the default.
    #[default]
    MostFrequent,
    /// This text.
    Constant(String),
}

impl ImputeText {
    /// Learns what fills the gaps of a column.
    ///
    /// # Errors
    /// A column without any value, unless a constant fills it.
    pub fn fit(&self, text: &Text) -> Result<FittedImputeText, PreprocessError> {
        let fill = match self {
            Self::Constant(fill) => fill.clone(),
            Self::MostFrequent => {
                let counts = text.counts();
                let used = (0..counts.len()).filter(|&i| counts[i] > 0);
                let best = used.max_by_key(|&i| (counts[i], std::cmp::Reverse(&text.values()[i])));
                let best = best.ok_or(PreprocessError::AllMissing { feature: 0 })?;
                text.values()[best].clone()
            }
        };
        Ok(FittedImputeText { fill })
    }
}

/// An imputer that knows what its training column gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedImputeText {
    fill: String,
}

impl FittedImputeText {
    /// What fills the gaps.
    pub fn fill(&self) -> &str {
        &self.fill
    }

    /// Fills the gaps in place.
    pub fn transform(&self, text: &mut Text) {
        text.fill(&self.fill);
    }
}

/// What was seen of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Fill {
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
    row.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
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
        let fill = |impute: Impute| impute.fit(x.as_view()).unwrap().fills()[0];
        assert_eq!(fill(Impute::Mean), 4.5);
        assert_eq!(fill(Impute::Median), 3.0);
        assert_eq!(fill(Impute::MostFrequent), 2.0);
        assert_eq!(fill(Impute::Constant(-1.0)), -1.0);
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
    fn only_a_constant_fills_what_has_no_value() {
        let x = from_rows(&[[f64::NAN], [f64::NAN]]);
        for impute in [Impute::Mean, Impute::Median, Impute::MostFrequent] {
            let error = impute.fit(x.as_view()).unwrap_err().to_string();
            assert!(error.starts_with("every value of feature 0 is missing"), "{error}");
        }
        assert_eq!(Impute::Constant(0.5).fit(x.as_view()).unwrap().fills(), [0.5]);
        let error = Impute::Constant(f64::NAN).fit(x.as_view()).unwrap_err().to_string();
        assert_eq!(error, "constant is NaN: it must be finite");
        let none: Text = [None, None].into_iter().collect();
        assert!(ImputeText::MostFrequent.fit(&none).is_err());
        assert_eq!(ImputeText::Constant("?".into()).fit(&none).unwrap().fill(), "?");
    }

    #[test]
    fn of_equally_frequent_texts_the_first_is_taken() {
        let text: Text = ["b", "a", "c", "a", "b"].into_iter().collect();
        assert_eq!(ImputeText::MostFrequent.fit(&text).unwrap().fill(), "a");
    }
}
