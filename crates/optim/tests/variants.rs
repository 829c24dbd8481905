//! The forms that Keras and optax give to rules, against the values in their own tests and
//! documentation, and against the equations written out.

use slalom_optim::{
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, Asgd, Block, Lars, NAdam, Optimizer, RAdam, RmsProp,
    Rprop, Rule, Sgd, Yogi,
};

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

/// Runs a rule beside its equations, at rates that change, on gradients of either sign.
#[track_caller]
fn beside(rule: impl Into<Rule>, mut equations: impl FnMut(i32, f64, f64, f64) -> f64) {
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..1)], None).unwrap();
    let (mut x, mut wanted) = ([0.7], 0.7);
    for t in 1..=30 {
        let (rate, g) = (0.1 / f64::from(t), (f64::from(t) * 1.3).sin() + 0.1);
        opt.step(rate, &mut x, &[g]).unwrap();
        wanted = equations(t, rate, wanted, g);
        assert!((x[0] - wanted).abs() < 1e-13, "step {t}: {} is not {wanted}", x[0]);
    }
}

#[test]
fn a_velocity_of_steps_keeps_the_old_rate() {
    let rule = Sgd { momentum: 0.8, dampening: 0.3, rate_inside: true, ..Sgd::default() };
    let mut b = 0.0;
    beside(rule, |t, rate, x, g| {
        b = 0.8 * b + if t == 1 { 1.0 } else { 0.7 } * rate * g;
        x - b
    });
    let rule = Sgd { momentum: 0.8, nesterov: true, rate_inside: true, ..Sgd::default() };
    let mut b = 0.0;
    beside(rule, |_, rate, x, g| {
        b = 0.8 * b + rate * g;
        x - (rate * g + 0.8 * b)
    });
}

#[test]
fn every_form_of_rmsprop() {
    for (centered, momentum, nesterov, rate_inside, bias_correction) in [
        (false, 0.0, false, false, true),
        (true, 0.0, false, true, true),
        (false, 0.7, true, false, false),
        (false, 0.7, false, true, true),
        (true, 0.7, true, true, false),
        (true, 0.7, false, false, true),
    ] {
        let (alpha, eps, eps_root, initial) = (0.8, 1e-2, 1e-3, 0.4);
        let rule = RmsProp {
            alpha,
            eps,
            eps_root,
            centered,
            momentum,
            nesterov,
            rate_inside,
            initial,
            bias_correction,
        };
        let (mut v, mut mean, mut b) = (initial, 0.0, 0.0);
        beside(rule, |t, rate, x, g| {
            v = alpha * v + 0.2 * g * g;
            mean = alpha * mean + 0.2 * g;
            let c = if bias_correction { 1.0 - alpha.powi(t) } else { 1.0 };
            let center = if centered { mean / c } else { 0.0 };
            let u = g / (((v / c - center * center).max(0.0) + eps_root).sqrt() + eps);
            let (inside, outside) = if rate_inside { (rate, 1.0) } else { (1.0, rate) };
            b = momentum * b + inside * u;
            x - outside * if nesterov { inside * u + momentum * b } else { b }
        });
    }
}

#[test]
fn every_form_of_adam() {
    for (amsgrad, max_corrected, nesterov, eps_hat) in [
        (true, true, false, false),
        (true, false, true, false),
        (false, false, true, true),
        (true, true, true, true),
    ] {
        let (beta1, beta2, eps, eps_root) = (0.8, 0.6, 1e-2, 1e-3);
        let rule = Adam { beta1, beta2, eps, eps_root, eps_hat, amsgrad, max_corrected, nesterov };
        let (mut m, mut v, mut largest) = (0.0, 0.0, 0.0_f64);
        beside(rule, |t, rate, x, g| {
            m = 0.8 * m + 0.2 * g;
            v = 0.6 * v + 0.4 * g * g;
            let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.6_f64.powi(t));
            let next = 1.0 - 0.8_f64.powi(t + 1);
            let mean = if nesterov { 0.8 * m / next + 0.2 * g / c1 } else { m / c1 };
            let square = match (amsgrad, max_corrected) {
                (false, _) => v / c2,
                (true, true) => {
                    largest = largest.max(v / c2);
                    largest
                }
                (true, false) => {
                    largest = largest.max(v);
                    largest / c2
                }
            };
            let eps = if eps_hat { eps / c2.sqrt() } else { eps };
            x - rate * mean / ((square + eps_root).sqrt() + eps)
        });
    }
}

