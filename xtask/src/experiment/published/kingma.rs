//! Kingma & Ba 2015, Figures 1 and 2, as curves: logistic regression, and a network with dropout.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Dense, Dropout, LayerSpec, Loss};
use slalom::optim::{AdaDelta, AdaGrad, Adam, RmsProp, Rule, Sgd};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Row, Verdict, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "kingma-ba",
    title: "Kingma & Ba 2015: Figures 1 and 2 as curves",
    claim: "Adam converges as fast as SGD with Nesterov's momentum and faster than AdaGrad on MNIST's \
            logistic regression, and faster than all others on a network with dropout.",
    setup: "The figures have no numbers: the order is what can be tried. Logistic regression: all \
            images, batches of 128, rate falling with 1/√t, 5 epochs. Network: 784-256-256-10 with \
            dropout 0.5 (the paper: 1000 units a layer), 10,000 images, 10 epochs. Each method at the \
            best of three rates by its training cost at the end, the mean of the last hundred \
            batches.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

/// A method: name, rule and three rates.
struct Method {
    name: &'static str,
    rule: fn() -> Rule,
    rates: [f64; 3],
}

fn nesterov() -> Rule {
    Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() }.into()
}

const METHODS: [Method; 5] = [
    Method { name: "Adam", rule: || Adam::default().into(), rates: [3e-4, 1e-3, 3e-3] },
    Method { name: "SGD with Nesterov", rule: nesterov, rates: [0.01, 0.03, 0.1] },
    Method { name: "AdaGrad", rule: || AdaGrad::default().into(), rates: [0.003, 0.01, 0.03] },
    Method { name: "RMSProp", rule: || RmsProp::default().into(), rates: [3e-4, 1e-3, 3e-3] },
    Method {
        name: "AdaDelta",
        rule: || AdaDelta { rho: 0.95, eps: 1e-6 }.into(),
        rates: [0.3, 1.0, 3.0],
    },
];
/// The figure, and how many of the methods it shows.
const FIGURES: [(&str, usize); 2] = [("logistic regression", 3), ("network with dropout", 5)];

fn config(figure: &str, method: &str, rate: f64) -> String {
    format!("{figure}, {method}, rate {rate}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let [train, _] = data::image_classes("mnist")?;
    let part = |n: usize| Arc::new(train.subset(&(0..n).collect::<Vec<_>>()));
    let sets = [part(plan.pick(60_000, 2_000)), part(plan.pick(10_000, 1_000))];
    let mut cells = Vec::new();
    for ((figure, methods), set) in FIGURES.into_iter().zip(&sets) {
        let logistic = methods == 3;
        let epochs = plan.pick(if logistic { 5 } else { 10 }, 1);
        for method in &METHODS[..methods] {
            for rate in method.rates {
                // the paper's 1/√t begins high
                let rate = if logistic { 10.0 * rate } else { rate };
                for seed in plan.seeds(10) {
                    let set = Arc::clone(set);
                    cells.push(Cell::new(
                        config(figure, method.name, rate),
                        seed,
                        move |threads| {
                            let layers = if logistic {
                                perceptron(&[], Activation::Relu, 10)
                            } else {
                                network()
                            };
                            let recipe = Recipe::new((method.rule)(), rate, 128);
                            let mut trainer =
                                Trainer::new(layers, Loss::default(), &recipe, &set, seed)?;
                            let per_epoch = set.len().div_ceil(128);
                            let (mut losses, mut curve) = (Vec::new(), Vec::new());
                            for epoch in 0..epochs {
                                let order = crate::experiment::net::order(set.len(), seed, epoch);
                                for batch in 0..per_epoch {
                                    if logistic {
                                        trainer.set_rate(rate / ((losses.len() + 1) as f64).sqrt());
                                    }
                                    losses.push(trainer.update(&order, batch, threads)?);
                                    if losses.len() % (per_epoch / 4).max(1) == 0 {
                                        let recent = &losses[losses.len().saturating_sub(100)..];
                                        let mean = recent.iter().sum::<f64>() / recent.len() as f64;
                                        curve.push((losses.len() as f64 / per_epoch as f64, mean));
                                    }
                                }
                            }
                            let recent = &losses[losses.len().saturating_sub(100)..];
                            let cost = recent.iter().sum::<f64>() / recent.len() as f64;
                            Ok(Outcome::default()
                                .number("training cost", cost)
                                .curve("cost", curve))
                        },
                    ));
                }
            }
        }
    }
    Ok(cells)
}

fn network() -> Vec<LayerSpec> {
    let hidden = || Dense::new(256, Activation::Relu).into();
    vec![
        hidden(),
        Dropout::new(0.5).into(),
        hidden(),
        Dropout::new(0.5).into(),
        Dense::linear(10).into(),
    ]
}

fn findings(results: &Results) -> Findings {
    let best = |figure: usize, method: &Method| -> String {
        let scale = if figure == 0 { 10.0 } else { 1.0 };
        let name = |rate: f64| config(FIGURES[figure].0, method.name, scale * rate);
        let value = |rate: &f64| results.mean(&name(*rate), "training cost");
        let rate = method.rates.into_iter().min_by(|a, b| value(a).total_cmp(&value(b)));
        name(rate.unwrap_or(method.rates[0]))
    };
    let stat =
        |figure, method: usize| results.stat(&best(figure, &METHODS[method]), "training cost");
    let cost = |figure, method| stat(figure, method).mean;
    let logistic = "logistic regression: Adam's cost is";
    let mut parts = vec![
        Part::new(
            format!("{logistic} that of SGD with Nesterov's momentum, or 5 % above it at most"),
            cost(0, 0) <= 1.05 * cost(0, 1),
        ),
        Part::new(format!("{logistic} below AdaGrad's"), stat(0, 2).above(&stat(0, 0))),
    ];
    parts.extend((1..5).map(|other| {
        let what = format!("network: Adam's cost is below that of {}", METHODS[other].name);
        Part::new(what, stat(1, other).above(&stat(1, 0)))
    }));
    let list = |figure: usize, count: usize| -> String {
        let each = (0..count).map(|m| format!("{} {}", METHODS[m].name, short(cost(figure, m))));
        each.collect::<Vec<_>>().join(", ")
    };
    let words = format!(
        "Training cost at the end: logistic regression {}; network {}.",
        list(0, 3),
        list(1, 5)
    );
    let (mut rows, mut plots) = (Vec::new(), Vec::new());
    for (figure, (name, methods)) in FIGURES.into_iter().enumerate() {
        let mut plot = Plot::new(
            &format!("kingma-ba-figure-{}", figure + 1),
            &format!("Figure {}: {name}, each method at its best rate", figure + 1),
            Axis::linear("epoch"),
            Axis::log("training cost"),
        );
        for method in &METHODS[..methods] {
            let config = best(figure, method);
            rows.push(Row::measured(results, &config, "training cost"));
            let curve = results.curve(&config, "cost").into_iter().map(|(x, y)| (x, y.mean, y.sd));
            plot = plot.with(Series::new(method.name, Form::Line, curve));
        }
        plots.push(plot);
    }
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots }
}
