//! DeepOBS's `quadratic_deep`: SGD, momentum and Adam over a grid of learning rates.

use std::sync::Arc;

use anyhow::Result;
use slalom::optim::{Adam, Block, Optimizer, Rule, Sgd};
use slalom::tensor::{Matrix, Purpose, permutation, stream};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results, Stat};
use crate::experiment::findings::{Findings, Published, Row, Verdict};
use crate::experiment::numpy::RandomState;
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "quadratic-deep",
    title: "DeepOBS: quadratic_deep over the learning-rate grid",
    claim: "On a quadratic of 100 dimensions whose curvature looks like a network's (90 eigenvalues \
            below 1, ten between 30 and 60), momentum and Adam end lower than SGD, and SGD diverges \
            once the learning rate passes 2/λmax.",
    setup: "Schneider, Balles, Hennig 2019 and their published JSON files. The same problem, number \
            for number (NumPy's RandomState 42 and 43), in f32: 700 steps of batches of 128, start at \
            1. The order of the samples comes from our generator, one order for all epochs: DeepOBS \
            starts TensorFlow's seeded iterator anew each epoch, which repeats its shuffle, and only \
            so is momentum's noise as small as published; the rows with a fresh order each epoch show \
            the difference.",
    rule: "At the best rate our mean is within two published standard deviations of the published \
           mean. At a rate of the sweep, which is known from one seed, the published loss is within \
           two of our standard deviations or 1 % of our mean; where it is infinite or NaN, ours is \
           above 10⁶ or not finite.",
    tried: "",
    cells,
    findings,
};

const DIM: usize = 100;
const BATCH: usize = 128;
const EPOCHS: u64 = 100;

/// Name in the table, rule, and the published numbers: (rate, loss); not finite is ∞.
struct Entry {
    name: &'static str,
    rule: fn() -> Rule,
    best: (f64, f64, f64),
    sweep: &'static [(f64, f64)],
}

const INFINITE: f64 = f64::INFINITY;

const ENTRIES: &[Entry] = &[
    Entry {
        name: "SGD",
        rule: || Sgd::default().into(),
        best: (1.585e-2, 87.398, 0.169),
        sweep: &[
            (1e-5, 236.09),
            (1e-3, 95.853),
            (1e-2, 87.282),
            (2.512e-2, 87.381),
            (3.981e-2, INFINITE),
            (6.310e-2, INFINITE),
        ],
    },
    Entry {
        name: "momentum 0.99",
        rule: || Sgd { momentum: 0.99, ..Sgd::default() }.into(),
        best: (2.512e-3, 87.045, 0.025),
        sweep: &[
            (1e-5, 96.755),
            (1e-3, 87.082),
            (1e-2, 87.590),
            (1.585e-2, 234.99),
            (1e-1, INFINITE),
        ],
    },
    Entry {
        name: "Adam",
        rule: || Adam { eps_hat: true, ..Adam::default() }.into(),
        best: (3.981e-2, 87.112, 0.024),
        sweep: &[
            (1e-5, 345.21),
            (1e-3, 106.699),
            (1e-2, 88.531),
            (1e-1, 87.246),
            (1.0, 88.818),
            (10.0, 143.17),
        ],
    },
];

/// The 36 rates from 1e-5 to 1e2.
fn rate(index: i32) -> f64 {
    10_f64.powf(-5.0 + f64::from(index) / 5.0)
}

/// Marks the configurations with a fresh order each epoch.
const FRESH: &str = ", fresh order each epoch";

/// Whether all epochs share one order of the samples.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Fixed,
    Fresh,
}

