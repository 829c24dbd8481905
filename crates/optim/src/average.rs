//! Averages of the parameters along the way, which often generalise better than their last values.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_factor, check_length};
use crate::float::narrow;
use crate::{Float, OptimError};

/// Which average of the parameters is kept.
///
/// ```text
/// Polyak, Swa:  a ← a + (θ − a)/n              n the parameters taken so far, these included
/// Exponential:  a ← d·a + (1 − d)·θ            read as a/(1 − dⁿ)
/// ```
///
/// Differs from PyTorch's `swa_utils`: the exponential average is corrected for its start from 0
/// instead of started from the first parameters.
///
/// Reference: Polyak, Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM J.
/// Control Optim. 30 (1992); Izmailov et al., *Averaging weights leads to wider optima and better
/// generalization*, UAI 2018.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Averaging {
    /// The mean over all steps from `start` on.
    Polyak {
        /// The first step that counts, from 0.
        start: u64,
    },
    /// The exponential moving average with bias correction.
    Exponential {
        /// d in `[0, 1)`: how much of the average is kept at a step (0.999 is usual).
        decay: f64,
    },
    /// Stochastic weight averaging: the mean of every `every`-th step's parameters from `start` on,
    /// as a rule the ends of a cyclic schedule's cycles.
    Swa {
        /// The first step that counts, from 0.
        start: u64,
        /// How many steps lie between two that count, at least 1.
        every: u64,
    },
}

impl Averaging {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// Names the field, the value and the bound.
    pub fn validate(&self) -> Result<(), OptimError> {
        match *self {
            Self::Polyak { .. } => Ok(()),
            Self::Exponential { decay } => check_factor("Averaging", "decay", decay),
            Self::Swa { every, .. } => {
                check("Averaging", "every", every as f64, every > 0, "at least 1")
            }
        }
    }

    fn counts(&self, step: u64) -> bool {
        match *self {
            Self::Polyak { start } => step >= start,
            Self::Exponential { .. } => true,
            Self::Swa { start, every } => step >= start && (step - start).is_multiple_of(every),
        }
    }
}

/// An average of parameters under way; all of it is plain data for a checkpoint.
///
/// ```
/// use slalom_optim::{Average, Averaging};
/// let mut average = Average::new(Averaging::Polyak { start: 1 }, 2)?;
/// for (step, params) in [[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]].iter().enumerate() {
///     average.update(step as u64, params)?;
/// }
/// let mut mean = [0.0; 2];
/// assert!(average.write(&mut mean)?);
/// assert_eq!(mean, [2.0, 4.0]);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Average<F> {
    averaging: Averaging,
    /// How many parameters it has taken.
    count: u64,
    values: Vec<F>,
}

impl<F: Float> Average<F> {
    /// An average of slabs of `len` numbers that has taken none.
    ///
    /// # Errors
    /// What the configuration has out of bounds.
    pub fn new(averaging: Averaging, len: usize) -> Result<Self, OptimError> {
        averaging.validate()?;
        Ok(Self { averaging, count: 0, values: vec![F::zero(); len] })
    }

    /// Takes the parameters as they are after `step` (counted from 0), if that step counts.
    ///
    /// # Errors
    /// A slice of another length.
    pub fn update(&mut self, step: u64, params: &[F]) -> Result<(), OptimError> {
        check_length("the parameter slice", params.len(), self.values.len())?;
        if !self.averaging.counts(step) {
            return Ok(());
        }
        self.count += 1;
        let share = match self.averaging {
            Averaging::Exponential { decay } => 1.0 - decay,
            Averaging::Polyak { .. } | Averaging::Swa { .. } => 1.0 / self.count as f64,
        };
        let share = narrow::<F>(share);
        for (value, &param) in self.values.iter_mut().zip(params) {
            *value += (param - *value) * share;
        }
        Ok(())
    }

    /// Writes the average over `params`; without any parameters taken it leaves them and says
    /// `false`.
    ///
    /// # Errors
    /// A slice of another length.
    pub fn write(&self, params: &mut [F]) -> Result<bool, OptimError> {
        check_length("the parameter slice", params.len(), self.values.len())?;
        if self.count == 0 {
            return Ok(false);
        }
        let correction = match self.averaging {
            Averaging::Exponential { decay } => 1.0 - decay.powf(self.count as f64),
            Averaging::Polyak { .. } | Averaging::Swa { .. } => 1.0,
        };
        let factor = narrow::<F>(1.0 / correction);
        for (param, &value) in params.iter_mut().zip(&self.values) {
            *param = value * factor;
        }
        Ok(true)
    }

    /// How many parameters it has taken.
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(averaging: Averaging, params: &[f64]) -> Option<f64> {
        let mut average = Average::new(averaging, 1).unwrap();
        for (step, &param) in params.iter().enumerate() {
            average.update(step as u64, &[param]).unwrap();
        }
        let mut found = [f64::NAN];
        average.write(&mut found).unwrap().then_some(found[0])
    }

    #[test]
    fn the_exponential_average_is_a_weighted_mean_from_the_first_step() {
        let params = [3.0, -1.0, 4.0, 1.5];
        assert_eq!(average(Averaging::Exponential { decay: 0.9 }, &params[..1]), Some(3.0));
        let weights: Vec<f64> = (0..4).map(|i| 0.9_f64.powi(3 - i)).collect();
        let wanted = params.iter().zip(&weights).map(|(p, w)| p * w).sum::<f64>()
            / weights.iter().sum::<f64>();
        let found = average(Averaging::Exponential { decay: 0.9 }, &params).unwrap();
        assert!((found - wanted).abs() < 1e-14);
        assert_eq!(average(Averaging::Exponential { decay: 0.0 }, &params), Some(1.5));
    }

    #[test]
    fn weight_averaging_takes_every_so_many_steps() {
        let params: Vec<f64> = (0..10).map(f64::from).collect();
        let swa = |start, every| average(Averaging::Swa { start, every }, &params);
        assert_eq!(swa(2, 3), Some((2.0 + 5.0 + 8.0) / 3.0));
        assert_eq!(swa(9, 1), Some(9.0));
        assert_eq!(swa(10, 1), None);
        assert_eq!(average(Averaging::Polyak { start: 7 }, &params), Some(8.0));
        let mut polyak = Average::<f64>::new(Averaging::Polyak { start: 1 }, 0).unwrap();
        (0..4).for_each(|step| polyak.update(step, &[]).unwrap());
        assert_eq!(polyak.count(), 3);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = Average::<f32>::new(Averaging::Swa { start: 0, every: 0 }, 1).unwrap_err();
        assert_eq!(error.to_string(), "Averaging: every is 0: it must be at least 1");
        let error = Average::<f32>::new(Averaging::Exponential { decay: 1.0 }, 1).unwrap_err();
        assert!(error.to_string().starts_with("Averaging: decay is 1"));
        let mut average = Average::<f32>::new(Averaging::Polyak { start: 0 }, 2).unwrap();
        assert!(average.update(0, &[1.0]).is_err() && average.write(&mut [1.0]).is_err());
        assert_eq!(average.count(), 0);
    }
}
