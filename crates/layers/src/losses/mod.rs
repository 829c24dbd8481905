//! Losses: how far outputs are from targets, with the derivative by the outputs in the same call.
//!
//! Each loss is a function of one sample (one column), or of one output; the loops, the samples'
//! weights and the mean or sum are written once, here. All are computed from raw outputs (logits,
//! logarithms), so that none is infinite for outputs as large as ±800.

mod binary_cross_entropy;
mod check;
mod cross_entropy;
mod gaussian;
mod hinge;
mod huber;
mod kl_divergence;
mod log_cosh;
mod mean_absolute_error;
mod mean_squared_error;
mod poisson;
mod quantile;
mod smooth_l1;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cross_entropy::CrossEntropy;
pub use gaussian::GaussianLikelihood;
pub use hinge::Hinge;
pub use huber::Huber;
pub use kl_divergence::KlDivergence;
pub use log_cosh::LogCosh;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use smooth_l1::SmoothL1;

use slalom_tensor::{Scalar, Targets, View, ViewMut};

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
    /// See [`BinaryCrossEntropy`].
    BinaryCrossEntropy(BinaryCrossEntropy),
    /// See [`MeanAbsoluteError`].
    MeanAbsoluteError(MeanAbsoluteError),
    /// See [`Huber`].
    Huber(Huber),
    /// See [`SmoothL1`].
    SmoothL1(SmoothL1),
    /// See [`LogCosh`].
    LogCosh(LogCosh),
    /// See [`Poisson`].
    Poisson(Poisson),
    /// See [`GaussianLikelihood`].
    GaussianLikelihood(GaussianLikelihood),
    /// See [`Quantile`].
    Quantile(Quantile),
    /// See [`Hinge`].
    Hinge(Hinge),
    /// See [`KlDivergence`].
    KlDivergence(KlDivergence),
}

impl Default for Loss {
    /// Softmax cross-entropy.
    fn default() -> Self {
        Self::CrossEntropy(CrossEntropy::default())
    }
}

macro_rules! from_losses {
    ($($loss:ident)*) => {$(
        impl From<$loss> for Loss {
            fn from(loss: $loss) -> Self {
                Self::$loss(loss)
            }
        }
    )*};
}

from_losses!(CrossEntropy MeanSquaredError BinaryCrossEntropy MeanAbsoluteError Huber SmoothL1);
from_losses!(LogCosh Poisson GaussianLikelihood Quantile Hinge KlDivergence);

/// A loss over some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossValue {
    /// The weighted mean, or the weighted sum where that was asked for.
    pub value: f64,
    /// What a mean of these samples counts for when means are put together: the sum of the samples'
    /// weights, times what each counts for in the loss itself (its class's weight, or the number of
    /// outputs that an element-wise loss takes the mean over).
    pub weight: f64,
}

/// What a loss does with one sample.
trait PerSample {
    /// The loss of one sample, summed over its outputs; if asked, writes its derivative.
    fn sample<F: Scalar>(&self, outputs: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64;

    /// The losses of up to [`TOGETHER`] samples: the same numbers, for which a loss may do alike work at
    /// once.
    fn samples<'t, F: Scalar>(
        &self,
        outputs: View<'_, F>,
        target: impl Fn(usize) -> Target<'t, F>,
        losses: &mut [f64],
        dy: Option<ViewMut<'_, F>>,
    ) {
        one_by_one(self, outputs, target, losses, dy);
    }

    /// What the mean divides this sample's loss by.
    fn share<F: Scalar>(&self, outputs: usize, target: Target<'_, F>) -> f64 {
        let _ = (outputs, target);
        1.0
    }
}

fn one_by_one<'t, F: Scalar>(
    loss: &(impl PerSample + ?Sized),
    outputs: View<'_, F>,
    target: impl Fn(usize) -> Target<'t, F>,
    losses: &mut [f64],
    mut dy: Option<ViewMut<'_, F>>,
) {
    for (j, value) in losses.iter_mut().enumerate() {
        let mut dy = dy.as_mut().map(|dy| dy.column_mut(j));
        let dy = dy.as_mut().map(|dy| dy.as_mut_slice());
        *value = loss.sample(outputs.column(j).as_slice(), target(j), dy);
    }
}

/// A loss that is a sum over outputs; its mean is one over outputs too.
trait PerOutput {
    /// The loss of an output y with target t, and its derivative by y.
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F);
}

impl<L: PerOutput> PerSample for L {
    fn sample<F: Scalar>(&self, outputs: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let pairs = outputs.iter().zip(target.values());
        match dy {
            None => pairs.map(|(&y, &t)| self.output(y, t).0.wide()).sum(),
            Some(dy) => {
                let mut value = 0.0;
                for (d, (&y, &t)) in dy.iter_mut().zip(pairs) {
                    let (loss, slope) = self.output(y, t);
                    value += loss.wide();
                    *d = slope;
                }
                value
            }
        }
    }

    fn share<F: Scalar>(&self, outputs: usize, _target: Target<'_, F>) -> f64 {
        outputs as f64
    }
}

