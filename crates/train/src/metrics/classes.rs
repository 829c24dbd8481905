//! Measures of predicted classes, all of them from one table of counts.

use serde::{Deserialize, Serialize};

use super::{MetricError, check, weight};

/// How a measure of single classes becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Average {
    /// Over all samples together: for one class a sample, this is the accuracy.
    Micro,
    /// Every class that occurs counts the same.
    Macro,
    /// Every class counts as often as it is true.
    Weighted,
}

/// How often each class was taken for each: row = true class, column = predicted class.
///
/// Precision, recall and F1 of a class are 0 where their denominator is, as in scikit-learn;
/// classes that are neither true nor predicted take no part in an average.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<f64>,
}

impl Confusion {
    /// Counts samples, or adds up their weights.
    ///
    /// # Errors
    /// No samples, lists of different length, a class beyond `classes`, a weight that is negative
    /// or not finite, weights that are all 0.
    pub fn new(
        classes: usize,
        truth: &[u32],
        predicted: &[u32],
        weights: Option<&[f64]>,
    ) -> Result<Self, MetricError> {
        check(truth.len(), "predictions", predicted.len(), weights)?;
        let mut counts = vec![0.0; classes * classes];
        for (sample, (&t, &p)) in truth.iter().zip(predicted).enumerate() {
            let class = t.max(p);
            if class as usize >= classes {
                return Err(MetricError::Class { sample, class, classes });
            }
            counts[t as usize * classes + p as usize] += weight(weights, sample);
        }
        Ok(Self { classes, counts })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples (or how much weight) of one class were taken for another.
    ///
    /// # Panics
    /// If a class is out of range.
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        assert!(truth < self.classes && predicted < self.classes, "class out of range");
        self.counts[truth * self.classes + predicted]
    }

    /// Share of samples that are predicted right.
    pub fn accuracy(&self) -> f64 {
        self.right() / self.total()
    }

