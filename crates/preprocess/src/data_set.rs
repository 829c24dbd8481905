//! Inputs, targets and their names, owned.

use crate::{Parts, PreprocessError, Split};
use slalom_tensor::{Matrix, SampleError, Samples, Scalar, Targets, View, ViewMut};

/// What the outputs of a network are compared with, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedTargets<F: Scalar> {
    /// The index of each sample's class, and the name of each class.
    Classes {
        /// One index a sample, below the number of names.
        indices: Vec<u32>,
        /// One name a class.
        names: Vec<String>,
    },
    /// Values, *outputs × samples*, and the name of each output.
    Values {
        /// One column a sample.
        values: Matrix<F>,
        /// One name an output.
        names: Vec<String>,
    },
}

impl<F: Scalar> OwnedTargets<F> {
    /// The targets as a network takes them.
    pub fn view(&self) -> Targets<'_, F> {
        match self {
            Self::Classes { indices, .. } => Targets::Classes(indices),
            Self::Values { values, .. } => Targets::Values(values.as_view()),
        }
    }

    /// The names of the classes or of the outputs.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classes { names, .. } | Self::Values { names, .. } => names,
        }
    }

    fn subset(&self, indices: &[usize]) -> Self {
        match self {
            Self::Classes { indices: classes, names } => Self::Classes {
                indices: indices.iter().map(|&i| classes[i]).collect(),
                names: names.clone(),
            },
            Self::Values { values, names } => {
                Self::Values { values: values.select_columns(indices), names: names.clone() }
            }
        }
    }
}

/// A data set: inputs (*features × samples*), targets, and the names of both.
///
/// Missing values are NaN in the inputs, until an imputer fills them in;
/// [`samples`](DataSet::samples) refuses them.
///
/// ```
/// use slalom_preprocess::{DataSet, OwnedTargets, Split};
/// let inputs = slalom_tensor::from_rows(&[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let names = ["no", "yes"].map(String::from).to_vec();
/// let targets = OwnedTargets::Classes { indices: vec![1, 1, 0], names };
/// let data = DataSet::new(inputs, targets)?;
/// assert_eq!((data.len(), data.features()), (3, &["x0".to_string(), "x1".to_string()][..]));
/// let parts = data.split(&Split { test: 0.3, ..Split::default() })?;
/// assert_eq!((parts.train.len(), parts.test.len()), (2, 1));
/// assert_eq!(parts.train.samples()?.len(), 2);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet<F: Scalar> {
    inputs: Matrix<F>,
    targets: OwnedTargets<F>,
    features: Vec<String>,
}

impl<F: Scalar> DataSet<F> {
    /// A data set whose features are named `x0`, `x1`, ….
    ///
    /// # Errors
    /// Inputs, targets or names that differ in number, or a class without a name.
    pub fn new(inputs: Matrix<F>, targets: OwnedTargets<F>) -> Result<Self, PreprocessError> {
        let features = (0..inputs.nrows()).map(|i| format!("x{i}")).collect();
        Self::named(inputs, targets, features)
    }

    /// A data set with a name for each feature.
    ///
    /// # Errors
    /// As [`new`](DataSet::new).
    pub fn named(
        inputs: Matrix<F>,
        targets: OwnedTargets<F>,
        features: Vec<String>,
    ) -> Result<Self, PreprocessError> {
        let same = |what, expected, found| match expected == found {
            true => Ok(()),
            false => Err(PreprocessError::Count { what, expected, found }),
        };
        same("feature names", inputs.nrows(), features.len())?;
        match &targets {
            OwnedTargets::Classes { indices, names } => {
                same("class targets for the inputs", inputs.ncols(), indices.len())?;
                let classes = names.len();
                let bad = indices.iter().position(|&class| class as usize >= classes);
                if let Some(sample) = bad {
                    return Err(PreprocessError::Class { sample, class: indices[sample], classes });
                }
            }
            OwnedTargets::Values { values, names } => {
                same("target values for the inputs", inputs.ncols(), values.ncols())?;
                same("target names", values.nrows(), names.len())?;
            }
        }
        Ok(Self { inputs, targets, features })
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.inputs.ncols()
    }

