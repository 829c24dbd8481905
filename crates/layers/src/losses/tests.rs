//! Laws that all losses keep, and the cases of each.

use proptest::prelude::*;
use slalom_tensor::{Matrix, from_rows};

use super::*;

/// How a loss's targets look.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Classes,
    Binary,
    Probabilities,
    Signs,
    Reals,
    Counts,
    /// Half as many rows as outputs.
    Halves,
}

/// Every loss with every kind of targets that it takes, for four outputs.
fn every_loss() -> Vec<(Loss, Kind)> {
    let plain = CrossEntropy::default();
    let weights = Some(vec![0.5, 2.0, 1.0, 0.25]);
    let all = CrossEntropy { class_weights: weights.clone(), label_smoothing: 0.2, focal: 1.5 };
    let focal = CrossEntropy { focal: 2.0, ..plain.clone() };
    let mild = CrossEntropy { focal: 0.5, ..plain.clone() };
    let weighted = CrossEntropy { class_weights: weights.clone(), ..plain.clone() };
    vec![
        (plain.clone().into(), Kind::Classes),
        (plain.into(), Kind::Probabilities),
        (all.clone().into(), Kind::Classes),
        (all.into(), Kind::Probabilities),
        (focal.into(), Kind::Classes),
        (mild.into(), Kind::Probabilities),
        (weighted.into(), Kind::Classes),
        (BinaryCrossEntropy::default().into(), Kind::Binary),
        (
            BinaryCrossEntropy { positive_weights: weights.clone(), ..Default::default() }.into(),
            Kind::Probabilities,
        ),
        (
            BinaryCrossEntropy { weights: weights.clone(), positive_weights: weights }.into(),
            Kind::Binary,
        ),
        (MeanSquaredError {}.into(), Kind::Reals),
        (MeanAbsoluteError {}.into(), Kind::Reals),
        (Huber { delta: 0.7 }.into(), Kind::Reals),
        (SmoothL1 { beta: 0.7 }.into(), Kind::Reals),
        (LogCosh {}.into(), Kind::Reals),
        (Poisson::default().into(), Kind::Counts),
        (Poisson { full: true, ..Default::default() }.into(), Kind::Counts),
        (GaussianLikelihood { full: false }.into(), Kind::Halves),
        (GaussianLikelihood { full: true }.into(), Kind::Halves),
        (Quantile { quantile: 0.8 }.into(), Kind::Reals),
        (Hinge::default().into(), Kind::Signs),
        (Hinge { margin: 0.5, squared: true }.into(), Kind::Signs),
        (Hinge::default().into(), Kind::Classes),
        (Hinge { margin: 0.5, squared: true }.into(), Kind::Classes),
        (KlDivergence {}.into(), Kind::Probabilities),
    ]
}

const OUTPUTS: usize = 4;

/// Classes, or a matrix of values, from uniform numbers.
fn targets(kind: Kind, samples: usize, u: &[f64]) -> (Vec<u32>, Matrix<f64>) {
    let at = |i: usize, j: usize| u[(OUTPUTS * j + i) % u.len()];
    let values = |f: &dyn Fn(f64) -> f64| Matrix::from_fn(OUTPUTS, samples, |i, j| f(at(i, j)));
    let classes = (0..samples).map(|j| (at(0, j) * OUTPUTS as f64) as u32).collect();
    let values = match kind {
        Kind::Classes | Kind::Binary => values(&|u| (u * 2.0).floor()),
        Kind::Probabilities => {
            let mut t = values(&|u| u + 0.01);
            t.column_iter_mut().for_each(|mut c| c /= c.sum());
            t
        }
        Kind::Signs => values(&|u| if u < 0.5 { -1.0 } else { 1.0 }),
        Kind::Reals => values(&|u| 4.0 * u - 2.0),
        Kind::Counts => values(&|u| (u * 5.0).floor()),
        Kind::Halves => Matrix::from_fn(OUTPUTS / 2, samples, |i, j| 4.0 * at(i, j) - 2.0),
    };
    (classes, values)
}

fn either<'a>(kind: Kind, both: &'a (Vec<u32>, Matrix<f64>)) -> Targets<'a, f64> {
    match kind {
        Kind::Classes => Targets::Classes(&both.0),
        _ => Targets::Values(both.1.as_view()),
    }
}

