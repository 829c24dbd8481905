//! The step that computes the gradient chunk by chunk has the bits of the step that has it whole.

use slalom_layers::{Activation, Dense, Dropout, MeanSquaredError, Network};
use slalom_optim::{Clip, Sgd};
use slalom_regularize::Penalty;
use slalom_tensor::{Matrix, Samples, Scalar, Targets, Threads};
use slalom_tests::rules;
use slalom_train::{Batch, Config, Run};

/// The parameters after some steps, and the norm of each step's gradient.
fn trained<F: Scalar>(config: &Config, clip: Option<Clip>, threads: usize) -> (Vec<F>, Vec<f64>) {
    let size = |i: usize, j: usize| ((i * 37 + j * 101) % 64) as f64 / 64.0;
    let x = Matrix::from_fn(90, 100, |i, j| F::of(size(i, j)));
    let classes: Vec<u32> = (0..100).map(|j| (j * 7 % 10) as u32).collect();
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let layers = [
        Dense::new(150, Activation::Relu).into(),
        Dropout::new(0.3).into(),
        Dense::new(70, Activation::Tanh).into(),
        Dense::linear(10).into(),
    ];
    let network = Network::<F>::new(90, layers).unwrap().freeze("2.bias").unwrap();
    let config = Config { clip, rate: 1e-3.into(), ..config.clone() };
    let mut run = Run::new(network, config, Threads::new(threads).unwrap()).unwrap();
    let norms = (0..4).filter_map(|_| run.step(samples).unwrap()).map(|step| step.norm).collect();
    (run.params().to_vec(), norms)
}

/// Clipping by a norm that is never reached changes nothing, but needs the whole gradient first.
const WHOLE: Option<Clip> = Some(Clip::GlobalNorm(1e30));

/// The norms are sums over other pieces: theirs may differ in the last bits.
fn check<F: Scalar>(config: &Config, threads: usize) {
    let (found, norms) = trained::<F>(config, None, threads);
    let (wanted, whole) = trained::<F>(config, WHOLE, 1);
    if own_kernels() {
        assert!(found == wanted, "{config:?}, {threads} threads, {}", F::NAME);
    } else {
        // products through `gemm`, whose order of addition depends on the part
        let near = |(a, b): (&F, &F)| (a.wide() - b.wide()).abs() < 1e-4;
        assert!(found.iter().zip(&wanted).all(near), "{config:?}");
    }
    for (norm, whole) in norms.iter().zip(&whole) {
        assert!((norm / whole - 1.0).abs() < 1e-6, "{config:?}: {norm} {whole}");
    }
}

fn own_kernels() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn every_rule_moves_as_with_the_whole_gradient() {
    for rule in rules() {
        for batch in [1, 20, 80] {
            let batch = Batch::Size(batch);
            let config = Config { rule: rule.clone(), batch, ..Config::default() };
            check::<f32>(&config, 1);
            check::<f32>(&config, 2);
            check::<f64>(&config, 2);
        }
    }
}

#[test]
fn penalties_and_decay_and_bounds_for_each_number_too() {
    let penalty = Penalty { l1: 1e-3, l2: 1e-2 };
    for config in [
        Config { penalty, batch: Batch::Size(64), ..Config::default() },
        Config { decay: 0.1, batch: Batch::Size(64), ..Config::default() },
    ] {
        check::<f32>(&config, 2);
    }
}

/// Gradients whose squares may overflow are looked at as a whole first.
#[test]
fn a_gradient_beyond_the_bound_is_seen_first() {
    let x = Matrix::from_element(100, 8, 1e25_f32);
    let samples = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 0, 1, 0, 1, 0, 1])).unwrap();
    let step = |clip| {
        let network = Network::<f32>::new(100, [Dense::linear(50).into()]).unwrap();
        let config = Config { rule: Sgd::default().into(), clip, ..Config::default() };
        let mut run = Run::new(network, config, Threads::one()).unwrap();
        let step = run.update(samples).unwrap();
        (run.params().to_vec(), step.norm)
    };
    let (found, norm) = step(None);
    assert!(norm.is_finite() && norm > 1e24, "{norm}");
    assert!((found, norm) == step(WHOLE));
}

/// What is not finite stops the run before any parameter has moved.
#[test]
fn an_infinite_gradient_moves_nothing() {
    let x = Matrix::from_element(100, 4, 3e38_f32);
    let values = Matrix::from_element(50, 4, 0.0_f32);
    let samples = Samples::new(x.as_view(), Targets::Values(values.as_view())).unwrap();
    let network = Network::<f32>::new(100, [Dense::linear(50).into()]).unwrap();
    let mut params = vec![0.0; network.len()];
    params[5000..].fill(1e3); // biases: outputs of 1000, each derivative some 2000/50
    let loss = MeanSquaredError::default().into();
    let config = Config { loss, rule: Sgd::default().into(), ..Config::default() };
    let mut run = Run::with_params(network, params.clone(), config, Threads::one()).unwrap();
    let error = run.update(samples).unwrap_err().to_string();
    assert!(error.contains("0.weight"), "{error}");
    assert_eq!(run.params(), params);
}

/// Of a large batch more columns are computed at a time: the room for them has to grow.
#[test]
fn a_larger_batch_may_follow_a_smaller_one() {
    let x = Matrix::from_fn(1300, 256, |i, j| ((i * 37 + j * 101) % 64) as f32 / 64.0);
    let classes: Vec<u32> = (0..256).map(|j| (j * 7 % 1024) as u32).collect();
    let trained = |clip, threads| {
        let network = Network::<f32>::new(1300, [Dense::linear(1024).into()]).unwrap();
        let config = Config { rule: Sgd::default().into(), clip, ..Config::default() };
        let mut run = Run::new(network, config, Threads::new(threads).unwrap()).unwrap();
        for count in [32, 256] {
            let targets = Targets::Classes(&classes[..count]);
            run.update(Samples::new(x.columns(0, count), targets).unwrap()).unwrap();
        }
        run.params().to_vec()
    };
    let (found, wanted) = (trained(None, 2), trained(WHOLE, 1));
    let near = |(a, b): (&f32, &f32)| a == b || (!own_kernels() && (a - b).abs() < 1e-4);
    assert!(found.iter().zip(&wanted).all(near));
}
