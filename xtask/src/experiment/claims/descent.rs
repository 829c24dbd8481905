//! Functions of the plane to descend on: where theory says what to expect.

use anyhow::Result;
use slalom::optim::{Block, Optimizer, Rule};
use slalom::tensor::{Purpose, stream, uniform};

/// A function of the plane with its gradient and its lowest point.
#[derive(Clone, Copy)]
pub(super) struct Surface {
    pub(super) name: &'static str,
    pub(super) height: fn(f64, f64) -> f64,
    slope: fn(f64, f64) -> [f64; 2],
    start: [f64; 2],
    lowest: [f64; 2],
}

/// ½(x² + 100·y²): the condition number is 100.
pub(super) const QUADRATIC: Surface = Surface {
    name: "quadratic",
    height: |x, y| 0.5 * (x * x + 100.0 * y * y),
    slope: |x, y| [x, 100.0 * y],
    start: [2.0, 0.2],
    lowest: [0.0, 0.0],
};

/// (1 − x)² + 100·(y − x²)²
pub(super) const ROSENBROCK: Surface = Surface {
    name: "Rosenbrock",
    height: |x, y| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2),
    slope: |x, y| {
        let bend = y - x * x;
        [-2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend]
    },
    start: [-1.2, 1.0],
    lowest: [1.0, 1.0],
};

/// A descent: how many steps it took (infinite if it did not arrive), where it went, and the mean
/// cosine between one step and the next.
pub(super) struct Descent {
    pub(super) steps: f64,
    pub(super) path: Vec<(f64, f64)>,
    pub(super) cosine: f64,
}

impl Surface {
    /// Descends from near the start (how near is the seed's) until within 0.001 of the lowest point.
    pub(super) fn descend(&self, rule: Rule, rate: f64, seed: u64, most: usize) -> Result<Descent> {
        let mut rng = stream(seed, Purpose::Data, [0, 0]);
        let mut at = self.start.map(|v| v + 0.2 * (uniform(&mut rng) - 0.5));
        let mut optimizer = Optimizer::new(rule, vec![Block::new("place", 0..2)], None)?;
        let mut path = vec![(at[0], at[1])];
        let (mut cosine, mut turns, mut last): (f64, f64, Option<[f64; 2]>) = (0.0, 0.0, None);
        let mut steps = f64::INFINITY;
        for step in 1..=most {
            let before = at;
            let slope = (self.slope)(at[0], at[1]);
            if optimizer.step(rate, &mut at, &slope).is_err() || at.iter().any(|v| v.abs() > 1e6) {
                break;
            }
            let moved = [at[0] - before[0], at[1] - before[1]];
            if let Some(last) = last {
                let norms = moved[0].hypot(moved[1]) * last[0].hypot(last[1]);
                turns += 1.0;
                cosine += if norms > 0.0 {
                    (moved[0] * last[0] + moved[1] * last[1]) / norms
                } else {
                    0.0
                };
            }
            last = Some(moved);
            if path.len() < 400 {
                path.push((at[0], at[1]));
            }
            if (at[0] - self.lowest[0]).hypot(at[1] - self.lowest[1]) < 1e-3 {
                steps = step as f64;
                break;
            }
        }
        Ok(Descent { steps, cosine: cosine / f64::max(turns, 1.0), path })
    }

    /// The fewest steps over a grid of rates, and that rate.
    pub(super) fn best(
        &self,
        rule: impl Fn() -> Rule,
        rates: &[f64],
        seed: u64,
        most: usize,
    ) -> Result<(f64, Descent)> {
        let mut best: Option<(f64, Descent)> = None;
        for &rate in rates {
            let descent = self.descend(rule(), rate, seed, most)?;
            if best.as_ref().is_none_or(|(_, old)| descent.steps < old.steps) {
                best = Some((rate, descent));
            }
        }
        best.ok_or_else(|| anyhow::anyhow!("no rates to try"))
    }
}

/// Rates from `low` to `high`, evenly on a logarithmic scale.
pub(super) fn rates(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = (high / low).powf(1.0 / (count - 1) as f64);
    (0..count).map(|i| low * step.powi(i as i32)).collect()
}