proptest! {
    #[test]
    fn laws(
        y in prop::collection::vec(-3.0..3.0_f64, 12),
        u in prop::collection::vec(0.0..1.0_f64, 12),
        weights in prop::collection::vec(0.0..2.0_f64, 3),
    ) {
        let outputs = Matrix::from_vec(OUTPUTS, 3, y);
        let view = outputs.as_view();
        for (loss, kind) in every_loss() {
            let both = targets(kind, 3, &u);
            let t = either(kind, &both);
            loss.check(OUTPUTS, t).unwrap();
            let mut dy = Matrix::from_element(OUTPUTS, 3, f64::NAN);
            let mean = loss.evaluate(view, t, Some(&weights), Some(dy.as_view_mut()));
            // the same value without the derivative
            prop_assert_eq!(loss.evaluate(view, t, Some(&weights), None), mean);
            // the mean is the sum by what it counts for
            let mut dsum = dy.clone();
            let sum = loss.sum(view, t, Some(&weights), Some(dsum.as_view_mut()));
            prop_assert!((mean.value * mean.weight - sum.value).abs() < 1e-12 * sum.value.abs().max(1.0));
            prop_assert!((&dy * mean.weight - &dsum).abs().max() < 1e-12 * dsum.abs().max().max(1.0));
            // weights of 1 are none
            prop_assert_eq!(loss.sum(view, t, Some(&[1.0; 3]), None), loss.sum(view, t, None, None));
            // means put together by their weights are the mean of all
            let (start, rest) = (t.range(0, 1), t.range(1, 2));
            let a = loss.evaluate(view.columns(0, 1), start, Some(&weights[..1]), None);
            let b = loss.evaluate(view.columns(1, 2), rest, Some(&weights[1..]), None);
            let together = (a.value * a.weight + b.value * b.weight) / (a.weight + b.weight);
            prop_assert!((together - mean.value).abs() < 1e-12 * mean.value.abs().max(1.0));
            // a weight of 0 takes a sample out, with its derivative
            let none = loss.evaluate(view, t, Some(&[0.0, 1.0, 1.0]), Some(dy.as_view_mut()));
            let without = loss.evaluate(view.columns(1, 2), t.range(1, 2), None, None);
            prop_assert!((none.value - without.value).abs() < 1e-13 * none.value.abs().max(1.0));
            prop_assert!(dy.column(0).iter().all(|&d| d == 0.0));
        }
    }

    #[test]
    fn derivatives_are_slopes(
        y in prop::collection::vec(-3.0..3.0_f64, 8),
        u in prop::collection::vec(0.0..1.0_f64, 8),
        weights in prop::collection::vec(0.1..2.0_f64, 2),
    ) {
        let outputs = Matrix::from_vec(OUTPUTS, 2, y);
        for (loss, kind) in every_loss() {
            let both = targets(kind, 2, &u);
            let t = either(kind, &both);
            let mut dy = Matrix::zeros(OUTPUTS, 2);
            loss.evaluate(outputs.as_view(), t, Some(&weights), Some(dy.as_view_mut()));
            for i in 0..OUTPUTS * 2 {
                let h = 1e-6;
                let at = |y: f64| {
                    let mut moved = outputs.clone();
                    moved[i] = y;
                    loss.evaluate(moved.as_view(), t, Some(&weights), None).value
                };
                let (above, below, here) = (at(outputs[i] + h), at(outputs[i] - h), at(outputs[i]));
                let kink = (above - 2.0 * here + below).abs() > 1e-8; // where slopes meet
                let slope = (above - below) / (2.0 * h);
                prop_assert!(
                    kink || (slope - dy[i]).abs() < 1e-6 * slope.abs().max(1.0),
                    "{loss:?} {kind:?}: {slope} {}", dy[i]
                );
            }
        }
    }
}

