//! What an experiment is made of: cells (one configuration with one seed), what they measure, and
//! the statistics over seeds.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use slalom::tensor::Threads;

/// How much of the work to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Seeds a configuration; `None`: each experiment's own number.
    pub(crate) seeds: Option<u64>,
    /// A few per cent of the work: to see that everything runs, not to be quoted.
    pub(crate) quick: bool,
}

impl Plan {
    /// The seeds 0..n of each configuration: `full` of them, 2 when quick, or what was asked for.
    pub(crate) fn seeds(&self, full: u64) -> std::ops::Range<u64> {
        0..self.seeds.unwrap_or(if self.quick { full.min(2) } else { full })
    }

    /// The command that does this work.
    pub(crate) fn command(&self, names: &[&str]) -> String {
        let quick = if self.quick { " --quick" } else { "" };
        let seeds = self.seeds.map_or(String::new(), |n| format!(" --seeds {n}"));
        format!("cargo xtask experiment {}{seeds}{quick}", names.join(" "))
    }

    /// One of two amounts of work.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// What a cell computes with: the number of threads is one, unless the cell runs alone.
pub(crate) type Work = Box<dyn Fn(&Threads) -> Result<Outcome> + Send + Sync>;

/// One configuration with one seed.
pub(crate) struct Cell {
    pub(crate) config: String,
    pub(crate) seed: u64,
    /// Measures time on all threads, so that no other cell may run beside it.
    pub(crate) alone: bool,
    pub(crate) work: Work,
}

impl Cell {
    /// A cell that shares the machine with others and computes with one thread.
    pub(crate) fn new(
        config: impl Into<String>,
        seed: u64,
        work: impl Fn(&Threads) -> Result<Outcome> + Send + Sync + 'static,
    ) -> Self {
        Self { config: config.into(), seed, alone: false, work: Box::new(work) }
    }

    /// The same cell with the machine to itself.
    pub(crate) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

/// What one cell measured. Numbers may be infinite or NaN: a diverged run is a result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    numbers: BTreeMap<String, Number>,
    curves: BTreeMap<String, Vec<(Number, Number)>>,
}

impl Outcome {
    /// Adds a number.
    pub(crate) fn number(mut self, name: &str, value: f64) -> Self {
        self.numbers.insert(name.into(), Number(value));
        self
    }

    /// Adds a curve.
    pub(crate) fn curve(
        mut self,
        name: &str,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let points = points.into_iter().map(|(x, y)| (Number(x), Number(y))).collect();
        self.curves.insert(name.into(), points);
        self
    }

    /// The number of that name; NaN where there is none.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.numbers.get(name).map_or(f64::NAN, |number| number.0)
    }

    /// The names of the numbers, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }
}

/// A cell that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) config: String,
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    pub(crate) outcome: Outcome,
}

/// All cells of an experiment, in the order in which it lists them.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) cells: Vec<Done>,
}

impl Results {
    /// The configurations, in order of first appearance.
    pub(crate) fn configs(&self) -> Vec<&str> {
        let mut configs: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !configs.contains(&cell.config.as_str()) {
                configs.push(&cell.config);
            }
        }
        configs
    }

    /// A number of a configuration, one value a seed.
    pub(crate) fn values(&self, config: &str, number: &str) -> Vec<f64> {
        self.of(config).map(|cell| cell.outcome.get(number)).collect()
    }

    /// Mean and deviation of a number over the seeds.
    pub(crate) fn stat(&self, config: &str, number: &str) -> Stat {
        Stat::of(&self.values(config, number))
    }

    /// The mean of a number over the seeds.
    pub(crate) fn mean(&self, config: &str, number: &str) -> f64 {
        self.stat(config, number).mean
    }

    /// A curve of a configuration, point by point over the seeds: x of the first seed, mean and
    /// deviation of y. As long as the shortest.
    pub(crate) fn curve(&self, config: &str, name: &str) -> Vec<(f64, Stat)> {
        let curves: Vec<_> =
            self.of(config).filter_map(|cell| cell.outcome.curves.get(name)).collect();
        let length = curves.iter().map(|curve| curve.len()).min().unwrap_or(0);
        let point = |i: usize| {
            let ys: Vec<f64> = curves.iter().map(|curve| curve[i].1.0).collect();
            (curves[0][i].0.0, Stat::of(&ys))
        };
        (0..length).map(point).collect()
    }

    /// The curve of the configuration's first seed.
    pub(crate) fn first_curve(&self, config: &str, name: &str) -> Vec<(f64, f64)> {
        let curve = self.of(config).find_map(|cell| cell.outcome.curves.get(name));
        curve.into_iter().flatten().map(|(x, y)| (x.0, y.0)).collect()
    }

    fn of(&self, config: &str) -> impl Iterator<Item = &Done> {
        self.cells.iter().filter(move |cell| cell.config == config)
    }
}