    /// Whether there are none, as in a part of a split that nobody asked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the features.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// The inputs, *features × samples*.
    pub fn inputs(&self) -> View<'_, F> {
        self.inputs.as_view()
    }

    /// The inputs, to be transformed in place.
    pub fn inputs_mut(&mut self) -> ViewMut<'_, F> {
        self.inputs.as_view_mut()
    }

    /// The targets and their names.
    pub fn targets(&self) -> &OwnedTargets<F> {
        &self.targets
    }

    /// The targets, when they are values, to be transformed in place.
    pub fn values_mut(&mut self) -> Option<ViewMut<'_, F>> {
        match &mut self.targets {
            OwnedTargets::Classes { .. } => None,
            OwnedTargets::Values { values, .. } => Some(values.as_view_mut()),
        }
    }

    /// Inputs, targets and names, taken apart.
    pub fn into_parts(self) -> (Matrix<F>, OwnedTargets<F>, Vec<String>) {
        (self.inputs, self.targets, self.features)
    }

    /// The samples as a network takes them, every number looked at once.
    ///
    /// # Errors
    /// No samples, or a number that is not finite.
    pub fn samples(&self) -> Result<Samples<'_, F>, SampleError> {
        Samples::new(self.inputs.as_view(), self.targets.view())
    }

    /// The samples with these indices, in this order; an index may come more than once.
    ///
    /// # Errors
    /// An index past the end.
    pub fn subset(&self, indices: &[usize]) -> Result<Self, PreprocessError> {
        let samples = self.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= samples) {
            return Err(PreprocessError::Index { index, samples });
        }
        Ok(Self {
            inputs: self.inputs.select_columns(indices),
            targets: self.targets.subset(indices),
            features: self.features.clone(),
        })
    }

    /// The parts of a split; by class if it is stratified.
    ///
    /// # Errors
    /// Those of [`Split`]; a stratified split of targets that are values.
    pub fn split(&self, split: &Split) -> Result<Parts<Self>, PreprocessError> {
        let parts = match &self.targets {
            OwnedTargets::Classes { indices, .. } if split.stratified => {
                split.indices_by_class(indices)?
            }
            OwnedTargets::Values { .. } if split.stratified => {
                let bound = "false where the targets are values, not classes";
                return Err(PreprocessError::setting("stratified", true, bound));
            }
            _ => split.indices(self.len())?,
        };
        Ok(Parts {
            train: self.subset(&parts.train)?,
            valid: self.subset(&parts.valid)?,
            test: self.subset(&parts.test)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(indices: &[u32], names: usize) -> OwnedTargets<f64> {
        let names = (0..names).map(|i| i.to_string()).collect();
        OwnedTargets::Classes { indices: indices.to_vec(), names }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let x = Matrix::<f64>::zeros(2, 3);
        let error = |targets| DataSet::new(x.clone(), targets).unwrap_err().to_string();
        assert_eq!(error(classes(&[0, 1], 2)), "class targets for the inputs: expected 3, found 2");
        assert_eq!(
            error(classes(&[0, 1, 2], 2)),
            "the class of sample 2 is 2: there are only 2 classes, 0 to 1"
        );
        let values = OwnedTargets::Values { values: Matrix::zeros(1, 4), names: vec!["y".into()] };
        assert_eq!(error(values), "target values for the inputs: expected 3, found 4");
        let values = OwnedTargets::Values { values: Matrix::zeros(2, 3), names: vec!["y".into()] };
        assert_eq!(error(values), "target names: expected 2, found 1");
        let named = DataSet::named(x.clone(), classes(&[0, 1, 0], 2), vec!["a".into()]);
        assert_eq!(named.unwrap_err().to_string(), "feature names: expected 2, found 1");
    }

    #[test]
    fn a_subset_keeps_inputs_and_targets_together() {
        let x = Matrix::from_fn(2, 4, |i, j| (10 * i + j) as f64);
        let data = DataSet::new(x, classes(&[0, 1, 2, 3], 4)).unwrap();
        let subset = data.subset(&[3, 1, 3]).unwrap();
        assert_eq!(subset.inputs().row(0).iter().copied().collect::<Vec<_>>(), [3.0, 1.0, 3.0]);
        assert_eq!(subset.targets().view(), Targets::Classes(&[3, 1, 3]));
        let error = data.subset(&[4]).unwrap_err().to_string();
        assert_eq!(error, "sample 4 was asked for: there are only 4");
    }

    #[test]
    fn parts_are_stratified_where_there_are_classes() {
        let x = Matrix::from_fn(1, 20, |_, j| j as f64);
        let labels: Vec<u32> = (0..20).map(|i| u32::from(i < 5)).collect();
        let data = DataSet::new(x.clone(), classes(&labels, 2)).unwrap();
        let split = Split { stratified: true, ..Split::default() };
        let parts = data.split(&split).unwrap();
        let ones = |part: &DataSet<f64>| match part.targets() {
            OwnedTargets::Classes { indices, .. } => indices.iter().sum::<u32>(),
            OwnedTargets::Values { .. } => 0,
        };
        assert_eq!((ones(&parts.train), ones(&parts.test)), (4, 1));
        assert!(parts.valid.is_empty() && !parts.test.is_empty());
        let values = OwnedTargets::Values { values: x.clone(), names: vec!["y".into()] };
        let mut data = DataSet::new(x, values).unwrap();
        assert_eq!(data.split(&Split::default()).unwrap().test.len(), 4);
        data.values_mut().unwrap().fill(7.0);
        assert_eq!(
            data.targets().view(),
            Targets::Values(Matrix::from_element(1, 20, 7.0).as_view())
        );
    }

    #[test]
    fn values_cannot_be_stratified() {
        let values = OwnedTargets::Values { values: Matrix::zeros(1, 4), names: vec!["y".into()] };
        let data = DataSet::new(Matrix::<f64>::zeros(2, 4), values).unwrap();
        let error = data.split(&Split { stratified: true, ..Split::default() }).unwrap_err();
        assert!(error.to_string().starts_with("stratified is true"), "{error}");
    }
}
