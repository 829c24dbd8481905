//! Momentum smooths and speeds descent.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::{Rule, Sgd};

use super::descent::{QUADRATIC, ROSENBROCK, Surface, rates};
use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Contours, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "momentum",
    title: "Momentum",
    claim: "Momentum of 0.9 smooths and speeds descent.",
    setup: "Three problems: a quadratic with condition number 100, Rosenbrock's valley, and MNIST \
            (4,000 images, 784-32-10, batches of 32). Every μ runs at the best of a grid of learning \
            rates: fewest steps to within 0.001 of the lowest point, or least training loss after 2 \
            epochs. Smoothness is the mean cosine between one step and the next on the quadratic, at \
            the rate that is best without momentum.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const MOMENTA: [f64; 7] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999];

fn rule(momentum: f64) -> Rule {
    Sgd { momentum, ..Sgd::default() }.into()
}

fn config(problem: &str, momentum: f64) -> String {
    format!("{problem}, μ = {momentum}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let [mnist, _] = data::image_classes("mnist")?;
    let images = Arc::new(mnist.subset(&(0..plan.pick(4000, 500)).collect::<Vec<_>>()));
    let mut cells = Vec::new();
    for momentum in MOMENTA {
        for seed in plan.seeds(10) {
            for (surface, low, high) in [(QUADRATIC, 1e-3, 0.1), (ROSENBROCK, 1e-5, 5e-3)] {
                let (most, count) = (plan.pick(40_000, 5_000), plan.pick(25, 7));
                cells.push(Cell::new(config(surface.name, momentum), seed, move |_| {
                    on_surface(surface, momentum, &rates(low, high, count), seed, most)
                }));
            }
            let images = Arc::clone(&images);
            cells.push(Cell::new(config("MNIST", momentum), seed, move |threads| {
                let mut least = (f64::INFINITY, 0.0);
                // η/(1 − μ) is the step that a constant gradient ends up with
                for rate in [0.01, 0.03, 0.1, 0.3, 1.0].map(|step| step * (1.0 - momentum)) {
                    let layers = perceptron(&[32], Activation::Relu, 10);
                    let recipe = Recipe::new(rule(momentum), rate, 32);
                    let mut trainer =
                        Trainer::new(layers, Loss::default(), &recipe, &images, seed)?;
                    let alive = (0..2).all(|e| trainer.epoch(e, threads, &mut |_, _, _| {}));
                    let loss = trainer.training(threads)?.0;
                    if alive && loss < least.0 {
                        least = (loss, rate);
                    }
                }
                Ok(Outcome::default().number("training loss", least.0).number("rate", least.1))
            }));
        }
    }
    Ok(cells)
}

fn on_surface(
    surface: Surface,
    momentum: f64,
    rates: &[f64],
    seed: u64,
    most: usize,
) -> Result<Outcome> {
    let (rate, best) = surface.best(|| rule(momentum), rates, seed, most)?;
    let (plain, _) = surface.best(|| rule(0.0), rates, seed, most)?;
    let same = surface.descend(rule(momentum), plain, seed, most)?;
    Ok(Outcome::default()
        .number("steps", best.steps)
        .number("rate", rate)
        .number("cosine at plain SGD's rate", same.cosine)
        .curve("path", best.path))
}

fn findings(results: &Results) -> Findings {
    let stat =
        |problem: &str, momentum, number: &str| results.stat(&config(problem, momentum), number);
    let faster = |problem: &str, number: &str| {
        stat(problem, 0.0, number).above(&stat(problem, 0.9, number))
            || stat(problem, 0.0, number).mean.is_infinite()
                && stat(problem, 0.9, number).mean.is_finite()
    };
    let cosine = "cosine at plain SGD's rate";
    let smoother = stat("quadratic", 0.9, cosine).above(&stat("quadratic", 0.0, cosine));
    let parts = vec![
        Part::new("0.9 takes fewer steps on the quadratic", faster("quadratic", "steps")),
        Part::new("it takes fewer steps in Rosenbrock's valley", faster("Rosenbrock", "steps")),
        Part::new("it ends at a lower loss on MNIST", faster("MNIST", "training loss")),
        Part::new("its steps turn less on the quadratic", smoother),
    ];
    let pair = |problem: &str, number: &str| {
        format!(
            "{} → {}",
            short(stat(problem, 0.0, number).mean),
            short(stat(problem, 0.9, number).mean)
        )
    };
    let best = |problem: &str, number: &str| {
        let value = |m: &f64| stat(problem, *m, number).mean;
        MOMENTA.into_iter().min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0.0)
    };
    let words = format!(
        "From μ = 0 to 0.9, each at its best rate: steps on the quadratic {}, on Rosenbrock {}, \
         MNIST training loss after 2 epochs {}; cosine between steps {}. The best μ is {} on the \
         quadratic, {} on Rosenbrock, {} on MNIST; at 0.999 the quadratic takes {} steps.",
        pair("quadratic", "steps"),
        pair("Rosenbrock", "steps"),
        pair("MNIST", "training loss"),
        pair("quadratic", cosine),
        best("quadratic", "steps"),
        best("Rosenbrock", "steps"),
        best("MNIST", "training loss"),
        short(stat("quadratic", 0.999, "steps").mean),
    );
    let names = MOMENTA.map(|m| m.to_string());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sweep = |problem: &str, number: &str| {
        let points = MOMENTA.iter().enumerate().map(|(i, &m)| {
            let stat = stat(problem, m, number);
            (i as f64, stat.mean, stat.sd)
        });
        let finite: Vec<_> = points.filter(|p| p.1.is_finite()).collect();
        Series::new(problem, Form::Marked, finite)
    };
    let steps = Plot::new(
        "momentum-steps",
        "Steps to the lowest point, at the best rate",
        Axis::named("μ", &names),
        Axis::log("steps"),
    )
    .with(sweep("quadratic", "steps"))
    .with(sweep("Rosenbrock", "steps"));
    let mnist = Plot::new(
        "momentum-mnist",
        "MNIST: training loss after 2 epochs",
        Axis::named("μ", &names),
        Axis::log("training loss"),
    )
    .with(sweep("MNIST", "training loss"));
    let path = |surface: Surface, levels: &'static [f64], x: (f64, f64), y: (f64, f64)| {
        let mut plot = Plot::new(
            &format!("momentum-path-{}", surface.name.to_lowercase()),
            &format!("First 400 steps at the best rate: {}", surface.name),
            Axis::linear("x").within(x.0, x.1),
            Axis::linear("y").within(y.0, y.1),
        );
        plot.contours = Some(Contours { height: surface.height, levels });
        for momentum in [0.0, 0.9] {
            let path = results.first_curve(&config(surface.name, momentum), "path");
            plot = plot.with(Series::line(&format!("μ = {momentum}"), path));
        }
        plot
    };
    let plots = vec![
        steps,
        mnist,
        path(QUADRATIC, &[0.05, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0], (-1.6, 2.4), (-0.35, 0.35)),
        path(ROSENBROCK, &[0.5, 2.0, 8.0, 30.0, 100.0, 300.0], (-1.8, 1.6), (-0.6, 2.2)),
    ];
    let rows = measured(results, &["steps", "training loss", "rate", cosine]);
    let rows = rows.into_iter().filter(|row| !row.ours.mean.is_nan()).collect();
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots }
}
