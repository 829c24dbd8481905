//! Full batch, stochastic, mini-batch: progress per update, per epoch and per second.

use std::sync::Arc;

use anyhow::Result;
use slalom::layers::{Activation, Loss};
use slalom::optim::Sgd;

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::data;
use crate::experiment::findings::{BY_PARTS, Findings, Part, Row, Verdict, short};
use crate::experiment::net::{Recipe, Trainer, perceptron};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "batch-size",
    title: "Full batch, stochastic, mini-batch",
    claim: "A full batch makes the most of each update, single samples the most of each epoch, and \
            mini-batches of 16 to 256 are the compromise that gets there first.",
    setup: "1,437 handwritten digits, 64-32-10 with tanh, plain SGD. Each batch size runs at each of \
            five learning rates; its best rate is the one that reaches a training loss of 0.1 in the \
            fewest epochs. Seconds are those of the updates on one thread, without evaluation, with \
            another cell beside.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const SIZES: [(&str, usize); 5] =
    [("1", 1), ("16", 16), ("32", 32), ("256", 256), ("full", usize::MAX)];
const RATES: [f64; 5] = [0.02, 0.06, 0.2, 0.6, 1.8];
const GOAL: f64 = 0.1;

fn config(size: &str, rate: f64) -> String {
    format!("batch {size}, rate {rate}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let data = Arc::new(data::digits());
    let updates = plan.pick(60_000, 15_000);
    let most = plan.pick(4_000, 200);
    let mut cells = Vec::new();
    for (name, size) in SIZES {
        for rate in RATES {
            for seed in plan.seeds(10) {
                let data = Arc::clone(&data);
                cells.push(Cell::new(config(name, rate), seed, move |threads| {
                    let [train, _] = data.split(1437, seed);
                    let layers = perceptron(&[32], Activation::Tanh, 10);
                    let recipe = Recipe::new(Sgd::default(), rate, size);
                    let mut trainer = Trainer::new(layers, Loss::default(), &recipe, &train, seed)?;
                    let batches = train.len().div_ceil(size.min(train.len())) as u64;
                    // a full batch has one update an epoch: it may take as many epochs as it needs
                    let epochs = (updates / batches).min(most);
                    let (mut curve, mut reached) = (Vec::new(), None);
                    for epoch in 0..epochs {
                        let mut loss = f64::NAN;
                        let alive = trainer.epoch(epoch, threads, &mut |_, batch, _| loss = batch);
                        if batches > 1 {
                            // the loss of a full batch is that of the training samples already
                            loss = trainer.training(threads)?.0;
                        }
                        curve.push(((epoch + 1) as f64, loss));
                        if !alive {
                            break;
                        }
                        if loss <= GOAL {
                            reached = Some((epoch + 1, trainer.updates, trainer.seconds));
                            break;
                        }
                    }
                    let (epochs, updates, seconds) = reached
                        .map_or((f64::INFINITY, f64::INFINITY, f64::INFINITY), |(e, u, s)| {
                            (e as f64, u as f64, s)
                        });
                    Ok(Outcome::default()
                        .number("epochs", epochs)
                        .number("updates", updates)
                        .number("seconds", seconds)
                        .curve("loss", curve))
                }));
            }
        }
    }
    Ok(cells)
}

fn findings(results: &Results) -> Findings {
    let best: Vec<(&str, String)> = SIZES
        .iter()
        .map(|(name, _)| {
            let epochs = |rate: &f64| results.mean(&config(name, *rate), "epochs");
            let rate = RATES.into_iter().min_by(|a, b| epochs(a).total_cmp(&epochs(b)));
            (*name, config(name, rate.unwrap_or(RATES[0])))
        })
        .collect();
    let rows = best.iter().flat_map(|(_, config)| {
        ["updates", "epochs", "seconds"].map(|number| Row::measured(results, config, number))
    });
    let least = |number: &str| {
        let value = |config: &str| results.mean(config, number);
        best.iter().min_by(|a, b| value(&a.1).total_cmp(&value(&b.1))).map_or("", |b| b.0)
    };
    let (updates, epochs, seconds) = (least("updates"), least("epochs"), least("seconds"));
    let parts = vec![
        Part::new("a full batch reaches the loss in the fewest updates", updates == "full"),
        Part::new("single samples reach it in the fewest epochs", epochs == "1"),
        Part::new(
            "a batch of 16, 32 or 256 reaches it in the fewest seconds",
            ["16", "32", "256"].contains(&seconds),
        ),
    ];
    let mean = |size: &str, number: &str| {
        best.iter().find(|b| b.0 == size).map_or(f64::NAN, |b| results.mean(&b.1, number))
    };
    let words = format!(
        "To a training loss of {GOAL}, each size at its best rate: fewest updates with batch \
         {updates} ({}), fewest epochs with batch {epochs} ({}), fewest seconds with batch {seconds} \
         ({}; single samples {}, full batch {}).",
        short(mean(updates, "updates")),
        short(mean(epochs, "epochs")),
        short(mean(seconds, "seconds")),
        short(mean("1", "seconds")),
        short(mean("full", "seconds")),
    );
    let positions = |number: &str| {
        let points = best.iter().enumerate().map(|(i, (_, config))| {
            let stat = results.stat(config, number);
            (i as f64, stat.mean, stat.sd)
        });
        Series::new(number, Form::Marked, points.collect::<Vec<_>>())
    };
    let names = SIZES.map(|size| size.0);
    let cost = Plot::new(
        "batch-size-cost",
        "What a training loss of 0.1 costs",
        Axis::named("samples a batch", &names),
        Axis::log("updates, epochs, seconds"),
    )
    .with(positions("updates"))
    .with(positions("epochs"))
    .with(positions("seconds"));
    let mut curves = Plot::new(
        "batch-size-curves",
        "Training loss by epoch, each size at its best rate",
        Axis::log("epoch"),
        Axis::log("training loss"),
    );
    for (name, config) in &best {
        curves = curves
            .with(Series::line(&format!("batch {name}"), results.first_curve(config, "loss")));
    }
    Findings {
        verdict: Verdict::of_claim(&parts),
        parts,
        words,
        rows: rows.collect(),
        plots: vec![cost, curves],
    }
}
