//! L-BFGS under way: the direction from the pairs remembered, and the move along it.

use serde::{Deserialize, Serialize};

use super::line_search::{Point, Wolfe};
use super::{Iteration, Lbfgs, Objective, Outcome};
use crate::error::{check, check_length};
use crate::float::{narrow, wide};
use crate::norm::first_not_finite;
use crate::{Float, OptimError};

/// L-BFGS under way: the configuration and what it remembers, all of it plain data for a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LbfgsRun<F> {
    config: Lbfgs,
    len: usize,
    /// The last pairs (s, y), the oldest first.
    pairs: Vec<(Vec<F>, Vec<F>)>,
    /// The value and the gradient at the parameters, once they are known.
    here: Option<(f64, Vec<F>)>,
}

impl<F: Float> LbfgsRun<F> {
    /// A run over `len` parameters before its first iteration.
    ///
    /// # Errors
    /// What the configuration has out of bounds.
    pub fn new(config: Lbfgs, len: usize) -> Result<Self, OptimError> {
        config.validate()?;
        Ok(Self { config, len, pairs: Vec::new(), here: None })
    }

    /// One iteration: a direction and a search along it. The parameters must be as the iteration
    /// before left them.
    ///
    /// # Errors
    /// A slice of the wrong length; a value or gradient that is not finite where the iteration
    /// starts. The parameters are then untouched.
    pub fn step(
        &mut self,
        params: &mut [F],
        objective: &mut impl Objective<F>,
    ) -> Result<Iteration, OptimError> {
        check_length("the parameter slice", params.len(), self.len)?;
        let mut evaluations = 0;
        let (value, grads) = match self.here.take() {
            Some(here) => here,
            None => {
                evaluations += 1;
                evaluate(objective, params)?
            }
        };
        let largest = largest(&grads);
        if largest <= self.config.tolerance_grad {
            self.here = Some((value, grads));
            return Ok(Iteration { value, largest, evaluations, outcome: Outcome::Converged });
        }
        let mut direction = self.direction(&grads);
        if dot(&direction, &grads) >= 0.0 {
            self.pairs.clear();
            direction = self.direction(&grads);
        }
        let start = Point { t: 0.0, value, slope: dot(&direction, &grads) };
        let sum: f64 = grads.iter().map(|&g| wide(g).abs()).sum();
        let first = if self.pairs.is_empty() { (1.0 / sum).min(1.0) } else { 1.0 };
        let Lbfgs { c1, c2, evaluations: most, .. } = self.config;
        let mut trial = params.to_vec();
        let mut there = vec![F::zero(); self.len];
        let mut last = start;
        let mut line = |t: f64| {
            move_along(&mut trial, params, &direction, t);
            let value = objective.evaluate(&trial, &mut there);
            last = Point { t, value, slope: dot(&direction, &there) };
            evaluations += 1;
            last
        };
        let found = Wolfe { c1, c2, evaluations: most }.search(start, first, &mut line);
        if found.t == 0.0 {
            self.here = Some((value, grads));
            return Ok(Iteration { value, largest, evaluations, outcome: Outcome::Stuck });
        }
        line(found.t);
        Ok(self.accept(params, trial, last.value, (grads, there), evaluations))
    }

    /// Moves to the point found and remembers the pair.
    fn accept(
        &mut self,
        params: &mut [F],
        found: Vec<F>,
        value: f64,
        (before, after): (Vec<F>, Vec<F>),
        evaluations: u64,
    ) -> Iteration {
        let difference = |a: &[F], b: &[F]| a.iter().zip(b).map(|(&a, &b)| a - b).collect();
        let s: Vec<F> = difference(&found, params);
        let y: Vec<F> = difference(&after, &before);
        params.copy_from_slice(&found);
        let (moved, largest) = (largest(&s), largest(&after));
        if dot(&s, &y) > 1e-10 * dot(&y, &y).min(1.0) {
            if self.pairs.len() == self.config.memory {
                self.pairs.remove(0);
            }
            self.pairs.push((s, y));
        }
        self.here = Some((value, after));
        let Lbfgs { tolerance_grad, tolerance_change, .. } = self.config;
        let done = largest <= tolerance_grad || moved <= tolerance_change;
        let outcome = if done { Outcome::Converged } else { Outcome::Moved };
        Iteration { value, largest, evaluations, outcome }
    }

