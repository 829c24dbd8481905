//! Rules beside their equations written out, with every setting away from its default.

use slalom_optim::{
    AdaBelief, AdaGrad, Adam, Adamax, Adan, Asgd, Block, Lamb, Lars, Lion, NAdam, Optimizer, RAdam,
    RmsProp, Rprop, Rule, Sgd, State, Yogi,
};

/// Runs a rule beside its equations, at rates that change, on gradients of either sign; gives what
/// the rule remembers in the end.
#[track_caller]
fn beside(
    rule: impl Into<Rule>,
    mut equations: impl FnMut(i32, f64, f64, f64) -> f64,
) -> State<f64> {
    let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("x", 0..1)], None).unwrap();
    let (mut x, mut wanted) = ([0.7], 0.7);
    for t in 1..=30 {
        let (rate, g) = (0.1 / f64::from(t), (f64::from(t) * 1.3).sin() + 0.1);
        opt.step(rate, &mut x, &[g]).unwrap();
        wanted = equations(t, rate, wanted, g);
        assert!((x[0] - wanted).abs() < 1e-13, "step {t}: {} is not {wanted}", x[0]);
    }
    opt.state().clone()
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
        let state = beside(rule, |t, rate, x, g| {
            v = alpha * v + 0.2 * g * g;
            mean = alpha * mean + 0.2 * g;
            let c = if bias_correction { 1.0 - alpha.powi(t) } else { 1.0 };
            let center = if centered { mean / c } else { 0.0 };
            let u = g / (((v / c - center * center).max(0.0) + eps_root).sqrt() + eps);
            let (inside, outside) = if rate_inside { (rate, 1.0) } else { (1.0, rate) };
            b = momentum * b + inside * u;
            x - outside * if nesterov { inside * u + momentum * b } else { b }
        });
        assert!(!centered || (state.slots[1][0] - mean).abs() < 1e-14);
    }
}

