//! Search over settings: every point of a grid, or points at random, one trial after the other.

use std::path::Path;

use serde::{Deserialize, Serialize};
use slalom_tensor::{Purpose, stream, uniform};

use crate::TrainError;
use crate::checkpoint::{Checkpoint, CheckpointError, Kind};

/// The values that a setting may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// Any number between the two, each equally likely.
    Uniform(f64, f64),
    /// Any number between the two, both above 0, each order of magnitude equally likely.
    Log(f64, f64),
    /// A whole number between the two, both included.
    Integer(i64, i64),
    /// One of these.
    Choice(Vec<f64>),
}

/// Trials that were made and the plan for the rest. [Saved](Search::save) after each trial, a search
/// that was stopped goes on where it was. The settings of a trial are f(seed, trial).
///
/// ```
/// use slalom_train::{Search, Setting};
/// let space = vec![("rate".into(), Setting::Log(1e-4, 1.0)), ("units".into(), Setting::Integer(8, 64))];
/// let mut search = Search::random(space, 20, 7)?;
/// while let Some(trial) = search.next_trial() {
///     let loss = (trial.setting("rate").log10() + 2.0).powi(2); // train here
///     search.record(loss);
/// }
/// assert!((search.best().unwrap().setting("rate").log10() + 2.0).abs() < 0.5);
/// # Ok::<(), slalom_train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    space: Vec<(String, Setting)>,
    plan: Plan,
    scores: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Plan {
    Grid { points: u64 },
    Random { trials: u64, seed: u64 },
}

/// One point of the space.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Which trial, from 0.
    pub number: u64,
    /// The settings, in the order of the space.
    pub settings: Vec<(String, f64)>,
}

impl Trial {
    /// The value of a setting.
    ///
    /// # Panics
    /// If the space has no setting of this name.
    pub fn setting(&self, name: &str) -> f64 {
        let found = self.settings.iter().find(|(n, _)| n == name);
        found.unwrap_or_else(|| panic!("no setting {name:?} in the space")).1
    }
}

impl Search {
    /// So many trials at random.
    ///
    /// # Errors
    /// A setting without values, or bounds that are no range.
    pub fn random(
        space: Vec<(String, Setting)>,
        trials: u64,
        seed: u64,
    ) -> Result<Self, TrainError> {
        Self::new(space, Plan::Random { trials, seed })
    }

    /// Every combination of so many points of each range (both ends included) and all choices; the
    /// last setting changes fastest.
    ///
    /// # Errors
    /// As [`random`](Self::random); 0 points.
    pub fn grid(space: Vec<(String, Setting)>, points: u64) -> Result<Self, TrainError> {
        Self::new(space, Plan::Grid { points })
    }

    fn new(space: Vec<(String, Setting)>, plan: Plan) -> Result<Self, TrainError> {
        let search = Self { space, plan, scores: Vec::new() };
        search.validate()?;
        Ok(search)
    }

    fn validate(&self) -> Result<(), TrainError> {
        if let Plan::Grid { points: 0 } = self.plan {
            let (field, bound) = ("points of the grid", "at least 1");
            return Err(TrainError::Field { field, value: 0.0, bound });
        }
        self.space.iter().try_for_each(|(_, setting)| setting.validate())?;
        let (made, trials) = (self.scores.len() as u64, self.trials());
        if made > trials {
            let (field, bound) = ("number of trials made", "at most that of all trials");
            return Err(TrainError::Field { field, value: made as f64, bound });
        }
        Ok(())
    }

