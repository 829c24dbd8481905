//! A measure by name, as a configuration holds it, applied to a network's outputs.

use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, Targets, View};

use super::scores::OfScores;
use super::{
    Average, Confusion, MetricError, average_precision, brier, explained_variance, log_loss, mae,
    max_error, median_ae, mse, one_vs_rest, r2, rmse, roc_auc, top_k,
};

/// What to measure on a network's outputs after each epoch.
///
/// For classes, outputs are taken as logits: the predicted class is that of the largest (the first
/// one of equals), probabilities are their softmax. A single output is the logit of class 1.
/// Measures of two classes look at class 1; of more classes, [`RocAuc`](Metric::RocAuc) and
/// [`AveragePrecision`](Metric::AveragePrecision) are the mean over the classes, each against the
/// others. For values of several outputs a measure is the mean over the outputs, as in
/// scikit-learn.
///
/// ```
/// use slalom_tensor::{Targets, from_rows};
/// use slalom_train::metrics::Metric;
/// let logits = from_rows(&[[2.0, 1.0], [0.0, 3.0]]);
/// let accuracy = Metric::Accuracy.evaluate(logits.as_view(), Targets::Classes(&[0, 0]), None)?;
/// assert_eq!(accuracy, 0.5);
/// # Ok::<(), slalom_train::metrics::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// See [`Confusion::accuracy`].
    Accuracy,
    /// See [`Confusion::balanced_accuracy`].
    BalancedAccuracy,
    /// See [`top_k`].
    TopK(usize),
    /// See [`Confusion::precision`].
    Precision(Average),
    /// See [`Confusion::recall`].
    Recall(Average),
    /// See [`Confusion::f1`].
    F1(Average),
    /// See [`Confusion::mcc`].
    Mcc,
    /// See [`Confusion::kappa`].
    Kappa,
    /// See [`roc_auc`]; of more than two classes [`one_vs_rest`].
    RocAuc,
    /// See [`average_precision`]; of more than two classes [`one_vs_rest`].
    AveragePrecision,
    /// See [`log_loss`].
    LogLoss,
    /// See [`brier`].
    Brier,
    /// See [`mse`].
    Mse,
    /// See [`rmse`].
    Rmse,
    /// See [`mae`].
    Mae,
    /// See [`median_ae`].
    MedianAe,
    /// See [`r2`].
    R2,
    /// See [`explained_variance`].
    ExplainedVariance,
    /// See [`max_error`]; of several outputs the largest.
    MaxError,
}

/// A measure of one output.
type OfValues<F> = fn(&[F], &[F], Option<&[f64]>) -> Result<f64, MetricError>;

impl Metric {
    /// Its name in histories: `accuracy`, `f1_macro`, `top_5`, …
    pub fn name(self) -> String {
        let averaged = |measure: &str, average| {
            let how = match average {
                Average::Micro => "micro",
                Average::Macro => "macro",
                Average::Weighted => "weighted",
            };
            format!("{measure}_{how}")
        };
        match self {
            Self::TopK(k) => format!("top_{k}"),
            Self::Precision(average) => averaged("precision", average),
            Self::Recall(average) => averaged("recall", average),
            Self::F1(average) => averaged("f1", average),
            Self::Accuracy => "accuracy".into(),
            Self::BalancedAccuracy => "balanced_accuracy".into(),
            Self::Mcc => "mcc".into(),
            Self::Kappa => "kappa".into(),
            Self::RocAuc => "roc_auc".into(),
            Self::AveragePrecision => "average_precision".into(),
            Self::LogLoss => "log_loss".into(),
            Self::Brier => "brier".into(),
            Self::Mse => "mse".into(),
            Self::Rmse => "rmse".into(),
            Self::Mae => "mae".into(),
            Self::MedianAe => "median_ae".into(),
            Self::R2 => "r2".into(),
            Self::ExplainedVariance => "explained_variance".into(),
            Self::MaxError => "max_error".into(),
        }
    }

