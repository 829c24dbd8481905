//! Splitting samples into a training, a validation and a test part.

use crate::PreprocessError;
use serde::{Deserialize, Serialize};
use slalom_tensor::{Purpose, permutation, stream};
use std::collections::BTreeMap;

/// How samples are shared out into parts: a function of this configuration alone.
///
/// ```
/// use slalom_preprocess::Split;
/// let split = Split { test: 0.25, seed: 7, ..Split::default() };
/// let parts = split.indices(8)?;
/// assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (6, 0, 2));
/// assert_eq!(parts, split.indices(8)?);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Split {
    /// The validation part's share, from 0 (no such part, the default) to below 1.
    pub valid: f64,
    /// The test part's share, from 0 (no such part) to below 1; 0.2 by default.
    pub test: f64,
    /// Whether every class keeps its share in every part of a [`DataSet`](crate::DataSet); no by
    /// default. Bare indices: [`indices_by_class`](Split::indices_by_class) always does so.
    pub stratified: bool,
    /// Which of the possible splits; 0 by default.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Self { valid: 0.0, test: 0.2, stratified: false, seed: 0 }
    }
}

/// The parts of a split: lists of indices, or data sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts<T = Vec<usize>> {
    /// What the network learns from.
    pub train: T,
    /// What early stopping watches.
    pub valid: T,
    /// What nobody looks at before the end.
    pub test: T,
}

impl Split {
    /// The indices of each part of so many samples, each part in random order.
    ///
    /// A part has its share of the samples, rounded; a wanted part that rounds to nothing gets one.
    ///
    /// # Errors
    /// Shares out of bounds, too few samples for one in each wanted part, or a stratified split,
    /// which needs the classes: see [`indices_by_class`](Split::indices_by_class).
    pub fn indices(&self, samples: usize) -> Result<Parts, PreprocessError> {
        if self.stratified {
            let bound = "false where no classes are given: use indices_by_class";
            return Err(PreprocessError::setting("stratified", true, bound));
        }
        let [valid, test] = self.sizes(samples)?;
        let order = permutation(samples, &mut stream(self.seed, Purpose::Split, [0, 0]));
        let (test, rest) = order.split_at(test);
        let (valid, train) = rest.split_at(valid);
        Ok(Parts { train: train.to_vec(), valid: valid.to_vec(), test: test.to_vec() })
    }

    /// The indices of each part so that every class has its share of every part, up to rounding;
    /// the parts are as large as without stratifying, and each is in random order.
    ///
    /// # Errors
    /// Shares out of bounds, or a class with fewer samples than there are parts.
    pub fn indices_by_class(&self, classes: &[u32]) -> Result<Parts, PreprocessError> {
        let sizes = self.sizes(classes.len())?;
        let mut members = members(classes, self.seed);
        let parts = 1 + sizes.iter().filter(|&&size| size > 0).count();
        let rare = members.iter().find(|(_, list)| list.len() < parts);
        if let Some((&class, list)) = rare {
            return Err(PreprocessError::RareClass { class, found: list.len(), parts });
        }
        let mut out: Parts = Parts::default();
        for (part, size) in [(&mut out.test, sizes[1]), (&mut out.valid, sizes[0])] {
            let counts: Vec<_> = members.values().map(Vec::len).collect();
            let wanted = apportion(&counts, size);
            for ((&class, list), n) in members.iter_mut().zip(wanted) {
                if n == list.len() {
                    return Err(PreprocessError::RareClass { class, found: n, parts });
                }
                part.extend(list.drain(..n));
            }
        }
        out.train = members.into_values().flatten().collect();
        for (i, part) in [&mut out.train, &mut out.valid, &mut out.test].into_iter().enumerate() {
            let mut rng = stream(self.seed, Purpose::Split, [u64::MAX, i as u64]);
            slalom_tensor::shuffle(part, &mut rng);
        }
        Ok(out)
    }

    /// The indices of each part so that the samples of a group stay together: whole groups, in
    /// random order, fill the test part, then the validation part, until each has its share.
    ///
    /// # Errors
    /// Shares out of bounds, or fewer groups than parts.
    pub fn indices_by_group(&self, groups: &[u32]) -> Result<Parts, PreprocessError> {
        let [valid, test] = self.sizes(groups.len())?;
        let members: Vec<_> = members(groups, self.seed).into_values().collect();
        let parts = 1 + usize::from(valid > 0) + usize::from(test > 0);
        if members.len() < parts {
            let found = members.len();
            return Err(PreprocessError::TooFew {
                what: "groups to share out",
                needed: parts,
                found,
            });
        }
        let mut rng = stream(self.seed, Purpose::Split, [u64::MAX, 3]);
        let mut order = permutation(members.len(), &mut rng).into_iter().map(|g| &members[g]);
        let mut left = members.len();
        let mut out: Parts = Parts::default();
        // every part that is still to come keeps a group
        for (part, size, later) in [(&mut out.test, test, parts - 1), (&mut out.valid, valid, 1)] {
            while part.len() < size && (left > later || part.is_empty()) {
                part.extend(order.next().into_iter().flatten());
                left -= 1;
            }
        }
        out.train = order.flatten().copied().collect();
        Ok(out)
    }

