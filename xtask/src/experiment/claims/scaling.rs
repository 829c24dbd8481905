//! Input scaling with sigmoid, tanh and ReLU: epochs to a loss, and the Hessian's condition.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::Sgd;
use slalom::preprocess::{Fit as _, MinMax, Standard, Transform as _};
use slalom::tensor::{Matrix, Threads};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Classes, Net, Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "scaling",
    title: "Input scaling",
    claim: "Scaled inputs make training much faster, whatever the activation, because the Hessian is \
            better conditioned; centred inputs are better than those from 0 to 1.",
    setup: "569 breast-cancer samples of 30 features whose ranges lie between 0.03 and 4,000, \
            30-8-2, SGD with batches of 32 at the best of nine rates; epochs to a training loss of \
            0.1, at most 200 (counted as 200). The condition is that of the Hessian at the initial \
            parameters, by central differences of the gradient in f64: the largest absolute \
            eigenvalue over the median one, given as its decimal logarithm and at most 16, which \
            is singular as far as f64 can tell.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const SCALINGS: [&str; 4] = ["none", "0 to 1", "-1 to 1", "standard"];
const ACTIVATIONS: [(&str, Activation); 3] =
    [("sigmoid", Activation::Sigmoid), ("tanh", Activation::Tanh), ("ReLU", Activation::Relu)];
const GOAL: f64 = 0.1;
const CONDITION: &str = "log₁₀ of the condition";

fn config(scaling: &str, activation: &str) -> String {
    format!("{scaling}, {activation}")
}

/// The samples that ship inside a dependency, scaled.
fn samples(scaling: &str) -> Result<Classes<f64>> {
    let set = smartcore::dataset::breast_cancer::load_dataset();
    let numbers = set.data.into_iter().map(f64::from).collect();
    let mut x = Matrix::from_vec(set.num_features, set.num_samples, numbers);
    match scaling {
        "0 to 1" => MinMax::default().fit(x.as_view())?.transform(x.as_view_mut())?,
        "-1 to 1" => {
            let scaler = MinMax { range: [-1.0, 1.0], ..MinMax::default() };
            scaler.fit(x.as_view())?.transform(x.as_view_mut())?;
        }
        "standard" => Standard::default().fit(x.as_view())?.transform(x.as_view_mut())?,
        _ => {}
    }
    Ok(Classes { x, classes: set.target })
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let most = plan.pick(200, 20);
    for scaling in SCALINGS {
        let data = Arc::new(samples(scaling)?);
        for (name, activation) in ACTIVATIONS {
            for seed in plan.seeds(10) {
                let data = Arc::clone(&data);
                cells.push(Cell::new(config(scaling, name), seed, move |threads| {
                    let mut least = (most as f64, f64::NAN);
                    for rate in [1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0] {
                        let layers = perceptron(&[8], activation, 2);
                        let recipe = Recipe::new(Sgd::default(), rate, 32);
                        let mut trainer =
                            Trainer::new(layers, Loss::default(), &recipe, &data, seed)?;
                        for epoch in 0..most {
                            let alive = trainer.epoch(epoch, threads, &mut |_, _, _| {});
                            if !alive || (epoch + 1) as f64 >= least.0 {
                                break;
                            }
                            if trainer.training(threads)?.0 <= GOAL {
                                least = ((epoch + 1) as f64, rate);
                                break;
                            }
                        }
                    }
                    let layers = perceptron(&[8], activation, 2);
                    let mut net =
                        Net::new(data.x.nrows(), layers, Loss::default(), data.len(), seed)?;
                    Ok(Outcome::default()
                        .number("epochs", least.0)
                        .number("rate", least.1)
                        .number(CONDITION, condition(&mut net, &data, threads)))
                }));
            }
        }
    }
    Ok(cells)
}

/// The logarithm of the largest over the median absolute eigenvalue of the loss's Hessian.
fn condition(net: &mut Net<f64>, data: &Classes<f64>, threads: &Threads) -> f64 {
    let n = net.params.len();
    let mut hessian = Matrix::<f64>::zeros(n, n);
    for i in 0..n {
        let (value, step) = (net.params[i], 1e-5);
        for side in [1.0, -1.0] {
            net.params[i] = value + side * step;
            net.gradient(data.x.as_view(), data.targets(), threads);
            let column = net.grads.iter().map(|g| side * g / (2.0 * step));
            hessian.column_mut(i).iter_mut().zip(column).for_each(|(h, g)| *h += g);
        }
        net.params[i] = value;
    }
    let mut symmetric: Matrix<f64> = (&hessian + hessian.transpose()) * 0.5;
    // saturated units leave entries so small that their squares vanish, and the rotations with them
    let least = 1e-30 * symmetric.amax();
    symmetric.iter_mut().filter(|entry| entry.abs() <= least).for_each(|entry| *entry = 0.0);
    let mut sizes: Vec<f64> = symmetric.symmetric_eigenvalues().iter().map(|v| v.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let (largest, median) = (sizes[n - 1], sizes[n / 2]);
    if median > 1e-16 * largest { (largest / median).log10() } else { 16.0 }
}

fn findings(results: &Results) -> Findings {
    let stat = |scaling: usize, activation: &str, number: &str| {
        results.stat(&config(SCALINGS[scaling], activation), number)
    };
    let mut parts = Vec::new();
    let mut words = String::new();
    for (activation, _) in ACTIVATIONS {
        let epochs = [0, 1, 2, 3].map(|scaling| stat(scaling, activation, "epochs"));
        let condition = [0, 1, 2, 3].map(|scaling| stat(scaling, activation, CONDITION));
        for (slow, fast) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)] {
            let names = format!("{} than {}", SCALINGS[fast], SCALINGS[slow]);
            for (what, stats) in [("fewer epochs", &epochs), ("better condition", &condition)] {
                let holds = stats[slow].above(&stats[fast]);
                parts.push(Part::new(format!("{activation}: {what} with {names}"), holds));
            }
        }
        words += &format!(
            "{activation}: epochs {} (none, 0 to 1, −1 to 1, standard), condition 10^{}. ",
            epochs.each_ref().map(|stat| short(stat.mean)).join(", "),
            condition.each_ref().map(|stat| format!("{:.1}", stat.mean)).join(", 10^"),
        );
    }
    let plot = |name: &str, number: &str, title: &str, y: Axis| {
        let axis = Axis::named("scaling", &SCALINGS);
        let mut plot = Plot::new(name, title, axis, y);
        for (activation, _) in ACTIVATIONS {
            let points = (0..4).map(|scaling| {
                let stat = stat(scaling, activation, number);
                (scaling as f64, stat.mean, stat.sd)
            });
            plot = plot.with(Series::new(activation, Form::Marked, points.collect::<Vec<_>>()));
        }
        plot
    };
    let plots = vec![
        plot("scaling-epochs", "epochs", "Epochs to a training loss of 0.1", Axis::log("epochs")),
        plot(
            "scaling-condition",
            CONDITION,
            "Condition of the Hessian at the start",
            Axis::linear(CONDITION),
        ),
    ];
    let rows = measured(results, &["epochs", CONDITION]);
    Findings {
        verdict: Verdict::of_claim(&parts),
        parts,
        words: words.trim_end().into(),
        rows,
        plots,
    }
}
