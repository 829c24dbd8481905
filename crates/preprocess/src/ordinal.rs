//! Ordinal encoding: each category of a column as its place in an order.
//!
//! As scikit-learn 1.9 (`OrdinalEncoder`): places count from 0 in sorted or given order, a missing value
//! stays missing (NaN).

use crate::categories::{Categories, check_columns};
use crate::{PreprocessError, Text};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, View};

/// Encodes columns of text as the places of their categories.
///
/// ```
/// use slalom_preprocess::{Ordinal, Text};
/// let sizes: Text = [Some("S"), None, Some("L")].into_iter().collect();
/// let order = ["S", "M", "L"].map(String::from).to_vec();
/// let encoder = Ordinal { categories: Some(vec![order]), ..Ordinal::default() };
/// let x = encoder.fit(&[("size", &sizes)])?.transform::<f64>(&[&sizes])?;
/// assert_eq!((x[0], x[2]), (0.0, 2.0));
/// assert!(x[1].is_nan());
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ordinal {
    /// The categories of each column in their order; what the fit finds, sorted, by default.
    pub categories: Option<Vec<Vec<String>>>,
    /// The number for a category that the fit never saw, NaN for missing; an error by default.
    pub unknown: Option<f64>,
}

impl Ordinal {
    /// Learns the categories of named columns.
    ///
    /// # Errors
    /// No rows, columns of different length, or given categories that do not hold every row.
    pub fn fit(&self, columns: &[(&str, &Text)]) -> Result<FittedOrdinal, PreprocessError> {
        let texts: Vec<&Text> = columns.iter().map(|(_, text)| *text).collect();
        if check_columns(columns.len(), &texts)? == 0 {
            return Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 });
        }
        let lists = self.categories.as_ref();
        if let Some(found) = lists.map(Vec::len).filter(|&found| found != columns.len()) {
            let expected = columns.len();
            return Err(PreprocessError::Count { what: "lists of categories", expected, found });
        }
        let mut seen = Vec::new();
        for (i, (name, text)) in columns.iter().enumerate() {
            let (mut categories, _) = match lists {
                None => Categories::of(name, text),
                Some(lists) => {
                    let given: Vec<_> = lists[i].iter().cloned().map(Some).chain([None]).collect();
                    Categories::given(name, &given, text, self.unknown.is_some())?
                }
            };
            categories.values.retain(Option::is_some);
            seen.push(categories);
        }
        Ok(FittedOrdinal { unknown: self.unknown, columns: seen })
    }
}

/// An ordinal encoder that knows the categories of its training columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedOrdinal {
    unknown: Option<f64>,
    columns: Vec<Categories>,
}

impl FittedOrdinal {
    /// The categories of each column in their order.
    pub fn categories<'a>(&'a self) -> Vec<Vec<&'a str>> {
        let values = |column: &'a Categories| column.values.iter().filter_map(Option::as_deref);
        self.columns.iter().map(|column| values(column).collect()).collect()
    }

    /// How many outputs there are: one a column.
    pub fn outputs(&self) -> usize {
        self.columns.len()
    }

    /// The name of each output: that of its column.
    pub fn feature_names_out(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The columns as places, *columns × samples*.
    ///
    /// # Errors
    /// Another number of columns, columns of different length, or an unknown category where that
    /// is an error.
    pub fn transform<F: Scalar>(&self, columns: &[&Text]) -> Result<Matrix<F>, PreprocessError> {
        let rows = check_columns(self.columns.len(), columns)?;
        let mut x = Matrix::zeros(self.columns.len(), rows);
        self.write(columns, 0, &mut x)?;
        Ok(x)
    }

    /// Writes the places into `x`, from row `first` on.
    pub(crate) fn write<F: Scalar>(
        &self,
        columns: &[&Text],
        first: usize,
        x: &mut Matrix<F>,
    ) -> Result<(), PreprocessError> {
        for (i, (categories, text)) in self.columns.iter().zip(columns).enumerate() {
            let places = categories.places(text);
            for (row, place) in places.rows(text).enumerate() {
                let missing = || text.get(row).is_none().then_some(f64::NAN);
                let value = place.map(|place| place as f64).or_else(missing).or(self.unknown);
                let value = value.ok_or_else(|| categories.unknown(row, text))?;
                x[(first + i, row)] = F::of(value);
            }
        }
        Ok(())
    }

    /// The categories at these places; missing where a number is no place.
    ///
    /// # Errors
    /// A matrix with another number of columns.
    pub fn inverse<F: Scalar>(&self, x: View<'_, F>) -> Result<Vec<Text>, PreprocessError> {
        crate::columns::check_features(self.outputs(), x.nrows())?;
        let column = |(i, categories): (usize, &Categories)| {
            let place = |v: &F| Some(v.wide()).filter(|v| v.fract() == 0.0 && *v >= 0.0);
            let value = |v: &F| categories.values.get(place(v)? as usize)?.as_deref();
            x.row(i).iter().map(value).collect()
        };
        Ok(self.columns.iter().enumerate().map(column).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Text {
        values.iter().copied().collect()
    }

    #[test]
    fn places_come_back_as_categories() {
        let column: Text = [Some("b"), None, Some("c"), Some("a")].into_iter().collect();
        let fitted = Ordinal::default().fit(&[("x", &column)]).unwrap();
        assert_eq!(fitted.categories(), [["a", "b", "c"]]);
        let x = fitted.transform::<f32>(&[&column]).unwrap();
        assert_eq!((x[0], x[2], x[3]), (1.0, 2.0, 0.0));
        assert!(x[1].is_nan());
        assert!(fitted.inverse(x.as_view()).unwrap()[0].iter().eq(column.iter()));
    }

    #[test]
    fn numbers_that_are_no_place_come_back_missing() {
        let fitted = Ordinal::default().fit(&[("x", &text(&["a", "b"]))]).unwrap();
        let x = Matrix::from_row_slice(1, 5, &[0.5, -1.0, 2.0, f64::NAN, 1.0]);
        let back = fitted.inverse(x.as_view()).unwrap();
        assert_eq!(back[0].iter().collect::<Vec<_>>(), [None, None, None, None, Some("b")]);
    }

    #[test]
    fn unknown_categories_do_what_was_asked_for() {
        let encode = |unknown| {
            let fitted = Ordinal { unknown, ..Ordinal::default() };
            let fitted = fitted.fit(&[("x", &text(&["a"]))]).unwrap();
            fitted.transform::<f64>(&[&text(&["a", "z"])]).map(|x| x.as_slice().to_vec())
        };
        assert!(
            encode(None).unwrap_err().to_string().starts_with("row 1 of column 'x' holds \"z\"")
        );
        assert_eq!(encode(Some(-1.0)).unwrap(), [0.0, -1.0]);
    }
}
