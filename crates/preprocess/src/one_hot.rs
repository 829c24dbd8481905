//! One-hot encoding: one output for each category of a column, 1 where the row holds it.
//!
//! As scikit-learn 1.9 (`OneHotEncoder`): categories are sorted and a missing value is the last of
//! them; those that are rarer than `min_frequency`, or too many for `max_categories`, share one
//! output, the last; what `drop` names has no output of its own, after the rare ones were joined.
//! Other than there, the output is dense, and numbers are told by their text.

use crate::categories::{Categories, check_columns};
use crate::{Limits, PreprocessError, Text};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, View};

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

/// How frequent a category must be to have an output of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// So many rows.
    Count(usize),
    /// This share of the rows, above 0 and below 1.
    Share(f64),
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
        let mut blocks = Vec::new();
        for (i, (name, text)) in columns.iter().enumerate() {
            let (categories, counts) = match &self.categories {
                None => Categories::of(name, text),
                Some(given) => {
                    let others = self.unknown != Unknown::Error;
                    Categories::given(name, &given[i], text, others)?
                }
            };
            let infrequent = self.infrequent(&counts, rows);
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
        if self.max_categories == Some(0) {
            return Err(PreprocessError::setting("max_categories", 0, "at least 1"));
        }
        match self.min_frequency {
            Some(Frequency::Count(0)) => {
                Err(PreprocessError::setting("min_frequency", 0, "a count of at least 1"))
            }
            Some(Frequency::Share(share)) if !(share > 0.0 && share < 1.0) => {
                Err(PreprocessError::setting("min_frequency", share, "a share above 0 and below 1"))
            }
            _ => Ok(()),
        }
    }

    /// Which categories share an output.
    fn infrequent(&self, counts: &[usize], rows: usize) -> Vec<bool> {
        let rare = |&count: &usize| match self.min_frequency {
            None => false,
            Some(Frequency::Count(least)) => count < least,
            Some(Frequency::Share(share)) => (count as f64) < share * rows as f64,
        };
        let mut infrequent: Vec<bool> = counts.iter().map(rare).collect();
        let frequent = infrequent.iter().filter(|&&rare| !rare).count();
        if let Some(most) = self.max_categories
            && most < frequent + 1
        {
            let mut order: Vec<usize> = (0..counts.len()).collect();
            order.sort_by_key(|&i| counts[i]);
            // the most frequent ones keep their outputs; of equally frequent ones, the later
            let shared = counts.len().saturating_sub(most - 1);
            order[..shared].iter().for_each(|&i| infrequent[i] = true);
        }
        infrequent
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

/// A one-hot encoder that knows the categories of its training columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedOneHot {
    unknown: Unknown,
    blocks: Vec<Block>,
}

impl FittedOneHot {
    /// The categories of each column, rare and dropped ones included; `None` is a missing value.
    pub fn categories(&self) -> Vec<&[Option<String>]> {
        self.blocks.iter().map(|block| &block.categories.values[..]).collect()
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.blocks.iter().map(Block::width).sum()
    }

    /// The name of each output: column and category, joined by `_`; the shared output of the rare
    /// ones is `infrequent`, a missing value `missing`.
    pub fn feature_names_out(&self) -> Vec<String> {
        self.blocks.iter().flat_map(Block::names).collect()
    }

    /// The columns as zeros and ones, *outputs × samples*.
    ///
    /// # Errors
    /// Another number of columns, columns of different length, or an unknown category where that
    /// is an error.
    pub fn transform<F: Scalar>(&self, columns: &[&Text]) -> Result<Matrix<F>, PreprocessError> {
        let rows = check_columns(self.blocks.len(), columns)?;
        let mut x = Matrix::zeros(self.outputs(), rows);
        self.write(columns, 0, &mut x)?;
        Ok(x)
    }

