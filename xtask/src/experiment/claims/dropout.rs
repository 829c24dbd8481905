//! Dropout from 0 to 0.9, inverted and classical, and with the rescaling left out.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Dense, Dropout, DropoutForm, Loss};
use slalom::optim::Adam;

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results, Stat};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::net::{Net, Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "dropout",
    title: "Dropout",
    claim: "Dropout reduces overfitting; classical and inverted dropout are the same but for where \
            they rescale; leaving the rescaling out does harm.",
    setup: "300 handwritten digits to learn from, 1,497 to test on, 64-256-10, Adam, 150 epochs of \
            batches of 32, dropout behind the hidden layer. \"Not rescaled\" is the network of the \
            classical form, used without multiplying by 1 − p. The two forms are the same where \
            neither's test loss is above the other's, or they differ by at most 5 %.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const RATES: [f64; 10] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const FORMS: [(&str, DropoutForm); 2] =
    [("inverted", DropoutForm::Inverted), ("classical", DropoutForm::Classical)];

fn config(form: &str, rate: f64) -> String {
    format!("{form}, p = {rate}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let epochs = plan.pick(150, 6);
    let mut cells = Vec::new();
    for ((name, form), rate) in FORMS.into_iter().flat_map(|f| RATES.map(|r| (f, r))) {
        for seed in plan.seeds(10) {
            let digits = Arc::clone(&digits);
            cells.push(Cell::new(config(name, rate), seed, move |threads| {
                let [train, test] = digits.split(300, seed);
                let layers = vec![
                    Dense::new(256, Activation::Relu).into(),
                    Dropout { rate, form }.into(),
                    Dense::linear(10).into(),
                ];
                let recipe = Recipe::new(Adam::default(), 0.001, 32);
                let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
                for epoch in 0..epochs {
                    trainer.epoch(epoch, threads, &mut |_, _, _| {});
                }
                let (training, _) = trainer.training(threads)?;
                let (loss, accuracy) = trainer.on(&test, threads)?;
                // the same slab in a network that knows no dropout
                let layers = perceptron(&[256], Activation::Relu, 10);
                let mut plain = Net::new(test.x.nrows(), layers, Loss::default(), 1, seed)?;
                plain.params.copy_from_slice(&trainer.net.params);
                let (plain_loss, plain_accuracy) =
                    plain.evaluate(test.x.as_view(), test.targets(), threads)?;
                Ok(Outcome::default()
                    .number("training loss", training)
                    .number("test loss", loss)
                    .number("test error %", 100.0 * (1.0 - accuracy))
                    .number("not rescaled: test loss", plain_loss)
                    .number("not rescaled: test error %", 100.0 * (1.0 - plain_accuracy)))
            }));
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let stat =
        |form: usize, rate: f64, number: &str| results.stat(&config(FORMS[form].0, rate), number);
    let value = |rate: &f64| stat(0, *rate, "test loss").mean;
    let best = RATES.into_iter().min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0.0);
    let same =
        |a: Stat, b: Stat| !a.above(&b) && !b.above(&a) || (a.mean / b.mean - 1.0).abs() <= 0.05;
    let alike =
        RATES.iter().filter(|r| same(stat(0, **r, "test loss"), stat(1, **r, "test loss"))).count();
    let plain = "not rescaled: test loss";
    let gains = stat(0, 0.0, "test loss").above(&stat(0, best, "test loss"));
    let harms = stat(1, 0.5, plain).above(&stat(1, 0.5, "test loss"));
    let parts = vec![
        Part::new("at the best p the test loss is lower than without dropout", gains),
        Part::new(
            "the two forms are the same at nine values of p or more",
            alike + 1 >= RATES.len(),
        ),
        Part::new("not rescaled at p = 0.5, the test loss is higher", harms),
    ];
    let number = |form, rate, number: &str| short(stat(form, rate, number).mean);
    let words = format!(
        "Test loss {} without dropout, least with p = {best}: {} (test error {} % and {} %). The two \
         forms agree at {alike} of {} values of p. Left unscaled at p = 0.5, the test loss is {} \
         instead of {} (test error {} % instead of {} %).",
        number(0, 0.0, "test loss"),
        number(0, best, "test loss"),
        number(0, 0.0, "test error %"),
        number(0, best, "test error %"),
        RATES.len(),
        number(1, 0.5, plain),
        number(1, 0.5, "test loss"),
        number(1, 0.5, "not rescaled: test error %"),
        number(1, 0.5, "test error %"),
    );
    let series = |label: &str, form: usize, number: &str| {
        let points = RATES.map(|rate| {
            let stat = stat(form, rate, number);
            (rate, stat.mean, stat.sd)
        });
        Series::new(label, Form::Marked, points)
    };
    let losses = Plot::new("dropout-loss", "Loss over p", Axis::linear("p"), Axis::log("loss"))
        .with(series("inverted, test", 0, "test loss"))
        .with(series("classical, test", 1, "test loss"))
        .with(series("classical, not rescaled, test", 1, plain))
        .with(series("inverted, training", 0, "training loss"));
    let errors = Plot::new(
        "dropout-error",
        "Test error over p",
        Axis::linear("p"),
        Axis::linear("test error in percent"),
    )
    .with(series("inverted", 0, "test error %"))
    .with(series("classical", 1, "test error %"))
    .with(series("classical, not rescaled", 1, "not rescaled: test error %"));
    let numbers =
        ["training loss", "test loss", "test error %", plain, "not rescaled: test error %"];
    let rows = measured(results, &numbers);
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: vec![losses, errors] }
}
