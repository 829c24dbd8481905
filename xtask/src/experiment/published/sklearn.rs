//! scikit-learn's gallery page "Compare stochastic learning strategies for MLPClassifier".

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;
use slalom::tensor::Threads;

use super::sklearn_mlp::{MlpClassifier, adam, sgd};
use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{Findings, Published, Row, Verdict};
use crate::experiment::plot::{Axis, Plot, Series};
use crate::experiment::table::Table;

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "sklearn",
    title: "scikit-learn: seven strategies on iris and digits",
    claim: "scikit-learn publishes the final training loss of seven learning strategies, with six \
            decimals; the same recipe on slalom's network and optimizers gives the same numbers.",
    setup: "MLPClassifier(random_state=0), one hidden layer of 100 ReLU units, f64, 400 epochs \
            (digits: 15). The random numbers are NumPy's legacy ones. The recipe is deterministic, so \
            there is one run.",
    rule: "The loss and the accuracy are equal in all decimals that are published, which is six.",
    tried: "",
    cells,
    findings,
};

/// A strategy, with its published losses and accuracies on iris and digits.
struct Strategy {
    name: &'static str,
    classifier: fn() -> MlpClassifier,
    published: [(f64, f64); 2],
}

fn constant(momentum: f64, nesterov: bool) -> MlpClassifier {
    MlpClassifier { rule: sgd(momentum, nesterov), rate: 0.2, ..MlpClassifier::default() }
}

fn inverse(momentum: f64, nesterov: bool) -> MlpClassifier {
    MlpClassifier { inverse_scaling: true, ..constant(momentum, nesterov) }
}

const STRATEGIES: &[Strategy] = &[
    Strategy {
        name: "constant learning-rate",
        classifier: || constant(0.0, false),
        published: [(0.096950, 0.98), (0.243802, 0.956038)],
    },
    Strategy {
        name: "constant with momentum",
        classifier: || constant(0.9, false),
        published: [(0.049530, 0.98), (0.041297, 0.992766)],
    },
    Strategy {
        name: "constant with Nesterov's momentum",
        classifier: || constant(0.9, true),
        published: [(0.049540, 0.98), (0.042898, 0.993879)],
    },
    Strategy {
        name: "inv-scaling learning-rate",
        classifier: || inverse(0.0, false),
        published: [(0.978444, 0.36), (1.855465, 0.638843)],
    },
    Strategy {
        name: "inv-scaling with momentum",
        classifier: || inverse(0.9, false),
        published: [(0.504185, 0.86), (0.318387, 0.909293)],
    },
    Strategy {
        name: "inv-scaling with Nesterov's momentum",
        classifier: || inverse(0.9, true),
        published: [(0.503452, 0.86), (0.290584, 0.912632)],
    },
    Strategy {
        name: "adam",
        classifier: || MlpClassifier { rule: adam(), rate: 0.01, ..MlpClassifier::default() },
        published: [(0.045311, 0.98), (0.045934, 0.991653)],
    },
];

/// The tables and their epochs.
const TABLES: [(&str, usize); 2] = [("iris", 400), ("digits", 15)];

fn cells(_plan: &Plan) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (name, epochs) in TABLES {
        let table = Arc::new(data::sklearn(name)?);
        for strategy in STRATEGIES {
            let (table, classifier) = (Arc::clone(&table), strategy.classifier);
            cells.push(Cell::new(format!("{name}, {}", strategy.name), 0, move |threads| {
                let losses = fit(&table, classifier(), epochs, threads)?;
                Ok(Outcome::default()
                    .number("loss", losses.loss)
                    .number("accuracy", losses.accuracy)
                    .number("epochs", losses.epochs as f64)
                    .curve("loss", losses.curve))
            }));
        }
    }
    Ok(cells)
}

/// What a strategy makes of a table.
struct Run {
    loss: f64,
    accuracy: f64,
    epochs: usize,
    curve: Vec<(f64, f64)>,
}

fn fit(table: &Table, classifier: MlpClassifier, epochs: usize, threads: &Threads) -> Result<Run> {
    let x = table.min_max();
    let classifier = MlpClassifier { epochs, ..classifier };
    let fitted = classifier.fit(&x, &table.classes, table.count, threads)?;
    Ok(Run {
        loss: fitted.loss(),
        accuracy: fitted.score(x.as_view(), &table.classes, threads)?,
        epochs: fitted.losses.len(),
        curve: (1..).map(f64::from).zip(fitted.losses.iter().copied()).collect(),
    })
}

/// One line of the list that `--table` prints.
#[derive(Serialize)]
struct Line {
    strategy: &'static str,
    loss: f64,
    accuracy: f64,
    epochs: usize,
}

/// Runs the seven strategies on a table and returns the list as JSON.
pub(crate) fn on_table(path: &Path, epochs: usize) -> Result<String> {
    let table = Table::read(path)?;
    let lines = STRATEGIES.iter().map(|strategy| {
        let run = fit(&table, (strategy.classifier)(), epochs, &Threads::one())
            .with_context(|| strategy.name)?;
        let (loss, accuracy, epochs) = (run.loss, run.accuracy, run.epochs);
        Ok(Line { strategy: strategy.name, loss, accuracy, epochs })
    });
    Ok(serde_json::to_string_pretty(&lines.collect::<Result<Vec<_>>>()?)?)
}

fn findings(results: &Results) -> Findings {
    let mut rows = Vec::new();
    let mut plots = Vec::new();
    for (i, (table, _)) in TABLES.iter().enumerate() {
        let mut plot = Plot::new(
            &format!("sklearn-{table}"),
            &format!("Training loss on {table}"),
            Axis::linear("epoch"),
            Axis::log("loss"),
        );
        for strategy in STRATEGIES {
            let config = format!("{table}, {}", strategy.name);
            let (loss, accuracy) = strategy.published[i];
            for (number, value) in [("loss", loss), ("accuracy", accuracy)] {
                let published = Published::read(value);
                rows.push(Row::compared(results, &config, number, published, |ours, p| {
                    (ours.mean - p.value).abs() < 0.5e-6 + 1e-12
                }));
            }
            plot = plot.with(Series::line(strategy.name, results.first_curve(&config, "loss")));
        }
        plots.push(plot);
    }
    let equal = rows.iter().filter(|r| r.number == "loss" && r.within == Some(true)).count();
    let words = format!("{equal} of 14 losses are equal in all six decimals.");
    Findings { verdict: Verdict::of_rows(&rows), parts: Vec::new(), words, rows, plots }
}