fn config(entry: &Entry, rate: f64) -> String {
    format!("{}, rate {rate:.3e}", entry.name)
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let problem = Arc::new(Problem::new());
    let mut cells = Vec::new();
    for entry in ENTRIES {
        for index in 0..36 {
            let rate = rate(index);
            let known = |other: f64| (rate / other - 1.0).abs() < 1e-3;
            if plan.quick && !known(entry.best.0) && !entry.sweep.iter().any(|s| known(s.0)) {
                continue;
            }
            for seed in plan.seeds(10) {
                let problem = Arc::clone(&problem);
                let rule = entry.rule;
                let at_best = known(entry.best.0).then(|| Arc::clone(&problem));
                cells.push(Cell::new(config(entry, rate), seed, move |_| {
                    problem.descend(rule(), rate, seed, Order::Fixed)
                }));
                if let Some(problem) = at_best {
                    let config = config(entry, rate) + FRESH;
                    cells.push(Cell::new(config, seed, move |_| {
                        problem.descend(rule(), rate, seed, Order::Fresh)
                    }));
                }
            }
        }
    }
    Ok(cells)
}

/// mean ½(θ − x)ᵀQ(θ − x) over the data.
struct Problem {
    curvature: Matrix<f32>,
    train: Matrix<f32>,
    test: Matrix<f32>,
}

impl Problem {
    fn new() -> Self {
        let mut rng = RandomState::new(42);
        let mut eigenvalues: Vec<f64> = (0..90).map(|_| rng.uniform(0.0, 1.0)).collect();
        eigenvalues.extend((0..10).map(|_| rng.uniform(30.0, 60.0)));
        let rotation = rotation(&mut rng);
        let scaled = Matrix::from_fn(DIM, DIM, |i, j| eigenvalues[i] * rotation[(i, j)]);
        let curvature = (rotation.transpose() * scaled).map(|v| v as f32);
        Self { curvature, train: data(42), test: data(43) }
    }

    fn descend(&self, rule: Rule, rate: f64, seed: u64, order: Order) -> Result<Outcome> {
        let mut theta = vec![1_f32; DIM];
        let mut optimizer = Optimizer::new(rule, vec![Block::new("theta", 0..DIM)], None)?;
        'descent: for epoch in 0..EPOCHS {
            let index = if order == Order::Fresh { epoch } else { 0 };
            let mut rng = stream(seed, Purpose::Shuffle, [index, 0]);
            let order = permutation(self.train.ncols(), &mut rng);
            for batch in order.chunks_exact(BATCH) {
                let grads = self.gradient(&theta, batch);
                // a gradient that is not finite is refused: the descent has diverged
                if optimizer.step(rate, &mut theta, &grads).is_err() {
                    theta.fill(f32::INFINITY);
                    break 'descent;
                }
            }
        }
        let loss = self.loss(&theta, &self.test);
        Ok(Outcome::default()
            .number("test loss", if loss.is_finite() { loss } else { f64::INFINITY })
            .number("train loss", self.loss(&theta, &self.train)))
    }

    fn gradient(&self, theta: &[f32], batch: &[usize]) -> Vec<f32> {
        let mut mean = vec![0_f32; DIM];
        for &sample in batch {
            mean.iter_mut().zip(self.train.column(sample).as_slice()).for_each(|(m, x)| *m += x);
        }
        let scale = 1.0 / batch.len() as f32;
        let away: Vec<f32> = theta.iter().zip(&mean).map(|(t, m)| t - m * scale).collect();
        times(&self.curvature, &away)
    }

    /// Over whole batches only, as DeepOBS evaluates.
    fn loss(&self, theta: &[f32], data: &Matrix<f32>) -> f64 {
        let count = data.ncols() / BATCH * BATCH;
        let one = |sample: usize| {
            let column = data.column(sample);
            let away: Vec<f32> = theta.iter().zip(column.iter()).map(|(t, x)| t - x).collect();
            let force = times(&self.curvature, &away);
            0.5 * away.iter().zip(force).map(|(a, f)| f64::from(*a) * f64::from(f)).sum::<f64>()
        };
        (0..count).map(one).sum::<f64>() / count as f64
    }
}

fn times(matrix: &Matrix<f32>, vector: &[f32]) -> Vec<f32> {
    let mut product = vec![0_f32; matrix.nrows()];
    for (column, v) in matrix.column_iter().zip(vector) {
        product.iter_mut().zip(column.as_slice()).for_each(|(p, m)| *p += m * v);
    }
    product
}