    /// The measure over the outputs of all samples (*outputs × samples*).
    ///
    /// # Errors
    /// Targets of the wrong kind, and as the measure itself.
    pub fn evaluate<F: Scalar>(
        self,
        outputs: View<'_, F>,
        targets: Targets<'_, F>,
        weights: Option<&[F]>,
    ) -> Result<f64, MetricError> {
        let weights: Option<Vec<f64>> = weights.map(|w| w.iter().map(|w| w.wide()).collect());
        match targets {
            Targets::Classes(truth) => self.of_classes(outputs, truth, weights.as_deref()),
            Targets::Values(truth) => self.of_values(outputs, truth, weights.as_deref()),
        }
    }

    fn of_classes<F: Scalar>(
        self,
        outputs: View<'_, F>,
        truth: &[u32],
        weights: Option<&[f64]>,
    ) -> Result<f64, MetricError> {
        let confusion = || {
            let classes = outputs.nrows().max(2);
            Confusion::new(classes, truth, &predicted(outputs), weights)
        };
        let ranked = |measure: OfScores<f64>| match outputs.nrows() {
            1 | 2 => measure(truth, &margins(outputs)?, weights),
            _ => {
                let probabilities = probabilities(outputs);
                one_vs_rest(measure, Average::Macro, truth, probabilities.as_view(), weights)
            }
        };
        match self {
            Self::Accuracy => Ok(confusion()?.accuracy()),
            Self::BalancedAccuracy => Ok(confusion()?.balanced_accuracy()),
            Self::Precision(average) => Ok(confusion()?.precision(average)),
            Self::Recall(average) => Ok(confusion()?.recall(average)),
            Self::F1(average) => Ok(confusion()?.f1(average)),
            Self::Mcc => Ok(confusion()?.mcc()),
            Self::Kappa => confusion()?.kappa(),
            Self::TopK(k) => top_k(k, truth, both(outputs).as_view(), weights),
            Self::LogLoss => log_loss(truth, probabilities(outputs).as_view(), weights),
            Self::RocAuc => ranked(roc_auc),
            Self::AveragePrecision => ranked(average_precision),
            Self::Brier => {
                margins(outputs)?;
                let second: Vec<f64> = probabilities(outputs).row(1).iter().copied().collect();
                brier(truth, &second, weights)
            }
            _ => Err(MetricError::Undefined {
                measure: "a measure of values",
                reason: "the targets are classes",
            }),
        }
    }

    fn of_values<F: Scalar>(
        self,
        outputs: View<'_, F>,
        truth: View<'_, F>,
        weights: Option<&[f64]>,
    ) -> Result<f64, MetricError> {
        let measure: OfValues<F> = match self {
            Self::Mse => mse,
            Self::Rmse => rmse,
            Self::Mae => mae,
            Self::MedianAe => median_ae,
            Self::R2 => r2,
            Self::ExplainedVariance => explained_variance,
            Self::MaxError => |truth, predicted, _| max_error(truth, predicted),
            _ => {
                let reason = "the targets are values";
                return Err(MetricError::Undefined { measure: "a measure of classes", reason });
            }
        };
        let row = |of: View<'_, F>, i: usize| of.row(i).iter().copied().collect::<Vec<F>>();
        let each = (0..outputs.nrows())
            .map(|i| measure(&row(truth, i), &row(outputs, i), weights))
            .collect::<Result<Vec<f64>, _>>()?;
        match self {
            Self::MaxError => Ok(each.into_iter().fold(0.0, f64::max)),
            _ => Ok(each.iter().sum::<f64>() / each.len() as f64),
        }
    }
}

/// The class of the largest output, the first one of equals.
fn predicted<F: Scalar>(outputs: View<'_, F>) -> Vec<u32> {
    let largest = |column: &[F]| {
        (1..column.len()).fold(0, |best, i| if column[i] > column[best] { i } else { best }) as u32
    };
    both(outputs).column_iter().map(|column| largest(column.as_slice())).collect()
}

