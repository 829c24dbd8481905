//! Measures of predicted values, one number a sample.

use slalom_tensor::Scalar;

use super::{MetricError, check, weight};

/// Mean squared error.
///
/// ```
/// use slalom_train::metrics::{mse, r2};
/// assert_eq!(mse(&[3.0, -0.5], &[2.5, 0.0], None), Ok(0.25));
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], None), Ok(1.0));
/// ```
///
/// # Errors
/// No samples, different counts, a number that is not finite, weights that are negative or all 0.
pub fn mse<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    mean_of(truth, predicted, weights, |error| error * error)
}

/// Root of the mean squared error, in the targets' unit.
///
/// # Errors
/// As [`mse`].
pub fn rmse<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    mse(truth, predicted, weights).map(f64::sqrt)
}

/// Mean absolute error.
///
/// # Errors
/// As [`mse`].
pub fn mae<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    mean_of(truth, predicted, weights, f64::abs)
}

/// Median absolute error: the middle one, or the mean of the two middle ones. With weights, the
/// error that has half of the weight below it (the mean of two where the half falls between them).
///
/// # Errors
/// As [`mse`].
pub fn median_ae<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = checked(truth, predicted, weights)?;
    let mut errors: Vec<(f64, f64)> = errors(truth, predicted)
        .enumerate()
        .map(|(i, error)| (error.abs(), weight(weights, i)))
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0.0;
    for (i, (error, weight)) in errors.iter().enumerate() {
        below += weight;
        // compared as below + below, which is exact, where total / 2 may not be
        if below + below > total {
            return Ok(*error);
        }
        if below + below == total {
            let next = errors.get(i + 1).map_or(*error, |next| next.0);
            return Ok(error + (next - error) / 2.0);
        }
    }
    // rounding of the sum: the last error has all the weight at or below it
    Ok(errors.last().map_or(0.0, |last| last.0))
}

/// The largest absolute error.
///
/// # Errors
/// No samples, different counts, a number that is not finite.
pub fn max_error<F: Scalar>(truth: &[F], predicted: &[F]) -> Result<f64, MetricError> {
    checked(truth, predicted, None)?;
    Ok(errors(truth, predicted).map(f64::abs).fold(0.0, f64::max))
}

/// Coefficient of determination, at most 1: 1 − Σ error² / Σ (truth − mean)². Where the truth is
/// constant it is 1 if every prediction is exact and 0 otherwise, as in scikit-learn.
///
/// # Errors
/// As [`mse`], and fewer than two samples.
pub fn r2<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = checked(truth, predicted, weights)?;
    if truth.len() < 2 {
        let reason = "at least two samples are needed";
        return Err(MetricError::Undefined { measure: "R2", reason });
    }
    let left = sum(truth.len(), weights, errors(truth, predicted).map(|e| e * e));
    let all = spread(truth.iter().map(|v| v.wide()), truth.len(), weights, total);
    Ok(explained(left, all))
}

/// Explained variance: [`r2`] of predictions freed from their mean error. For a constant truth it
/// is 1 if the error is constant and 0 otherwise, as in scikit-learn.
///
/// # Errors
/// As [`mse`].
pub fn explained_variance<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = checked(truth, predicted, weights)?;
    let left = spread(errors(truth, predicted), truth.len(), weights, total);
    let all = spread(truth.iter().map(|v| v.wide()), truth.len(), weights, total);
    Ok(explained(left, all))
}

fn explained(left: f64, all: f64) -> f64 {
    match (left == 0.0, all == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 1.0 - left / all,
    }
}

/// Weighted sum of squared distances from the mean.
fn spread(
    values: impl Iterator<Item = f64> + Clone,
    count: usize,
    weights: Option<&[f64]>,
    total: f64,
) -> f64 {
    // seen from the first that counts: equal values are exactly 0 apart, near ones lose no digit
    let counted = values.clone().enumerate().find(|(i, _)| weight(weights, *i) > 0.0);
    let first = counted.map_or(0.0, |(_, value)| value);
    let apart = values.map(|value| value - first);
    let mean = sum(count, weights, apart.clone()) / total;
    sum(count, weights, apart.map(|value| (value - mean).powi(2)))
}

fn mean_of<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
    of: impl Fn(f64) -> f64,
) -> Result<f64, MetricError> {
    let total = checked(truth, predicted, weights)?;
    Ok(sum(truth.len(), weights, errors(truth, predicted).map(of)) / total)
}

fn sum(count: usize, weights: Option<&[f64]>, values: impl Iterator<Item = f64>) -> f64 {
    (0..count).zip(values).map(|(i, value)| weight(weights, i) * value).sum()
}

fn errors<'a, F: Scalar>(
    truth: &'a [F],
    predicted: &'a [F],
) -> impl Iterator<Item = f64> + Clone + 'a {
    truth.iter().zip(predicted).map(|(t, p)| t.wide() - p.wide())
}

