//! The forms that Keras and optax give to rules, against the values in their own tests and
//! documentation.

use slalom_optim::{AdaDelta, AdaGrad, Adam, AdamW, Block, NAdam, Optimizer, RmsProp, Rule, Sgd};

/// Keras's tests of optimizers (keras `src/optimizers/*_test.py`): ten ones, the gradient .01 and
/// then four times .1, .2, … 1; gives the first and the last parameter after each step.
fn keras(rule: impl Into<Rule>, rate: f64) -> [[f64; 2]; 5] {
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..10)], None).unwrap();
    let mut x = [1.0; 10];
    let rising: Vec<f64> = (1..=10).map(|i| f64::from(i) / 10.0).collect();
    std::array::from_fn(|step| {
        opt.step(rate, &mut x, if step == 0 { &[0.01; 10] } else { &rising }).unwrap();
        [x[0], x[9]]
    })
}

#[track_caller]
fn agree(found: [[f64; 2]; 5], wanted: [[f64; 2]; 5]) {
    for (found, wanted) in found.as_flattened().iter().zip(wanted.as_flattened()) {
        assert!((found - wanted).abs() < 5e-4, "{found:?} is not {wanted:?}"); // Keras's own bound
    }
}

#[test]
fn keras_sgd() {
    let wanted =
        [[0.9999; 2], [0.9989, 0.9899], [0.9979, 0.9799], [0.9969, 0.9699], [0.9959, 0.9599]];
    agree(keras(Sgd::default(), 0.01), wanted);
}

#[test]
fn keras_adagrad() {
    let rule = AdaGrad { initial_accumulator: 0.3, eps: 0.0, eps_root: 1e-6, lr_decay: 0.0 };
    let wanted =
        [[0.9963; 2], [0.9604, 0.8209], [0.9251, 0.6891], [0.8903, 0.5790], [0.8560, 0.4825]];
    agree(keras(rule, 0.2), wanted);
}

#[test]
fn keras_rmsprop() {
    let rule =
        RmsProp { alpha: 0.9, eps: 0.0, eps_root: 1e-7, centered: true, ..RmsProp::default() };
    agree(keras(rule, 0.001), [0.9967, 0.9933, 0.9908, 0.9885, 0.9864].map(|x| [x; 2]));
}

#[test]
fn keras_amsgrad() {
    let rule = Adam { eps: 1e-7, eps_hat: true, amsgrad: true, ..Adam::default() };
    agree(keras(rule, 0.001), [0.9990, 0.9982, 0.9974, 0.9965, 0.9955].map(|x| [x; 2]));
}

#[test]
fn keras_adamw() {
    let adam = Adam { eps: 2.0, eps_hat: true, ..Adam::default() };
    let wanted =
        [[0.4998; 2], [0.2486, 0.2382], [0.1223, 0.1003], [0.0586, 0.0258], [0.0263, -0.0159]];
    agree(keras(AdamW { adam, decay: 0.5 }, 1.0), wanted);
}

#[test]
fn keras_nadam() {
    let rule = NAdam { beta1: 0.5, beta2: 0.67, eps: 1e-5, momentum_decay: 1.0 };
    let wanted = [
        [0.4281; 2],
        [-0.1738, -0.1717],
        [-0.7115, -0.7084],
        [-1.2335, -1.2299],
        [-1.7492, -1.7454],
    ];
    agree(keras(rule, 0.5), wanted);
}

/// optax's documentation: Σx² from (1, 2, 3) after each of five steps, in three digits.
#[track_caller]
fn optax(rule: impl Into<Rule>, rate: f64, wanted: [f64; 5], half_a_digit: f64) {
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..3)], None).unwrap();
    let mut x = [1.0, 2.0, 3.0];
    for wanted in wanted {
        let grads = x.map(|x| 2.0 * x);
        opt.step(rate, &mut x, &grads).unwrap();
        let found: f64 = x.iter().map(|x| x * x).sum();
        assert!((found - wanted).abs() <= half_a_digit * 1.01, "{found} is not {wanted}");
    }
}

#[test]
fn optax_examples() {
    optax(Sgd::default(), 0.003, [13.8, 13.7, 13.5, 13.3, 13.2], 0.05);
    let adagrad = AdaGrad { initial_accumulator: 0.1, eps: 0.0, eps_root: 1e-7, lr_decay: 0.0 };
    optax(adagrad, 1.0, [5.01, 2.40, 1.25, 0.686, 0.385], 0.005);
    optax(Adam::default(), 0.003, [14.0, 13.9, 13.9, 13.9, 13.8], 0.05);
    let rmsprop = RmsProp { alpha: 0.9, eps: 0.0, eps_root: 1e-8, ..RmsProp::default() };
    optax(rmsprop, 0.003, [13.9, 13.8, 13.7, 13.7, 13.6], 0.05);
    optax(AdaDelta::default(), 10.0, [13.6, 13.2, 12.9, 12.5, 12.1], 0.05);
}