#[test]
fn huge_outputs_stay_finite() {
    for (loss, kind) in every_loss() {
        let exponential = matches!(loss, Loss::Poisson(_) | Loss::GaussianLikelihood(_));
        for size in [800.0, 1e4] {
            let size = if exponential { 300.0 } else { size };
            let y = Matrix::from_fn(OUTPUTS, 4, |i, j| if (i + j) % 3 == 0 { size } else { -size });
            let both = targets(kind, 4, &[0.1, 0.9, 0.4, 0.6, 0.3]);
            let mut dy = Matrix::zeros(OUTPUTS, 4);
            let value =
                loss.evaluate(y.as_view(), either(kind, &both), None, Some(dy.as_view_mut()));
            assert!(value.value.is_finite(), "{loss:?}: {value:?}");
            assert!(dy.iter().all(|d| d.is_finite()), "{loss:?}: {dy}");
        }
    }
}

/// Products with subnormal numbers take a hundred times as long on many processors.
/// Few classes and many, few samples and more than are computed together: each sample has its loss and
/// its derivative to the bit.
#[test]
fn a_batch_has_the_numbers_of_its_samples() {
    for (classes, samples) in [(1, 3), (3, 150), (10, 130), (100, 7), (256, 3), (257, 3), (1000, 2)]
    {
        let y = Matrix::from_fn(classes, samples, |i, j| ((i * 31 + j * 17) % 23) as f32 - 11.0);
        let of_class: Vec<u32> = (0..samples).map(|j| (j * 7 % classes) as u32).collect();
        let values = Matrix::from_fn(classes, samples, |i, j| ((i + j) % 3) as f32);
        let loss = Loss::default();
        for targets in [Targets::Classes(&of_class), Targets::Values(values.as_view())] {
            let (mut dy, mut one) = (Matrix::zeros(classes, samples), Matrix::zeros(classes, 1));
            let whole = loss.sum(y.as_view(), targets, None, Some(dy.as_view_mut()));
            let mut sum = 0.0;
            for j in 0..samples {
                let t = targets.range(j, 1);
                let alone = loss.sum(y.columns(j, 1), t, None, Some(one.as_view_mut()));
                assert_eq!(dy.column(j), one.column(0), "sample {j} of {classes}x{samples}");
                assert_eq!(loss.sum(y.columns(j, 1), t, None, None), alone);
                sum += alone.value;
                let top = y.column(j).max();
                let powers = y.column(j).map(|y| f64::from(y - top).exp());
                let target = |i: usize| match targets {
                    Targets::Classes(classes) => f64::from(u8::from(classes[j] as usize == i)),
                    Targets::Values(t) => t[(i, j)].wide(),
                };
                let all: f64 = (0..classes).map(target).sum();
                for (i, power) in powers.iter().enumerate() {
                    let wanted = all * power / powers.sum() - target(i);
                    assert!((f64::from(one[i]) - wanted).abs() < 3e-7 * all.max(1.0));
                }
            }
            assert_eq!(whole.value, sum, "{classes}x{samples}");
        }
    }
}

#[test]
fn no_derivative_of_cross_entropy_is_subnormal() {
    let y = Matrix::from_fn(101, 1, |i, _| -(i as f32));
    let mut dy = Matrix::zeros(101, 1);
    let targets = Targets::Classes(&[1]);
    let focal = CrossEntropy { focal: 2.0, ..Default::default() };
    Loss::from(focal).evaluate(y.as_view(), targets, None, Some(dy.as_view_mut()));
    assert!(dy.iter().all(|d| !d.is_subnormal()) && dy[60] != 0.0, "{dy}");
    let value = Loss::default().evaluate(y.as_view(), targets, None, Some(dy.as_view_mut()));
    assert!(dy.iter().all(|d| !d.is_subnormal()), "{dy}");
    assert!(dy[70] > 0.0 && dy[90] == 0.0 && (value.value - 1.458_675_1).abs() < 1e-6, "{value:?}");
}

#[test]
fn equal_logits_give_the_logarithm_of_the_number_of_classes() {
    let y = Matrix::from_element(7, 2, 1e4_f32);
    let loss = Loss::default().evaluate(y.as_view(), Targets::Classes(&[3, 6]), None, None);
    assert!((loss.value - 7.0_f64.ln()).abs() < 1e-6);
}

