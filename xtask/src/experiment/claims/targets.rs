//! One-hot targets with softmax cross-entropy against class numbers with squared error.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss, MeanSquaredError};
use slalom::optim::{Adam, Optimizer};
use slalom::preprocess::one_hot;
use slalom::tensor::{Matrix, Targets, Threads};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured};
use crate::experiment::net::{Classes, Net, accuracy, order, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "targets",
    title: "One-hot and class numbers",
    claim: "One-hot targets with softmax cross-entropy classify better than class numbers with \
            squared error, because classes have no order.",
    setup: "Handwritten digits (1,437 to learn from, 360 to test on, 64-32-h, 60 epochs) and iris (100 \
            and 50, 4-16-h, 400 epochs), Adam at 0.003, batches of 32. Class numbers: one output, trained \
            on the number itself, rounded in use. One-hot with squared error tells the target's part \
            from the loss's. Iris's three classes happen to lie in order.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const CODINGS: [&str; 3] =
    ["one-hot, cross-entropy", "one-hot, squared error", "class number, squared error"];

fn config(set: &str, coding: &str) -> String {
    format!("{set}, {coding}")
}

/// Iris as a dependency ships it, features from about 0 to 1.
fn iris() -> Classes<f32> {
    let set = smartcore::dataset::iris::load_dataset();
    let numbers = set.data.into_iter().map(|v| v / 8.0).collect();
    let x = Matrix::from_vec(set.num_features, set.num_samples, numbers);
    Classes { x, classes: set.target }
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let sets = [
        ("digits", Arc::new(data::digits()), 1437, 10, 32, plan.pick(60, 5)),
        ("iris", Arc::new(iris()), 100, 3, 16, plan.pick(400, 20)),
    ];
    let mut cells = Vec::new();
    for (name, data, train, classes, hidden, epochs) in sets {
        for coding in CODINGS {
            for seed in plan.seeds(20) {
                let data = Arc::clone(&data);
                cells.push(Cell::new(config(name, coding), seed, move |threads| {
                    let [train, test] = data.split(train, seed);
                    let run = Training { coding, classes, hidden, epochs, seed };
                    run.accuracies(&train, &test, threads)
                }));
            }
        }
    }
    Ok(cells)
}

struct Training {
    coding: &'static str,
    classes: usize,
    hidden: usize,
    epochs: u64,
    seed: u64,
}

impl Training {
    fn accuracies(
        &self,
        train: &Classes<f32>,
        test: &Classes<f32>,
        threads: &Threads,
    ) -> Result<Outcome> {
        const BATCH: usize = 32;
        let number = self.coding.starts_with("class number");
        let loss = match self.coding.ends_with("cross-entropy") {
            true => Loss::default(),
            false => Loss::MeanSquaredError(MeanSquaredError {}),
        };
        let outputs = if number { 1 } else { self.classes };
        let targets: Matrix<f32> = match number {
            true => Matrix::from_iterator(1, train.len(), train.classes.iter().map(|&c| c as f32)),
            false => one_hot(&train.classes, self.classes)?,
        };
        let layers = perceptron(&[self.hidden], Activation::Relu, outputs);
        let mut net = Net::<f32>::new(train.x.nrows(), layers, loss, BATCH, self.seed)?;
        let mut optimizer = Optimizer::new(Adam::default(), net.blocks(), None)?;
        let hit = |net: &Net<f32>, samples: &Classes<f32>| -> Result<f64> {
            let outputs = net.network.predict(&net.params, samples.x.as_view(), threads)?;
            if !number {
                return Ok(accuracy(&outputs, &samples.classes));
            }
            let pairs = outputs.iter().zip(&samples.classes);
            let hits = pairs.filter(|(output, class)| output.round() == **class as f32).count();
            Ok(hits as f64 / samples.len() as f64)
        };
        let mut curve = Vec::new();
        for epoch in 0..self.epochs {
            for chosen in order(train.len(), self.seed, epoch).chunks(BATCH) {
                let (x, y) = (train.x.select_columns(chosen), targets.select_columns(chosen));
                net.gradient(x.as_view(), Targets::Values(y.as_view()), threads);
                optimizer.step(0.003, &mut net.params, &net.grads)?;
            }
            curve.push(((epoch + 1) as f64, 100.0 * hit(&net, test)?));
        }
        Ok(Outcome::default()
            .number("training accuracy %", 100.0 * hit(&net, train)?)
            .number("test accuracy %", 100.0 * hit(&net, test)?)
            .curve("test accuracy", curve))
    }
}

fn findings(results: &Results) -> Findings {
    let stat =
        |set: &str, coding: usize| results.stat(&config(set, CODINGS[coding]), "test accuracy %");
    let better = |set| stat(set, 0).above(&stat(set, 2));
    let what = "one-hot with cross-entropy has the higher test accuracy";
    let parts: Vec<Part> =
        ["digits", "iris"].map(|set| Part::new(format!("{set}: {what}"), better(set))).into();
    let three = |set: &str| {
        [0, 1, 2]
            .map(|coding| format!("{:.1} ± {:.1}", stat(set, coding).mean, stat(set, coding).sd))
            .join(", ")
    };
    let words = format!(
        "Test accuracy in percent with one-hot and cross-entropy, one-hot and squared error, class \
         number: digits {}; iris {}.",
        three("digits"),
        three("iris")
    );
    let plots = ["digits", "iris"].map(|set| {
        let mut plot = Plot::new(
            &format!("targets-{set}"),
            &format!("Test accuracy on {set}"),
            Axis::linear("epoch"),
            Axis::linear("percent"),
        );
        for coding in CODINGS {
            let curve = results.curve(&config(set, coding), "test accuracy");
            let points = curve.into_iter().map(|(x, y)| (x, y.mean, y.sd));
            plot = plot.with(Series::new(coding, Form::Line, points));
        }
        plot
    });
    let rows = measured(results, &["training accuracy %", "test accuracy %"]);
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: plots.into() }
}