    /// Sets the ones in `x`, whose rows from `first` on are zero.
    pub(crate) fn write<F: Scalar>(
        &self,
        columns: &[&Text],
        first: usize,
        x: &mut Matrix<F>,
    ) -> Result<(), PreprocessError> {
        let height = x.nrows();
        let mut first = first;
        for (block, text) in self.blocks.iter().zip(columns) {
            let unknown = match self.unknown {
                Unknown::Error => None,
                Unknown::Zeros => Some(None),
                Unknown::Infrequent => Some(block.shared()),
            };
            let places = block.categories.places(text);
            let outputs = block.outputs();
            let samples = x.as_mut_slice().chunks_exact_mut(height.max(1));
            for (row, (place, sample)) in places.rows(text).zip(samples).enumerate() {
                let output = match (place, unknown) {
                    (Some(place), _) => outputs[place],
                    (None, Some(output)) => output,
                    (None, None) => return Err(block.categories.unknown(row, text)),
                };
                if let Some(output) = output {
                    sample[first + output] = F::one();
                }
            }
            first += block.width();
        }
        Ok(())
    }

    /// The columns that an output stands for: of each column the category of the greatest output;
    /// where none is above 0, the dropped category, else missing. Rare ones become `infrequent`.
    ///
    /// # Errors
    /// A matrix with another number of outputs.
    pub fn inverse<F: Scalar>(&self, x: View<'_, F>) -> Result<Vec<Text>, PreprocessError> {
        crate::columns::check_features(self.outputs(), x.nrows())?;
        let mut first = 0;
        let mut columns = Vec::new();
        for block in &self.blocks {
            let names = block.output_values();
            let mut text = Text::default();
            for sample in x.column_iter() {
                let outputs = &sample.as_slice()[first..first + names.len()];
                let greatest = (0..outputs.len())
                    .filter(|&i| outputs[i] > F::zero())
                    .reduce(|best, i| if outputs[i] > outputs[best] { i } else { best });
                let value = match greatest {
                    Some(output) => names[output].clone(),
                    None => block.dropped_value(),
                };
                text.push(value.as_deref());
            }
            columns.push(text);
            first += names.len();
        }
        Ok(columns)
    }
}

/// Class indices as zeros and ones, *classes × samples*: the targets of a mean squared error.
///
/// ```
/// let y = slalom_preprocess::one_hot::<f32>(&[1, 0], 3)?;
/// assert_eq!(y.as_slice(), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
///
/// # Errors
/// A class that is not below `classes`.
pub fn one_hot<F: Scalar>(indices: &[u32], classes: usize) -> Result<Matrix<F>, PreprocessError> {
    let mut y = Matrix::zeros(classes, indices.len());
    let samples = y.as_mut_slice().chunks_exact_mut(classes.max(1));
    for (row, (&class, sample)) in indices.iter().zip(samples).enumerate() {
        match sample.get_mut(class as usize) {
            Some(output) => *output = F::one(),
            None => return Err(PreprocessError::Class { sample: row, class, classes }),
        }
    }
    match indices.first() {
        Some(&class) if classes == 0 => Err(PreprocessError::Class { sample: 0, class, classes }),
        _ => Ok(y),
    }
}

/// What was learned of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
struct Block {
    categories: Categories,
    /// Which categories share the last output.
    infrequent: Vec<bool>,
    /// The output that is left out.
    dropped: Option<usize>,
}

impl Block {
    /// The output of each category before one is dropped, and the one that rare ones share.
    fn slots(&self) -> (Vec<usize>, Option<usize>) {
        let frequent = self.infrequent.iter().filter(|&&rare| !rare).count();
        let mut next = 0;
        let slot = |&rare: &bool| {
            if rare {
                return frequent;
            }
            next += 1;
            next - 1
        };
        let slots = self.infrequent.iter().map(slot).collect();
        (slots, self.infrequent.contains(&true).then_some(frequent))
    }

