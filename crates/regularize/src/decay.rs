//! Decoupled weight decay: weights shrink by themselves, beside the gradient.
//!
//! ```text
//! w ← w·(1 − lr·decay)        before the optimizer's step
//! ```
//!
//! The learning rate is in it, so a schedule moves the decay too (AdamW, and Keras's `weight_decay`).
//! For plain gradient descent it equals an L2 penalty of the same strength; for a rule with moments
//! it does not, which is its point.
//!
//! Reference: Loshchilov and Hutter 2019, "Decoupled weight decay regularization".

use crate::float::{Float, of};

/// Shrinks the weights by the factor `1 − lr·decay`.
///
/// ```
/// let mut weights = [1.0, -2.0];
/// slalom_regularize::decay(0.5, 0.25, &mut weights);
/// assert_eq!(weights, [0.875, -1.75]);
/// ```
pub fn decay<F: Float>(lr: f64, decay: f64, weights: &mut [F]) {
    let factor = of::<F>(1.0 - lr * decay);
    for w in weights {
        *w *= factor;
    }
}
