//! L1 and L2: small weights, and training error traded for generalisation.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::Adam;
use slalom::regularize::Penalty;

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "penalties",
    title: "L1 and L2 penalties",
    claim: "L1 and L2 penalties keep weights small and trade training error for generalisation.",
    setup: "200 handwritten digits to learn from, 1,597 to test on, 64-64-10, Adam, 200 epochs of \
            batches of 32; λ from 0 to 0.1 for each penalty. The paths are twelve weights of a \
            network without hidden layer. \"Near zero\" is a weight below 0.001.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const KINDS: [&str; 2] = ["L1", "L2"];
const STRENGTHS: [f64; 8] = [0.0, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2];
const PATHS: usize = 12;

fn config(net: &str, kind: &str, strength: f64) -> String {
    format!("{net}, {kind}, λ = {strength}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let epochs = plan.pick(200, 10);
    let mut cells = Vec::new();
    for (kind, strength) in KINDS.into_iter().flat_map(|k| STRENGTHS.map(|s| (k, s))) {
        for (net, hidden) in [("perceptron", &[64][..]), ("linear", &[])] {
            let seeds = if net == "linear" { 0..1 } else { plan.seeds(10) };
            for seed in seeds {
                let digits = Arc::clone(&digits);
                cells.push(Cell::new(config(net, kind, strength), seed, move |threads| {
                    let [train, test] = digits.split(200, seed);
                    let penalty = match kind {
                        "L1" => Penalty { l1: strength, l2: 0.0 },
                        _ => Penalty { l1: 0.0, l2: strength },
                    };
                    let recipe = Recipe { penalty, ..Recipe::new(Adam::default(), 0.002, 32) };
                    let layers = perceptron(hidden, Activation::Relu, 10);
                    let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
                    for epoch in 0..epochs {
                        trainer.epoch(epoch, threads, &mut |_, _, _| {});
                    }
                    let params = &trainer.net.params;
                    let norm = params.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt();
                    let near = params.iter().filter(|w| w.abs() < 1e-3).count();
                    let (training, _) = trainer.training(threads)?;
                    let (loss, accuracy) = trainer.on(&test, threads)?;
                    let mut outcome = Outcome::default()
                        .number("weight norm", norm)
                        .number("near zero %", 100.0 * near as f64 / params.len() as f64)
                        .number("training loss", training)
                        .number("test loss", loss)
                        .number("test error %", 100.0 * (1.0 - accuracy));
                    if hidden.is_empty() {
                        // weights of the digit 3 from pixels of the middle rows
                        for path in 0..PATHS {
                            let weight = f64::from(params[(24 + path) * 10 + 3]);
                            outcome = outcome.number(&format!("weight {path}"), weight);
                        }
                    }
                    Ok(outcome)
                }));
            }
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let stat = |kind: &str, strength: f64, number: &str| {
        results.stat(&config("perceptron", kind, strength), number)
    };
    let best = |kind: &str| {
        let value = |s: &f64| stat(kind, *s, "test loss").mean;
        STRENGTHS.into_iter().min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0.0)
    };
    let parts: Vec<Part> = KINDS
        .into_iter()
        .flat_map(|kind| {
            let best = best(kind);
            let falls = STRENGTHS.windows(2).all(|pair| {
                stat(kind, pair[1], "weight norm").mean
                    <= 1.02 * stat(kind, pair[0], "weight norm").mean
            });
            let gains = stat(kind, 0.0, "test loss").above(&stat(kind, best, "test loss"));
            let pays = stat(kind, best, "training loss").above(&stat(kind, 0.0, "training loss"));
            [
                ("the norm of the weights falls with λ, or rises by 2 % at most", falls),
                ("at its best λ the test loss is lower than without", gains),
                ("there the training loss is higher", pays),
            ]
            .map(|(what, holds)| Part::new(format!("{kind}: {what}"), holds))
        })
        .collect();
    let mut words = String::new();
    for kind in KINDS {
        let (best, number) = (best(kind), |s, n: &str| short(stat(kind, s, n).mean));
        words += &format!(
            "{kind}: best test loss {} at λ = {best} (without {}), training loss {} (without {}), \
             test error {} % (without {} %), weight norm {} (without {}), near zero {} %. ",
            number(best, "test loss"),
            number(0.0, "test loss"),
            number(best, "training loss"),
            number(0.0, "training loss"),
            number(best, "test error %"),
            number(0.0, "test error %"),
            number(best, "weight norm"),
            number(0.0, "weight norm"),
            number(best, "near zero %"),
        );
    }
    let names: Vec<String> =
        STRENGTHS.iter().map(|s| if *s == 0.0 { "0".into() } else { format!("{s:.0e}") }).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series = |label: &str, kind: &str, number: &str| {
        let points = STRENGTHS.iter().enumerate().map(|(i, s)| {
            let stat = stat(kind, *s, number);
            (i as f64, stat.mean, stat.sd)
        });
        Series::new(label, Form::Marked, points.collect::<Vec<_>>())
    };
    let mut losses = Plot::new(
        "penalties-loss",
        "Training and test loss over λ",
        Axis::named("λ", &names),
        Axis::log("loss"),
    );
    let mut norms = Plot::new(
        "penalties-norm",
        "Norm of the weights over λ",
        Axis::named("λ", &names),
        Axis::log("norm"),
    );
    let mut plots = Vec::new();
    for kind in KINDS {
        losses = losses
            .with(series(&format!("{kind}, training"), kind, "training loss"))
            .with(series(&format!("{kind}, test"), kind, "test loss"));
        norms = norms.with(series(kind, kind, "weight norm"));
        let mut paths = Plot::new(
            &format!("penalties-path-{}", kind.to_lowercase()),
            &format!("Twelve weights over λ, {kind}, no hidden layer"),
            Axis::named("λ", &names),
            Axis::linear("weight"),
        );
        for path in 0..PATHS {
            let points = STRENGTHS.iter().enumerate().map(|(i, s)| {
                (i as f64, results.mean(&config("linear", kind, *s), &format!("weight {path}")))
            });
            paths = paths.with(Series::line("", points.collect::<Vec<_>>()));
        }
        plots.push(paths);
    }
    plots.splice(0..0, [losses, norms]);
    let rows = measured(
        results,
        &["weight norm", "near zero %", "training loss", "test loss", "test error %"],
    );
    Findings {
        verdict: Verdict::of_claim(&parts),
        parts,
        words: words.trim_end().into(),
        rows,
        plots,
    }
}
