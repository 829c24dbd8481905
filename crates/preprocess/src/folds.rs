//! Cross-validation: every sample is held out once.

use crate::PreprocessError;
use crate::split::members;
use serde::{Deserialize, Serialize};
use slalom_tensor::{Purpose, permutation, shuffle, stream};

/// How samples are cut into folds: a function of this configuration alone.
///
/// ```
/// use slalom_preprocess::Folds;
/// let folds = Folds { count: 3, seed: 7 }.indices(8)?;
/// assert_eq!(folds.iter().map(|fold| fold.valid.len()).collect::<Vec<_>>(), [3, 3, 2]);
/// assert!(folds.iter().all(|fold| fold.train.len() + fold.valid.len() == 8));
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Folds {
    /// How many folds, at least 2; 5 by default.
    pub count: usize,
    /// Which of the possible orders; 0 by default.
    pub seed: u64,
}

impl Default for Folds {
    fn default() -> Self {
        Self { count: 5, seed: 0 }
    }
}

/// One round of a cross-validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The indices to learn from, in random order.
    pub train: Vec<usize>,
    /// The indices held out, in random order.
    pub valid: Vec<usize>,
}

impl Folds {
    /// The folds of so many samples: they differ in size by one at most.
    ///
    /// # Errors
    /// Fewer than 2 folds, or fewer samples than folds.
    pub fn indices(&self, samples: usize) -> Result<Vec<Fold>, PreprocessError> {
        self.check(samples)?;
        let order = permutation(samples, &mut stream(self.seed, Purpose::Split, [0, 1]));
        let fold = |i: usize| (i * samples).div_ceil(self.count);
        let held = (0..self.count).map(|i| order[fold(i)..fold(i + 1)].to_vec());
        Ok(self.rounds(held.collect(), samples))
    }

    /// The folds of samples of these classes: of each class, and of all, the folds differ by one at
    /// most.
    ///
    /// # Errors
    /// Fewer than 2 folds, or a class with fewer samples than folds.
    pub fn indices_by_class(&self, classes: &[u32]) -> Result<Vec<Fold>, PreprocessError> {
        self.check(classes.len())?;
        let members = members(classes, self.seed);
        if let Some((&class, list)) = members.iter().find(|(_, list)| list.len() < self.count) {
            let (found, parts) = (list.len(), self.count);
            return Err(PreprocessError::RareClass { class, found, parts });
        }
        let mut held = vec![Vec::new(); self.count];
        // dealt like cards, the next class going on where the last one ended
        for (card, sample) in members.into_values().flatten().enumerate() {
            held[card % self.count].push(sample);
        }
        Ok(self.rounds(held, classes.len()))
    }

    fn check(&self, samples: usize) -> Result<(), PreprocessError> {
        if self.count < 2 {
            return Err(PreprocessError::setting("count", self.count, "at least 2 folds"));
        }
        if samples < self.count {
            let (what, needed) = ("the folds", self.count);
            return Err(PreprocessError::TooFew { what, needed, found: samples });
        }
        Ok(())
    }

    /// A round for each list that is held out.
    fn rounds(&self, held: Vec<Vec<usize>>, samples: usize) -> Vec<Fold> {
        let round = |(i, mut valid): (usize, Vec<usize>)| {
            let mut out = vec![false; samples];
            valid.iter().for_each(|&sample| out[sample] = true);
            let mut train: Vec<usize> = (0..samples).filter(|&sample| !out[sample]).collect();
            let mut rng = stream(self.seed, Purpose::Split, [u64::MAX - 1, i as u64]);
            shuffle(&mut train, &mut rng);
            shuffle(&mut valid, &mut rng);
            Fold { train, valid }
        };
        held.into_iter().enumerate().map(round).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_rounds(folds: &[Fold], samples: usize) {
        let mut times = vec![0; samples];
        for fold in folds {
            let mut all = [&fold.train[..], &fold.valid].concat();
            all.sort_unstable();
            assert_eq!(all, (0..samples).collect::<Vec<_>>());
            fold.valid.iter().for_each(|&sample| times[sample] += 1);
        }
        assert!(times.iter().all(|&times| times == 1));
    }

    #[test]
    fn every_sample_is_held_out_once() {
        for samples in [5, 7, 100, 103] {
            let folds = Folds::default().indices(samples).unwrap();
            check_rounds(&folds, samples);
            let sizes: Vec<_> = folds.iter().map(|fold| fold.valid.len()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        let other = Folds { seed: 1, ..Folds::default() };
        assert_ne!(other.indices(50).unwrap(), Folds::default().indices(50).unwrap());
    }

    #[test]
    fn classes_are_spread_evenly() {
        let classes: Vec<u32> = (0..103).map(|i| u32::from(i % 10 == 0)).collect();
        let folds = Folds { count: 4, seed: 3 }.indices_by_class(&classes).unwrap();
        check_rounds(&folds, 103);
        for fold in folds {
            let rare = fold.valid.iter().filter(|&&i| classes[i] == 1).count();
            assert!((2..=3).contains(&rare) && (25..=26).contains(&fold.valid.len()));
        }
    }

    #[test]
    fn what_cannot_be_folded_is_refused() {
        let error = |folds: Folds, n| folds.indices(n).unwrap_err().to_string();
        let one = Folds { count: 1, seed: 0 };
        assert_eq!(error(one, 9), "count is 1: it must be at least 2 folds");
        assert!(error(Folds::default(), 4).contains("at least 5, found 4"));
        let error = Folds { count: 2, seed: 0 }.indices_by_class(&[0, 0, 1]).unwrap_err();
        assert!(error.to_string().starts_with("class 1 has 1 samples"), "{error}");
    }

    #[test]
    fn values_are_stable() {
        let folds = Folds { count: 2, seed: 1 }.indices(6).unwrap();
        assert_eq!((&folds[0].valid[..], &folds[0].train[..]), (&PINNED[..3], &PINNED[3..]));
    }

    const PINNED: [usize; 6] = [1, 4, 5, 3, 2, 0];
}