#[test]
fn adamax_with_its_eps_outside() {
    let (mut m, mut u) = (0.0, 0.0_f64);
    let rule = Adamax { beta1: 0.8, beta2: 0.9, eps: 1e-2, eps_outside: true };
    beside(rule, |t, rate, x, g| {
        m = 0.8 * m + 0.2 * g;
        u = (0.9 * u).max(g.abs());
        x - rate * m / ((1.0 - 0.8_f64.powi(t)) * (u + 1e-2))
    });
}

#[test]
fn radam_on_both_sides_of_its_threshold() {
    let (mut m, mut v) = (0.0, 0.0);
    let mut sides = [0, 0];
    beside(RAdam { beta1: 0.8, beta2: 0.9, eps: 1e-2 }, |t, rate, x, g| {
        m = 0.8 * m + 0.2 * g;
        v = 0.9 * v + 0.1 * g * g;
        let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.9_f64.powi(t));
        let (end, rho) = (19.0, 19.0 - 2.0 * f64::from(t) * 0.9_f64.powi(t) / c2);
        sides[usize::from(rho > 5.0)] += 1;
        if rho <= 5.0 {
            return x - rate * m / c1;
        }
        let r = ((rho - 4.0) * (rho - 2.0) * end / ((end - 4.0) * (end - 2.0) * rho)).sqrt();
        x - rate * r * m / c1 * c2.sqrt() / (v.sqrt() + 1e-2)
    });
    assert!(sides[0] > 2 && sides[1] > 2);
}

#[test]
fn asgd_and_its_average() {
    let rule = Asgd { lambda: 0.1, alpha: 0.6, t0: 3.0 };
    beside(rule, |t, rate, x, g| {
        let eta = rate / (1.0 + 0.1 * rate * f64::from(t - 1)).powf(0.6);
        x * (1.0 - 0.1 * eta) - eta * g
    });
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..1)], None).unwrap();
    let (mut x, mut average) = ([1.0], 0.0);
    for t in 1..=9 {
        opt.step(0.1, &mut x, &[1.0]).unwrap();
        average += (x[0] - average) / f64::max(1.0, f64::from(t - 1) - 3.0);
        assert!((opt.state().slots[0][0] - average).abs() < 1e-14, "step {t}");
    }
}

#[test]
fn rprop_forgets_a_gradient_that_turned() {
    let rule = Rprop { shrink: 0.5, grow: 1.5, smallest: 0.02, largest: 0.12 };
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..1)], None).unwrap();
    let mut x = [0.0];
    let mut moved = |g: f64| {
        let before = x[0];
        opt.step(0.1, &mut x, &[g]).unwrap();
        ((x[0] - before) * 1e9).round() / 1e9
    };
    assert_eq!(moved(1.0), -0.1);
    assert_eq!(moved(1.0), -0.12); // 0.15, bounded
    assert_eq!(moved(-1.0), 0.0); // turned: 0.06, forgotten
    assert_eq!(moved(-1.0), 0.06);
    assert_eq!(moved(1e-200), 0.0); // 0.03
    assert_eq!(moved(1e-200), -0.03);
    assert_eq!(moved(-1e-200), 0.0); // 0.015, bounded
    assert_eq!(moved(0.0), 0.0);
    assert_eq!(moved(5.0), -0.02);
}

#[test]
fn yogi_starts_where_it_is_told() {
    let (mut m, mut v) = (0.3, 0.5);
    let rule = Yogi {
        beta1: 0.8,
        beta2: 0.7,
        eps: 1e-2,
        eps_root: 1e-3,
        initial_mean: 0.3,
        initial_variance: 0.5,
    };
    beside(rule, |t, rate, x, g| {
        m = 0.8 * m + 0.2 * g;
        v -= 0.3 * f64::signum(v - g * g) * g * g;
        let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.7_f64.powi(t));
        x - rate * m / c1 / ((v / c2 + 1e-3).sqrt() + 1e-2)
    });
}

#[test]
fn trust_can_leave_exempt_blocks_out() {
    let moved = |skip_exempt| {
        let rule = Lars { momentum: 0.0, trust_coefficient: 0.5, skip_exempt, ..Lars::default() };
        let exempt = Block { exempt: true, ..Block::new("bias", 1..2) };
        let mut opt =
            Optimizer::<f64>::new(rule, vec![Block::new("w", 0..1), exempt], None).unwrap();
        let mut x = [4.0, 4.0];
        opt.step(0.1, &mut x, &[8.0, 8.0]).unwrap();
        x.map(|x| ((4.0 - x) * 1e9).round() / 1e9)
    };
    assert_eq!(moved(false), [0.2, 0.2]);
    assert_eq!(moved(true), [0.2, 0.8]);
}