/// A single output beside a 0 for the other class; several as they are.
fn both<F: Scalar>(outputs: View<'_, F>) -> Matrix<F> {
    match outputs.nrows() {
        1 => Matrix::from_fn(
            2,
            outputs.ncols(),
            |i, j| {
                if i == 0 { F::zero() } else { outputs[(0, j)] }
            },
        ),
        _ => outputs.clone_owned(),
    }
}

/// The softmax of each column, in f64.
fn probabilities<F: Scalar>(outputs: View<'_, F>) -> Matrix<f64> {
    let logits = both(outputs);
    let mut p = Matrix::from_fn(logits.nrows(), logits.ncols(), |i, j| logits[(i, j)].wide());
    for mut column in p.column_iter_mut() {
        let largest = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        column.iter_mut().for_each(|v| *v = (*v - largest).exp());
        let sum: f64 = column.iter().sum();
        column.iter_mut().for_each(|v| *v /= sum);
    }
    p
}

/// How much each sample speaks for class 1: its logit less that of class 0.
fn margins<F: Scalar>(outputs: View<'_, F>) -> Result<Vec<f64>, MetricError> {
    let logits = both(outputs);
    if logits.nrows() != 2 {
        let reason = "the network has more than two outputs";
        return Err(MetricError::Undefined { measure: "a measure of two classes", reason });
    }
    Ok(logits.column_iter().map(|c| c[1].wide() - c[0].wide()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn a_single_output_is_the_logit_of_class_one() {
        let one = from_rows(&[[2.0_f32], [-1.0], [0.0]]);
        let two = from_rows(&[[0.0_f32, 2.0], [0.0, -1.0], [0.0, 0.0]]);
        for metric in [
            Metric::Accuracy,
            Metric::RocAuc,
            Metric::LogLoss,
            Metric::Brier,
            Metric::AveragePrecision,
            Metric::F1(Average::Macro),
            Metric::TopK(1),
        ] {
            let value = |outputs: &Matrix<f32>| {
                metric.evaluate(outputs.as_view(), Targets::Classes(&[1, 0, 0]), None).unwrap()
            };
            assert_eq!(value(&one), value(&two), "{metric:?}");
        }
        assert_eq!(predicted(one.as_view()), [1, 0, 0]);
    }

    #[test]
    fn each_name_measures_what_it_says() {
        let logits = from_rows(&[[0.0, 3.0], [2.0, 1.0], [9.0, 8.5], [1.0, 1.5], [4.0, 1.0]]);
        let (truth, weights) = ([1, 0, 1, 0, 0], [1.0, 2.0, 1.5, 0.5, 3.0]);
        let margins = [3.0, -1.0, -0.5, 0.5, -3.0];
        let confusion = Confusion::new(2, &truth, &[1, 0, 0, 1, 0], Some(&weights)).unwrap();
        let p = margins.map(|m: f64| 1.0 / (1.0 + (-m).exp()));
        let both = from_rows(&p.map(|p| [1.0 - p, p]));
        let w = Some(&weights[..]);
        let value = |metric: Metric| {
            metric.evaluate(logits.as_view(), Targets::Classes(&truth), w).unwrap()
        };
        let macro_ = Average::Macro;
        for (metric, wanted) in [
            (Metric::Accuracy, confusion.accuracy()),
            (Metric::BalancedAccuracy, confusion.balanced_accuracy()),
            (Metric::TopK(1), confusion.accuracy()),
            (Metric::Precision(macro_), confusion.precision(macro_)),
            (Metric::Recall(Average::Weighted), confusion.recall(Average::Weighted)),
            (Metric::F1(macro_), confusion.f1(macro_)),
            (Metric::Mcc, confusion.mcc()),
            (Metric::Kappa, confusion.kappa().unwrap()),
            (Metric::RocAuc, roc_auc(&truth, &margins, w).unwrap()),
            (Metric::AveragePrecision, average_precision(&truth, &margins, w).unwrap()),
            (Metric::LogLoss, log_loss(&truth, both.as_view(), w).unwrap()),
            (Metric::Brier, brier(&truth, &p, w).unwrap()),
        ] {
            assert!((value(metric) - wanted).abs() < 1e-14, "{metric:?}: {}", value(metric));
        }
        let (truth, outputs) = ([1.0, 2.0, 4.0, 8.0, 3.0], [1.5, 1.0, 4.25, 5.0, 3.0]);
        let columns = |values: [f64; 5]| from_rows(&values.map(|v| [v]));
        let value = |metric: Metric| {
            let (outputs, truth) = (columns(outputs), columns(truth));
            metric.evaluate(outputs.as_view(), Targets::Values(truth.as_view()), w)
        };
        for (metric, measure) in [
            (Metric::Mse, mse as OfValues<f64>),
            (Metric::Rmse, rmse),
            (Metric::Mae, mae),
            (Metric::MedianAe, median_ae),
            (Metric::R2, r2),
            (Metric::ExplainedVariance, explained_variance),
        ] {
            assert_eq!(value(metric), measure(&truth, &outputs, w), "{metric:?}");
        }
        assert_eq!(value(Metric::MaxError), Ok(3.0));
    }

    #[test]
    fn of_more_than_two_classes_each_is_ranked_against_the_others_by_probability() {
        // by its logits alone, class 0 would be ranked wrongly
        let logits = from_rows(&[[3.0_f64, 2.0, 1.0], [4.0, 6.0, 0.0], [1.0, 1.0, 2.0]]);
        let value = |metric: Metric| {
            metric.evaluate(logits.as_view(), Targets::Classes(&[0, 1, 2]), None).unwrap()
        };
        assert_eq!((value(Metric::RocAuc), value(Metric::AveragePrecision)), (1.0, 1.0));
    }

    #[test]
    fn probabilities_are_finite_for_huge_logits() {
        let logits = from_rows(&[[1e30_f32, -1e30]]);
        let loss = Metric::LogLoss.evaluate(logits.as_view(), Targets::Classes(&[1]), None);
        assert!(loss.unwrap().is_finite());
    }

    #[test]
    fn several_outputs_are_averaged_one_by_one() {
        let truth = from_rows(&[[0.0, 0.0], [2.0, 4.0]]);
        let outputs = from_rows(&[[1.0, 3.0], [3.0, 7.0]]);
        let value = |metric: Metric| {
            metric.evaluate(outputs.as_view(), Targets::Values(truth.as_view()), None).unwrap()
        };
        assert_eq!(value(Metric::Rmse), 2.0);
        assert_eq!(value(Metric::Mse), 5.0);
        assert_eq!(value(Metric::MaxError), 3.0);
        assert_eq!(value(Metric::R2), (0.0 + (1.0 - 18.0 / 8.0)) / 2.0);
    }

    #[test]
    fn targets_of_the_wrong_kind_are_refused() {
        let x = from_rows(&[[1.0_f64, 0.0, 0.0]]);
        let text = |metric: Metric, targets: Targets<'_, f64>| {
            metric.evaluate(x.as_view(), targets, None).unwrap_err().to_string()
        };
        assert!(text(Metric::Mse, Targets::Classes(&[0])).contains("the targets are classes"));
        assert!(
            text(Metric::Accuracy, Targets::Values(x.as_view())).contains("the targets are values")
        );
        assert!(text(Metric::Brier, Targets::Classes(&[0])).contains("more than two outputs"));
    }

    #[test]
    fn names_tell_the_options() {
        assert_eq!(Metric::TopK(5).name(), "top_5");
        assert_eq!(Metric::F1(Average::Weighted).name(), "f1_weighted");
        assert_eq!(Metric::RocAuc.name(), "roc_auc");
    }
}