    /// `−H·g` by the two-loop recursion.
    fn direction(&self, grads: &[F]) -> Vec<F> {
        let mut q: Vec<F> = grads.iter().map(|&g| -g).collect();
        let mut alphas = vec![0.0; self.pairs.len()];
        for ((s, y), alpha) in self.pairs.iter().zip(&mut alphas).rev() {
            *alpha = dot(s, &q) / dot(s, y);
            add(&mut q, y, -*alpha);
        }
        if let Some((s, y)) = self.pairs.last() {
            let scale = narrow(dot(s, y) / dot(y, y));
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for ((s, y), alpha) in self.pairs.iter().zip(&alphas) {
            let beta = dot(y, &q) / dot(s, y);
            add(&mut q, s, alpha - beta);
        }
        q
    }
}

fn evaluate<F: Float>(
    objective: &mut impl Objective<F>,
    params: &[F],
) -> Result<(f64, Vec<F>), OptimError> {
    let mut grads = vec![F::zero(); params.len()];
    let value = objective.evaluate(params, &mut grads);
    check("Lbfgs", "value of the objective", value, value.is_finite(), "finite at the start")?;
    match first_not_finite(&grads) {
        None => Ok((value, grads)),
        Some((index, value)) => {
            Err(OptimError::NotFinite { block: "all parameters".into(), index, value })
        }
    }
}

fn move_along<F: Float>(trial: &mut [F], params: &[F], direction: &[F], t: f64) {
    let t = narrow::<F>(t);
    for ((trial, &param), &d) in trial.iter_mut().zip(params).zip(direction) {
        *trial = param + t * d;
    }
}

fn add<F: Float>(to: &mut [F], what: &[F], factor: f64) {
    let factor = narrow::<F>(factor);
    to.iter_mut().zip(what).for_each(|(to, &what)| *to += factor * what);
}

fn dot<F: Float>(a: &[F], b: &[F]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| wide(a) * wide(b)).sum()
}

