//! Losses: how far outputs are from targets, with the derivative by the outputs in the same call.
//!
//! Each loss is a function of one sample (one column); the loop over samples, their weights and the
//! mean or sum are written once, here.

mod cross_entropy;
mod mean_squared_error;

pub use cross_entropy::CrossEntropy;
pub use mean_squared_error::MeanSquaredError;

use slalom_tensor::{Scalar, Targets, View, ViewMut};

use crate::LayerError;

/// The loss that training minimises.
///
/// ```
/// use slalom_layers::Loss;
/// use slalom_tensor::{Targets, from_rows};
/// let logits = from_rows(&[[0.0, 0.0]]);
/// let loss = Loss::default().evaluate(logits.as_view(), Targets::Classes(&[1]), None, None);
/// assert_eq!(loss.value, 2.0_f64.ln());
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Loss {
    /// See [`CrossEntropy`].
    CrossEntropy(CrossEntropy),
    /// See [`MeanSquaredError`].
    MeanSquaredError(MeanSquaredError),
}

impl Default for Loss {
    /// Softmax cross-entropy.
    fn default() -> Self {
        Self::CrossEntropy(CrossEntropy {})
    }
}

/// A loss over some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossValue {
    /// The weighted mean over the samples.
    pub value: f64,
    /// The sum of the samples' weights: what this mean counts for when means are put together.
    pub weight: f64,
}

/// What a loss does with one sample.
pub(crate) trait PerSample {
    /// The loss of one sample; if asked, writes its derivative by the outputs.
    fn sample<F: Scalar>(&self, outputs: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64;
}

/// The target of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a, F> {
    Class(usize),
    Values(&'a [F]),
}

impl Loss {
    /// The mean loss over the samples and, if asked, its derivative by the outputs.
    ///
    /// Samples count as much as their weights say, 1 each without: the value is Σ wᵢ·lᵢ / Σ wᵢ.
    ///
    /// # Panics
    /// If shapes differ or a class is out of range: [`Loss::check`] tells beforehand.
    pub fn evaluate<F: Scalar>(
        &self,
        outputs: View<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[F]>,
        dy: Option<ViewMut<'_, F>>,
    ) -> LossValue {
        match self {
            Self::CrossEntropy(loss) => mean(loss, outputs, targets, weights, dy),
            Self::MeanSquaredError(loss) => mean(loss, outputs, targets, weights, dy),
        }
    }

    /// Whether the targets are such that this loss can compare so many outputs with them.
    ///
    /// # Errors
    /// The sample whose class is out of range, or the two shapes that differ.
    pub fn check<F: Scalar>(
        &self,
        outputs: usize,
        targets: Targets<'_, F>,
    ) -> Result<(), LayerError> {
        match targets {
            Targets::Classes(classes) => {
                if matches!(self, Self::MeanSquaredError(_)) {
                    let (loss, wanted) = ("mean squared error", "values, not classes");
                    return Err(LayerError::TargetKind { loss, wanted });
                }
                match classes.iter().position(|&class| class as usize >= outputs) {
                    Some(sample) => {
                        Err(LayerError::Class { sample, class: classes[sample], outputs })
                    }
                    None => Ok(()),
                }
            }
            Targets::Values(values) if values.nrows() != outputs => {
                Err(LayerError::TargetShape { outputs, targets: values.nrows() })
            }
            Targets::Values(_) => Ok(()),
        }
    }
}

/// The loop over samples that all losses share.
fn mean<F: Scalar>(
    loss: &impl PerSample,
    outputs: View<'_, F>,
    targets: Targets<'_, F>,
    weights: Option<&[F]>,
    mut dy: Option<ViewMut<'_, F>>,
) -> LossValue {
    let samples = outputs.ncols();
    assert_eq!(targets.len(), samples, "targets for {samples} samples");
    let total = weights.map_or(samples as f64, |w| w.iter().map(|w| w.wide()).sum());
    let mut value = 0.0;
    for j in 0..samples {
        let column = outputs.column(j);
        let mut slope = dy.as_mut().map(|dy| dy.column_mut(j));
        let slope = slope.as_mut().map(|column| column.as_mut_slice());
        let weight = weights.map_or(1.0, |w| w[j].wide());
        let share = if total > 0.0 { weight / total } else { 0.0 };
        let one = |target| match slope {
            Some(slope) => {
                let value = loss.sample(column.as_slice(), target, Some(&mut *slope));
                let share = F::of(share);
                slope.iter_mut().for_each(|d| *d *= share);
                value
            }
            None => loss.sample(column.as_slice(), target, None),
        };
        let sample = match targets {
            Targets::Classes(classes) => one(Target::Class(classes[j] as usize)),
            Targets::Values(values) => one(Target::Values(values.column(j).as_slice())),
        };
        value += weight * sample;
    }
    LossValue { value: if total > 0.0 { value / total } else { 0.0 }, weight: total }
}
