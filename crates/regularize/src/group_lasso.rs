//! Group lasso: whole units or whole inputs go to 0 together.
//!
//! ```text
//! value    = strength·√n·Σ_groups ‖w_g‖₂                 n: numbers in a group
//! gradient = strength·√n·w/‖w_g‖₂                        0 where the group is 0
//! proximal:  w ← w·max(1 − lr·strength·√n/‖w_g‖₂, 0)
//! ```
//!
//! Weights are *units × inputs*, column-major. Groups of [`Groups::Units`] prune units of the layer,
//! groups of [`Groups::Inputs`] select features. Neither Keras nor PyTorch has it.
//!
//! Reference: Yuan and Lin 2006, "Model selection and estimation in regression with grouped
//! variables".

use crate::error::require_strength;
use crate::float::{Float, of, sum};
use crate::{RegularizeError, rows};

/// Which weights form a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Groups {
    /// What comes into a unit: a row.
    #[default]
    Units,
    /// What leaves an input: a column.
    Inputs,
}

/// A penalty on the norms of groups of weights.
///
/// ```
/// use slalom_regularize::{GroupLasso, Groups};
/// let lasso = GroupLasso { strength: 0.1, groups: Groups::Inputs };
/// let mut weights = [3.0, 4.0, 0.03, 0.04]; // two units, two inputs
/// lasso.proximal(0.5, 2, &mut weights);
/// assert!(weights[0] > 2.9 && weights[2..] == [0.0, 0.0]); // the second input is out
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct GroupLasso {
    /// Strength, in 0..=1e6. Default 0.
    pub strength: f64,
    /// Which weights form a group. Default: what comes into a unit.
    pub groups: Groups,
}

impl GroupLasso {
    /// Checks the strength.
    ///
    /// # Errors
    /// If it is outside 0..=1e6.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        require_strength("strength", self.strength)
    }

    /// What the penalty adds to the loss, for a block with so many units.
    ///
    /// # Panics
    /// If `units` is 0 or the weights are not whole columns of `units` numbers.
    pub fn value<F: Float>(&self, units: usize, weights: &[F]) -> f64 {
        let blocks = rows::blocks(units, weights.len());
        let norms: f64 = match self.groups {
            Groups::Units => {
                blocks.map(|rows| rows::norms(units, rows, weights).iter().sum::<f64>()).sum()
            }
            Groups::Inputs => weights.chunks_exact(units).map(norm).sum(),
        };
        self.scaled(units, weights.len()) * norms
    }

    /// Adds the gradient; where a group is 0, so is its gradient.
    ///
    /// # Panics
    /// If the slices differ in length, `units` is 0 or the weights are not whole columns.
    pub fn add_gradient<F: Float>(&self, units: usize, weights: &[F], gradient: &mut [F]) {
        assert_eq!(weights.len(), gradient.len(), "weights and gradient differ in length");
        let strength = self.scaled(units, weights.len());
        let factor = |norm: f64| of::<F>(if norm > 0.0 { strength / norm } else { 0.0 });
        let blocks = rows::blocks(units, weights.len());
        match self.groups {
            Groups::Units => {
                for rows in blocks {
                    let factors = rows::norms(units, rows.clone(), weights).map(factor);
                    let columns = weights.chunks_exact(units).zip(gradient.chunks_exact_mut(units));
                    for (w, g) in columns {
                        let pairs = w[rows.clone()].iter().zip(&mut g[rows.clone()]);
                        for ((&w, g), &f) in pairs.zip(&factors) {
                            *g += f * w;
                        }
                    }
                }
            }
            Groups::Inputs => {
                let columns = weights.chunks_exact(units).zip(gradient.chunks_exact_mut(units));
                for (w, g) in columns {
                    let f = factor(norm(w));
                    for (g, &w) in g.iter_mut().zip(w) {
                        *g += f * w;
                    }
                }
            }
        }
    }

    /// The proximal step, instead of the gradient: after a step of learning rate `lr` on the loss
    /// alone, groups shrink by `lr·strength·√n`, and smaller ones become exactly 0.
    ///
    /// # Panics
    /// If `units` is 0 or the weights are not whole columns of `units` numbers.
    pub fn proximal<F: Float>(&self, lr: f64, units: usize, weights: &mut [F]) {
        let threshold = lr * self.scaled(units, weights.len());
        let factor = |norm: f64| (1.0 - threshold / norm).max(0.0); // 0 for 0/0 too
        match self.groups {
            Groups::Units => rows::scale(units, weights, factor),
            // a column is a block of one row
            Groups::Inputs => {
                for column in weights.chunks_exact_mut(units) {
                    rows::scale(1, column, factor);
                }
            }
        }
    }

    /// strength·√n
    fn scaled(&self, units: usize, length: usize) -> f64 {
        let n = match self.groups {
            Groups::Units => length / units.max(1),
            Groups::Inputs => units,
        };
        self.strength * (n as f64).sqrt()
    }
}

