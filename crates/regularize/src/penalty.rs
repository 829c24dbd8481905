//! L1, L2 and both (elastic net): a penalty on large weights.
//!
//! ```text
//! value    = l1·Σ|w| + ½·l2·Σw²
//! gradient = l1·sign(w) + l2·w          with sign(0) = 0
//! ```
//!
//! With the ½, `l2` is PyTorch's `weight_decay`. Keras has no ½ (its `l2` is half of this one);
//! scikit-learn's `alpha` divides by the batch size besides (`alpha = l2·batch`). L1 by its
//! sub-gradient leaves weights that jitter around 0; [`Penalty::proximal`] sets them to 0.
//!
//! Reference: Zou and Hastie 2005, "Regularization and variable selection via the elastic net";
//! Beck and Teboulle 2009 for the proximal step.

use crate::error::require_strength;
use crate::float::{Float, of, sum};
use crate::{RegularizeError, error::require};

/// Strengths of the penalty on the absolute values and on the squares of the weights.
///
/// ```
/// use slalom_regularize::Penalty;
/// let penalty = Penalty { l1: 0.1, l2: 0.0 };
/// assert_eq!(penalty.value(&[3.0_f32, -4.0]), 0.7000000000000001);
/// let mut weights = [3.0, 0.01];
/// penalty.proximal(0.5, &mut weights); // moves each by 0.5·0.1 towards 0, not past it
/// assert_eq!(weights, [2.95, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Penalty {
    /// Strength on Σ|w|, in 0..=1e6. Default 0.
    pub l1: f64,
    /// Strength on ½·Σw², in 0..=1e6. Default 0.
    pub l2: f64,
}

impl Penalty {
    /// The elastic net in the terms of glmnet and scikit-learn: `l1 = strength·ratio` and
    /// `l2 = strength·(1 − ratio)`.
    ///
    /// # Errors
    /// A ratio outside 0..=1 or a strength outside 0..=1e6.
    pub fn elastic_net(strength: f64, ratio: f64) -> Result<Self, RegularizeError> {
        require_strength("strength", strength)?;
        require((0.0..=1.0).contains(&ratio), "ratio", ratio, "in 0..=1")?;
        Ok(Self { l1: strength * ratio, l2: strength * (1.0 - ratio) })
    }

    /// Checks both strengths.
    ///
    /// # Errors
    /// The first that is outside 0..=1e6.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require_strength("l1", self.l1)?;
        require_strength("l2", self.l2)
    }

    /// What the penalty adds to the loss.
    pub fn value<F: Float>(&self, weights: &[F]) -> f64 {
        let Self { l1, l2 } = *self;
        sum(weights, |w| l1 * w.abs() + 0.5 * l2 * w * w)
    }

    /// Adds the gradient; where a weight is 0, that of L1 is 0.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn add_gradient<F: Float>(&self, weights: &[F], gradient: &mut [F]) {
        assert_eq!(weights.len(), gradient.len(), "weights and gradient differ in length");
        let (l1, l2) = (of::<F>(self.l1), of::<F>(self.l2));
        for (g, &w) in gradient.iter_mut().zip(weights) {
            let sign = if w == F::zero() { F::zero() } else { w.signum() };
            *g += l1 * sign + l2 * w;
        }
    }

    /// The proximal step, instead of the gradient: after a step of learning rate `lr` on the loss
    /// alone, `w ← sign(w)·max(|w| − lr·l1, 0) / (1 + lr·l2)`. Weights become exactly 0.
    pub fn proximal<F: Float>(&self, lr: f64, weights: &mut [F]) {
        let threshold = of::<F>(lr * self.l1);
        let scale = of::<F>(1.0 / (1.0 + lr * self.l2));
        for w in weights {
            *w = w.signum() * (w.abs() - threshold).max(F::zero()) * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_weight_is_not_pushed() {
        let mut gradient = [0.0, 0.0, 0.0, 0.0];
        Penalty { l1: 2.0, l2: 3.0 }.add_gradient(&[0.0, -0.0, 1.0, -1.0], &mut gradient);
        assert_eq!(gradient, [0.0, 0.0, 5.0, -5.0]);
    }

    #[test]
    fn strengths_are_checked() {
        let refused = |l1, l2| Penalty { l1, l2 }.validate().unwrap_err().to_string();
        assert_eq!(refused(-1.0, 0.0), "l1 is -1: it must be in 0..=1e6");
        assert_eq!(refused(0.0, f64::NAN), "l2 is NaN: it must be in 0..=1e6");
        assert!(Penalty { l1: 1e308, l2: 0.0 }.validate().is_err());
        assert!(Penalty { l1: 1e6, l2: 0.0 }.validate().is_ok());
        let net = Penalty::elastic_net(0.5, 0.25).unwrap();
        assert_eq!(net, Penalty { l1: 0.125, l2: 0.375 });
        assert!(
            Penalty::elastic_net(0.5, 1.5).is_err() && Penalty::elastic_net(-0.5, 0.5).is_err()
        );
    }

    #[test]
    fn proximal_of_both_is_the_minimum_it_stands_for() {
        // minimises ½(w − v)² + lr·(l1·|w| + ½·l2·w²)
        let (penalty, lr) = (Penalty { l1: 0.7, l2: 0.4 }, 0.5);
        for v in [-2.0, -0.3, 0.0, 0.34, 0.36, 1.5_f64] {
            let mut w = [v];
            penalty.proximal(lr, &mut w);
            let cost = |w: f64| 0.5 * (w - v).powi(2) + lr * penalty.value(&[w]);
            for d in [-1e-4, 1e-4] {
                assert!(cost(w[0]) <= cost(w[0] + d), "{v}: {w:?}");
            }
            assert_eq!(w[0] == 0.0, v.abs() <= 0.35);
        }
    }
}
