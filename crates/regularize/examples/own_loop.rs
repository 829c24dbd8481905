//! A training loop that uses nothing else of slalom: logistic regression on plain slices, with L1
//! that makes zeros, dropout, a constraint, early stopping and the best weights at the end.
//!
//! `cargo run -p slalom-regularize --example own_loop`

use slalom_regularize::*;

const INPUTS: usize = 12;

/// A sample: the class follows the first two inputs, the other ten are noise.
fn sample(i: usize) -> ([f64; INPUTS], f64) {
    let x = std::array::from_fn(|j| ((i * (2 * j + 3) + j) as f64 * 0.7).sin());
    (x, f64::from(u8::from(x[0] - 0.5 * x[1] + 0.3 * (i as f64 * 1.3).sin() > 0.0)))
}

fn output(w: &[f64], x: &[f64]) -> f64 {
    1.0 / (1.0 + (-w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).exp())
}

fn loss(w: &[f64], samples: std::ops::Range<usize>) -> f64 {
    let (first, last) = (samples.start, samples.end);
    let one = |(x, t): ([f64; INPUTS], f64)| (output(w, &x) - t).abs();
    samples.map(sample).map(|s| -(1.0 - one(s)).ln()).sum::<f64>() / (last - first) as f64
}

pub(crate) fn main() {
    let penalty = Penalty { l1: 0.01, l2: 0.0 };
    let constraint = Constraint::MaxNorm(4.0);
    let rules = StopRule::Any(vec![
        EarlyStopping { patience: 5, min_delta: 1e-5, ..Default::default() }.into(),
        GeneralizationLoss { alpha: 20.0, ..Default::default() }.into(),
    ]);
    let (mut w, mut best, mut losses) = ([0.0; INPUTS], [0.0; INPUTS], Vec::new());
    let decision = loop {
        let mut slopes = [0.0; INPUTS];
        for i in 0..200 {
            let (mut x, t) = sample(i);
            let mut mask = [0.0; INPUTS];
            dropout_mask(7, (200 * losses.len() + i) as u64, 0, 0.1, &mut mask);
            x.iter_mut().zip(mask).for_each(|(x, m)| *x *= m);
            let error = (output(&w, &x) - t) / 200.0;
            slopes.iter_mut().zip(x).for_each(|(slope, x)| *slope += error * x);
        }
        w.iter_mut().zip(slopes).for_each(|(w, slope)| *w -= slope);
        penalty.proximal(1.0, &mut w);
        constraint.apply(1, &mut w);
        losses.push(loss(&w, 200..300));
        let decision = rules.decide(&losses);
        if decision.best == Some(losses.len() - 1) {
            best = w;
        }
        if decision.stop() || losses.len() == 200 {
            break decision;
        }
    };
    w = best; // whatever ended the loop: a rule, NaN, or the last epoch
    let reason = decision.reason.map_or("all epochs are done".into(), |reason| reason.to_string());
    println!("after {} epochs: {reason}; best was {:?}; {w:.2?}", losses.len(), decision.best);
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(loss(&w, 200..300) == least && least < 0.4, "{losses:?}");
    assert!(w[0] > 1.0 && w[1] < -0.3 && w[2..].contains(&0.0), "{w:?}");
}
