//! One-hot encoding: one output for each category of a column, 1 where the row holds it.
//!
//! As scikit-learn 1.9 (`OneHotEncoder`): categories are sorted and a missing value is the last of
//! them; those that are rarer than `min_frequency`, or too many for `max_categories`, share one
//! output, the last; what `drop` names has no output of its own, after the rare ones were joined.
//! Other than there, the output is dense, and numbers are told by their text.

use crate::block::Block;
use crate::categories::{Categories, check_columns};
use crate::rare::Rare;
use crate::{FittedOneHot, Frequency, Limits, PreprocessError, Text};
use serde::{Deserialize, Serialize};

/// Encodes columns of text as zeros and ones.
///
/// ```
/// use slalom_preprocess::{OneHot, Text};
/// let sizes: Text = ["S", "L", "S"].into_iter().collect();
/// let encoder = OneHot::default().fit(&[("size", &sizes)])?;
/// assert_eq!(encoder.feature_names_out(), ["size_L", "size_S"]);
/// let x = encoder.transform::<f32>(&[&sizes])?;
/// assert_eq!(x.as_slice(), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OneHot {
    /// What becomes of a category that the fit never saw; an error by default.
    pub unknown: Unknown,
    /// Which category of a column has no output; none by default.
    pub drop: Drop,
    /// Categories rarer than this share one output; off by default.
    pub min_frequency: Option<Frequency>,
    /// The most outputs of one column, the shared one included, at least 1; off by default.
    pub max_categories: Option<usize>,
    /// The categories of each column, in order, `None` for a missing value; what the fit finds, by
    /// default.
    pub categories: Option<Vec<Vec<Option<String>>>>,
}

/// What becomes of a category that the fit never saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// An error that names it; the default.
    #[default]
    Error,
    /// Zeros in all outputs of its column.
    Zeros,
    /// The output that rare categories share, or zeros if there is none.
    Infrequent,
}

/// Which category of a column has no output of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// None; the default.
    #[default]
    None,
    /// The first one: the outputs of a column are then linearly independent of a bias.
    First,
    /// The first one of columns with two outputs.
    IfBinary,
    /// This one of each column, `None` for a missing value.
    Values(Vec<Option<String>>),
}

