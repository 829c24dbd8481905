//! Ordinal encoding: each category of a column as its place in an order.
//!
//! As scikit-learn 1.9 (`OrdinalEncoder`): places count from 0 in sorted or given order; categories
//! that are rarer than `min_frequency`, or too many for `max_categories`, share the last place; a
//! missing value stays missing (NaN) unless it is given a number of its own.

use crate::block::Block;
use crate::categories::{Categories, check_columns};
use crate::columns::{check_features, zeros};
use crate::rare::Rare;
use crate::{Frequency, PreprocessError, Text};
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
    /// What becomes of a category that the fit never saw; an error by default.
    pub unknown: Unseen,
    /// The number for a missing value, no place of a category; it stays missing by default.
    pub missing: Option<f64>,
    /// Categories rarer than this share the last place; off by default.
    pub min_frequency: Option<Frequency>,
    /// The most places of one column, the shared one included, at least 1; off by default.
    pub max_categories: Option<usize>,
}

/// What becomes of a category that an [`Ordinal`] fit never saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// An error that names it; the default.
    #[default]
    Error,
    /// A missing value (NaN).
    Missing,
    /// This number, no place of a category.
    Number(f64),
}

impl Ordinal {
    /// Learns the categories of named columns.
    ///
    /// # Errors
    /// A setting out of bounds, no rows, columns of different length, or given categories that do
    /// not hold every row.
    pub fn fit(&self, columns: &[(&str, &Text)]) -> Result<FittedOrdinal, PreprocessError> {
        let texts: Vec<&Text> = columns.iter().map(|(_, text)| *text).collect();
        let rows = check_columns(columns.len(), &texts)?;
        if rows == 0 {
            return Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 });
        }
        let lists = self.categories.as_ref();
        if let Some(found) = lists.map(Vec::len).filter(|&found| found != columns.len()) {
            let expected = columns.len();
            return Err(PreprocessError::Count { what: "lists of categories", expected, found });
        }
        let rare = Rare::new(self.min_frequency, self.max_categories)?;
        let mut blocks = Vec::new();
        for (i, (name, text)) in columns.iter().enumerate() {
            let (mut categories, mut counts) = match lists {
                None => Categories::of(name, text),
                Some(lists) => {
                    let given: Vec<_> = lists[i].iter().cloned().map(Some).chain([None]).collect();
                    Categories::given(name, &given, text, self.unknown != Unseen::Error)?
                }
            };
            // what is missing has no place, and stands last
            categories.values.retain(Option::is_some);
            counts.truncate(categories.values.len());
            let infrequent = rare.among(&counts, rows);
            let block = Block { categories, infrequent, dropped: None };
            self.check_numbers(block.categories.values.len())?;
            blocks.push(block);
        }
        Ok(FittedOrdinal { unknown: self.unknown, missing: self.missing, columns: blocks })
    }

    /// Checks that what stands for unknown and missing ones is no place.
    fn check_numbers(&self, places: usize) -> Result<(), PreprocessError> {
        let taken = |v: f64| v.fract() == 0.0 && (0.0..places as f64).contains(&v);
        let bound = "no place of a category";
        match (self.unknown, self.missing) {
            (Unseen::Number(v), _) if taken(v) => {
                Err(PreprocessError::setting("unknown", v, bound))
            }
            (_, Some(v)) if taken(v) => Err(PreprocessError::setting("missing", v, bound)),
            _ => Ok(()),
        }
    }
}

/// An ordinal encoder that knows the categories of its training columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedOrdinal {
    unknown: Unseen,
    missing: Option<f64>,
    columns: Vec<Block>,
}

