//! Constraints: what weights are projected onto after each step.
//!
//! | constraint | per unit, with its incoming weights w |
//! |---|---|
//! | max-norm c | `w·min(1, c/‖w‖₂)` |
//! | unit norm | `w/‖w‖₂` |
//! | non-negative | `max(w, 0)` |
//!
//! Weights are *units × inputs*, column-major: `W[i + j·units]` leads from input j to unit i. As in
//! the dropout paper the norm is of one unit's incoming weights; Keras's `MaxNorm(axis=0)` is the
//! same on its transposed kernel, and divides by `‖w‖ + 1e-7`. A row of zeros stays.
//!
//! Reference: Srebro and Shraibman 2005, "Rank, trace-norm and max-norm"; Srivastava et al. 2014.

use crate::error::require;
use crate::float::Float;
use crate::{RegularizeError, rows};

/// A set that the weights of a block are kept in.
///
/// ```
/// use slalom_regularize::Constraint;
/// let mut weights = [3.0, 0.3, 4.0, 0.4]; // two units, two inputs
/// Constraint::MaxNorm(1.0).apply(2, &mut weights);
/// assert_eq!(weights, [0.6000000000000001, 0.3, 0.8, 0.4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// The norm of a unit's incoming weights is at most this, above 0. The paper uses 3 to 4.
    MaxNorm(f64),
    /// The norm of a unit's incoming weights is 1.
    UnitNorm,
    /// No weight is negative.
    NonNegative,
}

impl Constraint {
    /// Checks the bound.
    ///
    /// # Errors
    /// A max-norm that is not finite and above 0.
    pub fn validate(&self) -> Result<(), RegularizeError> {
        match *self {
            Self::MaxNorm(c) => {
                require(c.is_finite() && c > 0.0, "max_norm", c, "finite and above 0")
            }
            Self::UnitNorm | Self::NonNegative => Ok(()),
        }
    }

    /// Moves the weights of a block with so many units to the nearest point of the set.
    ///
    /// # Panics
    /// If `units` is 0 or the weights are not whole columns of `units` numbers.
    pub fn apply<F: Float>(&self, units: usize, weights: &mut [F]) {
        match *self {
            Self::MaxNorm(c) => {
                rows::scale(units, weights, |norm| (c / norm).min(1.0));
            }
            Self::UnitNorm => {
                rows::scale(units, weights, |norm| if norm > 0.0 { 1.0 / norm } else { 1.0 });
            }
            Self::NonNegative => {
                for w in weights {
                    *w = w.max(F::zero());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Constraint; 3] =
        [Constraint::MaxNorm(0.8), Constraint::UnitNorm, Constraint::NonNegative];

    fn norm_of_row(units: usize, i: usize, weights: &[f64]) -> f64 {
        weights.iter().skip(i).step_by(units).map(|w| w * w).sum::<f64>().sqrt()
    }

    proptest! {
        /// Laws of a projection: the result is in the set, points of the set stay, and no point of
        /// the set is nearer.
        #[test]
        fn laws(
            units in 1_usize..150,
            inputs in 1_usize..4,
            seed in prop::collection::vec(-1.0..1.0_f64, 450),
        ) {
            let before = &seed[..units * inputs];
            for constraint in ALL {
                let mut once = before.to_vec();
                constraint.apply(units, &mut once);
                for i in 0..units {
                    let norm = norm_of_row(units, i, &once);
                    let row = || once.iter().skip(i).step_by(units);
                    match constraint {
                        Constraint::MaxNorm(c) => {
                            prop_assert!(norm <= c * (1.0 + 1e-14));
                            let old = norm_of_row(units, i, before);
                            prop_assert!((norm - old.min(c)).abs() <= 1e-14);
                        }
                        Constraint::UnitNorm => prop_assert!((norm - 1.0).abs() <= 1e-14),
                        Constraint::NonNegative => {
                            let old = before.iter().skip(i).step_by(units);
                            prop_assert!(row().zip(old).all(|(&w, &old)| w == old.max(0.0)));
                        }
                    }
                }
                let mut twice = once.clone();
                constraint.apply(units, &mut twice);
                for (a, b) in once.iter().zip(&twice) {
                    prop_assert!((a - b).abs() <= 1e-15);
                }
                // a step only shrinks or stretches a row, or clears an element
                for (old, new) in before.iter().zip(&once) {
                    prop_assert!(old * new >= 0.0);
                }
            }
        }
    }

    #[test]
    fn a_row_of_zeros_stays() {
        for constraint in ALL {
            let mut weights = [0.0_f32; 6];
            constraint.apply(2, &mut weights);
            assert_eq!(weights, [0.0; 6]);
        }
    }

    #[test]
    fn rows_are_units() {
        let mut weights = [2.0, 0.1, 0.0, 0.1];
        Constraint::MaxNorm(1.0).apply(2, &mut weights);
        assert_eq!(weights, [1.0, 0.1, 0.0, 0.1]);
    }

    #[test]
    fn bounds_are_checked() {
        for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let text = Constraint::MaxNorm(c).validate().unwrap_err().to_string();
            assert_eq!(text, format!("max_norm is {c}: it must be finite and above 0"));
        }
        assert!(ALL.iter().all(|c| c.validate().is_ok()));
    }

    #[test]
    #[should_panic(expected = "5 weights are not whole columns of 2 units")]
    fn a_shape_that_does_not_fit() {
        Constraint::UnitNorm.apply(2, &mut [1.0; 5]);
    }
}
