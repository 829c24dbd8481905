//! Inputs, targets and weights that belong together, checked once at one door.

use crate::{Scalar, View};

/// What a network's outputs are compared with, one entry or column a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<'a, F: Scalar> {
    /// The index of each sample's class, from 0.
    Classes(&'a [u32]),
    /// Values, *outputs × samples*: regression targets, soft or multi-label classes.
    Values(View<'a, F>),
}

impl<'a, F: Scalar> Targets<'a, F> {
    /// How many samples there are targets for.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Values(values) => values.ncols(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets of the samples `start..start + count`.
    ///
    /// # Panics
    /// If the range goes past the end.
    pub fn range(&self, start: usize, count: usize) -> Targets<'_, F> {
        match self {
            Self::Classes(classes) => Targets::Classes(&classes[start..start + count]),
            Self::Values(values) => Targets::Values(values.columns(start, count)),
        }
    }
}

/// Why inputs, targets and weights do not belong together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// No samples at all.
    #[error("the data set is empty: {features} features x 0 samples")]
    Empty {
        /// Rows of the inputs.
        features: usize,
    },
    /// Inputs and targets are of different count.
    #[error("inputs have {inputs} samples, targets have {targets}")]
    TargetCount {
        /// Samples in the inputs.
        inputs: usize,
        /// Samples in the targets.
        targets: usize,
    },
    /// Inputs and sample weights are of different count.
    #[error("inputs have {inputs} samples, sample weights have {weights}")]
    WeightCount {
        /// Samples in the inputs.
        inputs: usize,
        /// Sample weights.
        weights: usize,
    },
    /// A weight that is negative, NaN or infinite.
    #[error("the weight of sample {sample} is {value}: it must be finite and at least 0")]
    Weight {
        /// Which sample, from 0.
        sample: usize,
        /// Its weight.
        value: f64,
    },
    /// An input that is NaN or infinite.
    #[error(
        "the input of sample {sample}, feature {feature} is {value}: impute or drop it before training"
    )]
    Input {
        /// Which sample, from 0.
        sample: usize,
        /// Which feature, from 0.
        feature: usize,
        /// The value found.
        value: f64,
    },
    /// A target that is NaN or infinite.
    #[error(
        "the target of sample {sample}, output {output} is {value}: every target must be finite"
    )]
    Target {
        /// Which sample, from 0.
        sample: usize,
        /// Which output, from 0.
        output: usize,
        /// The value found.
        value: f64,
    },
}

/// Samples to train on or to evaluate: inputs, their targets and, if wanted, their weights.
///
/// Made by [`Samples::new`], which looks at every number once, so that nothing behind this door
/// meets NaN or counts that differ.
///
/// ```
/// use slalom_tensor::{Samples, Targets, from_rows};
/// let x = from_rows(&[[0.0, 1.0], [1.0, f64::NAN]]);
/// let error = Samples::new(x.as_view(), Targets::Classes(&[0, 1])).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the input of sample 1, feature 1 is NaN: impute or drop it before training"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Samples<'a, F: Scalar> {
    inputs: View<'a, F>,
    targets: Targets<'a, F>,
    weights: Option<&'a [F]>,
}

impl<'a, F: Scalar> Samples<'a, F> {
    /// Inputs (*features × samples*) and their targets.
    ///
    /// # Errors
    /// No samples, different counts, or a number that is not finite: see [`SampleError`].
    pub fn new(inputs: View<'a, F>, targets: Targets<'a, F>) -> Result<Self, SampleError> {
        if inputs.ncols() == 0 {
            return Err(SampleError::Empty { features: inputs.nrows() });
        }
        if inputs.ncols() != targets.len() {
            return Err(SampleError::TargetCount {
                inputs: inputs.ncols(),
                targets: targets.len(),
            });
        }
        if let Some((feature, sample, value)) = not_finite(inputs) {
            return Err(SampleError::Input { sample, feature, value });
        }
        if let Targets::Values(values) = targets
            && let Some((output, sample, value)) = not_finite(values)
        {
            return Err(SampleError::Target { sample, output, value });
        }
        Ok(Self { inputs, targets, weights: None })
    }