impl FittedOrdinal {
    /// The categories of each column in their order, rare ones included.
    pub fn categories<'a>(&'a self) -> Vec<Vec<&'a str>> {
        let values = |block: &'a Block| block.categories.values.iter().filter_map(Option::as_deref);
        self.columns.iter().map(|block| values(block).collect()).collect()
    }

    /// How many outputs there are: one a column.
    pub fn outputs(&self) -> usize {
        self.columns.len()
    }

    /// The name of each output: that of its column.
    pub fn feature_names_out(&self) -> Vec<String> {
        self.columns.iter().map(|block| block.categories.name.clone()).collect()
    }

    /// The columns as places, *columns × samples*.
    ///
    /// # Errors
    /// Another number of columns, columns of different length, or an unknown category where that
    /// is an error.
    pub fn transform<F: Scalar>(&self, columns: &[&Text]) -> Result<Matrix<F>, PreprocessError> {
        let rows = check_columns(self.columns.len(), columns)?;
        let mut x = zeros(self.columns.len(), rows);
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
        let missing = self.missing.unwrap_or(f64::NAN);
        let unknown = match self.unknown {
            Unseen::Error => None,
            Unseen::Missing => Some(f64::NAN),
            Unseen::Number(number) => Some(number),
        };
        for (i, (block, text)) in self.columns.iter().zip(columns).enumerate() {
            let outputs = block.outputs();
            let number = |place: usize| outputs[place].map(|output| output as f64);
            let numbers = block.categories.places(text).map(|place| place.and_then(number));
            for (row, number) in numbers.rows(text).enumerate() {
                let missing = || text.get(row).is_none().then_some(missing);
                let value = number.or_else(missing).or(unknown);
                let value = value.ok_or_else(|| block.categories.unknown(row, text))?;
                x[(first + i, row)] = F::of(value);
            }
        }
        Ok(())
    }

    /// The categories at these places, `infrequent` at the shared one; missing where a number is no
    /// place.
    ///
    /// # Errors
    /// A matrix with another number of columns.
    pub fn inverse<F: Scalar>(&self, x: View<'_, F>) -> Result<Vec<Text>, PreprocessError> {
        check_features(self.outputs(), x.nrows())?;
        let column = |(i, block): (usize, &Block)| {
            let values = block.output_values();
            let place = |v: &F| Some(v.wide()).filter(|v| v.fract() == 0.0 && *v >= 0.0);
            let value = |v: &F| values.get(place(v)? as usize)?.as_deref();
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
            encode(Unseen::Error)
                .unwrap_err()
                .to_string()
                .starts_with("row 1 of column 'x' holds \"z\"")
        );
        assert_eq!(encode(Unseen::Number(-1.0)).unwrap(), [0.0, -1.0]);
    }

    #[test]
    fn rare_categories_share_the_last_place() {
        let column: Text =
            ["b", "a", "c", "b", "d", "d"].map(Some).into_iter().chain([None]).collect();
        let encode = |ordinal: Ordinal| {
            let fitted = ordinal.fit(&[("x", &column)]).unwrap();
            let x = fitted.transform::<f64>(&[&column]).unwrap();
            let back = fitted.inverse(x.as_view()).unwrap();
            assert_eq!((back[0].get(1), back[0].get(6)), (Some("infrequent"), None));
            x.as_slice().to_vec()
        };
        let least = Some(Frequency::Count(2));
        let places = encode(Ordinal { min_frequency: least, ..Ordinal::default() });
        assert_eq!(places[..6], [0.0, 2.0, 2.0, 0.0, 1.0, 1.0]);
        assert!(places[6].is_nan());
        let missing = Some(-1.0);
        let places = encode(Ordinal { max_categories: Some(2), missing, ..Ordinal::default() });
        assert_eq!(places, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, -1.0]);
    }

    #[test]
    fn numbers_that_are_places_cannot_stand_for_something_else() {
        let message =
            |ordinal: Ordinal| ordinal.fit(&[("x", &text(&["a", "b"]))]).unwrap_err().to_string();
        let unknown = Ordinal { unknown: Unseen::Number(1.0), ..Ordinal::default() };
        assert_eq!(message(unknown), "unknown is 1.0: it must be no place of a category");
        let missing = Ordinal { missing: Some(0.0), ..Ordinal::default() };
        assert_eq!(message(missing), "missing is 0.0: it must be no place of a category");
        for number in [2.0, -1.0, 0.5, f64::NAN] {
            let ordinal = Ordinal { missing: Some(number), ..Ordinal::default() };
            assert!(ordinal.fit(&[("x", &text(&["a", "b"]))]).is_ok(), "{number}");
        }
    }

    #[test]
    fn columns_have_rows_of_their_own_and_given_categories_leave_others_out() {
        let (a, b) = (text(&["p", "q", "z"]), text(&["r", "s", "r"]));
        let lists = vec![vec!["q".to_string(), "p".into()], vec!["s".into(), "r".into()]];
        let encoder = Ordinal {
            categories: Some(lists),
            unknown: Unseen::Number(-1.0),
            ..Ordinal::default()
        };
        let fitted = encoder.fit(&[("a", &a), ("b", &b)]).unwrap();
        assert_eq!(fitted.outputs(), 2);
        let x = fitted.transform::<f64>(&[&a, &b]).unwrap();
        assert_eq!(x.as_slice(), [1.0, 1.0, 0.0, 0.0, -1.0, 1.0]);
        let mut below = zeros::<f64>(4, 3);
        fitted.write(&[&a, &b], 2, &mut below).unwrap();
        assert_eq!(below.rows(2, 2), x);
        assert!(below.rows(0, 2).iter().all(|&v| v == 0.0));
        let strict = Ordinal { unknown: Unseen::Error, ..encoder };
        assert!(strict.fit(&[("a", &a), ("b", &b)]).is_err());
    }
}
