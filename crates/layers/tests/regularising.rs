//! Dropouts and norms: what they promise, and the faults that others had.

use slalom_layers::*;
use slalom_tensor::{Matrix, Targets, Threads, View};

fn network(layers: impl IntoIterator<Item = LayerSpec>) -> Network<f64> {
    Network::new(4, layers).unwrap()
}

fn inputs(samples: usize) -> Matrix<f64> {
    Matrix::from_fn(4, samples, |i, j| 1.0 + ((i + 4 * j) as f64).sin())
}

/// The outputs of a pass in training or for use.
fn outputs(network: &Network<f64>, params: &[f64], x: View<'_, f64>, mode: Mode) -> Matrix<f64> {
    let threads = Threads::one();
    let mut tape = network.tape(x.ncols());
    network.forward(params, x, &mut tape, &Pass { mode, layer: 0, threads: &threads });
    tape.outputs().into_owned()
}

fn train(seed: u64, step: u64) -> Mode {
    Mode::Train { seed, step }
}

fn dropouts() -> [LayerSpec; 4] {
    [
        Dropout::new(0.3).into(),
        Dropout::classical(0.7).into(),
        GaussianDropout { rate: 0.3 }.into(),
        AlphaDropout { rate: 0.3 }.into(),
    ]
}

#[test]
fn noise_is_a_function_of_seed_step_and_layer() {
    let x = inputs(20);
    for layer in dropouts() {
        let net = network([layer.clone()]);
        let noise = |seed, step| outputs(&net, &[], x.as_view(), train(seed, step));
        let base = noise(1, 1);
        assert_eq!(base, noise(1, 1), "the same again on resume");
        assert_ne!(base, noise(1, 2), "never the same mask twice");
        assert_ne!(base, noise(2, 1));
        // the second of two has noise of its own, also inside of another layer
        let two = network([Activation::Identity.into(), layer.clone()]);
        assert_ne!(base, outputs(&two, &[], x.as_view(), train(1, 1)), "{layer:?}");
        let concat = Concat { layers: vec![layer.clone(), layer.clone()] };
        let nested = network([Dropout::new(0.0).into(), concat.into()]);
        let nested = outputs(&nested, &[], x.as_view(), train(1, 1));
        assert_ne!(nested.rows(4, 4).into_owned(), base);
    }
}

#[test]
fn noise_is_off_for_use() {
    let x = inputs(20);
    for layer in dropouts() {
        let y = outputs(&network([layer.clone()]), &[], x.as_view(), Mode::Predict);
        // the classical form scales by what it keeps
        let scale = if layer == Dropout::classical(0.7).into() { 0.7 } else { 1.0 };
        assert!((y - &x * scale).abs().max() < 1e-15, "{layer:?}");
    }
}

#[test]
fn training_agrees_with_use_in_expectation() {
    let x = inputs(3);
    let steps = 20_000;
    for layer in &dropouts()[..3] {
        let net = network([layer.clone()]);
        let mut mean = Matrix::zeros(4, 3);
        for step in 0..steps {
            mean += outputs(&net, &[], x.as_view(), train(7, step)) / steps as f64;
        }
        let used = outputs(&net, &[], x.as_view(), Mode::Predict);
        // standard deviation of a mean: at most 2·√(0.3/0.7/20000) = 0.0093
        assert!((mean - used).abs().max() < 0.045, "{layer:?}");
    }
}

#[test]
fn gaussian_dropout_has_the_variance_of_dropout() {
    let x = Matrix::from_element(4, 20_000, 1.0);
    let y =
        outputs(&network([GaussianDropout { rate: 0.3 }.into()]), &[], x.as_view(), train(1, 0));
    let variance = y.map(|v| (v - 1.0).powi(2)).mean();
    assert!((variance / (0.3 / 0.7) - 1.0).abs() < 0.03, "{variance}");
}

#[test]
fn alpha_dropout_keeps_mean_0_and_variance_1() {
    // values ±1: mean 0, variance 1
    let x = Matrix::from_fn(4, 20_000, |i, j| if (i + j) % 2 == 0 { 1.0 } else { -1.0 });
    for rate in [0.1, 0.5] {
        let y = outputs(&network([AlphaDropout { rate }.into()]), &[], x.as_view(), train(1, 0));
        let variance = y.map(|v| v * v).mean() - y.mean().powi(2);
        assert!(y.mean().abs() < 0.015 && (variance - 1.0).abs() < 0.03, "{} {variance}", y.mean());
    }
}