    /// The same samples, each counting as much as its weight says.
    ///
    /// # Errors
    /// A count that differs from the inputs', or a weight that is negative or not finite.
    pub fn weighted(self, weights: &'a [F]) -> Result<Self, SampleError> {
        if weights.len() != self.len() {
            return Err(SampleError::WeightCount { inputs: self.len(), weights: weights.len() });
        }
        let bad = weights.iter().position(|w| !w.is_finite() || *w < F::zero());
        if let Some(sample) = bad {
            return Err(SampleError::Weight { sample, value: weights[sample].wide() });
        }
        Ok(Self { weights: Some(weights), ..self })
    }

    /// How many samples there are; never 0.
    #[allow(clippy::len_without_is_empty)] // never empty: `new` refuses it
    pub fn len(&self) -> usize {
        self.inputs.ncols()
    }

    /// How many features each sample has.
    pub fn features(&self) -> usize {
        self.inputs.nrows()
    }

    /// The inputs, *features × samples*.
    pub fn inputs(&self) -> View<'a, F> {
        self.inputs
    }

    /// The targets.
    pub fn targets(&self) -> Targets<'a, F> {
        self.targets
    }

    /// The inputs of the samples `start..start + count`, without a copy.
    ///
    /// # Panics
    /// If the range goes past the end.
    pub fn inputs_range(&self, start: usize, count: usize) -> View<'_, F> {
        self.inputs.columns(start, count)
    }

    /// The targets of the samples `start..start + count`, without a copy.
    ///
    /// # Panics
    /// If the range goes past the end.
    pub fn targets_range(&self, start: usize, count: usize) -> Targets<'_, F> {
        self.targets.range(start, count)
    }

    /// The sample weights, if there are any.
    pub fn weights(&self) -> Option<&'a [F]> {
        self.weights
    }
}

/// Row, column and value of the first number that is not finite.
fn not_finite<F: Scalar>(x: View<'_, F>) -> Option<(usize, usize, f64)> {
    x.column_iter().enumerate().find_map(|(j, column)| {
        let i = column.as_slice().iter().position(|v| !v.is_finite())?;
        Some((i, j, column[i].wide()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn refuses_what_does_not_belong_together() {
        let x = Matrix::<f64>::zeros(2, 3);
        let none = Matrix::<f64>::zeros(2, 0);
        assert_eq!(
            Samples::new(none.as_view(), Targets::Classes(&[])),
            Err(SampleError::Empty { features: 2 })
        );
        assert_eq!(
            Samples::new(x.as_view(), Targets::Classes(&[0, 1])),
            Err(SampleError::TargetCount { inputs: 3, targets: 2 })
        );
        let y = Matrix::from_row_slice(1, 3, &[0.0, f64::INFINITY, 0.0]);
        assert_eq!(
            Samples::new(x.as_view(), Targets::Values(y.as_view())),
            Err(SampleError::Target { sample: 1, output: 0, value: f64::INFINITY })
        );
        let samples = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 0])).unwrap();
        assert_eq!(
            samples.weighted(&[1.0]),
            Err(SampleError::WeightCount { inputs: 3, weights: 1 })
        );
        assert_eq!(
            samples.weighted(&[1.0, 0.0, -1.0]),
            Err(SampleError::Weight { sample: 2, value: -1.0 })
        );
        let weighted = samples.weighted(&[1.0, 0.0, 2.0]).unwrap();
        assert_eq!(weighted.weights(), Some(&[1.0, 0.0, 2.0][..]));
        assert_eq!((weighted.features(), samples.weights()), (2, None));
    }

    #[test]
    fn a_range_of_targets_is_those_columns() {
        let y = Matrix::from_fn(2, 5, |i, j| (10 * i + j) as f64);
        let targets = Targets::Values(y.as_view());
        assert_eq!(targets.range(1, 3), Targets::Values(y.columns(1, 3)));
        assert!(!targets.is_empty() && targets.range(5, 0).is_empty());
        assert_eq!(Targets::<f64>::Classes(&[3, 1, 2]).range(1, 2), Targets::Classes(&[1, 2]));
    }
}
