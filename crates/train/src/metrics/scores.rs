//! Measures of scores and probabilities.

use slalom_tensor::{Scalar, View};

use super::{Average, MetricError, check, weight};

/// Share of samples whose true class is among the `k` highest scores (*classes × samples*). Of
/// equal scores the later class counts as the higher one, as in scikit-learn.
///
/// ```
/// use slalom_train::metrics::top_k;
/// let scores = slalom_tensor::from_rows(&[[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]);
/// assert_eq!(top_k(2, &[1, 2], scores.as_view(), None), Ok(0.5));
/// ```
///
/// # Errors
/// No samples, different counts, a class without a score, a score that is NaN, `k` of 0.
pub fn top_k<F: Scalar>(
    k: usize,
    truth: &[u32],
    scores: View<'_, F>,
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = check(truth.len(), "columns of scores", scores.ncols(), weights)?;
    if k == 0 {
        return Err(MetricError::Undefined { measure: "top-k", reason: "k is 0" });
    }
    let mut right = 0.0;
    for (sample, &class) in truth.iter().enumerate() {
        let column = scores.column(sample);
        let scores = column.as_slice();
        let own = of_class(scores, sample, class)?;
        no_nan(sample, scores)?;
        let above = (scores.iter().enumerate())
            .filter(|&(i, s)| *s > own || (*s == own && i > class as usize))
            .count();
        if above < k {
            right += weight(weights, sample);
        }
    }
    Ok(right / total)
}

/// Mean of −ln(probability of the true class) over probabilities, *classes × samples*; each is
/// first moved into [ε, 1 − ε] of its type, as in scikit-learn.
///
/// # Errors
/// No samples, different counts, a class without a probability, a probability outside [0, 1],
/// probabilities of a sample that do not add up to 1 (within √ε).
pub fn log_loss<F: Scalar>(
    truth: &[u32],
    probabilities: View<'_, F>,
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = check(truth.len(), "columns of probabilities", probabilities.ncols(), weights)?;
    let epsilon = F::epsilon().wide();
    let mut sum = 0.0;
    for (sample, &class) in truth.iter().enumerate() {
        let column = probabilities.column(sample);
        let own = of_class(column.as_slice(), sample, class)?.wide();
        column.iter().try_for_each(|p| probability(sample, p.wide()))?;
        let all: f64 = column.iter().map(|p| p.wide()).sum();
        if (all - 1.0).abs() > epsilon.sqrt() {
            return Err(bad(sample, "sum of all probabilities", all, "1"));
        }
        sum -= weight(weights, sample) * own.clamp(epsilon, 1.0 - epsilon).ln();
    }
    Ok(sum / total)
}

/// Mean squared difference of the probability of class 1 and the truth, 0 or 1 (Brier 1950).
///
/// # Errors
/// No samples, different counts, a class other than 0 and 1, a probability outside [0, 1].
pub fn brier<F: Scalar>(
    truth: &[u32],
    probabilities: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = check(truth.len(), "probabilities", probabilities.len(), weights)?;
    let mut sum = 0.0;
    for (sample, (&class, p)) in truth.iter().zip(probabilities).enumerate() {
        let truth = if is_positive(sample, class)? { 1.0 } else { 0.0 };
        probability(sample, p.wide())?;
        sum += weight(weights, sample) * (p.wide() - truth).powi(2);
    }
    Ok(sum / total)
}

/// Area under the ROC curve: how likely a sample of class 1 has a higher score than one of class
/// 0; equal scores count a half.
///
/// ```
/// use slalom_train::metrics::roc_auc;
/// assert_eq!(roc_auc(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8], None), Ok(0.75));
/// assert!(roc_auc(&[1, 1], &[0.1, 0.4], None).is_err());
/// ```
///
/// # Errors
/// No samples, different counts, a class other than 0 and 1, a score that is NaN, samples of one
/// class only.
pub fn roc_auc<F: Scalar>(
    truth: &[u32],
    scores: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let steps = steps(truth, scores, weights)?;
    let positive: f64 = steps.iter().map(|step| step.0).sum();
    let negative: f64 = steps.iter().map(|step| step.1).sum();
    if positive == 0.0 || negative == 0.0 {
        let reason = "samples of both classes are needed";
        return Err(MetricError::Undefined { measure: "the area under the ROC curve", reason });
    }
    let mut above = 0.0;
    let mut area = 0.0;
    for (p, n) in steps {
        area += n * (above + p / 2.0);
        above += p;
    }
    Ok(area / (positive * negative))
}

