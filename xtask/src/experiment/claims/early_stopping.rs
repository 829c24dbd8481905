//! Early stopping: where each criterion stops, what it costs and gains.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::Adam;
use slalom::regularize::{
    EarlyStopping, GeneralizationLoss, History, ProgressQuotient, StopRule, SuccessiveRises,
};
use slalom::tensor::{Purpose, stream, uniform};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Row, Verdict, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "early-stopping",
    title: "Early stopping",
    claim: "Stopping when the validation loss rises saves epochs and costs little; slower criteria \
            stop later and end better.",
    setup: "400 handwritten digits to learn from, one in five with a wrong label, 400 to validate, \
            997 to test; 64-128-10, Adam, 200 epochs. Each criterion looks at the same run, every k \
            epochs, and keeps the parameters of its best epoch. Cost is the epochs until it stops; \
            loss is its test loss over the least test loss among the epochs of the run.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const CHECKS: [usize; 3] = [1, 5, 10];

/// The criteria, by name, for checks every k epochs.
fn rules(k: usize) -> Vec<(&'static str, StopRule)> {
    let patience = |patience| EarlyStopping { patience, every: k, ..EarlyStopping::default() };
    vec![
        ("patience 2", patience(2).into()),
        ("patience 5", patience(5).into()),
        ("patience 10", patience(10).into()),
        ("GL 2", GeneralizationLoss { alpha: 2.0, strip: k }.into()),
        ("GL 5", GeneralizationLoss { alpha: 5.0, strip: k }.into()),
        ("GL 20", GeneralizationLoss { alpha: 20.0, strip: k }.into()),
        ("PQ 0.5", ProgressQuotient { alpha: 0.5, strip: k.max(2), min_progress: 0.0 }.into()),
        ("PQ 2", ProgressQuotient { alpha: 2.0, strip: k.max(2), min_progress: 0.0 }.into()),
        ("UP 2", SuccessiveRises { rises: 2, strip: k }.into()),
        ("UP 4", SuccessiveRises { rises: 4, strip: k }.into()),
    ]
}

fn name(rule: &str, k: usize) -> String {
    format!("{rule}, every {k}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let digits = Arc::new(data::digits());
    let epochs = plan.pick(200, 20);
    let cell = |seed| {
        let digits = Arc::clone(&digits);
        Cell::new("run", seed, move |threads| {
            let [learn, test] = digits.split(800, seed);
            let [mut train, valid] = learn.split(400, seed + 1);
            let mut rng = stream(seed, Purpose::Data, [0, 0]);
            for class in &mut train.classes {
                if uniform(&mut rng) < 0.2 {
                    *class = (*class + 1 + (9.0 * uniform(&mut rng)) as u32) % 10;
                }
            }
            let layers = perceptron(&[128], Activation::Relu, 10);
            let recipe = Recipe::new(Adam::default(), 0.001, 32);
            let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
            let (mut training, mut values, mut tests) = (Vec::new(), Vec::new(), Vec::new());
            for epoch in 0..epochs {
                trainer.epoch(epoch, threads, &mut |_, _, _| {});
                training.push(trainer.training(threads)?.0);
                values.push(trainer.on(&valid, threads)?.0);
                tests.push(trainer.on(&test, threads)?.0);
            }
            let least = tests.iter().copied().fold(f64::INFINITY, f64::min);
            let numbered =
                |losses: &[f64]| (1..).map(f64::from).zip(losses.to_vec()).collect::<Vec<_>>();
            let mut outcome = Outcome::default()
                .number("no stopping: loss", tests[tests.len() - 1] / least)
                .curve("training", numbered(&training))
                .curve("validation", numbered(&values))
                .curve("test", numbered(&tests));
            for k in CHECKS {
                for (rule, stop) in rules(k) {
                    let history = History { values: &values, training: &training, seconds: &[] };
                    let decision = stop.decide(history);
                    let cost = decision.epoch.map_or(epochs as f64, |epoch| (epoch + 1) as f64);
                    let best = decision.best.unwrap_or(0);
                    outcome = outcome
                        .number(&format!("{}: epochs", name(rule, k)), cost)
                        .number(&format!("{}: loss", name(rule, k)), tests[best] / least);
                }
            }
            Ok(outcome)
        })
    };
    Ok(plan.seeds(20).map(cell).collect())
}

fn findings(results: &Results) -> Findings {
    let stat =
        |rule: &str, k, number: &str| results.stat("run", &format!("{}: {number}", name(rule, k)));
    let none = results.stat("run", "no stopping: loss");
    let slower = |fast: &str, slow: &str| {
        let better = stat(fast, 1, "loss").above(&stat(slow, 1, "loss"));
        Part::new(format!("{slow} ends at a lower loss than {fast}"), better)
    };
    let parts = vec![
        Part::new(
            "GL 5 ends at a lower loss than no stopping",
            none.above(&stat("GL 5", 1, "loss")),
        ),
        Part::new("patience 5 costs less than 5 %", stat("patience 5", 1, "loss").mean < 1.05),
        slower("GL 2", "GL 20"),
        slower("UP 2", "UP 4"),
        slower("patience 2", "patience 10"),
    ];
    let each = |rule: &str| {
        let (epochs, loss) = (stat(rule, 1, "epochs").mean, stat(rule, 1, "loss").mean);
        format!("{rule}: {epochs:.0} epochs, {loss:.3}")
    };
    let words = format!(
        "Without stopping the test loss ends at {} times its least. Checked every epoch (epochs until \
         it stops, test loss over the least): {}. Checked every 10 epochs, GL 5 stops after {:.0} and \
         ends at {:.3}.",
        short(none.mean),
        ["patience 2", "patience 10", "GL 2", "GL 5", "GL 20", "PQ 0.5", "PQ 2", "UP 2", "UP 4"]
            .map(each)
            .join("; "),
        stat("GL 5", 10, "epochs").mean,
        stat("GL 5", 10, "loss").mean,
    );
    let mut curves = Plot::new(
        "early-stopping-curves",
        "One in five labels is wrong: loss by epoch",
        Axis::linear("epoch"),
        Axis::log("loss"),
    );
    for curve in ["training", "validation", "test"] {
        let points = results.curve("run", curve).into_iter().map(|(x, y)| (x, y.mean, y.sd));
        curves = curves.with(Series::new(curve, Form::Line, points));
    }
    let mut cost = Plot::new(
        "early-stopping-cost",
        "What each criterion costs and gains",
        Axis::log("epochs until it stops"),
        Axis::linear("test loss over the least"),
    );
    for family in ["patience", "GL", "PQ", "UP"] {
        let points = CHECKS.into_iter().flat_map(|k| rules(k).into_iter().map(move |r| (r.0, k)));
        let points = points.filter(|(rule, _)| rule.starts_with(family)).map(|(rule, k)| {
            (
                stat(rule, k, "epochs").mean,
                stat(rule, k, "loss").mean,
                stat(rule, k, "loss").error(),
            )
        });
        cost = cost.with(Series::new(family, Form::Dots, points.collect::<Vec<_>>()));
    }
    let mut rows = vec![Row::measured(results, "run", "no stopping: loss")];
    for (k, (rule, _)) in CHECKS.into_iter().flat_map(|k| rules(k).into_iter().map(move |r| (k, r)))
    {
        for number in ["epochs", "loss"] {
            rows.push(Row::measured(results, "run", &format!("{}: {number}", name(rule, k))));
        }
    }
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: vec![curves, cost] }
}