impl OneHot {
    /// Learns the categories of named columns.
    ///
    /// # Errors
    /// A setting out of bounds, no rows, columns of different length, a category to drop that is
    /// not there, or more outputs than [`Limits::columns`] has by default.
    pub fn fit(&self, columns: &[(&str, &Text)]) -> Result<FittedOneHot, PreprocessError> {
        let texts: Vec<&Text> = columns.iter().map(|(_, text)| *text).collect();
        let rows = check_columns(columns.len(), &texts)?;
        if rows == 0 {
            return Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 });
        }
        self.check(columns.len())?;
        let rare = Rare::new(self.min_frequency, self.max_categories)?;
        let mut blocks = Vec::new();
        for (i, (name, text)) in columns.iter().enumerate() {
            let (categories, counts) = match &self.categories {
                None => Categories::of(name, text),
                Some(given) => {
                    let others = self.unknown != Unknown::Error;
                    Categories::given(name, &given[i], text, others)?
                }
            };
            let infrequent = rare.among(&counts, rows);
            let mut block = Block { categories, infrequent, dropped: None };
            block.dropped = self.dropped(i, &block)?;
            blocks.push(block);
        }
        let fitted = FittedOneHot { unknown: self.unknown, blocks };
        let limit = Limits::default().columns;
        if fitted.outputs() as u64 > limit {
            let found = format!("{} outputs", fitted.outputs());
            let bound = "at most 65536: set max_categories or min_frequency";
            return Err(PreprocessError::Setting { field: "one-hot width", value: found, bound });
        }
        Ok(fitted)
    }

    fn check(&self, columns: usize) -> Result<(), PreprocessError> {
        let same = |what, found| match found == columns {
            true => Ok(()),
            false => Err(PreprocessError::Count { what, expected: columns, found }),
        };
        if let Some(categories) = &self.categories {
            same("lists of categories", categories.len())?;
        }
        if let Drop::Values(values) = &self.drop {
            same("categories to drop", values.len())?;
        }
        Ok(())
    }

    /// Which output of a column is dropped.
    fn dropped(&self, column: usize, block: &Block) -> Result<Option<usize>, PreprocessError> {
        let (outputs, _) = block.slots();
        let width = outputs.iter().max().map_or(0, |last| last + 1);
        Ok(match &self.drop {
            Drop::None => None,
            Drop::First => Some(0),
            Drop::IfBinary => (width == 2).then_some(0),
            Drop::Values(values) => {
                let value = &values[column];
                let place = block.categories.values.iter().position(|known| known == value);
                match place {
                    None => {
                        let bound = "a category of its column";
                        return Err(PreprocessError::setting("drop", value, bound));
                    }
                    Some(place) if block.infrequent[place] => {
                        let bound = "a frequent category: rare ones share an output";
                        return Err(PreprocessError::setting("drop", value, bound));
                    }
                    Some(place) => Some(outputs[place]),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Text {
        values.iter().copied().collect()
    }

    fn names(encoder: &OneHot, values: &[&str]) -> Vec<String> {
        encoder.fit(&[("x", &text(values))]).unwrap().feature_names_out()
    }

    fn message(encoder: &OneHot, values: &[&str]) -> String {
        encoder.fit(&[("x", &text(values))]).unwrap_err().to_string()
    }

    const MIXED: [&str; 10] = ["a", "b", "b", "c", "c", "c", "d", "d", "d", "d"];

    #[test]
    fn rare_categories_share_the_last_output() {
        let count = |n| OneHot { min_frequency: Some(Frequency::Count(n)), ..OneHot::default() };
        assert_eq!(names(&count(3), &MIXED), ["x_c", "x_d", "x_infrequent"]);
        assert_eq!(names(&count(1), &MIXED), ["x_a", "x_b", "x_c", "x_d"]);
        assert_eq!(names(&count(9), &MIXED), ["x_infrequent"]);
        let share = |s| OneHot { min_frequency: Some(Frequency::Share(s)), ..OneHot::default() };
        assert_eq!(names(&share(0.2), &MIXED), ["x_b", "x_c", "x_d", "x_infrequent"]);
    }

    #[test]
    fn the_most_outputs_count_the_shared_one() {
        let most = |n| OneHot { max_categories: Some(n), ..OneHot::default() };
        assert_eq!(names(&most(5), &MIXED), ["x_a", "x_b", "x_c", "x_d"]);
        assert_eq!(names(&most(4), &MIXED), ["x_b", "x_c", "x_d", "x_infrequent"]);
        assert_eq!(names(&most(1), &MIXED), ["x_infrequent"]);
        // of equally frequent ones the later stays
        assert_eq!(names(&most(2), &["p", "q", "r"]), ["x_r", "x_infrequent"]);
    }

    #[test]
    fn what_is_dropped_has_no_output_and_comes_back() {
        let first = OneHot { drop: Drop::First, ..OneHot::default() };
        assert_eq!(names(&first, &MIXED), ["x_b", "x_c", "x_d"]);
        let binary = OneHot { drop: Drop::IfBinary, ..OneHot::default() };
        assert_eq!(names(&binary, &["n", "y"]), ["x_y"]);
        assert_eq!(names(&binary, &["n", "y", "z"]).len(), 3);
        let named = OneHot { drop: Drop::Values(vec![Some("c".into())]), ..OneHot::default() };
        assert_eq!(names(&named, &MIXED), ["x_a", "x_b", "x_d"]);
        for encoder in [first, named, OneHot::default()] {
            let fitted = encoder.fit(&[("x", &text(&MIXED))]).unwrap();
            let x = fitted.transform::<f64>(&[&text(&MIXED)]).unwrap();
            let back = fitted.inverse(x.as_view()).unwrap();
            assert!(back[0].iter().eq(text(&MIXED).iter()));
        }
    }

    #[test]
    fn unknown_categories_do_what_was_asked_for() {
        let rare = OneHot { min_frequency: Some(Frequency::Count(2)), ..OneHot::default() };
        let encode = |unknown| {
            let fitted = OneHot { unknown, ..rare.clone() }.fit(&[("x", &text(&MIXED))]).unwrap();
            fitted.transform::<f64>(&[&text(&["z"])]).map(|x| x.as_slice().to_vec())
        };
        let error = encode(Unknown::Error).unwrap_err().to_string();
        assert!(
            error.starts_with("row 0 of column 'x' holds \"z\", which the fit never saw"),
            "{error}"
        );
        assert_eq!(encode(Unknown::Zeros).unwrap(), [0.0, 0.0, 0.0, 0.0]);
        assert_eq!(encode(Unknown::Infrequent).unwrap(), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn numbers_are_sorted_as_numbers() {
        assert_eq!(names(&OneHot::default(), &["10", "9", "-1"]), ["x_-1", "x_9", "x_10"]);
        assert_eq!(names(&OneHot::default(), &["10", "9", "x"]), ["x_10", "x_9", "x_x"]);
    }

    #[test]
    fn given_categories_keep_their_order_and_must_hold_every_row() {
        let given = |list: &[&str]| OneHot {
            categories: Some(vec![list.iter().map(|v| Some(v.to_string())).collect()]),
            ..OneHot::default()
        };
        assert_eq!(names(&given(&["z", "b", "a"]), &["a", "b"]), ["x_z", "x_b", "x_a"]);
        assert!(
            message(&given(&["a"]), &["a", "b"]).starts_with("row 1 of column 'x' holds \"b\"")
        );
        assert!(message(&given(&["a", "a"]), &["a"]).starts_with("categories is Some(\"a\")"));
    }

    #[test]
    fn settings_out_of_bounds_are_refused() {
        let zero = OneHot { max_categories: Some(0), ..OneHot::default() };
        assert_eq!(message(&zero, &["a"]), "max_categories is 0: it must be at least 1");
        let share = Some(Frequency::Share(1.0));
        let error = message(&OneHot { min_frequency: share, ..OneHot::default() }, &["a"]);
        assert!(error.starts_with("min_frequency is 1.0"), "{error}");
        let drop = Drop::Values(vec![Some("q".into())]);
        let error = message(&OneHot { drop, ..OneHot::default() }, &["a"]);
        assert_eq!(error, "drop is Some(\"q\"): it must be a category of its column");
        let (drop, most) = (Drop::Values(vec![Some("a".into())]), Some(2));
        let error = message(&OneHot { drop, max_categories: most, ..OneHot::default() }, &MIXED);
        assert!(error.contains("a frequent category"), "{error}");
        assert!(message(&OneHot::default(), &[]).contains("at least 1, found 0"));
    }

    #[test]
    fn lists_must_be_as_many_as_columns() {
        let drop = Drop::Values(vec![None, None]);
        let error = message(&OneHot { drop, ..OneHot::default() }, &["a"]);
        assert_eq!(error, "categories to drop: expected 1, found 2");
        let categories = Some(vec![]);
        let error = message(&OneHot { categories, ..OneHot::default() }, &["a"]);
        assert_eq!(error, "lists of categories: expected 1, found 0");
    }

    #[test]
    fn outputs_are_bounded() {
        let wide: Text = (0..65_537)
            .map(|i| i.to_string())
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect();
        let error = OneHot::default().fit(&[("id", &wide)]).unwrap_err().to_string();
        assert!(error.starts_with("one-hot width is 65537 outputs"), "{error}");
        let rows: Vec<usize> = (0..65_536).collect();
        assert!(OneHot::default().fit(&[("id", &wide.subset(&rows).unwrap())]).is_ok());
    }

    #[test]
    fn given_categories_are_counted_and_others_left_out() {
        let given = ["a", "b", "c"].map(|v| Some(v.to_string())).to_vec();
        let encoder = OneHot {
            categories: Some(vec![given]),
            unknown: Unknown::Zeros,
            min_frequency: Some(Frequency::Count(2)),
            ..OneHot::default()
        };
        let column = text(&["b", "z", "b", "a", "z", "z"]);
        assert_eq!(names_of(&encoder, &column), ["x_b", "x_infrequent"]);
        // what no row holds any more is no category
        let subset = text(&["a", "b", "a"]).subset(&[0, 2]).unwrap();
        assert_eq!(names_of(&OneHot::default(), &subset), ["x_a"]);
    }

    fn names_of(encoder: &OneHot, column: &Text) -> Vec<String> {
        encoder.fit(&[("x", column)]).unwrap().feature_names_out()
    }
}