#[test]
fn every_form_of_adam() {
    for (amsgrad, max_corrected, nesterov, eps_hat, [correct_mean, correct_variance]) in [
        (true, true, false, false, [true, true]),
        (true, false, true, false, [true, true]),
        (false, false, true, true, [true, true]),
        (true, true, true, true, [true, true]),
        (true, true, false, false, [false, true]),
        (true, false, true, true, [true, false]),
        (false, false, true, false, [false, false]),
        (true, true, false, false, [false, false]),
    ] {
        let (beta1, beta2, eps, eps_root) = (0.8, 0.6, 1e-2, 1e-3);
        let adam = Adam { beta1, beta2, eps, eps_root, eps_hat, amsgrad, ..Adam::default() };
        let rule = Adam { max_corrected, nesterov, correct_mean, correct_variance, ..adam };
        let (mut m, mut v, mut largest) = (0.0, 0.0, 0.0_f64);
        beside(rule, |t, rate, x, g| {
            m = 0.8 * m + 0.2 * g;
            v = 0.6 * v + 0.4 * g * g;
            let c1 = if correct_mean { 1.0 - 0.8_f64.powi(t) } else { 1.0 };
            let c2 = if correct_variance { 1.0 - 0.6_f64.powi(t) } else { 1.0 };
            let next = if correct_mean { 1.0 - 0.8_f64.powi(t + 1) } else { 1.0 };
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
    beside(RAdam { beta1: 0.8, beta2: 0.9, eps: 1e-2, ..RAdam::default() }, |t, rate, x, g| {
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
fn radam_with_the_options_of_optax() {
    for (eps_hat, nesterov) in [(false, false), (false, true), (true, true)] {
        let (beta1, beta2, eps, eps_root, threshold) = (0.8, 0.9, 1e-2, 1e-3, 7.5);
        let rule = RAdam { beta1, beta2, eps, eps_root, eps_hat, threshold, nesterov };
        let (mut m, mut v, mut sides) = (0.0, 0.0, [0, 0]);
        beside(rule, |t, rate, x, g| {
            m = 0.8 * m + 0.2 * g;
            v = 0.9 * v + 0.1 * g * g;
            let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.9_f64.powi(t));
            let next = 1.0 - 0.8_f64.powi(t + 1);
            let mean = if nesterov { 0.8 * m / next + 0.2 * g / c1 } else { m / c1 };
            let (end, rho) = (19.0, 19.0 - 2.0 * f64::from(t) * 0.9_f64.powi(t) / c2);
            sides[usize::from(rho > threshold)] += 1;
            if rho <= threshold {
                return x - rate * mean;
            }
            let r = ((rho - 4.0) * (rho - 2.0) * end / ((end - 4.0) * (end - 2.0) * rho)).sqrt();
            let eps = if eps_hat { eps / c2.sqrt() } else { eps };
            x - rate * r * mean / ((v / c2 + eps_root).sqrt() + eps)
        });
        assert!(sides[0] > 2 && sides[1] > 2);
    }
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

#[test]
fn adagrad_at_a_rate_that_decays() {
    let mut s = 0.3;
    let rule = AdaGrad { initial_accumulator: 0.3, eps: 1e-2, eps_root: 1e-3, lr_decay: 0.7 };
    beside(rule, |t, rate, x, g| {
        s += g * g;
        x - rate / (1.0 + 0.7 * f64::from(t - 1)) * g / ((s + 1e-3).sqrt() + 1e-2)
    });
}

#[test]
fn nadam_whose_momentum_warms_up() {
    let (mut m, mut v, mut product) = (0.0, 0.0, 1.0);
    beside(NAdam { beta1: 0.8, beta2: 0.7, eps: 1e-2, momentum_decay: 0.5 }, |t, rate, x, g| {
        let mu = |t: i32| 0.8 * (1.0 - 0.5 * 0.96_f64.powf(f64::from(t) * 0.5));
        m = 0.8 * m + 0.2 * g;
        v = 0.7 * v + 0.3 * g * g;
        product *= mu(t);
        let mean =
            mu(t + 1) * m / (1.0 - product * mu(t + 1)) + (1.0 - mu(t)) * g / (1.0 - product);
        x - rate * mean / ((v / (1.0 - 0.7_f64.powi(t))).sqrt() + 1e-2)
    });
}

#[test]
fn adabelief_with_large_constants() {
    for nesterov in [false, true] {
        let (mut m, mut s) = (0.0, 0.0);
        let rule = AdaBelief { beta1: 0.8, beta2: 0.7, eps: 1e-2, eps_root: 1e-3, nesterov };
        beside(rule, |t, rate, x, g| {
            m = 0.8 * m + 0.2 * g;
            s = 0.7 * s + 0.3 * (g - m) * (g - m) + 1e-3;
            let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.7_f64.powi(t));
            let next = 1.0 - 0.8_f64.powi(t + 1);
            let mean = if nesterov { 0.8 * m / next + 0.2 * g / c1 } else { m / c1 };
            x - rate * mean / ((s / c2).sqrt() + 1e-2)
        });
    }
}

#[test]
fn lion_weighs_the_gradient_twice() {
    let mut m: f64 = 0.0;
    let state = beside(Lion { beta1: 0.6, beta2: 0.8 }, |_, rate, x, g| {
        let step = rate * (0.6 * m + 0.4 * g).signum();
        m = 0.8 * m + 0.2 * g;
        x - step
    });
    assert!((state.slots[0][0] - m).abs() < 1e-14);
}

#[test]
fn adan_averages_gradients_differences_and_squares() {
    let (mut m, mut v, mut n, mut before) = (0.0, 0.0, 0.0, None);
    let rule = Adan { beta1: 0.8, beta2: 0.6, beta3: 0.7, eps: 1e-2, eps_root: 1e-3 };
    beside(rule, |t, rate, x, g| {
        let d = g - before.replace(g).unwrap_or(g);
        m = 0.8 * m + 0.2 * g;
        v = 0.6 * v + 0.4 * d;
        n = 0.7 * n + 0.3 * (g + 0.4 * d) * (g + 0.4 * d);
        let [c1, c2, c3] = [0.8_f64, 0.6, 0.7].map(|beta| 1.0 - beta.powi(t));
        x - rate * (m / c1 + 0.4 * v / c2) / ((n / c3 + 1e-3).sqrt() + 1e-2)
    });
}

#[test]
fn lars_divides_by_the_norm_of_the_gradient_and_its_eps() {
    for nesterov in [false, true] {
        let rule =
            Lars { momentum: 0.8, nesterov, trust_coefficient: 0.5, eps: 0.3, skip_exempt: false };
        let mut b = 0.0;
        beside(rule, |_, rate, x, g| {
            let u = rate * 0.5 * x.abs() / (g.abs() + 0.3) * g;
            b = 0.8 * b + u;
            x - if nesterov { u + 0.8 * b } else { b }
        });
    }
}

#[test]
fn lamb_scales_a_block_by_its_norms_decay_included() {
    let rule = Lamb { beta1: 0.8, beta2: 0.7, eps: 1e-2, eps_root: 1e-3, skip_exempt: false };
    let block = Block { decay: 0.3, ..Block::new("x", 0..2) };
    let mut opt = Optimizer::<f64>::new(rule, vec![block], None).unwrap();
    let (mut x, mut wanted, mut m, mut v) = ([0.7, -0.2], [0.7, -0.2], [0.0; 2], [0.0; 2]);
    for t in 1..=30 {
        let (rate, g) = (0.1 / f64::from(t), [1.3, 2.9].map(|f| (f64::from(t) * f).sin() + 0.1));
        opt.step(rate, &mut x, &g).unwrap();
        let (c1, c2) = (1.0 - 0.8_f64.powi(t), 1.0 - 0.7_f64.powi(t));
        let direction: [f64; 2] = std::array::from_fn(|i| {
            m[i] = 0.8 * m[i] + 0.2 * g[i];
            v[i] = 0.7 * v[i] + 0.3 * g[i] * g[i];
            m[i] / c1 / ((v[i] / c2 + 1e-3).sqrt() + 1e-2) + 0.3 * wanted[i]
        });
        let trust = f64::hypot(wanted[0], wanted[1]) / f64::hypot(direction[0], direction[1]);
        for i in 0..2 {
            wanted[i] -= rate * trust * direction[i];
            assert!((x[i] - wanted[i]).abs() < 1e-13, "step {t}: {x:?} is not {wanted:?}");
        }
    }
}

#[test]
fn a_proximal_step_does_not_enter_the_norm_of_a_direction() {
    let rule = Lars { momentum: 0.0, trust_coefficient: 0.5, ..Lars::default() };
    let block = Block { proximal: 0.5, ..Block::new("w", 0..1) };
    let mut opt = Optimizer::<f64>::new(rule, vec![block], None).unwrap();
    let mut x = [4.0];
    opt.step(0.1, &mut x, &[8.0]).unwrap();
    assert!((x[0] - (4.0 - 0.1 * 0.5 * 4.0 - 0.1 * 0.5)).abs() < 1e-12, "{x:?}");
}
