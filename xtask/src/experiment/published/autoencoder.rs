//! Sutskever et al. 2013, Table 1: momentum on MNIST's deep autoencoder, in a compressed schedule.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Dense, Init, LayerSpec, Loss, MeanSquaredError};
use slalom::optim::{Optimizer, Rates, Rule, Sgd};
use slalom::tensor::Targets;

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{Findings, Published, Row, Verdict, in_order, short};
use crate::experiment::net::{Net, order};
use crate::experiment::plot::{Axis, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "autoencoder",
    title: "Sutskever 2013: momentum on a deep autoencoder",
    claim: "On MNIST's deep sigmoid autoencoder, SGD without momentum is far behind, larger μ helps \
            up to 0.99, and Nesterov's form is at least as good as the heavy ball.",
    setup: "The paper trains 784-1000-500-250-30-250-500-1000-784 for 750,000 updates. Here: 5,000 \
            images, 784-250-120-30-120-250-784, 3,000 updates of batches of 200, sparse \
            initialisation with 15 inputs a unit, μ rising as in the paper with its steps of 250 \
            updates compressed to 5, so that 0.999 is reached; the last tenth at μ = 0.9, each at the \
            best of five rates. The published numbers stand beside for their order.",
    rule: "Of every two columns whose published errors differ, ours has the larger error where the \
           paper's is larger.",
    tried: "With 1,500 updates and μ rising in steps of 25, μ never passed 0.992, and every column \
            was best at 30, then the largest of the rates: both were widened.",
    cells,
    findings,
};

/// A column of the table: whether Nesterov's, the largest μ, the published squared error.
const COLUMNS: [(&str, Option<bool>, f64, f64); 7] = [
    ("SGD", None, 0.0, 2.1),
    ("Nesterov, 0.9", Some(true), 0.9, 1.0),
    ("Nesterov, 0.99", Some(true), 0.99, 0.73),
    ("Nesterov, 0.999", Some(true), 0.999, 0.80),
    ("heavy ball, 0.9", Some(false), 0.9, 1.0),
    ("heavy ball, 0.99", Some(false), 0.99, 0.77),
    ("heavy ball, 0.999", Some(false), 0.999, 0.90),
];
/// Of the mean over the outputs, which is 1/784 of the paper's sum.
const RATES: [f64; 5] = [3.0, 10.0, 30.0, 100.0, 300.0];
const NUMBER: &str = "squared error";

fn config(column: &str, rate: f64) -> String {
    format!("{column}, rate {rate}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let [train, _] = data::image_classes("mnist")?;
    let images = Arc::new(train.subset(&(0..plan.pick(5_000, 1_000)).collect::<Vec<_>>()).x);
    let updates = plan.pick(3000, 40);
    let mut cells = Vec::new();
    for (name, nesterov, most, _) in COLUMNS {
        for rate in RATES {
            for seed in plan.seeds(2) {
                let images = Arc::clone(&images);
                cells.push(Cell::new(config(name, rate), seed, move |threads| {
                    let widths = [250, 120, 30, 120, 250, 784];
                    let layers = widths.map(|units| {
                        // the code is linear, as in the paper
                        let activation =
                            if units == 30 { Activation::Identity } else { Activation::Sigmoid };
                        let init = Init::Sparse { connections: 15, deviation: 1.0 };
                        LayerSpec::from(Dense { init, ..Dense::new(units, activation) })
                    });
                    let loss = Loss::MeanSquaredError(MeanSquaredError {});
                    let mut net = Net::<f32>::new(784, layers, loss, 200, seed)?;
                    let rule: Rule = match nesterov {
                        None => Sgd::default().into(),
                        Some(nesterov) => Sgd { momentum: 0.5, nesterov, ..Sgd::default() }.into(),
                    };
                    let mut optimizer = Optimizer::new(rule, net.blocks(), None)?;
                    let (mut curve, mut diverged) = (Vec::new(), false);
                    let per_epoch = images.ncols() / 200;
                    let mut chosen = Vec::new();
                    for update in 0..updates {
                        if update % per_epoch == 0 {
                            chosen = order(images.ncols(), seed, (update / per_epoch) as u64);
                        }
                        let start = update % per_epoch * 200;
                        let x = images.select_columns(&chosen[start..start + 200]);
                        let loss = net.gradient(x.as_view(), Targets::Values(x.as_view()), threads);
                        let rising = 1.0 - 2_f64.powf(-1.0 - ((update / 5 + 1) as f64).log2());
                        let momentum = if update * 10 >= updates * 9 { 0.9 } else { rising };
                        let momentum = nesterov.map(|_| momentum.min(most));
                        let rates = Rates { lr: rate, momentum };
                        if optimizer.step(rates, &mut net.params, &net.grads).is_err() {
                            diverged = true;
                            break;
                        }
                        if update % 50 == 0 {
                            curve.push((update as f64, 784.0 * loss));
                        }
                    }
                    let targets = Targets::Values(images.as_view());
                    let error = 784.0 * net.evaluate(images.as_view(), targets, threads)?.0;
                    let error = if diverged { f64::INFINITY } else { error };
                    Ok(Outcome::default().number(NUMBER, error).curve("error", curve))
                }));
            }
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let best = |column: &str| {
        let value = |rate: &f64| results.mean(&config(column, *rate), NUMBER);
        let rate = RATES.into_iter().min_by(|a, b| value(a).total_cmp(&value(b)));
        config(column, rate.unwrap_or(RATES[0]))
    };
    let rows = COLUMNS.iter().map(|(name, _, _, published)| Row {
        published: Some(Published::read(*published)),
        ..Row::measured(results, &best(name), NUMBER)
    });
    let rows: Vec<Row> = rows.collect();
    let (kept, pairs) = in_order(&rows);
    let errors: Vec<String> = COLUMNS
        .iter()
        .zip(&rows)
        .map(|(c, row)| format!("{} {}", c.0, short(row.ours.mean)))
        .collect();
    let words = format!(
        "{kept} of {pairs} pairs are in the paper's order. Squared error: {}.",
        errors.join(", ")
    );
    let verdict = Verdict::of_count(kept, pairs);
    let mut plot = Plot::new(
        "autoencoder",
        "Squared error of the batch, each at its best rate",
        Axis::linear("update"),
        Axis::log("squared error"),
    );
    for (name, ..) in COLUMNS {
        plot = plot.with(Series::line(name, results.first_curve(&best(name), "error")));
    }
    Findings { verdict, parts: Vec::new(), words, rows, plots: vec![plot] }
}