fn checked<F: Scalar>(
    truth: &[F],
    predicted: &[F],
    weights: Option<&[f64]>,
) -> Result<f64, MetricError> {
    let total = check(truth.len(), "predictions", predicted.len(), weights)?;
    for (what, values) in [("true value", truth), ("prediction", predicted)] {
        if let Some(sample) = values.iter().position(|v| !v.is_finite()) {
            let value = values[sample].wide();
            return Err(MetricError::Value { sample, what, value, bound: "finite" });
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_like_repeated_samples() {
        let (truth, predicted) = ([1.0, 2.0, 4.0], [1.5, 2.0, 3.0]);
        let weights = Some(&[2.0, 1.0, 3.0][..]);
        let long = [1.0, 1.0, 2.0, 4.0, 4.0, 4.0];
        let repeated = [1.5, 1.5, 2.0, 3.0, 3.0, 3.0];
        for f in [mse::<f64>, rmse, mae, median_ae, r2, explained_variance] {
            let a = f(&truth, &predicted, weights).unwrap();
            let b = f(&long, &repeated, None).unwrap();
            assert!((a - b).abs() < 1e-15, "{a} {b}");
        }
    }

    #[test]
    fn the_median_is_the_middle_one_or_the_mean_of_two() {
        let zero = [0.0; 4];
        assert_eq!(median_ae(&[3.0, -1.0, 9.0], &zero[..3], None), Ok(3.0));
        assert_eq!(median_ae(&[3.0, -1.0, 9.0, 4.0], &zero, None), Ok(3.5));
        let weights = Some(&[1.0, 1.0, 5.0][..]);
        assert_eq!(median_ae(&[3.0, 1.0, 9.0], &zero[..3], weights), Ok(9.0));
        let weights = Some(&[1.0, 0.0, 1.0][..]);
        assert_eq!(median_ae(&[3.0, 5.0, 9.0], &zero[..3], weights), Ok(6.0));
        let weights = Some(&[0.25, 0.25, 0.25, 0.125][..]);
        assert_eq!(median_ae(&[1.0, 2.0, 3.0, 4.0], &zero, weights), Ok(2.0));
    }

    #[test]
    fn a_constant_truth_gives_one_or_zero_however_its_mean_is_rounded() {
        let truth = [0.1; 7];
        assert_eq!(r2(&truth, &truth, None), Ok(1.0));
        assert_eq!(r2(&truth, &[0.2; 7], None), Ok(0.0));
        assert_eq!(explained_variance(&truth, &[0.2; 7], None), Ok(1.0));
        assert_eq!(explained_variance(&[0.1; 2], &[0.2, 0.3], None), Ok(0.0));
        let mut first = truth;
        first[0] = 9.0; // does not count
        for i in 1..50 {
            let weights = [0, 3, 5, 7, 11, 13, 17].map(|w| f64::from(w * i) * 0.1);
            assert_eq!(r2(&first, &[0.2; 7], Some(&weights)), Ok(0.0), "{weights:?}");
        }
    }

    #[test]
    fn a_large_mean_hides_no_variance() {
        // truth 0 to 3 and errors 0 and 1, far from 0: the sum of so many is not exact
        let truth: Vec<f64> = (0..1000).map(|i| 1e15 + f64::from(i % 4)).collect();
        let predicted: Vec<f64> =
            (truth.iter().enumerate()).map(|(i, t)| t + (i % 2) as f64).collect();
        assert_eq!(r2(&truth, &predicted, None), Ok(1.0 - 500.0 / 1250.0));
        assert_eq!(explained_variance(&truth, &predicted, None), Ok(1.0 - 250.0 / 1250.0));
    }

    #[test]
    fn a_small_scale_is_no_constant() {
        let truth = [1e-160, 2e-160, 3e-160].map(|v| v * 1e20);
        let score = r2(&truth, &[truth[0], truth[1], truth[1]], None).unwrap();
        assert!((score - 0.5).abs() < 1e-12, "{score}");
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        let text = |r: Result<f64, MetricError>| r.unwrap_err().to_string();
        assert_eq!(
            text(r2(&[1.0], &[1.0], None)),
            "R2 is not defined: at least two samples are needed"
        );
        assert_eq!(text(mse::<f32>(&[], &[], None)), "no samples to measure");
        assert_eq!(text(mae(&[1.0], &[], None)), "1 true targets, but 0 predictions");
        assert_eq!(
            text(max_error(&[1.0, 2.0], &[1.0, f64::NAN])),
            "sample 1: the prediction is NaN, it must be finite"
        );
        assert_eq!(max_error(&[1.0, -5.0, 2.0], &[1.0, 1.0, 2.5]), Ok(6.0));
    }
}
