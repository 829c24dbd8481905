//! Srivastava et al. 2014, Table 9: six regularisers on one network, in a size that fits the time.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Dense, Dropout, Loss};
use slalom::optim::Sgd;
use slalom::regularize::{Constraint, Penalty};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{Findings, Published, Row, Verdict, in_order, short};
use crate::experiment::net::{Recipe, Trainer};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "dropout-table",
    title: "Dropout, Table 9: the order of the regularisers",
    claim: "On MNIST, dropout with a max-norm constraint beats dropout with L2, which beats max-norm, \
            which beats L2 and L1 (Srivastava et al. 2014, Table 9).",
    setup: "The paper trains 784-1024-1024-2048-10 for a million updates: hours. Here the order is \
            tried on 784-256-256-10 with 10,000 images and 30 epochs of batches of 100, SGD with \
            momentum 0.95 falling to rate 0: p = 0.5 hidden and 0.2 input, max-norm 3, L2 10⁻⁴, L1 \
            10⁻⁵. KL sparsity is left out. The errors are therefore not comparable, their order is.",
    rule: "Of every two regularisers, ours has the larger mean error where the paper's is larger.",
    tried: "",
    cells,
    findings,
};

/// A regulariser: its published error, penalties, dropout and max-norm.
struct Entry {
    name: &'static str,
    published: f64,
    penalty: Penalty,
    dropout: bool,
    max_norm: bool,
}

const NONE: Penalty = Penalty { l1: 0.0, l2: 0.0 };
const L2: Penalty = Penalty { l1: 0.0, l2: 1e-4 };

const ENTRIES: [Entry; 5] = [
    Entry { name: "L2", published: 1.62, penalty: L2, dropout: false, max_norm: false },
    Entry {
        name: "L2 and L1",
        published: 1.60,
        penalty: Penalty { l1: 1e-5, l2: 1e-4 },
        dropout: false,
        max_norm: false,
    },
    Entry { name: "max-norm", published: 1.35, penalty: NONE, dropout: false, max_norm: true },
    Entry { name: "dropout and L2", published: 1.25, penalty: L2, dropout: true, max_norm: false },
    Entry {
        name: "dropout and max-norm",
        published: 1.05,
        penalty: NONE,
        dropout: true,
        max_norm: true,
    },
];

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let [train, test] = data::image_classes("mnist")?;
    let some = train.subset(&(0..plan.pick(10_000, 1_000)).collect::<Vec<_>>());
    let data = Arc::new((some, test));
    let epochs = plan.pick(30, 2);
    let mut cells = Vec::new();
    for entry in &ENTRIES {
        for seed in plan.seeds(10) {
            let data = Arc::clone(&data);
            cells.push(Cell::new(entry.name, seed, move |threads| {
                let (train, test) = &*data;
                let hidden = || Dense::new(256, Activation::Relu).into();
                let drop = |rate: f64| Dropout::new(if entry.dropout { rate } else { 0.0 }).into();
                let layers = vec![
                    drop(0.2),
                    hidden(),
                    drop(0.5),
                    hidden(),
                    drop(0.5),
                    Dense::linear(10).into(),
                ];
                let rule = Sgd { momentum: 0.95, ..Sgd::default() };
                let recipe = Recipe { penalty: entry.penalty, ..Recipe::new(rule, 0.01, 100) };
                let mut trainer = Trainer::new(layers, Loss::default(), &recipe, train, seed)?;
                let mut curve = Vec::new();
                for epoch in 0..epochs {
                    trainer.set_rate(0.01 * (1.0 - epoch as f64 / epochs as f64));
                    let order = crate::experiment::net::order(train.len(), seed, epoch);
                    for batch in 0..train.len() / 100 {
                        trainer.update(&order, batch, threads)?;
                        if entry.max_norm {
                            trainer.constrain(&Constraint::MaxNorm(3.0));
                        }
                    }
                    curve.push(((epoch + 1) as f64, 100.0 * (1.0 - trainer.on(test, threads)?.1)));
                }
                let last = curve[curve.len() - 1].1;
                Ok(Outcome::default().number("test error %", last).curve("test error", curve))
            }));
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let row = |entry: &Entry| Row {
        published: Some(Published::read(entry.published)),
        ..Row::measured(results, entry.name, "test error %")
    };
    let rows: Vec<Row> = ENTRIES.iter().map(row).collect();
    let (kept, pairs) = in_order(&rows);
    let errors: Vec<String> =
        rows.iter().map(|row| format!("{} {} %", row.config, short(row.ours.mean))).collect();
    let words = format!(
        "{kept} of {pairs} pairs are in the paper's order. Test error: {}.",
        errors.join(", ")
    );
    let verdict = Verdict::of_count(kept, pairs);
    let mut plot = Plot::new(
        "dropout-table",
        "Test error by epoch",
        Axis::linear("epoch"),
        Axis::log("test error in percent"),
    );
    for entry in &ENTRIES {
        let curve = results.curve(entry.name, "test error");
        let points = curve.into_iter().map(|(x, y)| (x, y.mean, y.sd));
        plot = plot.with(Series::new(entry.name, Form::Line, points));
    }
    Findings { verdict, parts: Vec::new(), words, rows, plots: vec![plot] }
}