#[test]
fn a_rate_of_0_is_the_identity_and_1_is_refused() {
    let x = inputs(5);
    let with = |rate: f64| -> [LayerSpec; 4] {
        [
            Dropout::new(rate).into(),
            Dropout { rate, form: DropoutForm::Classical }.into(),
            GaussianDropout { rate }.into(),
            AlphaDropout { rate }.into(),
        ]
    };
    for layer in with(0.0) {
        assert_eq!(outputs(&network([layer]), &[], x.as_view(), train(3, 3)), x);
    }
    for rate in [1.0, -0.1, 1.5, f64::NAN] {
        for layer in with(rate) {
            let error = Network::<f64>::new(4, [layer]).unwrap_err().to_string();
            let bound = "it must be at least 0 and below 1";
            assert_eq!(error, format!("rate of layer 0 is {rate}: {bound}"));
        }
    }
}

/// Srivastava et al. 2014, §9.1: for a linear unit, squared error and the classical form,
/// E ‖y − (R∘X)w‖² = ‖y − p·Xw‖² + p(1−p)·‖Γw‖² with Γ² = diag XᵀX; the inverted form is the same
/// with w/p for w. The mean gradient over many steps is the gradient of the right-hand side.
#[test]
fn dropout_before_a_linear_unit_is_ridge_regression() {
    let samples = 6;
    let x = inputs(samples);
    let t = Matrix::from_fn(1, samples, |_, j| (j as f64).cos());
    let w = [0.7, -1.1, 0.4, 0.9];
    let (p, steps) = (0.6, 40_000);
    for (layer, p_of_w) in [(Dropout::classical(p), p), (Dropout::new(1.0 - p), 1.0)] {
        let net = network([layer.into(), Dense { bias: false, ..Dense::linear(1) }.into()]);
        let loss = Loss::from(MeanSquaredError {});
        let threads = Threads::one();
        let (mut tape, mut grads) = (net.tape(samples), [0.0; 4]);
        let (mut value, mut gradient) = (0.0, [0.0; 4]);
        for step in 0..steps {
            let pass = Pass { mode: train(11, step), layer: 0, threads: &threads };
            net.forward(&w, x.as_view(), &mut tape, &pass);
            let (y, dy) = tape.ends();
            value += loss.sum(y, Targets::Values(t.as_view()), None, Some(dy)).value / steps as f64;
            net.backward(&w, x.as_view(), &mut tape, &mut grads, &pass);
            gradient.iter_mut().zip(grads).for_each(|(m, g)| *m += g / steps as f64);
        }
        // w̃ is what meets the masks of zeros and ones: w, or w/p where kept inputs are divided by p
        let inner = p_of_w / p;
        let wt = w.map(|w| w * inner);
        let fit = |j: usize| (0..4).map(|i| p * wt[i] * x[(i, j)]).sum::<f64>() - t[(0, j)];
        let gamma = |i: usize| x.row(i).iter().map(|x| x * x).sum::<f64>();
        let ridge: f64 = (0..4).map(|i| gamma(i) * wt[i] * wt[i]).sum();
        let expected = (0..samples).map(|j| fit(j).powi(2)).sum::<f64>() + p * (1.0 - p) * ridge;
        assert!((value / expected - 1.0).abs() < 0.02, "{value} for {expected}");
        for (i, found) in gradient.into_iter().enumerate() {
            let by_fit: f64 = (0..samples).map(|j| 2.0 * fit(j) * p * x[(i, j)]).sum();
            let expected = inner * (by_fit + 2.0 * p * (1.0 - p) * gamma(i) * wt[i]);
            assert!(
                (found - expected).abs() < 0.02 * expected.abs().max(2.0),
                "{found} for {expected}"
            );
        }
    }
}