/// Average precision: the precision at each threshold, weighted with the recall that it adds.
///
/// # Errors
/// No samples, different counts, a class other than 0 and 1, a score that is NaN, no sample of
/// class 1.
pub fn average_precision<F: Scalar>(
    truth: &[u32],
    scores: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let steps = steps(truth, scores, weights)?;
    let positive: f64 = steps.iter().map(|step| step.0).sum();
    if positive == 0.0 {
        let reason = "samples of class 1 are needed";
        return Err(MetricError::Undefined { measure: "average precision", reason });
    }
    let (mut right, mut all, mut sum) = (0.0, 0.0, 0.0);
    for (p, n) in steps.into_iter().filter(|(p, n)| p + n > 0.0) {
        right += p;
        all += p + n;
        sum += p / positive * (right / all);
    }
    Ok(sum)
}

/// A measure of scores for class 1.
pub(super) type OfScores<F> = fn(&[u32], &[F], Option<&[f64]>) -> Result<f64, MetricError>;

/// [`roc_auc`] or [`average_precision`] of several classes: each against all the others, on its
/// probabilities (*classes × samples*). `Micro` takes all pairs of sample and class together, the
/// other two average over the classes.
///
/// ```
/// use slalom_train::metrics::{Average, one_vs_rest, roc_auc};
/// let p = slalom_tensor::from_rows(&[[0.8, 0.1, 0.1], [0.3, 0.3, 0.4], [0.2, 0.3, 0.5]]);
/// let mean = one_vs_rest(roc_auc, Average::Macro, &[0, 1, 2], p.as_view(), None)?;
/// assert_eq!(mean, (1.0 + 0.75 + 1.0) / 3.0);
/// # Ok::<(), slalom_train::metrics::MetricError>(())
/// ```
///
/// # Errors
/// No samples, different counts, a class without a probability, a number that is NaN; and as the
/// measure itself: a class that no sample is of has none (`Weighted` leaves it out).
pub fn one_vs_rest<F: Scalar>(
    measure: OfScores<F>,
    average: Average,
    truth: &[u32],
    probabilities: View<'_, F>,
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = check(truth.len(), "columns of probabilities", probabilities.ncols(), weights)?;
    for (sample, &class) in truth.iter().enumerate() {
        let column = probabilities.column(sample);
        of_class(column.as_slice(), sample, class)?;
        no_nan(sample, column.as_slice())?;
    }
    let classes = 0..probabilities.nrows();
    let is = |class: usize, truth: u32| u32::from(truth as usize == class);
    let of = |class: usize| {
        let own: Vec<u32> = truth.iter().map(|&truth| is(class, truth)).collect();
        let scores: Vec<F> = probabilities.row(class).iter().copied().collect();
        measure(&own, &scores, weights)
    };
    let share = |class: usize| {
        let own = truth.iter().enumerate().filter(|(_, truth)| is(class, **truth) == 1);
        own.map(|(sample, _)| weight(weights, sample)).sum::<f64>() / total
    };
    match average {
        Average::Micro => {
            let pairs = || {
                truth.iter().enumerate().flat_map(|pair| classes.clone().map(move |c| (pair, c)))
            };
            let own: Vec<u32> = pairs().map(|((_, &truth), class)| is(class, truth)).collect();
            let scores: Vec<F> = probabilities.iter().copied().collect();
            let weights: Vec<f64> = pairs().map(|((i, _), _)| weight(weights, i)).collect();
            measure(&own, &scores, Some(&weights))
        }
        Average::Macro => {
            let count = classes.len() as f64;
            classes.map(of).sum::<Result<f64, _>>().map(|sum| sum / count)
        }
        Average::Weighted => classes
            .map(|class| (class, share(class)))
            .filter(|(_, share)| *share > 0.0)
            .map(|(class, share)| Ok(share * of(class)?))
            .sum(),
    }
}

/// Weights of class 1 and class 0 at each distinct score, highest first.
fn steps<F: Scalar>(
    truth: &[u32],
    scores: &[F],
    weights: Option<&[f64]>,
) -> Result<Vec<(f64, f64)>, MetricError> {
    check(truth.len(), "scores", scores.len(), weights)?;
    for (sample, (&class, score)) in truth.iter().zip(scores).enumerate() {
        is_positive(sample, class)?;
        no_nan(sample, std::slice::from_ref(score))?;
    }
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| scores[b].wide().total_cmp(&scores[a].wide()));
    // the two zeros are neighbours, and equal
    let same_score = order.chunk_by(|&a, &b| scores[a] == scores[b]);
    Ok(same_score
        .map(|samples| {
            samples.iter().fold((0.0, 0.0), |(p, n), &i| match truth[i] {
                1 => (p + weight(weights, i), n),
                _ => (p, n + weight(weights, i)),
            })
        })
        .collect())
}

