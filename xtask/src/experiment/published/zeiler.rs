//! Zeiler 2012 (ADADELTA), Tables 1 and 2: error over the learning rate, and over ρ and ε.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::{AdaDelta, AdaGrad, Rule, Sgd};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results, Stat};
use crate::experiment::data;
use crate::experiment::findings::{Findings, Published, Row, Verdict};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "adadelta",
    title: "Zeiler 2012: ADADELTA's Tables 1 and 2",
    claim: "SGD, momentum and AdaGrad need their learning rate tuned; ADADELTA does well over the \
            whole grid of ρ and ε.",
    setup: "MNIST, 784-500-300-10 with tanh, batches of 100, 6 epochs, f32, test error in percent at \
            the end, two seeds a cell. The paper could not be opened: its numbers are those commonly \
            quoted, and its initialisation and input scaling are not known (here: Glorot, pixels from \
            0 to 1, momentum 0.9).",
    rule: "Our error is within a factor of 1.5 of the quoted one, or both are above 30 %.",
    tried: "Misses stand where the steps are largest (SGD at rate 1, AdaGrad at 0.1, ADADELTA with \
            ε = 10⁻²): what becomes of those depends on the initialisation and on the scale of the \
            inputs, which are not known, so there is nothing to follow.",
    cells,
    findings,
};

const RATES: [f64; 5] = [1.0, 0.1, 0.01, 0.001, 0.0001];

/// A column of Table 1: the errors at the five rates.
struct Column {
    name: &'static str,
    rule: fn() -> Rule,
    errors: [f64; 5],
}

const COLUMNS: [Column; 3] = [
    Column {
        name: "SGD",
        rule: || Sgd::default().into(),
        errors: [2.26, 2.51, 7.02, 17.01, 58.10],
    },
    Column {
        name: "momentum",
        rule: || Sgd { momentum: 0.9, ..Sgd::default() }.into(),
        errors: [89.68, 2.03, 2.68, 6.98, 16.98],
    },
    Column {
        name: "AdaGrad",
        rule: || AdaGrad::default().into(),
        errors: [43.76, 2.82, 1.79, 5.21, 12.59],
    },
];

const RHOS: [f64; 3] = [0.9, 0.95, 0.99];

/// Table 2: ε, and the errors at the three ρ.
const ADADELTA: [(f64, [f64; 3]); 4] = [
    (1e-2, [2.59, 2.58, 2.32]),
    (1e-4, [2.05, 1.99, 2.28]),
    (1e-6, [1.90, 1.83, 2.05]),
    (1e-8, [2.29, 2.13, 2.00]),
];

/// Every cell: its name, rule, rate and quoted error.
fn grid() -> Vec<(String, Rule, f64, f64)> {
    let first = COLUMNS.iter().flat_map(|column| {
        RATES.iter().zip(column.errors).map(|(rate, error)| {
            (format!("{}, rate {rate}", column.name), (column.rule)(), *rate, error)
        })
    });
    let second = ADADELTA.iter().flat_map(|(eps, errors)| {
        RHOS.iter().zip(errors).map(move |(rho, error)| {
            let rule = AdaDelta { rho: *rho, eps: *eps };
            (format!("ADADELTA, ρ = {rho}, ε = {eps:.0e}"), rule.into(), 1.0, *error)
        })
    });
    first.chain(second).collect()
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let [train, test] = data::image_classes("mnist")?;
    let train = if plan.quick { train.subset(&(0..1000).collect::<Vec<_>>()) } else { train };
    let data = Arc::new((train, test));
    let epochs = plan.pick(6, 1);
    let mut cells = Vec::new();
    for (name, rule, rate, _) in grid() {
        for seed in plan.seeds(2) {
            let (data, rule) = (Arc::clone(&data), rule.clone());
            cells.push(Cell::new(name.clone(), seed, move |threads| {
                let (train, test) = &*data;
                let layers = perceptron(&[500, 300], Activation::Tanh, 10);
                let recipe = Recipe::new(rule.clone(), rate, 100);
                let mut trainer = Trainer::new(layers, Loss::default(), &recipe, train, seed)?;
                for epoch in 0..epochs {
                    if !trainer.epoch(epoch, threads, &mut |_, _, _| {}) {
                        break;
                    }
                }
                let error = 100.0 * (1.0 - trainer.on(test, threads)?.1);
                Ok(Outcome::default().number("test error %", error))
            }));
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let rule = |ours: &Stat, p: &Published| {
        ours.mean > 30.0 && p.value > 30.0 || (ours.mean / p.value).ln().abs() <= 1.5_f64.ln()
    };
    let rows: Vec<Row> = grid()
        .iter()
        .map(|(name, _, _, error)| {
            Row::compared(results, name, "test error %", Published::quoted(*error), rule)
        })
        .collect();
    let met = rows.iter().filter(|row| row.within == Some(true)).count();
    let worst = |rows: &[Row]| rows.iter().map(|row| row.ours.mean).fold(0.0, f64::max);
    let best = |rows: &[Row]| rows.iter().map(|row| row.ours.mean).fold(f64::INFINITY, f64::min);
    let words = format!(
        "{met} of {} quoted errors are met. Over their grids ours range from {:.2} to {:.2} % (Table \
         1, learning rates) and from {:.2} to {:.2} % (ADADELTA).",
        rows.len(),
        best(&rows[..15]),
        worst(&rows[..15]),
        best(&rows[15..]),
        worst(&rows[15..]),
    );
    let mut plot = Plot::new(
        "adadelta",
        "Test error over the learning rate (ADADELTA: over ε, ρ = 0.95)",
        Axis::log("learning rate or ε"),
        Axis::log("test error in percent"),
    );
    for (i, column) in COLUMNS.iter().enumerate() {
        let points =
            RATES.iter().zip(&rows[5 * i..]).map(|(rate, row)| (*rate, row.ours.mean, 0.0));
        plot = plot.with(Series::new(column.name, Form::Marked, points));
    }
    let points = ADADELTA
        .iter()
        .enumerate()
        .map(|(i, (eps, _))| (*eps, rows[15 + 3 * i + 1].ours.mean, 0.0));
    plot = plot.with(Series::new("ADADELTA", Form::Marked, points));
    Findings { verdict: Verdict::of_rows(&rows), parts: Vec::new(), words, rows, plots: vec![plot] }
}
