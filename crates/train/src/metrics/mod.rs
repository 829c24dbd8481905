//! Measures over a whole set of samples, never averaged over batches.
//!
//! Three groups: [`Confusion`] for predicted classes, functions of scores or probabilities
//! ([`top_k`], [`log_loss`], [`roc_auc`], [`average_precision`], [`brier`]), and functions of
//! values ([`mse`], [`r2`], …). Every measure takes weights where scikit-learn's does and gives
//! scikit-learn's value; where that would be NaN (no samples, one class only) it is an error.
//! Three things differ: a sample of weight 0 is as one that is not there, also in a macro average;
//! average precision without a sample of class 1 is an error, not 0; and the variance of equal
//! numbers is 0, not the rounding of their mean. [`Metric`] names a measure in a configuration.
//!
//! ```
//! use slalom_train::metrics::{Average, Confusion};
//! let confusion = Confusion::new(2, &[0, 0, 1, 1], &[0, 1, 1, 1], None)?;
//! assert_eq!(confusion.accuracy(), 0.75);
//! assert_eq!(confusion.recall(Average::Macro), 0.75);
//! # Ok::<(), slalom_train::metrics::MetricError>(())
//! ```

mod classes;
mod metric;
mod scores;
mod values;

pub use classes::{Average, Confusion};
pub use metric::Metric;
pub use scores::{average_precision, brier, log_loss, one_vs_rest, roc_auc, top_k};
pub use values::{explained_variance, mae, max_error, median_ae, mse, r2, rmse};

/// Why a measure has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// No samples.
    #[error("no samples to measure")]
    Empty,
    /// Things that belong together are of different count.
    #[error("{truths} true targets, but {found} {what}")]
    Count {
        /// True targets.
        truths: usize,
        /// What is compared with them.
        what: &'static str,
        /// How many there are of it.
        found: usize,
    },
    /// A class index beyond the number of classes.
    #[error("sample {sample} has class {class}: there are {classes} classes, from 0")]
    Class {
        /// Which sample, from 0.
        sample: usize,
        /// Its class.
        class: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A number that is not in the range that makes sense for it.
    #[error("sample {sample}: the {what} is {value}, it must be {bound}")]
    Value {
        /// Which sample, from 0.
        sample: usize,
        /// What the number is.
        what: &'static str,
        /// The number.
        value: f64,
        /// What it must be.
        bound: &'static str,
    },
    /// The weights add up to nothing.
    #[error("the weights of all samples are 0")]
    NoWeight,
    /// A measure that compares classes, and only one of them is there.
    #[error("{measure} is not defined: {reason}")]
    Undefined {
        /// The measure.
        measure: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

/// Compares the counts and looks at every weight; returns their sum.
fn check(
    truths: usize,
    what: &'static str,
    found: usize,
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    if truths == 0 {
        return Err(MetricError::Empty);
    }
    if found != truths {
        return Err(MetricError::Count { truths, what, found });
    }
    let Some(weights) = weights else { return Ok(truths as f64) };
    if weights.len() != truths {
        return Err(MetricError::Count { truths, what: "weights", found: weights.len() });
    }
    let good = |w: f64| w.is_finite() && w >= 0.0;
    if let Some(sample) = weights.iter().position(|&w| !good(w)) {
        let (value, bound) = (weights[sample], "finite and at least 0");
        return Err(MetricError::Value { sample, what: "weight", value, bound });
    }
    let sum = weights.iter().sum();
    if sum > 0.0 { Ok(sum) } else { Err(MetricError::NoWeight) }
}

/// The weight of a sample; 1 where there are none.
fn weight(weights: Option<&[f64]>, sample: usize) -> f64 {
    weights.map_or(1.0, |w| w[sample])
}