/// 1,000 samples of N(0, 0.6²).
fn data(seed: u32) -> Matrix<f32> {
    let mut rng = RandomState::new(seed);
    let numbers = (0..1000 * DIM).map(|_| (0.6 * rng.normal()) as f32).collect();
    Matrix::from_vec(DIM, 1000, numbers)
}

/// A rotation, uniformly distributed: the subgroup algorithm (Diaconis & Shahshahani 1987).
fn rotation(rng: &mut RandomState) -> Matrix<f64> {
    let angle = 2.0 * std::f64::consts::PI * rng.random();
    let (sin, cos) = angle.sin_cos();
    let mut rotation = Matrix::from_row_slice(2, 2, &[cos, sin, -sin, cos]);
    for size in 3..=DIM {
        let direction: Vec<f64> = (0..size).map(|_| rng.normal()).collect();
        let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
        let mut mirror: Vec<f64> = direction.iter().map(|v| -v / norm).collect();
        mirror[0] += 1.0;
        let norm = mirror.iter().map(|v| v * v).sum::<f64>().sqrt();
        let mut larger = Matrix::identity(size, size);
        larger.view_mut((1, 1), (size - 1, size - 1)).copy_from(&rotation);
        let x = Matrix::from_iterator(size, 1, mirror.iter().map(|v| v / norm));
        rotation = &larger - 2.0 * &x * (x.transpose() * &larger);
    }
    -rotation
}

fn findings(results: &Results) -> Findings {
    let mut rows = Vec::new();
    let mut plot = Plot::new(
        "quadratic-deep",
        "Final test loss over the learning rate",
        Axis::log("learning rate"),
        Axis::log("test loss").within(80.0, 400.0),
    );
    for entry in ENTRIES {
        let (best, value, sd) = entry.best;
        let name = |rate: f64| {
            let near = |index: &i32| (self::rate(*index) / rate - 1.0).abs() < 1e-3;
            config(entry, self::rate((0..36).find(near).unwrap_or(0)))
        };
        let rule = |ours: &Stat, p: &Published| (ours.mean - p.value).abs() <= 2.0 * sd;
        let published = Published::read(value).with_sd(sd);
        rows.push(Row::compared(results, &name(best), "test loss", published, rule));
        rows.push(Row::measured(results, &(name(best) + FRESH), "test loss"));
        for &(rate, value) in entry.sweep {
            let rule = |ours: &Stat, p: &Published| match p.value.is_finite() {
                true => (ours.mean - p.value).abs() <= (2.0 * ours.sd).max(0.01 * ours.mean),
                false => !ours.mean.is_finite() || ours.mean > 1e6,
            };
            let published = Published::read(value);
            rows.push(Row::compared(results, &name(rate), "test loss", published, rule));
        }
        let points = (0..36).map(rate).map(|rate| {
            let stat = results.stat(&config(entry, rate), "test loss");
            (rate, stat.mean, stat.sd)
        });
        plot = plot.with(Series::new(entry.name, Form::Marked, points.filter(|p| p.1.is_finite())));
    }
    let within = rows.iter().filter(|row| row.within == Some(true)).count();
    let known = rows.iter().filter(|row| row.within.is_some()).count();
    let words = format!("{within} of {known} published losses are met.");
    Findings { verdict: Verdict::of_rows(&rows), parts: Vec::new(), words, rows, plots: vec![plot] }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: the same formulas in NumPy 2, in f64.
    #[test]
    fn the_problem_starts_where_the_published_one_does() {
        let problem = Problem::new();
        let start = [1.0; DIM];
        for (data, expected) in [(&problem.train, 352.57681), (&problem.test, 353.44677)] {
            let loss = problem.loss(&start, data);
            assert!((loss / expected - 1.0).abs() < 1e-6, "{loss} for {expected}");
        }
    }
}