/// Mean and sample standard deviation of some runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stat {
    pub(crate) mean: f64,
    /// Divided by n − 1; 0 for one run.
    pub(crate) sd: f64,
    pub(crate) runs: usize,
    /// In the order of the seeds.
    values: Vec<f64>,
}

impl Stat {
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len();
        let mut mean = values.iter().sum::<f64>() / n as f64;
        if mean.is_finite() && values.iter().all(|&v| v == values[0]) {
            mean = values[0]; // which the rounded sum may miss: equal values do not scatter
        }
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let sd = if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 };
        Self { mean, sd, runs: n, values: values.to_vec() }
    }

    /// The standard error of the mean.
    pub(crate) fn error(&self) -> f64 {
        self.sd / (self.runs as f64).sqrt()
    }

    /// Whether this mean lies above the other's by more than twice the standard error of the
    /// difference, seed by seed: what the verdicts call a difference. Equal seeds mean equal splits,
    /// orders and initial weights, so most of the scatter cancels.
    pub(crate) fn above(&self, other: &Stat) -> bool {
        debug_assert_eq!(self.runs, other.runs, "both have the same seeds");
        let apart: Vec<f64> = self.values.iter().zip(&other.values).map(|(a, b)| a - b).collect();
        let apart = Stat::of(&apart);
        apart.mean > 2.0 * apart.error()
    }
}

/// An f64 that JSON can hold whatever it is: what is not finite becomes a word.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number(f64);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Finite(f64),
    Word(String),
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            Written::Finite(self.0).serialize(serializer)
        } else {
            Written::Word(self.0.to_string()).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Finite(value) => Ok(Self(value)),
            Written::Word(word) => word.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_by_hand() {
        let stat = Stat::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((stat.mean, stat.runs), (5.0, 8));
        assert!((stat.sd - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
        assert_eq!(Stat::of(&[3.0]).sd, 0.0);
        let equal = Stat::of(&[0.1; 10]);
        assert_eq!((equal.mean, equal.sd), (0.1, 0.0));
    }

    #[test]
    fn a_difference_is_judged_seed_by_seed() {
        let low = Stat::of(&[1.0, 5.0, 9.0, 13.0]);
        let high = Stat::of(&[1.4, 5.2, 9.5, 13.3]);
        assert!(high.above(&low) && !low.above(&high), "whatever the scatter between the seeds");
        // differences 3, −1, 1, 1: mean 1, standard error 0.816
        let near = Stat::of(&[4.0, 4.0, 10.0, 14.0]);
        assert!(!near.above(&low), "within two standard errors");
        let lost = Stat::of(&[1.0, f64::INFINITY, 9.0, 13.0]);
        assert!(!lost.above(&low) && !low.above(&lost), "no difference from what is not finite");
    }

    #[test]
    fn outcomes_survive_json_whatever_they_hold() {
        let outcome = Outcome::default()
            .number("a", f64::INFINITY)
            .number("b", 0.1 + 0.2)
            .curve("c", [(0.0, f64::NEG_INFINITY)]);
        let text = serde_json::to_string(&outcome).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
        let nan = serde_json::to_string(&Outcome::default().number("a", f64::NAN)).unwrap();
        assert!(serde_json::from_str::<Outcome>(&nan).unwrap().get("a").is_nan());
    }

    #[test]
    fn curves_are_averaged_point_by_point() {
        let done = |seed, y: f64| Done {
            config: "a".into(),
            seed,
            seconds: 0.0,
            outcome: Outcome::default().curve("loss", [(1.0, y), (2.0, y + 1.0)]),
        };
        let results = Results { cells: vec![done(0, 1.0), done(1, 3.0)] };
        let curve = results.curve("a", "loss");
        assert_eq!(
            curve.iter().map(|(x, y)| (*x, y.mean)).collect::<Vec<_>>(),
            [(1.0, 2.0), (2.0, 3.0)]
        );
        assert_eq!(results.configs(), ["a"]);
    }
}
