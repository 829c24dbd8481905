//! The two traits: a configuration is fitted, and only what was fitted transforms.

use crate::PreprocessError;
use slalom_tensor::{Scalar, Threads, View, ViewMut};

/// A plain configuration that learns from training data and turns into its fitted type.
///
/// Missing values are NaN: they are left out of what is learned.
///
/// ```
/// use slalom_preprocess::{Fit, Standard, Transform};
/// use slalom_tensor::from_rows;
/// let train = from_rows(&[[1.0, 10.0], [3.0, 30.0]]);
/// let mut test = from_rows(&[[2.0, 40.0]]);
/// let scaler = Standard::default().fit(train.as_view())?;
/// scaler.transform(test.as_view_mut())?;
/// assert_eq!(test.as_slice(), [0.0, 2.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
pub trait Fit {
    /// What comes out of a fit.
    type Fitted: Transform;

    /// Learns from the columns of `x` (*features × samples*), the work shared by the threads; the
    /// result is the same at any number of them.
    ///
    /// # Errors
    /// A setting out of bounds, no samples, an infinite number, or a feature without any value.
    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<Self::Fitted, PreprocessError>;

    /// Learns on the calling thread alone.
    ///
    /// # Errors
    /// As [`fit_with`](Fit::fit_with).
    fn fit<F: Scalar>(&self, x: View<'_, F>) -> Result<Self::Fitted, PreprocessError> {
        self.fit_with(x, &Threads::one())
    }
}

/// A fitted transformation of numbers: in place, one output for each input feature.
///
/// It holds only what the fit saw; transforming learns nothing. NaN stays NaN unless an imputer
/// fills it.
pub trait Transform {
    /// How many features the fit saw, and every matrix must have.
    fn features(&self) -> usize;

    /// Transforms every column of `x` in place.
    ///
    /// # Errors
    /// A matrix with another number of features.
    fn transform_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError>;

    /// Undoes [`transform_with`](Transform::transform_with) in place.
    ///
    /// # Errors
    /// A matrix with another number of features, or a transformation without an inverse.
    fn inverse_with<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError>;

    /// Transforms in place on the calling thread alone.
    ///
    /// # Errors
    /// As [`transform_with`](Transform::transform_with).
    fn transform<F: Scalar>(&self, x: ViewMut<'_, F>) -> Result<(), PreprocessError> {
        self.transform_with(x, &Threads::one())
    }

    /// Undoes the transformation in place on the calling thread alone.
    ///
    /// # Errors
    /// As [`inverse_with`](Transform::inverse_with).
    fn inverse<F: Scalar>(&self, x: ViewMut<'_, F>) -> Result<(), PreprocessError> {
        self.inverse_with(x, &Threads::one())
    }

    /// The names of the outputs for the names of the inputs: the same, one for one.
    ///
    /// # Errors
    /// Another number of names than the fit saw features.
    fn feature_names_out(&self, names: &[String]) -> Result<Vec<String>, PreprocessError> {
        crate::columns::check_features(self.features(), names.len())?;
        Ok(names.to_vec())
    }
}
