//! What the papers prove, as tests.

use slalom_optim::{Adam, Block, Optimizer, Rates, Rule, Schedule, Sgd, Sutskever};

fn optimizer(rule: impl Into<Rule>, len: usize) -> Optimizer<f64> {
    Optimizer::new(rule, vec![Block::new("w", 0..len)], None).unwrap()
}

/// Sutskever et al. 2013, theorem 2.1: on a quadratic, Nesterov's method with momentum μ moves in
/// the eigen-direction of eigenvalue λ as classical momentum does with μ·(1 − λ·ε).
///
/// The theorem speaks of the iterates θ; PyTorch's form of Nesterov's method stores the look-ahead
/// point θ + μ·v, and v = −ε·b, so θ is recovered from the parameter and the velocity.
#[test]
fn nesterov_is_classical_momentum_with_less_of_it_where_the_curvature_is_high() {
    let (mu, rate) = (0.9, 0.05);
    for lambda in [0.1, 1.0, 5.0, 15.0, 19.0] {
        let mut nag = optimizer(Sgd { momentum: mu, nesterov: true, ..Sgd::default() }, 1);
        let mut cm = optimizer(Sgd { momentum: mu * (1.0 - lambda * rate), ..Sgd::default() }, 1);
        let (mut ahead, mut theta) = ([1.0], [1.0]);
        for step in 0..60 {
            let at = ahead[0];
            nag.step(rate, &mut ahead, &[lambda * at]).unwrap();
            // the theorem's methods take the velocity of the step before: both start from rest
            let velocity = -rate * nag.state().slots[0][0];
            let found = ahead[0] - mu * velocity;
            let at = theta[0];
            cm.step(rate, &mut theta, &[lambda * at]).unwrap();
            assert!(
                (found - theta[0]).abs() < 1e-12,
                "λ = {lambda}, step {step}: {found} {theta:?}"
            );
        }
    }
}

/// Kingma, Ba 2015, section 2.1: the first step is as long as the rate in every direction.
#[test]
fn adams_first_step_is_the_rate_times_the_sign() {
    for g in [1e6, 3.0, 1e-3, -1e-3, -7.0] {
        let mut w = [0.0];
        optimizer(Adam::default(), 1).step(0.25, &mut w, &[g]).unwrap();
        assert!((w[0] + 0.25 * f64::signum(g)).abs() < 1e-5, "{g}: {w:?}");
    }
}

/// Kingma, Ba 2015, section 2.1: steps do not change when all gradients are multiplied by a number.
#[test]
fn adam_does_not_see_the_scale_of_the_gradient() {
    let run = |scale: f64| {
        let mut opt = optimizer(Adam { eps: 1e-300, ..Adam::default() }, 1);
        let mut w = [0.3];
        for step in 0..50 {
            opt.step(0.01, &mut w, &[scale * (f64::from(step) * 0.7).sin()]).unwrap();
        }
        w[0]
    };
    for scale in [1e-8, 1e-3, 1e5] {
        assert!((run(scale) - run(1.0)).abs() < 1e-12, "scale {scale}");
    }
}

/// Gradient descent on a quadratic converges below the rate 2/λ_max and diverges above it.
#[test]
fn gradient_descent_diverges_just_above_two_over_the_largest_eigenvalue() {
    let eigenvalues = [0.5, 2.0, 8.0];
    let run = |rate: f64| {
        let mut opt = optimizer(Sgd::default(), 3);
        let mut w = [1.0; 3];
        for _ in 0..2000 {
            let grads: Vec<f64> = w.iter().zip(eigenvalues).map(|(w, l)| w * l).collect();
            opt.step(rate, &mut w, &grads).unwrap();
        }
        w[2].abs()
    };
    let edge = 2.0 / 8.0;
    assert!(run(edge * 0.99) < 1e-8);
    assert!(run(edge * 1.01) > 1e8);
}

/// The heavy ball's best rate and momentum on a quadratic (Polyak 1964) contract by
/// (√κ − 1)/(√κ + 1) a step, where gradient descent's best contracts by (κ − 1)/(κ + 1).
#[test]
fn the_heavy_ball_contracts_by_the_root_of_the_condition_number() {
    let (low, high) = (1.0_f64, 100.0_f64);
    let root = (high / low).sqrt();
    let contraction = (root - 1.0) / (root + 1.0);
    let rate = 4.0 / (high.sqrt() + low.sqrt()).powi(2);
    let mut opt = optimizer(Sgd { momentum: contraction.powi(2), ..Sgd::default() }, 2);
    let mut w = [1.0, 1.0];
    for _ in 0..300 {
        let grads = [low * w[0], high * w[1]];
        opt.step(rate, &mut w, &grads).unwrap();
    }
    let bound = contraction.powi(300) * 300.0 * 4.0; // the double root adds a factor of the step
    assert!(w[0].abs().max(w[1].abs()) < bound && bound < 1e-20, "{w:?} {bound}");
}

/// A momentum that follows a schedule enters each step, as it does when the rule is built with it.
#[test]
fn a_scheduled_momentum_is_the_momentum_of_the_step() {
    let schedule = Sutskever { max: 0.99 };
    let mut opt = optimizer(Sgd { momentum: 0.9, ..Sgd::default() }, 1);
    let (mut w, mut theta, mut b) = ([1.0], 1.0, 0.0);
    for step in 0..600 {
        let momentum = schedule.at(step);
        let g = w[0] + 0.1;
        opt.step(Rates { lr: 0.01, momentum: Some(momentum) }, &mut w, &[g]).unwrap();
        b = momentum * b + (theta + 0.1);
        theta -= 0.01 * b;
        assert!((w[0] - theta).abs() < 1e-12, "step {step}");
    }
}