    /// How many samples go to the validation and to the test part.
    fn sizes(&self, samples: usize) -> Result<[usize; 2], PreprocessError> {
        for (field, share) in [("valid", self.valid), ("test", self.test)] {
            if !(0.0..1.0).contains(&share) {
                return Err(PreprocessError::setting(field, share, "a share from 0 to below 1"));
            }
        }
        if self.valid + self.test >= 1.0 {
            let shares = (self.valid, self.test);
            return Err(PreprocessError::setting("valid + test", shares, "below 1 together"));
        }
        let size = |share: f64| match (share * samples as f64).round() as usize {
            0 if share > 0.0 => 1,
            size => size,
        };
        let [valid, test] = [size(self.valid), size(self.test)];
        let needed = 1 + usize::from(valid > 0) + usize::from(test > 0);
        if samples < needed || valid + test >= samples {
            return Err(PreprocessError::TooFew { what: "the split", needed, found: samples });
        }
        Ok([valid, test])
    }
}

/// The samples of each class in random order, by class.
pub(crate) fn members(classes: &[u32], seed: u64) -> BTreeMap<u32, Vec<usize>> {
    let mut members = BTreeMap::<u32, Vec<usize>>::new();
    for (i, &class) in classes.iter().enumerate() {
        members.entry(class).or_default().push(i);
    }
    for (&class, list) in &mut members {
        slalom_tensor::shuffle(list, &mut stream(seed, Purpose::Split, [u64::from(class) + 1, 0]));
    }
    members
}

