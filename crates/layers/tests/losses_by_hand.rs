//! Losses against numbers worked out by hand.

use slalom_layers::*;
use slalom_tensor::{Matrix, Targets, from_rows};

/// What a slope alone would not show: values, the slopes at kinks, and what a mean divides by.
#[test]
fn values_slopes_and_shares_by_hand() {
    let ln = f64::ln;
    let stirling = 3.0 * ln(3.0) - 3.0 + 0.5 * ln(6.0 * std::f64::consts::PI);
    let full = Poisson { full: true, ..Default::default() };
    let rates = Poisson { log_input: false, eps: 0.5, ..Default::default() };
    let quantile = Quantile { quantile: 0.9 };
    let gaussian = GaussianLikelihood::default();
    type Case = (Loss, Vec<f64>, Vec<f64>, f64, Vec<f64>, f64);
    let cases: Vec<Case> = vec![
        // loss, outputs, targets, sum, slopes, what the mean divides by
        (MeanSquaredError {}.into(), vec![0.5, -2.0], vec![0.0, 1.0], 9.25, vec![1.0, -6.0], 2.0),
        (MeanAbsoluteError {}.into(), vec![0.5, -2.0], vec![0.0, 1.0], 3.5, vec![1.0, -1.0], 2.0),
        (MeanAbsoluteError {}.into(), vec![1.0, 1.0], vec![1.0, 1.0], 0.0, vec![0.0, 0.0], 2.0),
        (Huber { delta: 2.0 }.into(), vec![0.5, -2.0], vec![0.0, 1.0], 4.125, vec![0.5, -2.0], 2.0),
        (
            SmoothL1 { beta: 2.0 }.into(),
            vec![0.5, -2.0],
            vec![0.0, 1.0],
            2.0625,
            vec![0.25, -1.0],
            2.0,
        ),
        (SmoothL1 { beta: 0.0 }.into(), vec![0.5, 1.0], vec![0.0, 1.0], 0.5, vec![1.0, 0.0], 2.0),
        (full.into(), vec![0.0, 0.0], vec![3.0, 1.0], 2.0 + stirling, vec![-2.0, 0.0], 2.0),
        (rates.into(), vec![0.5, 2.0], vec![3.0, 2.0], 2.5 - 2.0 * ln(2.5), vec![-2.0, 0.2], 2.0),
        (quantile.into(), vec![1.0, 2.0], vec![1.0, 1.0], 0.1, vec![0.0, 0.1], 2.0),
        (Hinge::default().into(), vec![1.0, 0.5], vec![1.0, -1.0], 1.5, vec![0.0, 1.0], 2.0),
        (
            gaussian.into(),
            vec![1.0, 2.0, 0.0, ln(2.0)],
            vec![2.0, 0.0],
            1.5 + 0.5 * ln(2.0),
            vec![-1.0, 1.0, 0.0, -0.5],
            2.0,
        ),
        (
            BinaryCrossEntropy::default().into(),
            vec![0.0, ln(3.0)],
            vec![1.0, 0.25],
            ln(2.0) + 0.75 * ln(3.0) + ln(4.0 / 3.0),
            vec![-0.5, 0.5],
            2.0,
        ),
    ];
    for (loss, y, t, value, slopes, share) in cases {
        let (y, t) = (Matrix::from_vec(y.len(), 1, y), Matrix::from_vec(t.len(), 1, t));
        let mut dy = y.clone();
        let found =
            loss.sum(y.as_view(), Targets::Values(t.as_view()), None, Some(dy.as_view_mut()));
        assert!((found.value - value).abs() < 1e-14, "{loss:?}: {} for {value}", found.value);
        assert!(dy.iter().zip(&slopes).all(|(a, b)| (a - b).abs() < 1e-15), "{loss:?}: {dy}");
        assert_eq!(found.weight, share, "{loss:?}");
    }
}

/// Logits whose softmax is 1/8, 2/8, 5/8.
#[test]
fn cross_entropy_with_options_by_hand() {
    let y = from_rows(&[[0.0, 2_f64.ln(), 5_f64.ln()]]);
    let p = [0.125, 0.25, 0.625_f64];
    let found = |loss: CrossEntropy| {
        Loss::from(loss).evaluate(y.as_view(), Targets::Classes(&[1]), None, None)
    };
    let plain = CrossEntropy::default();
    let smooth = found(CrossEntropy { label_smoothing: 0.3, ..plain.clone() });
    let wanted = -(0.1 * p[0].ln() + 0.8 * p[1].ln() + 0.1 * p[2].ln());
    assert!((smooth.value - wanted).abs() < 1e-15 && smooth.weight == 1.0, "{smooth:?}");
    let class_weights = Some(vec![1.0, 3.0, 5.0]);
    let weighted = found(CrossEntropy { class_weights: class_weights.clone(), ..plain.clone() });
    assert!((weighted.value + p[1].ln()).abs() < 1e-15 && weighted.weight == 3.0, "{weighted:?}");
    let both = found(CrossEntropy { class_weights, label_smoothing: 0.3, ..plain });
    let wanted = -(0.1 * p[0].ln() + 2.4 * p[1].ln() + 0.5 * p[2].ln()) / 3.0;
    assert!((both.value - wanted).abs() < 1e-15, "{both:?}");
}

#[test]
fn focal_loss_by_hand() {
    let y = from_rows(&[[1.0, 0.0]]);
    let p = 1.0 / (1.0 + (-1.0_f64).exp());
    let loss = Loss::from(CrossEntropy { focal: 2.0, ..Default::default() });
    let value = loss.evaluate(y.as_view(), Targets::Classes(&[0]), None, None).value;
    assert!((value + (1.0 - p).powi(2) * p.ln()).abs() < 1e-15);
}

#[test]
fn losses_that_pytorch_lacks_by_hand() {
    let (y, t) = (from_rows(&[[1.0, -1.0]]), from_rows(&[[0.0, 1.0]]));
    let value = |loss: Loss| loss.sum(y.as_view(), Targets::Values(t.as_view()), None, None).value;
    let log_cosh = 1.0_f64.cosh().ln() + 2.0_f64.cosh().ln();
    assert!((value(LogCosh {}.into()) - log_cosh).abs() < 1e-15);
    assert!((value(Quantile { quantile: 0.9 }.into()) - (0.1 + 1.8)).abs() < 1e-15);
    let signs = from_rows(&[[1.0, 1.0]]);
    let hinge = |loss: Hinge| {
        Loss::from(loss).sum(y.as_view(), Targets::Values(signs.as_view()), None, None).value
    };
    assert_eq!(hinge(Hinge::default()), 2.0);
    assert_eq!(hinge(Hinge { margin: 2.0, squared: true }), 1.0 + 9.0);
    // mean 1, variance e⁻¹, target 0.5
    let half = from_rows(&[[0.5]]);
    let targets = Targets::Values(half.as_view());
    let gaussian = Loss::from(GaussianLikelihood { full: true });
    let density =
        (-0.125 * 1.0_f64.exp()).exp() / (std::f64::consts::TAU * (-1.0_f64).exp()).sqrt();
    let value = gaussian.evaluate(y.as_view(), targets, None, None).value;
    assert!((value + density.ln()).abs() < 1e-15);
}