#[test]
fn a_class_is_the_probability_1_of_it() {
    let y = from_rows(&[[0.3, -1.0, 2.0], [1.0, 0.0, -0.5]]);
    let hot = from_rows(&[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
    let loss = CrossEntropy { label_smoothing: 0.1, focal: 2.0, ..Default::default() };
    for loss in [Loss::default(), loss.into()] {
        let (mut a, mut b) = (y.clone(), y.clone());
        let classes = Targets::Classes(&[2, 0]);
        let one = loss.evaluate(y.as_view(), classes, None, Some(a.as_view_mut()));
        let values = Targets::Values(hot.as_view());
        let other = loss.evaluate(y.as_view(), values, None, Some(b.as_view_mut()));
        assert!((one.value - other.value).abs() < 1e-15 && (a - b).abs().max() < 1e-15);
    }
}

#[test]
fn general_cross_entropy_without_options_is_the_plain_one() {
    let y = from_rows(&[[0.3, -1.0, 2.0], [1.0, 0.0, -0.5]]);
    let ones = CrossEntropy { class_weights: Some(vec![1.0; 3]), ..Default::default() };
    let (mut a, mut b) = (y.clone(), y.clone());
    let t = Targets::Classes(&[2, 0]);
    let plain = Loss::default().evaluate(y.as_view(), t, None, Some(a.as_view_mut()));
    let general = Loss::from(ones).evaluate(y.as_view(), t, None, Some(b.as_view_mut()));
    assert!((plain.value - general.value).abs() < 1e-15 && (a - b).abs().max() < 1e-15);
}

#[test]
fn kl_divergence_is_cross_entropy_less_entropy() {
    let y = from_rows(&[[0.3, -1.0, 2.0], [1.0, 0.0, -0.5]]);
    let t = from_rows(&[[0.2, 0.3, 0.5], [0.0, 0.6, 0.4]]);
    let entropy: f64 = t.iter().filter(|&&t| t > 0.0).map(|t| -t * f64::ln(*t)).sum::<f64>() / 2.0;
    let (mut a, mut b) = (y.clone(), y.clone());
    let t = Targets::Values(t.as_view());
    let cross = Loss::default().evaluate(y.as_view(), t, None, Some(a.as_view_mut())).value;
    let kl = Loss::from(KlDivergence {}).evaluate(y.as_view(), t, None, Some(b.as_view_mut()));
    assert!((kl.value - (cross - entropy)).abs() < 1e-15 && (a - b).abs().max() < 1e-15);
}

#[test]
fn one_output_may_have_classes_for_its_binary_cross_entropy() {
    let y = from_rows(&[[0.5], [-2.0]]);
    let t = from_rows(&[[1.0], [0.0]]);
    let loss = Loss::from(BinaryCrossEntropy::default());
    let classes = Targets::Classes(&[1, 0]);
    loss.check(1, classes).unwrap();
    assert_eq!(
        loss.evaluate(y.as_view(), classes, None, None),
        loss.evaluate(y.as_view(), Targets::Values(t.as_view()), None, None)
    );
}

#[test]
fn weights_of_zero_give_zero_and_no_nan() {
    let y = from_rows(&[[0.5, 1.0]]);
    let mut dy = y.clone();
    let t = Targets::Classes(&[1]);
    let loss = Loss::default().evaluate(y.as_view(), t, Some(&[0.0]), Some(dy.as_view_mut()));
    assert_eq!((loss.value, loss.weight), (0.0, 0.0));
    assert!(dy.iter().all(|&d| d == 0.0));
}

#[test]
fn targets_that_do_not_fit_are_refused_and_never_broadcast() {
    let check = |loss: Loss, outputs, targets: Targets<'_, f64>| {
        loss.check(outputs, targets).unwrap_err().to_string()
    };
    let row = from_rows(&[[1.0], [0.0], [1.0]]);
    let column = from_rows(&[[1.0, 0.0, 1.0]]);
    for (loss, kind) in every_loss() {
        if !matches!(kind, Kind::Classes | Kind::Halves) {
            for outputs in [OUTPUTS, 2] {
                // one row against several outputs: what NumPy would broadcast
                let loss = match &loss {
                    Loss::BinaryCrossEntropy(_) => BinaryCrossEntropy::default().into(),
                    Loss::CrossEntropy(_) => Loss::default(),
                    other => other.clone(),
                };
                let text = check(loss, outputs, Targets::Values(row.as_view()));
                assert_eq!(
                    text,
                    format!("the network has {outputs} outputs, the targets have 1 rows")
                );
            }
        }
    }
    let values = Targets::Values(column.as_view());
    assert!(check(MeanSquaredError {}.into(), 1, values).contains("1 outputs, the targets have 3"));
    let classes = Targets::Classes(&[0, 5, 1]);
    assert_eq!(
        check(Loss::default(), 3, classes),
        "the class of sample 1 is 5: with 3 outputs it must be below 3"
    );
    for loss in [Loss::from(MeanSquaredError {}), KlDivergence {}.into(), Poisson::default().into()]
    {
        let name = loss.name();
        assert_eq!(check(loss, 3, classes), format!("{name} needs targets as values, not classes"));
    }
    assert!(check(BinaryCrossEntropy::default().into(), 3, classes).contains("single output"));
    assert!(check(BinaryCrossEntropy::default().into(), 1, classes).contains("is 5"));
    assert!(check(Loss::default(), 1, Targets::Classes(&[0])).contains("two outputs and more"));
    let bad = from_rows(&[[0.0], [2.0]]);
    let bad = Targets::Values(bad.as_view());
    assert_eq!(
        check(BinaryCrossEntropy::default().into(), 1, bad),
        "the target of sample 1, output 0 is 2: binary cross-entropy needs it to be in 0..=1"
    );
    assert!(check(Hinge::default().into(), 1, bad).contains("sample 0, output 0 is 0"));
    let negative = from_rows(&[[-0.5]]);
    let negative = Targets::Values(negative.as_view());
    for loss in [Loss::default(), KlDivergence {}.into(), Poisson::default().into()] {
        assert!(check(loss, 1, negative).contains("at least 0"));
    }
    assert!(check(GaussianLikelihood { full: false }.into(), 3, values).contains("even"));
}

#[test]
fn fields_out_of_range_are_named() {
    let refused = |loss: Loss| loss.validate(2).unwrap_err().to_string();
    let plain = CrossEntropy::default();
    for bad in [-0.1, 1.1, f64::NAN] {
        let text = refused(CrossEntropy { label_smoothing: bad, ..plain.clone() }.into());
        let bound = "it must be in 0..=1";
        assert_eq!(text, format!("label_smoothing of cross-entropy is {bad}: {bound}"));
    }
    for bad in [-0.1, f64::INFINITY, f64::NAN] {
        assert!(refused(CrossEntropy { focal: bad, ..plain.clone() }.into()).starts_with("focal"));
        let weights = Some(vec![1.0, bad]);
        let loss = CrossEntropy { class_weights: weights.clone(), ..plain.clone() };
        assert!(refused(loss.into()).starts_with("class_weights of cross-entropy is"));
        let plain = BinaryCrossEntropy::default();
        let loss = BinaryCrossEntropy { positive_weights: weights.clone(), ..plain.clone() };
        assert!(refused(loss.into()).starts_with("positive_weights"));
        let loss = BinaryCrossEntropy { weights, ..plain };
        assert!(refused(loss.into()).starts_with("weights of binary cross-entropy is"));
    }
    let weights = Some(vec![1.0; 3]);
    assert_eq!(
        refused(CrossEntropy { class_weights: weights, ..plain }.into()),
        "cross-entropy has 3 class_weights for 2 outputs"
    );
    for bad in [0.0, f64::NAN, f64::INFINITY] {
        assert!(refused(Huber { delta: bad }.into()).starts_with("delta of huber"));
        assert!(refused(Poisson { eps: bad, ..Default::default() }.into()).starts_with("eps"));
        assert!(refused(Hinge { margin: bad, squared: false }.into()).starts_with("margin"));
    }
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(refused(SmoothL1 { beta: bad }.into()).starts_with("beta of smooth l1"));
    }
    for bad in [0.0, 1.0, f64::NAN] {
        assert!(refused(Quantile { quantile: bad }.into()).starts_with("quantile"));
    }
    assert!(every_loss().iter().all(|(loss, _)| loss.validate(OUTPUTS).is_ok()));
}

#[test]
fn every_loss_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = every_loss().iter().map(|(l, _)| l.name()).collect();
    let expected = "binary cross-entropy, cross-entropy, gaussian likelihood, hinge, huber, \
        kl divergence, log-cosh, mean absolute error, mean squared error, poisson, quantile, smooth l1";
    assert_eq!(names.into_iter().collect::<Vec<_>>().join(", "), expected);
}
