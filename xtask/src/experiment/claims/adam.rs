//! Adam = momentum + RMSProp + bias correction; what the correction does in the first steps.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::{Adam, Block, Optimizer};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "adam",
    title: "Adam and its bias correction",
    claim: "Adam is momentum plus RMSProp plus bias correction, and the correction matters in the \
            first steps.",
    setup: "Identity: Adam's steps against the three parts written out by hand, 200 steps of noisy \
            gradients in f64. Correction: digits, 64-64-10, batches of 32, the first 100 updates with \
            and without it, for two learning rates and β₂ of 0.9, 0.999 and 0.9999; without it, the \
            rate is multiplied by (1 − β₁ᵗ)/√(1 − β₂ᵗ), which takes it out exactly. The loss is the \
            mean of the last ten of the updates.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const RATES: [f64; 2] = [0.001, 0.01];
const BETAS: [f64; 3] = [0.9, 0.999, 0.9999];
const FORMS: [(&str, bool); 2] = [("corrected", true), ("uncorrected", false)];

fn config(form: &str, rate: f64, beta2: f64) -> String {
    format!("{form}, rate {rate}, β₂ = {beta2}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let mut cells = vec![Cell::new("identity", 0, |_| identity())];
    for (form, corrected) in FORMS {
        for (rate, beta2) in RATES.into_iter().flat_map(|r| BETAS.map(|b| (r, b))) {
            for seed in plan.seeds(20) {
                let digits = Arc::clone(&digits);
                cells.push(Cell::new(config(form, rate, beta2), seed, move |threads| {
                    let adam = Adam { beta2, eps_hat: true, ..Adam::default() };
                    let layers = perceptron(&[64], Activation::Relu, 10);
                    let recipe = Recipe::new(adam, rate, 32);
                    let mut trainer =
                        Trainer::new(layers, Loss::default(), &recipe, &digits, seed)?;
                    let factor = |t: i32| match corrected {
                        true => 1.0,
                        false => (1.0 - adam.beta1.powi(t)) / (1.0 - adam.beta2.powi(t)).sqrt(),
                    };
                    let start = trainer.net.params.clone();
                    let (mut curve, mut moved) = (Vec::new(), f64::NAN);
                    let mut order = crate::experiment::net::order(digits.len(), seed, 0);
                    order.truncate(3200.min(order.len()));
                    for update in 1..=100_i32 {
                        trainer.set_rate(rate * factor(update));
                        let loss = trainer.update(&order, update as usize - 1, threads)?;
                        curve.push((f64::from(update), loss));
                        if update == 10 {
                            let away = trainer.net.params.iter().zip(&start);
                            let square: f64 = away.map(|(a, b)| f64::from(a - b).powi(2)).sum();
                            moved = (square / start.len() as f64).sqrt();
                        }
                    }
                    let mean = |range: std::ops::Range<usize>| {
                        let part = &curve[range];
                        part.iter().map(|p| p.1).sum::<f64>() / part.len() as f64
                    };
                    Ok(Outcome::default()
                        .number("loss after 10", mean(5..15))
                        .number("loss after 100", mean(90..100))
                        .number("moved in 10 steps", moved)
                        .curve("loss", curve.iter().copied()))
                }));
            }
        }
    }
    Ok(cells)
}

/// Adam beside momentum, RMSProp and the correction, each written out.
fn identity() -> Result<Outcome> {
    let adam = Adam::default();
    let mut optimizer = Optimizer::<f64>::new(adam, vec![Block::new("place", 0..4)], None)?;
    let (mut place, mut by_hand) = ([1.0, -2.0, 3.0, 0.5], [1.0, -2.0, 3.0, 0.5]);
    let (mut momentum, mut squares) = ([0.0; 4], [0.0; 4]);
    let mut apart: f64 = 0.0;
    for t in 1..=200 {
        let grads =
            std::array::from_fn::<f64, 4, _>(|i| place[i] + (f64::from(t) * (i + 1) as f64).sin());
        optimizer.step(0.01, &mut place, &grads)?;
        for i in 0..4 {
            momentum[i] = adam.beta1 * momentum[i] + (1.0 - adam.beta1) * grads[i];
            squares[i] = adam.beta2 * squares[i] + (1.0 - adam.beta2) * grads[i] * grads[i];
            let mean = momentum[i] / (1.0 - adam.beta1.powi(t));
            let square = squares[i] / (1.0 - adam.beta2.powi(t));
            by_hand[i] -= 0.01 * mean / (square.sqrt() + adam.eps);
            apart = apart.max((place[i] - by_hand[i]).abs());
        }
    }
    Ok(Outcome::default().number("largest difference", apart))
}

fn findings(results: &Results) -> Findings {
    let stat = |form: usize, rate, beta2, number: &str| {
        results.stat(&config(FORMS[form].0, rate, beta2), number)
    };
    let apart = results.mean("identity", "largest difference");
    let mut parts = vec![Part::new("Adam is its three parts, to 10⁻¹²", apart < 1e-12)];
    let mut better = Vec::new();
    for (rate, beta2) in RATES.into_iter().flat_map(|r| BETAS.map(|b| (r, b))) {
        let helps =
            stat(1, rate, beta2, "loss after 100").above(&stat(0, rate, beta2, "loss after 100"));
        let what = "the loss after 100 updates is lower with the correction";
        parts.push(Part::new(format!("rate {rate}, β₂ = {beta2}: {what}"), helps));
        if helps {
            better.push(format!("rate {rate} with β₂ = {beta2}"));
        }
    }
    let pair = |number: &str, rate: f64, beta2: f64| {
        format!(
            "{} → {}",
            short(stat(1, rate, beta2, number).mean),
            short(stat(0, rate, beta2, number).mean)
        )
    };
    let words = format!(
        "Adam and its parts differ by at most {apart:.1e}. Without the correction the first ten \
         steps move too far once β₂ is near 1 (root mean square {} with β₂ = 0.999, without → with). \
         The loss after 100 updates is lower with it at: {}. At rate 0.01, β₂ = 0.999: {}; at rate \
         0.001: {}.",
        pair("moved in 10 steps", 0.001, 0.999),
        if better.is_empty() { "none of the settings".into() } else { better.join(", ") },
        pair("loss after 100", 0.01, 0.999),
        pair("loss after 100", 0.001, 0.999),
    );
    let plots = RATES.map(|rate| {
        let mut plot = Plot::new(
            &format!("adam-rate-{rate}"),
            &format!("Loss of the first 100 updates, rate {rate}"),
            Axis::linear("update"),
            Axis::log("loss of the batch"),
        );
        for (form, beta2) in FORMS.iter().flat_map(|f| [0.9, 0.999].map(|b| (f.0, b))) {
            let curve = results.curve(&config(form, rate, beta2), "loss");
            let points = curve.into_iter().map(|(x, y)| (x, y.mean, 0.0));
            plot = plot.with(Series::new(&format!("{form}, β₂ = {beta2}"), Form::Line, points));
        }
        plot
    });
    let rows = measured(
        results,
        &["largest difference", "loss after 10", "loss after 100", "moved in 10 steps"],
    );
    let rows = rows.into_iter().filter(|row| !row.ours.mean.is_nan()).collect();
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: plots.into() }
}