    /// The output of a slot, after one is dropped.
    fn output(&self, slot: usize) -> Option<usize> {
        match self.dropped {
            Some(dropped) if slot == dropped => None,
            Some(dropped) if slot > dropped => Some(slot - 1),
            _ => Some(slot),
        }
    }

    /// The output of each category.
    fn outputs(&self) -> Vec<Option<usize>> {
        self.slots().0.into_iter().map(|slot| self.output(slot)).collect()
    }

    /// The output that rare categories share.
    fn shared(&self) -> Option<usize> {
        self.slots().1.and_then(|slot| self.output(slot))
    }

    fn width(&self) -> usize {
        self.outputs().into_iter().flatten().max().map_or(0, |last| last + 1)
    }

    /// The category that each output stands for.
    fn output_values(&self) -> Vec<Option<String>> {
        let mut values = vec![None; self.width()];
        for (output, value) in self.outputs().into_iter().zip(&self.categories.values) {
            if let Some(output) = output {
                values[output].clone_from(value);
            }
        }
        if let Some(shared) = self.shared() {
            values[shared] = Some("infrequent".to_string());
        }
        values
    }

    fn dropped_value(&self) -> Option<String> {
        let (slots, shared) = self.slots();
        let dropped = self.dropped?;
        if shared == Some(dropped) {
            return Some("infrequent".to_string());
        }
        let place = slots.iter().position(|&slot| slot == dropped)?;
        self.categories.values[place].clone()
    }

    fn names(&self) -> Vec<String> {
        let column = &self.categories.name;
        let name = |value: Option<String>| match value {
            Some(value) => format!("{column}_{value}"),
            None => format!("{column}_missing"),
        };
        self.output_values().into_iter().map(name).collect()
    }
}

/// What stands in a file, before it is known to be consistent.
#[derive(Deserialize)]
struct Unchecked {
    categories: Categories,
    infrequent: Vec<bool>,
    dropped: Option<usize>,
}

impl TryFrom<Unchecked> for Block {
    type Error = String;

    fn try_from(found: Unchecked) -> Result<Self, String> {
        let Unchecked { categories, infrequent, dropped } = found;
        let (n, flags) = (categories.values.len(), infrequent.len());
        if flags != n {
            return Err(format!("{flags} infrequent flags for the {n} categories"));
        }
        let block = Self { categories, infrequent, dropped };
        match dropped {
            Some(output) if !block.slots().0.contains(&output) => {
                Err(format!("dropped is {output}, there is no such output"))
            }
            _ => Ok(block),
        }
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
    fn what_is_missing_is_a_category_of_its_own() {
        let column: Text = [Some("b"), None, Some("a")].into_iter().collect();
        let fitted = OneHot::default().fit(&[("x", &column)]).unwrap();
        assert_eq!(fitted.feature_names_out(), ["x_a", "x_b", "x_missing"]);
        let x = fitted.transform::<f64>(&[&column]).unwrap();
        assert_eq!(x.column(1).as_slice(), [0.0, 0.0, 1.0]);
        assert!(fitted.inverse(x.as_view()).unwrap()[0].iter().eq(column.iter()));
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
    fn classes_past_the_end_are_named() {
        let error = one_hot::<f32>(&[0, 3], 3).unwrap_err().to_string();
        assert_eq!(error, "the class of sample 1 is 3: there are only 3 classes, 0 to 2");
        assert!(one_hot::<f32>(&[0], 0).is_err());
        assert_eq!(one_hot::<f32>(&[], 3).unwrap().shape(), (3, 0));
    }

    #[test]
    fn a_file_that_contradicts_itself_is_refused() {
        let fitted = OneHot::default().fit(&[("x", &text(&["a", "b"]))]).unwrap();
        let good = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<FittedOneHot>(&good).unwrap(), fitted);
        for (from, to) in [("[false,false]", "[false]"), ("\"dropped\":null", "\"dropped\":2")] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(serde_json::from_str::<FittedOneHot>(&bad).is_err(), "{bad}");
        }
    }
}
