//! Shuffling each epoch against a fixed order and against data sorted by class.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::Sgd;

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Order, Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "shuffling",
    title: "Shuffling",
    claim: "A fresh order each epoch is better than a fixed one, and much better than data sorted by \
            class, which makes the parameters move in cycles.",
    setup: "1,437 handwritten digits to learn from and 360 to test on, 64-32-10, SGD with momentum \
            0.9 and a rate of 0.02, batches of 16, 15 epochs. The test loss is measured ten times an \
            epoch; cycling is the correlation of these measurements in one epoch with those of the \
            next, over the last three.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const ORDERS: [(&str, Order); 3] = [
    ("fresh each epoch", Order::Fresh),
    ("fixed", Order::Fixed),
    ("sorted by class", Order::Sorted),
];
const EPOCHS: u64 = 15;

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let mut cells = Vec::new();
    for (name, order) in ORDERS {
        for seed in plan.seeds(20) {
            let digits = Arc::clone(&digits);
            let epochs = plan.pick(EPOCHS, 4);
            cells.push(Cell::new(name, seed, move |threads| {
                let [train, test] = digits.split(1437, seed);
                let layers = perceptron(&[32], Activation::Relu, 10);
                let rule = Sgd { momentum: 0.9, ..Sgd::default() };
                let recipe = Recipe { order, ..Recipe::new(rule, 0.02, 16) };
                let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
                let per_epoch = train.len().div_ceil(16) as u64;
                let mut curve = Vec::new();
                for epoch in 0..epochs {
                    trainer.epoch(epoch, threads, &mut |update, _, net| {
                        if update % (per_epoch / 10) == 0
                            && let Ok((loss, _)) =
                                net.evaluate(test.x.as_view(), test.targets(), threads)
                        {
                            curve.push((update as f64 / per_epoch as f64, loss));
                        }
                    });
                }
                let (training, _) = trainer.training(threads)?;
                let (loss, accuracy) = trainer.on(&test, threads)?;
                Ok(Outcome::default()
                    .number("training loss", training)
                    .number("test loss", loss)
                    .number("test error %", 100.0 * (1.0 - accuracy))
                    .number("cycling", cycling(&curve, epochs as f64))
                    .curve("test loss", curve))
            }));
        }
    }
    Ok(cells)
}

/// The mean correlation between the measurements of neighbouring epochs among the last three.
fn cycling(curve: &[(f64, f64)], epochs: f64) -> f64 {
    let of = |back: f64| -> Vec<f64> {
        let inside = |x: f64| x > epochs - back - 1.0 && x <= epochs - back;
        curve.iter().filter(|p| inside(p.0)).map(|p| p.1.ln()).collect()
    };
    let (last, middle, first) = (of(0.0), of(1.0), of(2.0));
    (correlation(&last, &middle) + correlation(&middle, &first)) / 2.0
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let mean = |v: &[f64]| v[..n].iter().sum::<f64>() / n as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>();
    let (va, vb) = (sum(&|i| (a[i] - ma).powi(2)), sum(&|i| (b[i] - mb).powi(2)));
    sum(&|i| (a[i] - ma) * (b[i] - mb)) / (va * vb).sqrt()
}

fn findings(results: &Results) -> Findings {
    let stat = |order: usize, number: &str| results.stat(ORDERS[order].0, number);
    let worse = |order| stat(order, "test loss").above(&stat(0, "test loss"));
    let cycles = stat(2, "cycling").mean > 0.5 && stat(2, "cycling").above(&stat(0, "cycling"));
    let parts = vec![
        Part::new("a fixed order ends at a higher test loss than a fresh one", worse(1)),
        Part::new("so does the sorted one", worse(2)),
        Part::new("sorted data cycle by more than 0.5, and more than fresh ones", cycles),
    ];
    let three = |number: &str| [0, 1, 2].map(|order| short(stat(order, number).mean)).join(", ");
    let words = format!(
        "Fresh, fixed, sorted: test loss {}, test error {} %, cycling {}.",
        three("test loss"),
        three("test error %"),
        three("cycling")
    );
    let mut plot = Plot::new(
        "shuffling",
        "Test loss, ten times an epoch",
        Axis::linear("epoch"),
        Axis::log("test loss"),
    );
    for (name, _) in ORDERS {
        let points = results.curve(name, "test loss").into_iter().map(|(x, y)| (x, y.mean, 0.0));
        plot = plot.with(Series::new(name, Form::Line, points));
    }
    let rows = measured(results, &["training loss", "test loss", "test error %", "cycling"]);
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: vec![plot] }
}
