//! The fitted one-hot encoder: zeros and ones for text, and text for zeros and ones.

use crate::block::Block;
use crate::categories::check_columns;
use crate::columns::{check_features, zeros};
use crate::{PreprocessError, Text, Unknown};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, View};

/// A one-hot encoder that knows the categories of its training columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedOneHot {
    pub(crate) unknown: Unknown,
    pub(crate) blocks: Vec<Block>,
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
        let mut x = zeros(self.outputs(), rows);
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
            let outputs = block.outputs();
            let output = |place: Option<usize>| place.map_or(unknown, |place| Some(outputs[place]));
            let targets = block.categories.places(text).map(output);
            let samples = x.as_mut_slice().chunks_exact_mut(height.max(1));
            for (row, (target, sample)) in targets.rows(text).zip(samples).enumerate() {
                match target {
                    Some(Some(output)) => sample[first + output] = F::one(),
                    Some(None) => {}
                    None => return Err(block.categories.unknown(row, text)),
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
        check_features(self.outputs(), x.nrows())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drop, OneHot};

    fn text(values: &[&str]) -> Text {
        values.iter().copied().collect()
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

    #[test]
    fn every_column_has_its_own_outputs() {
        let (sizes, colours) = (text(&["S", "L", "S"]), text(&["red", "blue", "green"]));
        let encoder = OneHot { drop: Drop::IfBinary, ..OneHot::default() };
        let fitted = encoder.fit(&[("size", &sizes), ("colour", &colours)]).unwrap();
        assert_eq!(
            fitted.feature_names_out(),
            ["size_S", "colour_blue", "colour_green", "colour_red"]
        );
        let categories = [["L", "S"].as_slice(), &["blue", "green", "red"]];
        let categories = categories.map(|list| list.iter().map(|v| Some(v.to_string())).collect());
        assert_eq!(fitted.categories(), categories.each_ref().map(|list: &Vec<_>| &list[..]));
        let x = fitted.transform::<f64>(&[&sizes, &colours]).unwrap();
        assert_eq!(x.as_slice(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        let back = fitted.inverse(x.as_view()).unwrap();
        assert!(back[0].iter().eq(sizes.iter()) && back[1].iter().eq(colours.iter()));
        assert!(fitted.transform::<f64>(&[&sizes]).is_err());
        assert!(fitted.inverse(x.rows(0, 3).into_owned().as_view()).is_err());
    }

    #[test]
    fn the_greatest_output_is_taken_back_the_first_of_equal_ones() {
        let fitted = OneHot::default().fit(&[("x", &text(&["a", "b", "c"]))]).unwrap();
        let x = Matrix::from_vec(
            3,
            4,
            vec![0.2, 0.7, 0.1, 0.3, 0.3, 0.1, 0.1, 0.2, 0.7, 0.0, 0.0, 0.0],
        );
        let back = fitted.inverse(x.as_view()).unwrap();
        assert_eq!(back[0].iter().collect::<Vec<_>>(), [Some("b"), Some("a"), Some("c"), None]);
    }
}