/// Shares `total` out in proportion to `counts`: the whole parts, then one each to the largest
/// remainders (of equal ones, the first).
fn apportion(counts: &[usize], total: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let exact = |n: usize| n as u128 * total as u128;
    let mut wanted: Vec<usize> =
        counts.iter().map(|&n| (exact(n) / all as u128) as usize).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(exact(counts[i]) % all as u128));
    let missing = total - wanted.iter().sum::<usize>();
    order.iter().take(missing).for_each(|&i| wanted[i] += 1);
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &Parts) -> Vec<usize> {
        let mut all = [&parts.train[..], &parts.valid, &parts.test].concat();
        all.sort_unstable();
        all
    }

    fn counts(part: &[usize], classes: &[u32]) -> Vec<usize> {
        let of = |class| part.iter().filter(|&&i| classes[i] == class).count();
        (0..=classes.iter().copied().max().unwrap_or(0)).map(of).collect()
    }

    #[test]
    fn parts_hold_every_sample_once() {
        let split = Split { valid: 0.15, test: 0.2, ..Split::default() };
        let parts = split.indices(101).unwrap();
        assert_eq!((parts.valid.len(), parts.test.len()), (15, 20));
        assert_eq!(all(&parts), (0..101).collect::<Vec<_>>());
        assert_ne!(parts, Split { seed: 1, ..split }.indices(101).unwrap());
    }

    #[test]
    fn values_are_stable() {
        let parts = Split { valid: 0.2, test: 0.2, ..Split::default() }.indices(10).unwrap();
        assert_eq!(
            (parts.test, parts.valid),
            (vec![PINNED[0], PINNED[1]], vec![PINNED[2], PINNED[3]])
        );
    }

    const PINNED: [usize; 4] = [3, 2, 4, 9];

    #[test]
    fn every_class_keeps_its_share() {
        let classes: Vec<u32> = (0..1000).map(|i| [0, 0, 0, 0, 0, 0, 0, 1, 1, 2][i % 10]).collect();
        let split = Split { valid: 0.1, test: 0.2, ..Split::default() };
        let parts = split.indices_by_class(&classes).unwrap();
        assert_eq!(counts(&parts.test, &classes), [140, 40, 20]);
        assert_eq!(counts(&parts.valid, &classes), [70, 20, 10]);
        assert_eq!(all(&parts), (0..1000).collect::<Vec<_>>());
        // not one class after the other
        assert!(parts.train.windows(2).filter(|w| classes[w[0]] != classes[w[1]]).count() > 100);
    }

    #[test]
    fn remainders_go_to_the_largest() {
        assert_eq!(apportion(&[10, 25, 15], 5), [1, 3, 1]);
        assert_eq!(apportion(&[10, 24, 16], 5), [1, 2, 2]);
        assert_eq!(apportion(&[1, 1, 1], 2), [1, 1, 0]);
    }

    #[test]
    fn groups_stay_together() {
        let groups: Vec<u32> = (0..60).map(|i| i / 5).collect();
        let split = Split { valid: 0.25, test: 0.25, ..Split::default() };
        let parts = split.indices_by_group(&groups).unwrap();
        assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (30, 15, 15));
        assert_eq!(all(&parts), (0..60).collect::<Vec<_>>());
        for part in [&parts.train, &parts.valid, &parts.test] {
            assert!(counts(part, &groups).iter().all(|&n| n == 0 || n == 5));
        }
        let one_big = [0, 0, 0, 0, 0, 0, 0, 1, 2];
        let parts = split.indices_by_group(&one_big).unwrap();
        assert!(!parts.train.is_empty() && !parts.valid.is_empty() && !parts.test.is_empty());
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let error = |split: Split, n| split.indices(n).unwrap_err().to_string();
        let split = |valid, test| Split { valid, test, ..Split::default() };
        assert_eq!(error(split(0.0, 1.0), 9), "test is 1.0: it must be a share from 0 to below 1");
        assert_eq!(
            error(split(f64::NAN, 0.1), 9),
            "valid is NaN: it must be a share from 0 to below 1"
        );
        assert_eq!(
            error(split(0.5, 0.5), 9),
            "valid + test is (0.5, 0.5): it must be below 1 together"
        );
        assert!(error(split(0.1, 0.1), 2).contains("at least 3, found 2"));
        let stratified = Split { stratified: true, ..Split::default() };
        assert!(error(stratified, 9).ends_with("no classes are given: use indices_by_class"));
        assert!(split(0.0, 0.1).indices(0).is_err());
        let error = split(0.0, 0.3).indices_by_class(&[0, 0, 0, 1]).unwrap_err().to_string();
        assert!(error.starts_with("class 1 has 1 samples"), "{error}");
        let error = split(0.0, 0.3).indices_by_group(&[4, 4, 4]).unwrap_err().to_string();
        assert!(error.contains("at least 2, found 1"), "{error}");
    }

    #[test]
    fn values_by_class_are_stable() {
        let split = Split { test: 0.5, ..Split::default() };
        let parts = split.indices_by_class(&[0, 1, 0, 1, 2, 2, 0, 1]).unwrap();
        assert_eq!((&parts.test[..], &parts.train[..]), (&BY_CLASS[..4], &BY_CLASS[4..]));
    }

    const BY_CLASS: [usize; 8] = [2, 4, 0, 7, 5, 3, 1, 6];

    #[test]
    fn a_class_needs_as_many_samples_as_there_are_parts() {
        let (half, thirds) = (
            Split { test: 0.5, ..Split::default() },
            Split { valid: 0.3, test: 0.3, ..Split::default() },
        );
        let pairs = [0, 0, 1, 1, 2, 2];
        assert!(half.indices_by_class(&pairs).is_ok());
        let error = thirds.indices_by_class(&pairs).unwrap_err().to_string();
        assert!(error.contains("at least 3 of each class"), "{error}");
    }

    #[test]
    fn groups_fill_parts_up_to_their_share() {
        let test = Split { test: 0.5, ..Split::default() };
        let groups: Vec<u32> = (0..8).collect();
        let parts = test.indices_by_group(&groups).unwrap();
        assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (4, 0, 4));
        let most = Split { test: 0.8, ..Split::default() };
        assert_eq!(most.indices_by_group(&[0, 1, 2, 3, 4]).unwrap().test.len(), 4);
        // as many groups as parts: each gets one
        let three = Split { valid: 0.4, test: 0.4, ..Split::default() };
        let parts = three.indices_by_group(&[0, 0, 1, 1, 2, 2]).unwrap();
        assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (2, 2, 2));
        let error = three.indices_by_group(&[0, 0, 1, 1, 1, 1]).unwrap_err().to_string();
        assert!(error.contains("at least 3, found 2"), "{error}");
    }

    #[test]
    fn the_fewest_samples_are_one_a_part() {
        let split = |valid, test| Split { valid, test, ..Split::default() };
        assert_eq!(split(0.0, 0.5).indices(2).unwrap().train.len(), 1);
        assert!(split(0.0, 0.5).indices(1).is_err());
        assert_eq!(split(0.3, 0.3).indices(3).unwrap().train.len(), 1);
        assert!(split(0.3, 0.3).indices(2).is_err());
        assert_eq!(split(0.0, 0.0).indices(1).unwrap().train, [0]);
        // shares that round up to everything
        assert!(split(0.49, 0.5).indices(3).is_err());
    }
}
