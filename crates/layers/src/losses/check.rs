//! Whether a loss can compare outputs with targets: the door in front of the loops.

use slalom_tensor::{Scalar, Targets, View};

use super::Loss;
use crate::LayerError;

impl Loss {
    /// The loss's name, as errors have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CrossEntropy(_) => "cross-entropy",
            Self::MeanSquaredError(_) => "mean squared error",
            Self::BinaryCrossEntropy(_) => "binary cross-entropy",
            Self::MeanAbsoluteError(_) => "mean absolute error",
            Self::Huber(_) => "huber",
            Self::SmoothL1(_) => "smooth l1",
            Self::LogCosh(_) => "log-cosh",
            Self::Poisson(_) => "poisson",
            Self::GaussianLikelihood(_) => "gaussian likelihood",
            Self::Quantile(_) => "quantile",
            Self::Hinge(_) => "hinge",
            Self::KlDivergence(_) => "kl divergence",
        }
    }

    /// Checks every field of the loss, for so many outputs.
    ///
    /// # Errors
    /// The first field outside its range; weights that are not one for each output.
    pub fn validate(&self, outputs: usize) -> Result<(), LayerError> {
        let field = |holds: bool, field, value, bound| match holds {
            true => Ok(()),
            false => Err(LayerError::Loss { loss: self.name(), field, value, bound }),
        };
        let above_0 = |name, value: f64| {
            field(value.is_finite() && value > 0.0, name, value, "finite and above 0")
        };
        let weights = |name, weights: &Option<Vec<f64>>| {
            let Some(weights) = weights else { return Ok(()) };
            if weights.len() != outputs {
                let (loss, found) = (self.name(), weights.len());
                return Err(LayerError::LossWeights { loss, field: name, outputs, found });
            }
            let bad = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0));
            bad.map_or(Ok(()), |&w| field(false, name, w, "finite and at least 0"))
        };
        match self {
            Self::CrossEntropy(loss) => {
                let (smoothing, focal) = (loss.label_smoothing, loss.focal);
                let in_range = (0.0..=1.0).contains(&smoothing);
                field(in_range, "label_smoothing", smoothing, "in 0..=1")?;
                let in_range = focal.is_finite() && focal >= 0.0;
                field(in_range, "focal", focal, "finite and at least 0")?;
                weights("class_weights", &loss.class_weights)
            }
            Self::BinaryCrossEntropy(loss) => {
                weights("positive_weights", &loss.positive_weights)?;
                weights("weights", &loss.weights)
            }
            Self::Huber(loss) => above_0("delta", loss.delta),
            Self::SmoothL1(loss) => {
                let beta = loss.beta;
                field(beta.is_finite() && beta >= 0.0, "beta", beta, "finite and at least 0")
            }
            Self::Poisson(loss) => above_0("eps", loss.eps),
            Self::Quantile(loss) => {
                let q = loss.quantile;
                field(q > 0.0 && q < 1.0, "quantile", q, "above 0 and below 1")
            }
            Self::Hinge(loss) => above_0("margin", loss.margin),
            Self::GaussianLikelihood(_) => {
                field(outputs.is_multiple_of(2), "number of outputs", outputs as f64, "even")
            }
            Self::MeanSquaredError(_)
            | Self::MeanAbsoluteError(_)
            | Self::LogCosh(_)
            | Self::KlDivergence(_) => Ok(()),
        }
    }

    /// Whether the loss is valid, and the targets such that it can compare so many outputs with
    /// them. Targets of another shape are an error, never broadcast.
    ///
    /// # Errors
    /// A field of the loss, the sample whose target is out of range, or the two shapes that differ.
    pub fn check<F: Scalar>(
        &self,
        outputs: usize,
        targets: Targets<'_, F>,
    ) -> Result<(), LayerError> {
        self.validate(outputs)?;
        match targets {
            Targets::Classes(classes) => {
                let classes_of = match self {
                    Self::CrossEntropy(_) | Self::Hinge(_) if outputs > 1 => outputs,
                    Self::BinaryCrossEntropy(_) if outputs == 1 => 2,
                    _ => {
                        let wanted = match self {
                            Self::BinaryCrossEntropy(_) => "values, or classes for a single output",
                            Self::CrossEntropy(_) | Self::Hinge(_) => {
                                "values, or classes for two outputs and more"
                            }
                            _ => "values, not classes",
                        };
                        return Err(LayerError::TargetKind { loss: self.name(), wanted });
                    }
                };
                match classes.iter().position(|&class| class as usize >= classes_of) {
                    None => Ok(()),
                    Some(sample) => Err(LayerError::Class {
                        sample,
                        class: classes[sample],
                        outputs: classes_of,
                    }),
                }
            }
            Targets::Values(values) => {
                let rows = match self {
                    Self::GaussianLikelihood(_) => outputs / 2,
                    _ => outputs,
                };
                if values.nrows() != rows {
                    return Err(LayerError::TargetShape { outputs: rows, targets: values.nrows() });
                }
                match self {
                    Self::BinaryCrossEntropy(_) => {
                        self.within(values, "in 0..=1", |t| (0.0..=1.0).contains(&t))
                    }
                    Self::Hinge(_) => self.within(values, "-1 or 1", |t| t.abs() == 1.0),
                    Self::CrossEntropy(_) | Self::KlDivergence(_) | Self::Poisson(_) => {
                        self.within(values, "at least 0", |t| t >= 0.0)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// An error for the first target for which `holds` does not.
    fn within<F: Scalar>(
        &self,
        values: View<'_, F>,
        bound: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<(), LayerError> {
        for (sample, column) in values.column_iter().enumerate() {
            if let Some(output) = column.iter().position(|t| !holds(t.wide())) {
                let (loss, value) = (self.name(), column[output].wide());
                return Err(LayerError::TargetRange { loss, sample, output, value, bound });
            }
        }
        Ok(())
    }
}