fn norm<F: Float>(group: &[F]) -> f64 {
    sum(group, |w| w * w).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [GroupLasso; 2] = [
        GroupLasso { strength: 0.5, groups: Groups::Units },
        GroupLasso { strength: 0.5, groups: Groups::Inputs },
    ];

    #[test]
    fn by_hand() {
        let weights = [3.0, 0.0, 4.0, 1.0, 0.0, 0.0]; // 2 units × 3 inputs
        let [units, inputs] = BOTH.map(|lasso| lasso.value(2, &weights));
        assert!((units - 0.5 * 3_f64.sqrt() * 6.0).abs() < 1e-12);
        assert!((inputs - 0.5 * 2_f64.sqrt() * (3.0 + 17_f64.sqrt())).abs() < 1e-12);
        let mut gradient = [0.0; 6];
        BOTH[0].add_gradient(2, &weights, &mut gradient);
        let expected = [0.6, 0.0, 0.8, 1.0, 0.0, 0.0].map(|g| 0.5 * 3_f64.sqrt() * g);
        assert!(gradient.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{gradient:?}");
        let mut gradient = [0.25; 6];
        BOTH[1].add_gradient(2, &weights, &mut gradient);
        assert_eq!(gradient[4..], [0.25; 2], "a group of zeros has no gradient");
    }

    #[test]
    fn the_proximal_point_is_the_minimum_it_stands_for() {
        let before: Vec<f64> =
            (0..210).map(|i| (i as f64 * 0.7).sin() * (i % 70) as f64 / 40.0).collect();
        for lasso in BOTH {
            let lr = 0.7;
            let mut after = before.clone();
            lasso.proximal(lr, 70, &mut after);
            let cost = |w: &[f64]| {
                let near: f64 = w.iter().zip(&before).map(|(a, b)| 0.5 * (a - b).powi(2)).sum();
                near + lr * lasso.value(70, w)
            };
            let least = cost(&after);
            for i in 0..before.len() {
                for d in [-1e-3, 1e-3] {
                    let mut other = after.clone();
                    other[i] += d;
                    assert!(cost(&other) > least, "{lasso:?} {i}");
                }
            }
        }
    }

    #[test]
    fn weak_groups_vanish_together() {
        let mut weights: Vec<f32> = (0..100).flat_map(|_| [5.0, 0.01]).collect();
        GroupLasso { strength: 0.1, groups: Groups::Units }.proximal(0.5, 2, &mut weights);
        assert!(weights.chunks(2).all(|column| column[0] > 4.9 && column[1] == 0.0));
    }

    #[test]
    fn strength_is_checked() {
        let text = GroupLasso { strength: -1.0, ..BOTH[0] }.validate().unwrap_err().to_string();
        assert_eq!(text, "strength is -1: it must be in 0..=1e6");
        assert!(BOTH[1].validate().is_ok());
    }
}