fn largest<F: Float>(values: &[F]) -> f64 {
    values.iter().fold(0.0, |largest: f64, &value| largest.max(wide(value).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bowl of condition 10⁴ in ten dimensions.
    fn bowl(x: &[f64], g: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (i, (x, g)) in x.iter().zip(g).enumerate() {
            let curvature = 10f64.powf(i as f64 * 4.0 / 9.0);
            *g = curvature * (x - 1.0);
            value += 0.5 * *g * (x - 1.0);
        }
        value
    }

    #[test]
    fn a_bowl_takes_few_iterations() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 10).unwrap();
        let mut x = [0.0; 10];
        let mut iterations = 0;
        let last = loop {
            let iteration = run.step(&mut x, &mut bowl).unwrap();
            iterations += 1;
            if iteration.outcome != Outcome::Moved {
                break iteration;
            }
        };
        assert_eq!(last.outcome, Outcome::Converged);
        assert!(iterations < 60, "{iterations} iterations");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{x:?}");
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_pair() {
        let mut run = LbfgsRun::new(Lbfgs { memory: 2, ..Lbfgs::default() }, 10).unwrap();
        let mut x = [0.0; 10];
        for _ in 0..4 {
            run.step(&mut x, &mut bowl).unwrap();
        }
        assert_eq!(run.pairs.len(), 2);
        let (s, y) = run.pairs[1].clone();
        assert!(dot(&s, &y) > 0.0);
    }

    #[test]
    fn the_first_trial_is_a_step_of_length_one_and_evaluations_are_counted() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 2).unwrap();
        let mut trials: Vec<[f64; 2]> = Vec::new();
        let mut objective = |x: &[f64], g: &mut [f64]| {
            trials.push([x[0], x[1]]);
            g.copy_from_slice(&[3.0 * (x[0] - 1.0), 4.0 * (x[1] + 1.0)]);
            (g[0] * g[0] / 3.0 + g[1] * g[1] / 4.0) / 2.0
        };
        let mut x = [0.0; 2];
        let first = run.step(&mut x, &mut objective).unwrap().evaluations;
        let second = run.step(&mut x, &mut objective).unwrap().evaluations;
        assert_eq!(trials.len() as u64, first + second);
        assert_eq!(trials[..2], [[0.0; 2], [3.0 / 7.0, -4.0 / 7.0]]);
    }

    #[test]
    fn a_pair_enters_the_direction() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 2).unwrap();
        run.pairs.push((vec![1.0, 0.0], vec![2.0, 0.0]));
        assert_eq!(run.direction(&[2.0, 0.0]), [-1.0, 0.0]); // H·y = s
        assert_eq!(run.direction(&[0.0, 3.0]), [0.0, -1.5]); // s·y / y·y elsewhere
    }

    #[test]
    fn pairs_are_kept_where_there_is_curvature() {
        let kept = |curvature: f64| {
            let mut run =
                LbfgsRun::new(Lbfgs { tolerance_grad: 0.0, ..Lbfgs::default() }, 1).unwrap();
            let mut objective = |x: &[f64], g: &mut [f64]| {
                g[0] = 1e-4 + curvature * x[0];
                (1e-4 + 0.5 * curvature * x[0]) * x[0]
            };
            run.step(&mut [0.0], &mut objective).unwrap();
            run.pairs.len()
        };
        assert_eq!((kept(1e-4), kept(0.0)), (1, 0));
    }

    #[test]
    fn a_small_move_converges_whatever_the_gradient() {
        let config = Lbfgs { tolerance_change: 10.0, ..Lbfgs::default() };
        let last = LbfgsRun::new(config, 10).unwrap().step(&mut [0.0; 10], &mut bowl).unwrap();
        assert!(last.outcome == Outcome::Converged && last.largest > 1.0, "{last:?}");
    }

    #[test]
    fn a_run_goes_on_to_the_bit() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 10).unwrap();
        let mut x = [0.0; 10];
        for _ in 0..5 {
            run.step(&mut x, &mut bowl).unwrap();
        }
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&run, config).unwrap();
        let (mut same, _): (LbfgsRun<f64>, _) =
            bincode::serde::decode_from_slice(&bytes, config).unwrap();
        let mut y = x;
        for _ in 0..5 {
            run.step(&mut x, &mut bowl).unwrap();
            same.step(&mut y, &mut bowl).unwrap();
        }
        assert_eq!((x, run), (y, same));
    }

    #[test]
    fn a_gradient_that_points_nowhere_down_is_stuck_and_moves_nothing() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 1).unwrap();
        let mut x = [1.0];
        let mut wrong = |x: &[f64], g: &mut [f64]| {
            g[0] = -1.0;
            x[0]
        };
        assert_eq!(run.step(&mut x, &mut wrong).unwrap().outcome, Outcome::Stuck);
        assert_eq!(x, [1.0]);
    }

    #[test]
    fn an_objective_that_is_not_finite_is_an_error() {
        let mut run = LbfgsRun::new(Lbfgs::default(), 1).unwrap();
        let mut x = [1.0_f32];
        let error = run.step(&mut x, &mut |_: &[f32], _: &mut [f32]| f64::NAN).unwrap_err();
        assert!(error.to_string().starts_with("Lbfgs: value of the objective is NaN"));
        let mut bad = |_: &[f32], g: &mut [f32]| {
            g[0] = f32::NAN;
            0.0
        };
        assert!(run.step(&mut x, &mut bad).unwrap_err().to_string().contains("NaN at index 0"));
        assert!(run.step(&mut [], &mut bad).is_err());
    }

    #[test]
    fn bad_settings_are_refused() {
        let fine = Lbfgs::default();
        for (bad, named) in [
            (Lbfgs { memory: 0, ..fine }, "Lbfgs: memory"),
            (Lbfgs { tolerance_grad: -1.0, ..fine }, "Lbfgs: tolerance_grad"),
            (Lbfgs { tolerance_change: f64::NAN, ..fine }, "Lbfgs: tolerance_change"),
            (Lbfgs { c1: 0.0, ..fine }, "Lbfgs: c1"),
            (Lbfgs { c1: 0.95, ..fine }, "Lbfgs: c1"),
            (Lbfgs { c1: 0.9, ..fine }, "Lbfgs: c1"),
            (Lbfgs { c2: 1.0, ..fine }, "Lbfgs: c2"),
            (Lbfgs { evaluations: 0, ..fine }, "Lbfgs: evaluations"),
        ] {
            let error = LbfgsRun::<f64>::new(bad, 1).unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
    }
}
