//! Class labels: names to indices and back.

use crate::categories::Categories;
use crate::columns::zeros;
use crate::{OwnedTargets, PreprocessError, Text};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar};

/// The classes of a column of labels, each with its index.
///
/// ```
/// use slalom_preprocess::{Labels, Text};
/// let species: Text = ["setosa", "virginica", "setosa"].into_iter().collect();
/// let labels = Labels::fit("species", &species)?;
/// assert_eq!(labels.names(), ["setosa", "virginica"]);
/// assert_eq!(labels.encode(&species)?, [0, 1, 0]);
/// assert_eq!(labels.name(1), Some("virginica"));
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    column: String,
    names: Vec<String>,
}

impl Labels {
    /// The classes that a column holds: in the order of the numbers if all are numbers, else of the
    /// bytes.
    ///
    /// # Errors
    /// No rows, or a label that is missing.
    pub fn fit(column: &str, labels: &Text) -> Result<Self, PreprocessError> {
        if labels.is_empty() {
            return Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 });
        }
        let (categories, _) = Categories::of(column, labels);
        let all = Self { column: column.to_string(), names: Vec::new() };
        match labels.iter().position(|label| label.is_none()) {
            Some(row) => Err(all.categories().unknown(row, labels)),
            None => Ok(Self { names: categories.values.into_iter().flatten().collect(), ..all }),
        }
    }

    /// These classes, in this order.
    ///
    /// # Errors
    /// A name given twice.
    pub fn new(column: &str, names: Vec<String>) -> Result<Self, PreprocessError> {
        let labels = Self { column: column.to_string(), names };
        Categories::given(column, &labels.categories().values, &Text::default(), false)?;
        Ok(labels)
    }

    /// The name of each class.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a class, if there is such a class.
    pub fn name(&self, class: u32) -> Option<&str> {
        self.names.get(class as usize).map(String::as_str)
    }

    /// The class of each row.
    ///
    /// # Errors
    /// A row whose label is missing or no class.
    pub fn encode(&self, labels: &Text) -> Result<Vec<u32>, PreprocessError> {
        let categories = self.categories();
        let places = categories.places(labels);
        let class = |(row, place): (usize, Option<usize>)| {
            place.map(|place| place as u32).ok_or_else(|| categories.unknown(row, labels))
        };
        places.rows(labels).enumerate().map(class).collect()
    }

    /// The name of each class of a list.
    ///
    /// # Errors
    /// An index without a class.
    pub fn decode(&self, classes: &[u32]) -> Result<Text, PreprocessError> {
        let n = self.names.len();
        let name = |(sample, &class): (usize, &u32)| {
            self.name(class).ok_or(PreprocessError::Class { sample, class, classes: n })
        };
        classes.iter().enumerate().map(|entry| name(entry).map(Some)).collect()
    }

    /// The labels as the targets of a [`DataSet`](crate::DataSet).
    ///
    /// # Errors
    /// As [`encode`](Labels::encode).
    pub fn targets<F: Scalar>(&self, labels: &Text) -> Result<OwnedTargets<F>, PreprocessError> {
        Ok(OwnedTargets::Classes { indices: self.encode(labels)?, names: self.names.clone() })
    }

    fn categories(&self) -> Categories {
        let values = self.names.iter().cloned().map(Some).collect();
        Categories { name: self.column.clone(), values }
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
    let mut y = zeros(classes, indices.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_past_the_end_are_named() {
        let error = one_hot::<f32>(&[0, 3], 3).unwrap_err().to_string();
        assert_eq!(error, "the class of sample 1 is 3: there are only 3 classes, 0 to 2");
        assert!(one_hot::<f32>(&[0], 0).is_err());
        assert_eq!(one_hot::<f32>(&[], 3).unwrap().shape(), (3, 0));
    }

    #[test]
    fn labels_go_there_and_back() {
        let column: Text = ["10", "9", "10", "2"].into_iter().collect();
        let labels = Labels::fit("y", &column).unwrap();
        assert_eq!(labels.names(), ["2", "9", "10"]);
        assert_eq!(labels.encode(&column).unwrap(), [2, 1, 2, 0]);
        assert!(labels.decode(&[2, 1, 2, 0]).unwrap().iter().eq(column.iter()));
    }

    #[test]
    fn what_is_no_class_is_named() {
        let labels = Labels::new("y", vec!["no".into(), "yes".into()]).unwrap();
        let error = labels.encode(&["no", "perhaps"].into_iter().collect()).unwrap_err();
        assert!(error.to_string().starts_with("row 1 of column 'y' holds \"perhaps\""), "{error}");
        let error = labels.decode(&[0, 2]).unwrap_err().to_string();
        assert_eq!(error, "the class of sample 1 is 2: there are only 2 classes, 0 to 1");
        let missing: Text = [Some("no"), None].into_iter().collect();
        let error = Labels::fit("y", &missing).unwrap_err().to_string();
        assert!(error.starts_with("row 1 of column 'y' holds \"(missing)\""), "{error}");
        assert!(Labels::new("y", vec!["no".into(), "no".into()]).is_err());
    }
}