fn of_class<F: Scalar>(column: &[F], sample: usize, class: u32) -> Result<F, MetricError> {
    let classes = column.len();
    column.get(class as usize).copied().ok_or(MetricError::Class { sample, class, classes })
}

fn no_nan<F: Scalar>(sample: usize, scores: &[F]) -> Result<(), MetricError> {
    match scores.iter().find(|score| score.is_nan()) {
        Some(nan) => Err(bad(sample, "score", nan.wide(), "a number")),
        None => Ok(()),
    }
}

fn is_positive(sample: usize, class: u32) -> Result<bool, MetricError> {
    match class {
        0 | 1 => Ok(class == 1),
        _ => Err(MetricError::Class { sample, class, classes: 2 }),
    }
}

fn probability(sample: usize, p: f64) -> Result<(), MetricError> {
    let inside = (0.0..=1.0).contains(&p);
    if inside { Ok(()) } else { Err(bad(sample, "probability", p, "between 0 and 1")) }
}

fn bad(sample: usize, what: &'static str, value: f64, bound: &'static str) -> MetricError {
    MetricError::Value { sample, what, value, bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn equal_scores_count_a_half_whatever_their_order() {
        assert_eq!(roc_auc(&[0, 1], &[0.5, 0.5], None), Ok(0.5));
        assert_eq!(roc_auc(&[1, 0], &[0.0, -0.0], None), Ok(0.5));
        assert_eq!(roc_auc(&[1, 0, 1, 0], &[f64::INFINITY, 1.0, 1.0, -1e300], None), Ok(0.875));
        assert_eq!(average_precision(&[0, 1], &[0.5, 0.5], None), Ok(0.5));
    }

    #[test]
    fn weights_count_like_repeated_samples() {
        let (truth, scores) = ([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.3]);
        let weights = Some(&[1.0, 2.0, 3.0, 1.0][..]);
        let (long, repeated) = ([1, 0, 0, 1, 1, 1, 0], [0.9, 0.8, 0.8, 0.3, 0.3, 0.3, 0.3]);
        assert_eq!(roc_auc(&truth, &scores, weights), roc_auc(&long, &repeated, None));
        let close = |a: Result<f64, MetricError>, b: Result<f64, MetricError>| {
            assert!((a.clone().unwrap() - b.clone().unwrap()).abs() < 1e-15, "{a:?} {b:?}")
        };
        let ap = average_precision::<f64>;
        close(ap(&truth, &scores, weights), ap(&long, &repeated, None));
        close(brier(&truth, &scores, weights), brier(&long, &repeated, None));
    }

    #[test]
    fn each_class_against_the_rest_is_averaged_by_class_by_weight_or_by_pair() {
        let p = from_rows(&[[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]);
        let value = |average, truth: &[u32], weights| {
            one_vs_rest(roc_auc, average, truth, p.as_view(), weights)
        };
        // class 0: 1; class 1: of three pairs each, 0.3 is above 0.2, 0.8 above all; class 2: 1
        let truth = [0, 1, 1, 2];
        assert_eq!(value(Average::Macro, &truth, None), Ok((1.0 + 0.75 + 1.0) / 3.0));
        assert_eq!(value(Average::Weighted, &truth, None), Ok(0.25 + 0.5 * 0.75 + 0.25));
        let weights = Some(&[2.0, 1.0, 1.0, 0.0][..]);
        let (first, second) = (1.0, 1.0 * 0.5); // class 1: 0.4 and 0.4 against 0.3 and 0.8
        assert_eq!(value(Average::Weighted, &truth, weights), Ok((first + second) / 2.0));
        assert!(value(Average::Macro, &truth, weights).is_err(), "no sample of class 2");
        let pairs = [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1];
        let flat: Vec<f64> = p.iter().copied().collect();
        let weights = Some(&[2.0, 1.0, 1.0, 3.0][..]);
        let repeated: Vec<f64> = [2.0, 1.0, 1.0, 3.0].iter().flat_map(|&w| [w; 3]).collect();
        assert_eq!(value(Average::Micro, &truth, weights), roc_auc(&pairs, &flat, Some(&repeated)),);
        let text = |r: Result<f64, MetricError>| r.unwrap_err().to_string();
        for average in [Average::Micro, Average::Macro, Average::Weighted] {
            assert!(text(value(average, &[0, 1, 1, 3], None)).contains("sample 3 has class 3"));
            assert!(text(value(average, &[0, 1, 1], None)).contains("4 columns"));
            let mut hole = p.clone();
            hole[(1, 2)] = f64::NAN;
            let found = one_vs_rest(roc_auc, average, &truth, hole.as_view(), None);
            assert!(text(found).contains("sample 2: the score is NaN"));
        }
    }

    #[test]
    fn losses_of_probabilities_are_means_over_the_weight() {
        let p = from_rows(&[[0.5, 0.25, 0.25], [0.1, 0.7, 0.2], [0.0, 0.0, 1.0]]);
        let loss = |weights: Option<&[f64]>| log_loss(&[1, 1, 2], p.as_view(), weights).unwrap();
        let (first, second, certain) = (-0.25_f64.ln(), -0.7_f64.ln(), -(1.0 - f64::EPSILON).ln());
        assert!((loss(None) - (first + second + certain) / 3.0).abs() < 1e-15);
        assert!((loss(Some(&[1.0, 3.0, 0.0])) - (first + 3.0 * second) / 4.0).abs() < 1e-15);
        assert_eq!(loss(Some(&[0.0, 0.0, 2.0])), certain);
        let (truth, p) = ([0, 1, 1], [0.25, 0.75, 0.5]);
        assert_eq!(brier(&truth, &p, None), Ok((0.0625 + 0.0625 + 0.25) / 3.0));
        let weights = Some(&[4.0, 0.0, 1.0][..]);
        assert_eq!(brier(&truth, &p, weights), Ok((4.0 * 0.0625 + 0.25) / 5.0));
    }

    #[test]
    fn average_precision_weighs_each_precision_with_the_recall_it_adds() {
        let (truth, scores) = ([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.4, 0.3]);
        let wanted = (1.0 + 2.0 / 3.0 + 3.0 / 4.0) / 3.0;
        assert!((average_precision(&truth, &scores, None).unwrap() - wanted).abs() < 1e-15);
    }

    #[test]
    fn no_weight_at_the_top_is_no_division_by_zero() {
        let weights = Some(&[0.0, 1.0, 1.0][..]);
        assert_eq!(average_precision(&[0, 1, 0], &[0.9, 0.8, 0.7], weights), Ok(1.0));
    }

    #[test]
    fn certain_and_wrong_is_finite() {
        let p = from_rows(&[[1.0, 0.0]]);
        let loss = log_loss(&[1], p.as_view(), None).unwrap();
        assert!((loss + f64::EPSILON.ln()).abs() < 1e-12);
        let p = from_rows(&[[1.0_f32, 0.0]]);
        assert!((log_loss(&[1], p.as_view(), None).unwrap() - 15.9424).abs() < 1e-4);
    }

    #[test]
    fn of_equal_scores_the_later_class_is_higher() {
        let scores = from_rows(&[[0.5, 0.5, 0.0]]);
        assert_eq!(top_k(1, &[0], scores.as_view(), None), Ok(0.0));
        assert_eq!(top_k(1, &[1], scores.as_view(), None), Ok(1.0));
        assert_eq!(top_k(2, &[0], scores.as_view(), None), Ok(1.0));
        assert_eq!(top_k(9, &[2], scores.as_view(), None), Ok(1.0));
    }

    #[test]
    fn what_has_no_value_is_an_error_that_names_the_sample() {
        let text = |r: Result<f64, MetricError>| r.unwrap_err().to_string();
        let p = from_rows(&[[0.5, 0.5], [0.5, 0.6], [0.5, f64::NAN]]);
        assert_eq!(
            text(log_loss(&[0, 1], p.columns(0, 2), None)),
            "sample 1: the sum of all probabilities is 1.1, it must be 1"
        );
        assert_eq!(
            text(log_loss(&[0, 0, 0], p.as_view(), None)),
            "sample 1: the sum of all probabilities is 1.1, it must be 1"
        );
        assert_eq!(
            text(top_k(1, &[0, 0, 0], p.as_view(), None)),
            "sample 2: the score is NaN, it must be a number"
        );
        assert_eq!(text(top_k(0, &[0, 0, 0], p.as_view(), None)), "top-k is not defined: k is 0");
        assert_eq!(
            text(top_k(1, &[0, 2, 0], p.as_view(), None)),
            "sample 1 has class 2: there are 2 classes, from 0"
        );
        assert_eq!(
            text(brier(&[0, 1], &[0.5, 1.5], None)),
            "sample 1: the probability is 1.5, it must be between 0 and 1"
        );
        assert!(text(brier(&[0, 2], &[0.5, 0.5], None)).contains("class 2"));
        assert!(text(roc_auc(&[0, 0], &[0.5, 0.5], None)).contains("both classes"));
        assert!(text(roc_auc(&[1, 0], &[0.5, f64::NAN], None)).contains("score is NaN"));
        assert!(text(average_precision(&[0, 0], &[0.5, 0.5], None)).contains("class 1"));
        assert!(text(roc_auc::<f64>(&[], &[], None)).contains("no samples"));
        assert_eq!(text(roc_auc(&[1, 0], &[0.5], None)), "2 true targets, but 1 scores");
    }
}
