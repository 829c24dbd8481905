//! Class counts and weights, the order of an epoch, and drawing with replacement.

use crate::PreprocessError;
use slalom_tensor::{Purpose, permutation, stream, uniform};

/// How many samples each class has.
///
/// # Errors
/// A class that is not below `classes`.
pub fn class_counts(indices: &[u32], classes: usize) -> Result<Vec<usize>, PreprocessError> {
    let mut counts = vec![0; classes];
    for (sample, &class) in indices.iter().enumerate() {
        match counts.get_mut(class as usize) {
            Some(count) => *count += 1,
            None => return Err(PreprocessError::Class { sample, class, classes }),
        }
    }
    Ok(counts)
}

/// A weight for each class, so that all classes count the same in all: n / (classes · samples of
/// the class), scikit-learn's `"balanced"`.
///
/// ```
/// use slalom_preprocess::{class_weights, sample_weights};
/// let classes = [0, 0, 0, 1];
/// let weights = class_weights(&classes, 2)?;
/// assert_eq!(weights, [2.0 / 3.0, 2.0]);
/// assert_eq!(sample_weights(&classes, &weights)?, [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
///
/// # Errors
/// A class that is not below `classes`, or one without samples.
pub fn class_weights(indices: &[u32], classes: usize) -> Result<Vec<f64>, PreprocessError> {
    let counts = class_counts(indices, classes)?;
    if let Some(class) = counts.iter().position(|&count| count == 0) {
        let class = class as u32;
        return Err(PreprocessError::RareClass { class, found: 0, parts: 1 });
    }
    let n = indices.len() as f64;
    Ok(counts.iter().map(|&count| n / (classes as f64 * count as f64)).collect())
}

/// The weight of each sample's class.
///
/// # Errors
/// A class without a weight.
pub fn sample_weights(indices: &[u32], weights: &[f64]) -> Result<Vec<f64>, PreprocessError> {
    let classes = weights.len();
    let weight = |(sample, &class): (usize, &u32)| {
        let weight = weights.get(class as usize).copied();
        weight.ok_or(PreprocessError::Class { sample, class, classes })
    };
    indices.iter().enumerate().map(weight).collect()
}

/// The order of the samples in an epoch: a function of the seed and the epoch, so nothing need be
/// stored to go over the same order again.
pub fn epoch_order(samples: usize, seed: u64, epoch: u64) -> Vec<usize> {
    permutation(samples, &mut stream(seed, Purpose::Shuffle, [epoch, 0]))
}

/// A sample drawn with replacement, and what was never drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bag {
    /// As many indices as there are samples, in the order drawn.
    pub drawn: Vec<usize>,
    /// The indices that were not drawn, about 37 %, in order: a test set for free.
    pub left: Vec<usize>,
}

/// Draws as many samples as there are, with replacement (Efron 1979): a function of the seed and the
/// repetition.
///
/// ```
/// let bag = slalom_preprocess::bootstrap(100, 7, 0);
/// assert_eq!(bag.drawn.len(), 100);
/// assert!(bag.left.iter().all(|sample| !bag.drawn.contains(sample)));
/// assert_eq!(bag, slalom_preprocess::bootstrap(100, 7, 0));
/// ```
pub fn bootstrap(samples: usize, seed: u64, repetition: u64) -> Bag {
    let mut rng = stream(seed, Purpose::Bootstrap, [repetition, 0]);
    // below `samples`: the greatest number below 1 times any count is rounded down
    let draw = |_| (uniform(&mut rng) * samples as f64) as usize;
    let drawn: Vec<usize> = (0..samples).map(draw).collect();
    let mut seen = vec![false; samples];
    drawn.iter().for_each(|&sample| seen[sample] = true);
    let left = (0..samples).filter(|&sample| !seen[sample]).collect();
    Bag { drawn, left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted_and_those_without_samples_named() {
        assert_eq!(class_counts(&[2, 0, 2], 3).unwrap(), [1, 0, 2]);
        assert!(class_counts(&[3], 3).is_err());
        let error = class_weights(&[2, 0, 2], 3).unwrap_err().to_string();
        assert!(error.starts_with("class 1 has 0 samples"), "{error}");
        assert!(sample_weights(&[1], &[1.0]).is_err());
    }

    #[test]
    fn balanced_weights_give_every_class_the_same_sum() {
        let classes = [0, 0, 1, 2, 2, 2, 2];
        let weights = class_weights(&classes, 3).unwrap();
        let each = sample_weights(&classes, &weights).unwrap();
        for class in 0..3 {
            let of = classes.iter().zip(&each).filter(|(c, _)| **c == class);
            let sum: f64 = of.map(|(_, weight)| weight).sum();
            assert!((sum - 7.0 / 3.0).abs() < 1e-12, "{class}: {sum}");
        }
    }

    #[test]
    fn epochs_differ_and_come_back() {
        assert_ne!(epoch_order(20, 1, 0), epoch_order(20, 1, 1));
        assert_eq!(epoch_order(20, 1, 1), epoch_order(20, 1, 1));
    }

    #[test]
    fn a_bag_leaves_about_a_third_out() {
        let left: usize = (0..20).map(|i| bootstrap(1000, 5, i).left.len()).sum();
        assert!((left as f64 / 20_000.0 - 0.368).abs() < 0.01, "{left}");
        assert_eq!(bootstrap(0, 5, 0), Bag { drawn: vec![], left: vec![] });
        assert_eq!(bootstrap(1, 5, 0).drawn, [0]);
    }

    #[test]
    fn values_are_stable() {
        assert_eq!(bootstrap(8, 1, 0).drawn, [5, 6, 7, 5, 0, 6, 5, 1]);
    }
}