    /// Writes the search to a file, whole or not at all.
    ///
    /// ```
    /// # use slalom_train::{Search, Setting};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("rates.slalom");
    /// let mut search = match path.exists() {
    ///     true => Search::load(&path)?,
    ///     false => Search::grid(vec![("rate".into(), Setting::Log(1e-3, 0.1))], 5)?,
    /// };
    /// while let Some(trial) = search.next_trial() {
    ///     search.record(trial.setting("rate")); // train here
    ///     search.save(&path)?;
    /// }
    /// assert_eq!(Search::load(&path)?, search);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`write_file`](crate::checkpoint::write_file).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let mut file = Checkpoint::new::<f64>(Kind::Search);
        file.put("search", self)?;
        file.save(path)
    }

    /// Reads a search from a file.
    ///
    /// # Errors
    /// As [`Checkpoint::load`]; a file of another kind, or one whose contents do not fit together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TrainError> {
        let file = Checkpoint::load(path)?;
        file.expect(Kind::Search)?;
        let search: Self = file.get("search")?;
        search.validate()?;
        Ok(search)
    }

    /// How many trials there are in all.
    pub fn trials(&self) -> u64 {
        match self.plan {
            Plan::Random { trials, .. } => trials,
            Plan::Grid { points } => {
                let sides = self.space.iter().map(|(_, setting)| setting.points(points));
                sides.fold(1, u64::saturating_mul)
            }
        }
    }

    /// The trial to make next; none when all are made.
    pub fn next_trial(&self) -> Option<Trial> {
        let number = self.scores.len() as u64;
        (number < self.trials()).then(|| self.trial(number))
    }

    /// Writes down the loss of the trial that was next; smaller is better.
    pub fn record(&mut self, loss: f64) {
        self.scores.push(loss);
    }

    /// The losses of the trials made so far.
    pub fn losses(&self) -> &[f64] {
        &self.scores
    }

    /// The first of the trials with the least loss so far; one whose loss is not finite never is.
    pub fn best(&self) -> Option<Trial> {
        let finite = self.scores.iter().enumerate().filter(|(_, loss)| loss.is_finite());
        let (number, _) = finite.min_by(|a, b| a.1.total_cmp(b.1))?;
        Some(self.trial(number as u64))
    }

    fn trial(&self, number: u64) -> Trial {
        let mut rest = number;
        let mut settings: Vec<(String, f64)> = (self.space.iter().enumerate().rev())
            .map(|(i, (name, setting))| {
                let value = match self.plan {
                    Plan::Random { seed, .. } => {
                        let mut rng = stream(seed, Purpose::Search, [number, i as u64]);
                        setting.at(uniform(&mut rng))
                    }
                    Plan::Grid { points } => {
                        let side = setting.points(points);
                        let point = rest % side;
                        rest /= side;
                        setting.point(point, side)
                    }
                };
                (name.clone(), value)
            })
            .collect();
        settings.reverse();
        Trial { number, settings }
    }
}

impl Setting {
    /// The value at a share in `[0, 1)` of the way through the range.
    fn at(&self, share: f64) -> f64 {
        match self {
            Self::Uniform(low, high) => low + share * (high - low),
            Self::Log(low, high) => low * (high / low).powf(share),
            Self::Integer(low, high) => {
                let count = (*high as f64 - *low as f64) + 1.0;
                (*low as f64 + (share * count).floor()).min(*high as f64)
            }
            Self::Choice(values) => values[(share * values.len() as f64) as usize],
        }
    }

    /// How many points of the range a grid of so many has.
    fn points(&self, points: u64) -> u64 {
        match self {
            Self::Uniform(..) | Self::Log(..) => points,
            Self::Integer(low, high) => points.min(high.abs_diff(*low).saturating_add(1)),
            Self::Choice(values) => values.len() as u64,
        }
    }

    /// The point of a grid with so many.
    fn point(&self, point: u64, of: u64) -> f64 {
        let share = if of > 1 { point as f64 / (of - 1) as f64 } else { 0.0 };
        match self {
            Self::Choice(values) => values[point as usize],
            Self::Integer(low, high) => {
                (*low as f64 + share * (*high as f64 - *low as f64)).round()
            }
            _ => self.at(share),
        }
    }

