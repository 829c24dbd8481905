//! Nesterov's look-ahead: better steps, and less overfitting?

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::{Rule, Sgd};

use super::descent::{QUADRATIC, ROSENBROCK, rates};
use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "nesterov",
    title: "Nesterov's momentum",
    claim: "Nesterov's momentum looks ahead and takes better steps; it also helps against \
            overfitting.",
    setup: "First half: steps to within 0.001 of the lowest point of the quadratic with condition \
            number 100 and of Rosenbrock's valley, heavy ball and Nesterov each at the best of 25 \
            rates. Second half: 200 handwritten digits to learn from and 1,597 to test on, \
            64-64-10, 150 epochs of batches of 16, both at the same rate; lower test loss would be \
            help against overfitting.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const FORMS: [(&str, bool); 2] = [("heavy ball", false), ("Nesterov", true)];
const MOMENTA: [f64; 2] = [0.9, 0.99];

fn rule(momentum: f64, nesterov: bool) -> Rule {
    Sgd { momentum, nesterov, ..Sgd::default() }.into()
}

fn config(problem: &str, form: &str, momentum: f64) -> String {
    format!("{problem}, {form}, μ = {momentum}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let mut cells = Vec::new();
    for (form, nesterov) in FORMS {
        for momentum in MOMENTA {
            for seed in plan.seeds(10) {
                for (surface, low, high) in [(QUADRATIC, 1e-3, 0.1), (ROSENBROCK, 1e-5, 5e-3)] {
                    let (most, count) = (plan.pick(40_000, 5_000), plan.pick(25, 7));
                    cells.push(Cell::new(config(surface.name, form, momentum), seed, move |_| {
                        let grid = rates(low, high, count);
                        let (rate, best) =
                            surface.best(|| rule(momentum, nesterov), &grid, seed, most)?;
                        Ok(Outcome::default().number("steps", best.steps).number("rate", rate))
                    }));
                }
            }
            for seed in plan.seeds(20) {
                let digits = Arc::clone(&digits);
                let epochs = plan.pick(150, 10);
                cells.push(Cell::new(config("digits", form, momentum), seed, move |threads| {
                    let [train, test] = digits.split(200, seed);
                    let layers = perceptron(&[64], Activation::Relu, 10);
                    let recipe = Recipe::new(rule(momentum, nesterov), 0.2 * (1.0 - momentum), 16);
                    let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
                    let mut curve = Vec::new();
                    for epoch in 0..epochs {
                        trainer.epoch(epoch, threads, &mut |_, _, _| {});
                        curve.push(((epoch + 1) as f64, trainer.on(&test, threads)?.0));
                    }
                    let (train_loss, _) = trainer.training(threads)?;
                    let (test_loss, accuracy) = trainer.on(&test, threads)?;
                    Ok(Outcome::default()
                        .number("training loss", train_loss)
                        .number("test loss", test_loss)
                        .number("test error %", 100.0 * (1.0 - accuracy))
                        .curve("test loss", curve))
                }));
            }
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let stat = |problem: &str, form: usize, momentum, number: &str| {
        results.stat(&config(problem, FORMS[form].0, momentum), number)
    };
    let better = |problem: &str, momentum, number: &str| {
        stat(problem, 0, momentum, number).above(&stat(problem, 1, momentum, number))
    };
    let cases = |problem: &str, number: &str| -> Vec<Part> {
        let less = if number == "steps" { "fewer" } else { "a lower" };
        let what = |m| format!("{problem}, μ = {m}: {less} {number} with Nesterov's form");
        MOMENTA.map(|m| Part::new(what(m), better(problem, m, number))).into()
    };
    let steps = [cases("quadratic", "steps"), cases("Rosenbrock", "steps")].concat();
    let overfitting = [cases("digits", "test loss"), cases("digits", "test error %")].concat();
    let count = |cases: &[Part]| cases.iter().filter(|part| part.holds).count();
    let pair = |problem: &str, momentum, number: &str| {
        let [ball, nesterov] = [0, 1].map(|form| short(stat(problem, form, momentum, number).mean));
        format!("{ball} → {nesterov}")
    };
    let words = format!(
        "Better steps: in {} of {} cases (heavy ball → Nesterov at μ = 0.9: quadratic {}, Rosenbrock \
         {} steps; at 0.99: {} and {}). Against overfitting: better in {} of {} comparisons (test \
         loss at 0.9: {}, at 0.99: {}; test error: {} % and {} %).",
        count(&steps),
        steps.len(),
        pair("quadratic", 0.9, "steps"),
        pair("Rosenbrock", 0.9, "steps"),
        pair("quadratic", 0.99, "steps"),
        pair("Rosenbrock", 0.99, "steps"),
        count(&overfitting),
        overfitting.len(),
        pair("digits", 0.9, "test loss"),
        pair("digits", 0.99, "test loss"),
        pair("digits", 0.9, "test error %"),
        pair("digits", 0.99, "test error %"),
    );
    let mut plot = Plot::new(
        "nesterov-overfitting",
        "Test loss while 200 digits are learned",
        Axis::linear("epoch"),
        Axis::linear("test loss"),
    );
    for (form, momentum) in FORMS.iter().flat_map(|f| MOMENTA.map(|m| (f.0, m))) {
        let curve = results.curve(&config("digits", form, momentum), "test loss");
        let points = curve.into_iter().map(|(x, y)| (x, y.mean, y.error()));
        plot = plot.with(Series::new(&format!("{form}, μ = {momentum}"), Form::Line, points));
    }
    let rows = measured(results, &["steps", "training loss", "test loss", "test error %"]);
    let rows = rows.into_iter().filter(|row| !row.ours.mean.is_nan()).collect();
    let parts = [steps, overfitting].concat();
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: vec![plot] }
}