/// The target of one sample.
#[derive(Clone, Copy, Debug)]
enum Target<'a, F> {
    Class(usize),
    Values(&'a [F]),
}

impl<'a, F> Target<'a, F> {
    /// The values of a loss that takes no classes.
    fn values(self) -> &'a [F] {
        match self {
            Self::Values(values) => values,
            Self::Class(_) => panic!("this loss takes targets as values, not classes"),
        }
    }
}

/// Runs `$body` with `$loss` standing for the loss inside.
macro_rules! with_loss {
    ($self:expr, $loss:ident => $body:expr) => {
        match $self {
            Loss::CrossEntropy($loss) => $body,
            Loss::MeanSquaredError($loss) => $body,
            Loss::BinaryCrossEntropy($loss) => $body,
            Loss::MeanAbsoluteError($loss) => $body,
            Loss::Huber($loss) => $body,
            Loss::SmoothL1($loss) => $body,
            Loss::LogCosh($loss) => $body,
            Loss::Poisson($loss) => $body,
            Loss::GaussianLikelihood($loss) => $body,
            Loss::Quantile($loss) => $body,
            Loss::Hinge($loss) => $body,
            Loss::KlDivergence($loss) => $body,
        }
    };
}

impl Loss {
    /// The mean loss over the samples and, if asked, its derivative by the outputs.
    ///
    /// Samples count as much as their weights say, 1 each without: the value is Σ wᵢ·lᵢ / Σ wᵢ. It
    /// is 0 where all weights are.
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
        with_loss!(self, loss => {
            let weight = total(loss, outputs, targets, weights);
            let share = if weight > 0.0 { 1.0 / weight } else { 0.0 };
            LossValue { value: sum(loss, outputs, targets, weights, share, dy) * share, weight }
        })
    }

    /// The sum of the losses over samples and outputs, Σ wᵢ·lᵢ, and, if asked, its derivative.
    ///
    /// ```
    /// use slalom_layers::{Loss, MeanSquaredError};
    /// use slalom_tensor::{Targets, from_rows};
    /// let loss = Loss::from(MeanSquaredError {});
    /// let (y, t) = (from_rows(&[[1.0, 2.0], [3.0, 4.0]]), from_rows(&[[0.0, 0.0], [3.0, 3.0]]));
    /// let targets = Targets::Values(t.as_view());
    /// assert_eq!(loss.sum(y.as_view(), targets, None, None).value, 6.0);
    /// assert_eq!(loss.evaluate(y.as_view(), targets, None, None).value, 1.5);
    /// ```
    ///
    /// # Panics
    /// As [`Loss::evaluate`].
    pub fn sum<F: Scalar>(
        &self,
        outputs: View<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[F]>,
        dy: Option<ViewMut<'_, F>>,
    ) -> LossValue {
        with_loss!(self, loss => {
            let weight = total(loss, outputs, targets, weights);
            LossValue { value: sum(loss, outputs, targets, weights, 1.0, dy), weight }
        })
    }
}

/// The target of sample j.
fn target<'a, F: Scalar>(targets: &'a Targets<'_, F>, j: usize) -> Target<'a, F> {
    match targets {
        Targets::Classes(classes) => Target::Class(classes[j] as usize),
        Targets::Values(values) => Target::Values(values.column(j).data.into_slice()),
    }
}

/// What the mean divides by.
fn total<F: Scalar>(
    loss: &impl PerSample,
    outputs: View<'_, F>,
    targets: Targets<'_, F>,
    weights: Option<&[F]>,
) -> f64 {
    let share = |j| loss.share(outputs.nrows(), target(&targets, j));
    let weight = |j: usize| weights.map_or(1.0, |weights| weights[j].wide());
    (0..outputs.ncols()).map(|j| weight(j) * share(j)).sum()
}

/// The most samples whose losses are computed together.
const TOGETHER: usize = 64;

/// The loop over samples that all losses share: the weighted sum; derivatives are scaled besides.
fn sum<F: Scalar>(
    loss: &impl PerSample,
    outputs: View<'_, F>,
    targets: Targets<'_, F>,
    weights: Option<&[F]>,
    scale: f64,
    mut dy: Option<ViewMut<'_, F>>,
) -> f64 {
    let samples = outputs.ncols();
    assert_eq!(targets.len(), samples, "targets for {samples} samples");
    let (mut value, mut losses) = (0.0, [0.0; TOGETHER]);
    for first in (0..samples).step_by(TOGETHER) {
        let losses = &mut losses[..TOGETHER.min(samples - first)];
        let count = losses.len();
        let slopes = dy.as_mut().map(|dy| dy.columns_mut(first, count));
        let target = |j: usize| target(&targets, first + j);
        loss.samples(outputs.columns(first, count), target, losses, slopes);
        for (j, loss) in losses.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[first + j].wide());
            value += weight * loss;
            if let Some(dy) = &mut dy {
                let scale = F::of(weight * scale);
                dy.column_mut(first + j).as_mut_slice().iter_mut().for_each(|d| *d *= scale);
            }
        }
    }
    value
}

#[cfg(test)]
mod tests;