    /// Mean recall of the classes that are true at least once.
    pub fn balanced_accuracy(&self) -> f64 {
        let present = (0..self.classes).filter(|&c| self.truths(c) > 0.0);
        let recalls: Vec<f64> = present.map(|c| self.count(c, c) / self.truths(c)).collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// How much of what is predicted as a class is of that class.
    pub fn precision(&self, average: Average) -> f64 {
        self.average(average, |c| ratio(self.count(c, c), self.predictions(c)))
    }

    /// How much of a class is predicted as that class.
    pub fn recall(&self, average: Average) -> f64 {
        self.average(average, |c| ratio(self.count(c, c), self.truths(c)))
    }

    /// Harmonic mean of precision and recall, class by class.
    pub fn f1(&self, average: Average) -> f64 {
        let both = |c| self.truths(c) + self.predictions(c);
        self.average(average, |c| ratio(2.0 * self.count(c, c), both(c)))
    }

    /// Matthews' correlation coefficient for any number of classes (Gorodkin 2004), −1 to 1; 0 if
    /// all samples are of one class or are predicted as one.
    pub fn mcc(&self) -> f64 {
        let total = self.total();
        let dot = |a: &dyn Fn(usize) -> f64, b: &dyn Fn(usize) -> f64| {
            (0..self.classes).map(|c| a(c) * b(c)).sum::<f64>()
        };
        let truths = |c| self.truths(c);
        let predictions = |c| self.predictions(c);
        let both = self.right() * total - dot(&truths, &predictions);
        let product = (total * total - dot(&truths, &truths))
            * (total * total - dot(&predictions, &predictions));
        if product == 0.0 { 0.0 } else { both / product.sqrt() }
    }

    /// Cohen's kappa: agreement beyond what chance would give, at most 1.
    ///
    /// # Errors
    /// All samples of one class and predicted as that class: chance alone agrees.
    pub fn kappa(&self) -> Result<f64, MetricError> {
        let total = self.total();
        if (0..self.classes).any(|c| self.count(c, c) == total) {
            let reason = "all samples are of one class and predicted as that class";
            return Err(MetricError::Undefined { measure: "kappa", reason });
        }
        let chance: f64 =
            (0..self.classes).map(|c| self.truths(c) * self.predictions(c) / total).sum();
        Ok(1.0 - (total - self.right()) / (total - chance))
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn right(&self) -> f64 {
        (0..self.classes).map(|c| self.count(c, c)).sum()
    }

    fn truths(&self, class: usize) -> f64 {
        (0..self.classes).map(|p| self.count(class, p)).sum()
    }

    fn predictions(&self, class: usize) -> f64 {
        (0..self.classes).map(|t| self.count(t, class)).sum()
    }

    fn average(&self, average: Average, of: impl Fn(usize) -> f64) -> f64 {
        let present = (0..self.classes).filter(|&c| self.truths(c) + self.predictions(c) > 0.0);
        match average {
            Average::Micro => self.accuracy(),
            Average::Macro => {
                let values: Vec<f64> = present.map(of).collect();
                values.iter().sum::<f64>() / values.len() as f64
            }
            Average::Weighted => {
                present.map(|c| of(c) * self.truths(c)).sum::<f64>() / self.total()
            }
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_classes_take_no_part_in_an_average() {
        let confusion = Confusion::new(5, &[0, 0, 2], &[0, 2, 3], None).unwrap();
        assert_eq!(confusion.recall(Average::Macro), (0.5 + 0.0 + 0.0) / 3.0);
        assert_eq!(confusion.balanced_accuracy(), 0.25);
        assert_eq!(confusion.precision(Average::Macro), 1.0 / 3.0);
        assert_eq!(confusion.precision(Average::Weighted), 2.0 / 3.0);
    }

    #[test]
    fn values_are_scikit_learns() {
        let (truth, predicted) = ([0, 0, 1, 1, 2, 2, 2, 1], [0, 1, 1, 1, 2, 0, 2, 2]);
        let weights = [1.0, 2.0, 3.0, 1.0, 0.5, 1.0, 2.0, 1.5];
        let confusion = Confusion::new(3, &truth, &predicted, Some(&weights)).unwrap();
        let close = |found: f64, wanted: f64| {
            assert!((found - wanted).abs() < 1e-15, "{found} {wanted}");
        };
        let averaged = [
            (Average::Micro, 0.625, 0.625, 0.625),
            (Average::Macro, 0.5972222222222222, 0.5916305916305916, 0.5874396135265699),
            (Average::Weighted, 0.6128472222222222, 0.625, 0.6132850241545894),
        ];
        for (average, precision, recall, f1) in averaged {
            close(confusion.precision(average), precision);
            close(confusion.recall(average), recall);
            close(confusion.f1(average), f1);
        }
        close(confusion.mcc(), 0.4100997661323622);
        close(confusion.kappa().unwrap(), 0.4065934065934066);
        close(confusion.balanced_accuracy(), 0.5916305916305916);
        close(confusion.accuracy(), 0.625);
    }

    #[test]
    fn weights_count_like_repeated_samples() {
        let once = Confusion::new(2, &[0, 1, 1], &[0, 0, 1], Some(&[2.0, 1.0, 3.0])).unwrap();
        let repeated = Confusion::new(2, &[0, 0, 1, 1, 1, 1], &[0, 0, 0, 1, 1, 1], None).unwrap();
        assert_eq!(once, repeated);
        assert_eq!((once.classes(), once.count(1, 0), once.count(1, 1)), (2, 1.0, 3.0));
    }

    #[test]
    fn a_sample_without_weight_does_not_count() {
        let confusion = Confusion::new(2, &[0, 1], &[0, 0], Some(&[1.0, 0.0])).unwrap();
        assert_eq!(confusion.accuracy(), 1.0);
    }

    #[test]
    fn one_class_alone_is_zero_for_mcc_and_an_error_for_kappa() {
        let confusion = Confusion::new(2, &[1, 1], &[1, 1], None).unwrap();
        assert_eq!(confusion.mcc(), 0.0);
        assert_eq!(
            confusion.kappa().unwrap_err().to_string(),
            "kappa is not defined: all samples are of one class and predicted as that class"
        );
        // weights whose products are rounded are no disagreement
        for weights in [[0.1, 0.2], [1.1, 2.7], [0.3, 1e-9]] {
            let weighted = Confusion::new(2, &[1, 1], &[1, 1], Some(&weights)).unwrap();
            assert!(weighted.kappa().is_err() && weighted.mcc() == 0.0, "{weights:?}");
        }
        let wrong = Confusion::new(2, &[1, 1], &[0, 0], None).unwrap();
        assert_eq!((wrong.mcc(), wrong.kappa()), (0.0, Ok(0.0)));
        let opposite = Confusion::new(2, &[0, 1], &[1, 0], None).unwrap();
        assert_eq!((opposite.mcc(), opposite.kappa()), (-1.0, Ok(-1.0)));
    }

    #[test]
    fn what_cannot_be_counted_is_named() {
        let error = |truth: &[u32], predicted: &[u32], weights: Option<&[f64]>| {
            Confusion::new(3, truth, predicted, weights).unwrap_err().to_string()
        };
        assert_eq!(error(&[], &[], None), "no samples to measure");
        assert_eq!(error(&[1, 2], &[1], None), "2 true targets, but 1 predictions");
        assert_eq!(
            error(&[1, 2], &[1, 3], None),
            "sample 1 has class 3: there are 3 classes, from 0"
        );
        assert_eq!(error(&[1], &[1], Some(&[1.0, 1.0])), "1 true targets, but 2 weights");
        assert_eq!(
            error(&[1, 1], &[1, 1], Some(&[1.0, -1.0])),
            "sample 1: the weight is -1, it must be finite and at least 0"
        );
        assert_eq!(error(&[1], &[1], Some(&[0.0])), "the weights of all samples are 0");
        assert!(error(&[1], &[1], Some(&[f64::INFINITY])).contains("the weight is inf"));
    }
}
