//! Constant rates, each up to a border.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_not_negative};
use crate::{OptimError, Schedule};

/// Constant rates, each up to a border.
///
/// Differs from Keras's `PiecewiseConstantDecay`: a border is the first step of the next rate (there
/// it is the last of the one before). PyTorch's `ConstantLR` is one border.
///
/// ```
/// use slalom_optim::{Piecewise, Schedule};
/// let schedule = Piecewise { borders: vec![2, 5], values: vec![0.3, 0.2, 0.1] };
/// assert_eq!([0, 1, 2, 4, 5].map(|t| schedule.at(t)), [0.3, 0.3, 0.2, 0.2, 0.1]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// The first step of every rate but the first, each above the one before.
    pub borders: Vec<u64>,
    /// The rates, at least 0: one more than borders.
    pub values: Vec<f64>,
}

impl Piecewise {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        super::check_borders("Piecewise", &self.borders)?;
        let holds = self.values.len() == self.borders.len() + 1;
        check(
            "Piecewise",
            "number of values",
            self.values.len() as f64,
            holds,
            "one more than borders",
        )?;
        self.values.iter().try_for_each(|&value| check_not_negative("Piecewise", "values", value))
    }
}

impl Schedule for Piecewise {
    fn at(&self, step: u64) -> f64 {
        self.values[self.borders.partition_point(|&border| border <= step)]
    }
}