#[test]
fn batch_norm_normalises_the_batch_and_follows_it() {
    let x = Matrix::from_fn(4, 50, |i, j| 10.0 * i as f64 + (i + 1) as f64 * (j as f64).sin());
    let net = network([BatchNorm { momentum: 0.2, eps: 1e-12, cumulative: false }.into()]);
    let mut params = net.init(0);
    let threads = Threads::one();
    let pass = Pass { mode: train(0, 0), layer: 0, threads: &threads };
    let mut tape = net.tape(50);
    net.forward(&params, x.as_view(), &mut tape, &pass);
    for row in tape.outputs().row_iter() {
        assert!(row.mean().abs() < 1e-12);
        assert!((row.map(|v| v * v).mean() - 1.0).abs() < 1e-9);
    }
    // until the statistics have followed, use differs; in the end it is the batch's
    let before = net.predict(&params, x.as_view(), &threads).unwrap();
    for _ in 0..200 {
        net.forward(&params, x.as_view(), &mut tape, &pass);
        net.settle(&mut params, &tape);
    }
    let after = net.predict(&params, x.as_view(), &threads).unwrap();
    assert!((&after - tape.outputs()).abs().max() < 0.03 && (before - after).abs().max() > 1.0);
    let running = net.part("0.running_variance", &params).unwrap();
    let (n, row) = (50.0, x.row(2));
    let unbiased = row.map(|v| (v - row.mean()).powi(2)).sum() / (n - 1.0);
    assert!((running[2] - unbiased).abs() < 1e-9 * unbiased);
    // a prediction is of each sample by itself
    let alone = net.predict(&params, x.columns(7, 1), &threads).unwrap();
    assert_eq!(alone.column(0), net.predict(&params, x.as_view(), &threads).unwrap().column(7));
}

#[test]
fn cumulative_batch_norm_follows_the_mean_over_all_batches() {
    let layer = BatchNorm { cumulative: true, momentum: 0.7, ..BatchNorm::default() };
    let net = network([layer.into()]);
    assert_eq!(net.block("0.batches").unwrap().shape, (1, 1));
    let mut params = net.init(0);
    let threads = Threads::one();
    let pass = Pass { mode: train(0, 0), layer: 0, threads: &threads };
    let mut tape = net.tape(2);
    for (k, mean) in [(1.0, 1.0), (2.0, 1.5), (6.0, 3.0)] {
        let x = Matrix::from_fn(4, 2, |_, j| k + [-k, k][j]);
        net.forward(&params, x.as_view(), &mut tape, &pass);
        net.settle(&mut params, &tape);
        assert!((params[8] - mean).abs() < 1e-15, "{} for {mean}", params[8]);
    }
    // unbiased variances of two samples: 2, 8 and 72
    assert!((params[15] - 82.0 / 3.0).abs() < 1e-13 && params[16] == 3.0, "{params:?}");
    let x = inputs(2);
    let y = net.predict(&params, x.as_view(), &threads).unwrap();
    let wanted = (x[(0, 0)] - 3.0) / (82.0_f64 / 3.0 + 1e-5).sqrt();
    assert!((y[(0, 0)] - wanted).abs() < 1e-14);
}

#[test]
fn batch_norm_of_one_sample_is_its_shift() {
    let net = network([BatchNorm::default().into()]);
    let mut params = net.init(0);
    params[4..8].fill(0.5);
    let threads = Threads::one();
    let mut tape = net.tape(1);
    let x = inputs(1);
    let pass = Pass { mode: train(0, 0), layer: 0, threads: &threads };
    net.forward(&params, x.as_view(), &mut tape, &pass);
    assert!(tape.outputs().iter().all(|&y| y == 0.5));
    net.settle(&mut params, &tape);
    assert!(params.iter().all(|v| v.is_finite()));
}

#[test]
fn layer_norm_is_of_each_sample_by_itself() {
    let net = network([LayerNorm { eps: 1e-12 }.into()]);
    let (params, x) = (net.init(0), inputs(6));
    let y = outputs(&net, &params, x.as_view(), train(0, 0));
    for (j, column) in y.column_iter().enumerate() {
        assert!(column.mean().abs() < 1e-12 && (column.norm_squared() / 4.0 - 1.0).abs() < 1e-9);
        assert_eq!(column, outputs(&net, &params, x.columns(j, 1), Mode::Predict).column(0));
    }
}

#[test]
fn fields_of_norms_are_checked() {
    for eps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for layer in
            [LayerSpec::from(BatchNorm { eps, ..Default::default() }), LayerNorm { eps }.into()]
        {
            let error = Network::<f64>::new(4, [layer]).unwrap_err().to_string();
            assert_eq!(error, format!("eps of layer 0 is {eps}: it must be finite and above 0"));
        }
    }
    for momentum in [-0.1, 1.1, f64::NAN] {
        let layer = BatchNorm { momentum, ..Default::default() };
        assert!(
            Network::<f64>::new(4, [layer.into()]).unwrap_err().to_string().contains("momentum")
        );
    }
}