    fn validate(&self) -> Result<(), TrainError> {
        let check = |holds: bool, field, value, bound| match holds {
            true => Ok(()),
            false => Err(TrainError::Field { field, value, bound }),
        };
        match self {
            Self::Uniform(low, high) | Self::Log(low, high) => {
                check(low.is_finite(), "low end of a setting", *low, "finite")?;
                let above_zero = *low > 0.0 || matches!(self, Self::Uniform(..));
                check(above_zero, "low end of a logarithmic setting", *low, "above 0")?;
                let rises = high.is_finite() && high >= low;
                check(rises, "high end of a setting", *high, "finite and at least the low end")
            }
            Self::Integer(low, high) => {
                check(high >= low, "high end of a setting", *high as f64, "at least the low end")
            }
            Self::Choice(values) => {
                let (field, bound) = ("number of choices of a setting", "at least 1");
                check(!values.is_empty(), field, values.len() as f64, bound)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Vec<(String, Setting)> {
        vec![
            ("rate".into(), Setting::Log(1e-3, 1e-1)),
            ("units".into(), Setting::Integer(4, 5)),
            ("rule".into(), Setting::Choice(vec![0.0, 1.0, 7.0])),
        ]
    }

    fn run(mut search: Search) -> Vec<Trial> {
        let mut trials = Vec::new();
        while let Some(trial) = search.next_trial() {
            search.record(trial.settings.iter().map(|s| s.1).sum());
            trials.push(trial);
        }
        trials
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let trials = run(Search::grid(space(), 3).unwrap());
        assert_eq!(trials.len(), 3 * 2 * 3);
        let values = |trial: &Trial| trial.settings.iter().map(|s| s.1).collect::<Vec<_>>();
        assert_eq!(values(&trials[0]), [1e-3, 4.0, 0.0]);
        assert_eq!(values(&trials[1]), [1e-3, 4.0, 1.0]);
        assert_eq!(values(&trials[3]), [1e-3, 5.0, 0.0]);
        assert_eq!(values(&trials[17]), [1e-1, 5.0, 7.0]);
        assert!((values(&trials[6])[0] - 1e-2).abs() < 1e-17);
        let mut all: Vec<String> = trials.iter().map(|t| format!("{:?}", values(t))).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 18);
    }

    #[test]
    fn random_trials_are_within_the_space_and_a_function_of_the_seed() {
        let trials = run(Search::random(space(), 300, 5).unwrap());
        assert_eq!(trials, run(Search::random(space(), 300, 5).unwrap()));
        assert_ne!(trials, run(Search::random(space(), 300, 6).unwrap()));
        assert!(trials.iter().all(|t| (1e-3..1e-1).contains(&t.setting("rate"))));
        for (name, values) in [("units", &[4.0, 5.0][..]), ("rule", &[0.0, 1.0, 7.0])] {
            for value in values {
                let share = trials.iter().filter(|t| t.setting(name) == *value).count();
                assert!(share > 300 / values.len() / 2, "{name} {value}: {share}");
            }
        }
        // half of the logarithmic range lies below its geometric mean
        let below = trials.iter().filter(|t| t.setting("rate") < 1e-2).count();
        assert!((120..180).contains(&below), "{below}");
    }

    #[test]
    fn a_search_that_was_stored_goes_on_where_it_was() {
        let mut search = Search::random(space(), 9, 5).unwrap();
        let whole = run(search.clone());
        (0..4).for_each(|i| search.record(f64::from(i)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search");
        search.save(&path).unwrap();
        assert_eq!(run(Search::load(&path).unwrap()), whole[4..]);

        let refused = |search: Search| {
            search.save(&path).unwrap();
            Search::load(&path).unwrap_err().to_string()
        };
        search.scores = vec![0.0; 10];
        assert!(refused(search.clone()).starts_with("number of trials made is 10"));
        search.space[2].1 = Setting::Choice(vec![]);
        assert!(refused(search.clone()).contains("number of choices"));
        search.plan = Plan::Grid { points: 0 };
        assert!(refused(search).contains("points of the grid"));
        Checkpoint::new::<f64>(Kind::Model).save(&path).unwrap();
        let error = Search::load(&path).unwrap_err().to_string();
        assert_eq!(error, "the file holds a model, a search is wanted");
    }

    #[test]
    fn settings_go_from_their_low_end_to_their_high_end() {
        assert_eq!(Setting::Uniform(2.0, 6.0).at(0.25), 3.0);
        assert_eq!(Setting::Integer(10, 29).at(0.5), 20.0);
        assert_eq!(Setting::Choice(vec![5.0, 7.0]).at(0.5), 7.0);
        assert_eq!([0, 1, 4].map(|i| Setting::Integer(0, 10).point(i, 5)), [0.0, 3.0, 10.0]);
        assert_eq!([0, 1, 2].map(|i| Setting::Uniform(2.0, 6.0).point(i, 3)), [2.0, 4.0, 6.0]);
        assert_eq!(Setting::Uniform(2.0, 6.0).point(0, 1), 2.0);
    }

    #[test]
    fn the_best_is_the_first_of_the_least_and_never_nan() {
        let mut search = Search::random(space(), 9, 5).unwrap();
        assert_eq!(search.best(), None);
        for loss in [f64::NAN, 2.0, f64::NEG_INFINITY, 1.0, 1.0] {
            search.record(loss);
        }
        assert_eq!(search.best().unwrap().number, 3);
        assert_eq!(search.losses()[1..], [2.0, f64::NEG_INFINITY, 1.0, 1.0]);
    }

    #[test]
    fn settings_without_values_are_refused() {
        let text = |setting: Setting| {
            Search::grid(vec![("x".into(), setting)], 2).unwrap_err().to_string()
        };
        assert!(text(Setting::Uniform(2.0, 1.0)).contains("high end of a setting is 1"));
        assert!(text(Setting::Log(0.0, 1.0)).contains("low end of a logarithmic setting is 0"));
        assert!(text(Setting::Uniform(f64::NAN, 1.0)).contains("low end of a setting is NaN"));
        assert!(text(Setting::Integer(3, 2)).contains("high end of a setting is 2"));
        assert!(text(Setting::Choice(vec![])).contains("number of choices"));
        assert!(Search::grid(space(), 0).unwrap_err().to_string().contains("points of the grid"));
    }
}
