//! Cross-validation: train and score once a fold, each time with another part held out.

use slalom_tensor::{Matrix, Samples, Scalar, Targets};

use crate::TrainError;

/// The score of each fold.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores(
    /// In the order of the folds.
    pub Vec<f64>,
);

impl Scores {
    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Their standard deviation over all folds but one, as of a sample; 0 for a single fold.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        let sum: f64 = self.0.iter().map(|score| (score - mean).powi(2)).sum();
        if self.0.len() < 2 { 0.0 } else { (sum / (self.0.len() - 1) as f64).sqrt() }
    }
}

/// Calls `score` once a fold with the fold's number, its training samples and those held out.
///
/// The folds are lists of sample indices *(train, held out)*: `slalom_preprocess::Folds` makes them,
/// plain, stratified or grouped (`folds.into_iter().map(|fold| (fold.train, fold.valid))`). Whatever
/// is fitted to data belongs inside `score`; an error of its own goes out as
/// [`TrainError::Callback`].
///
/// ```
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, Run, cross_validate};
/// let x = from_rows(&[[0.0], [1.0], [2.0], [3.0]]);
/// let samples = Samples::new(x.as_view(), Targets::Classes(&[0, 0, 1, 1]))?;
/// let folds = [(vec![0, 2], vec![1, 3]), (vec![1, 3], vec![0, 2])];
/// let scores = cross_validate(samples, folds, |_, train, held_out| {
///     let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
///     let mut run = Run::new(network, Config::default(), Threads::one())?;
///     Ok(run.epoch(train, Some(held_out))?.valid_loss.unwrap_or(f64::NAN))
/// })?;
/// assert_eq!(scores.0.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An index beyond the samples, an empty part, no folds; and what `score` says.
pub fn cross_validate<F: Scalar>(
    samples: Samples<'_, F>,
    folds: impl IntoIterator<Item = (Vec<usize>, Vec<usize>)>,
    mut score: impl FnMut(usize, Samples<'_, F>, Samples<'_, F>) -> Result<f64, TrainError>,
) -> Result<Scores, TrainError> {
    let mut scores = Vec::new();
    for (fold, (train, held_out)) in folds.into_iter().enumerate() {
        let (train, held_out) = (Part::of(samples, &train)?, Part::of(samples, &held_out)?);
        scores.push(score(fold, train.samples()?, held_out.samples()?)?);
    }
    if scores.is_empty() {
        let (field, bound) = ("number of folds", "at least 1");
        return Err(TrainError::Field { field, value: 0.0, bound });
    }
    Ok(Scores(scores))
}

/// Copies of some of the samples.
struct Part<F: Scalar> {
    inputs: Matrix<F>,
    classes: Vec<u32>,
    values: Option<Matrix<F>>,
    weights: Option<Vec<F>>,
}

impl<F: Scalar> Part<F> {
    fn of(samples: Samples<'_, F>, chosen: &[usize]) -> Result<Self, TrainError> {
        if let Some(&index) = chosen.iter().find(|&&index| index >= samples.len()) {
            let (field, bound) = ("index in a fold", "below the number of samples");
            return Err(TrainError::Field { field, value: index as f64, bound });
        }
        let (classes, values) = match samples.targets() {
            Targets::Classes(classes) => (chosen.iter().map(|&i| classes[i]).collect(), None),
            Targets::Values(values) => (Vec::new(), Some(values.select_columns(chosen))),
        };
        Ok(Self {
            inputs: samples.inputs().select_columns(chosen),
            classes,
            values,
            weights: samples.weights().map(|w| chosen.iter().map(|&i| w[i]).collect()),
        })
    }

    fn samples(&self) -> Result<Samples<'_, F>, TrainError> {
        let targets = match &self.values {
            Some(values) => Targets::Values(values.as_view()),
            None => Targets::Classes(&self.classes),
        };
        let samples = Samples::new(self.inputs.as_view(), targets)?;
        Ok(match &self.weights {
            Some(weights) => samples.weighted(weights)?,
            None => samples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn each_fold_gets_its_samples_with_targets_and_weights() {
        let x = from_rows(&[[0.0], [1.0], [2.0]]);
        let y = from_rows(&[[0.5], [1.5], [2.5]]);
        let samples = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
        let weights = [1.0, 2.0, 3.0];
        let folds = [(vec![2, 0], vec![1]), (vec![1], vec![0, 2])];
        let scores = cross_validate(samples.weighted(&weights).unwrap(), folds, |fold, a, b| {
            assert_eq!(a.len() + b.len(), 3);
            if fold == 0 {
                assert_eq!(a.inputs().clone_owned(), from_rows(&[[2.0], [0.0]]));
                assert_eq!(a.weights(), Some(&[3.0, 1.0][..]));
                assert_eq!(b.targets(), Targets::Values(from_rows(&[[1.5]]).as_view()));
            }
            Ok(b.inputs().sum())
        });
        assert_eq!(scores.unwrap(), Scores(vec![1.0, 2.0]));
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        let scores = Scores(vec![1.0, 2.0, 3.0]);
        assert_eq!((scores.mean(), scores.deviation()), (2.0, 1.0));
        assert_eq!(Scores(vec![4.0]).deviation(), 0.0);
        assert_eq!(Scores(vec![1.0, 3.0]).deviation(), 2_f64.sqrt());
    }

    #[test]
    fn bad_folds_are_errors() {
        let x = from_rows(&[[0.0], [1.0]]);
        let samples = Samples::new(x.as_view(), Targets::Classes(&[0, 1])).unwrap();
        let text = |folds: Vec<(Vec<usize>, Vec<usize>)>| {
            cross_validate(samples, folds, |_, _, _| Ok(0.0)).unwrap_err().to_string()
        };
        assert_eq!(
            text(vec![(vec![0], vec![2])]),
            "index in a fold is 2: it must be below the number of samples"
        );
        assert!(text(vec![(vec![0, 1], vec![])]).contains("empty"));
        assert!(text(vec![]).contains("number of folds is 0"));
    }
}
