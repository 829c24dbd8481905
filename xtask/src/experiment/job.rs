//! `experiment digits` and `experiment mnist`: one network trained on real data, end to end.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use slalom::prelude::*;
use slalom::preprocess::{DataSet, Limits, MinMax, OwnedTargets, Split, idx_data_set};

use super::data;
use super::net::accuracy;
use super::plot::{Axis, Plot, Series};
use super::progress::Progress;
use super::{machine, report};

/// A training: its data, its network, and how it is trained.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    hidden: usize,
    dropout: f64,
    batch: usize,
    rate: f64,
    epochs: u64,
    /// Training and test samples, scaled; a function of the seed where they are split here.
    load: fn(u64) -> Result<[DataSet<f32>; 2]>,
}

/// All of them.
pub(crate) const JOBS: &[Job] = &[
    Job {
        name: "digits",
        title: "1,797 handwritten digits of 8x8 pixels: trains in seconds, needs no data",
        hidden: 128,
        dropout: 0.2,
        batch: 32,
        rate: 3e-3,
        epochs: 40,
        load: digits,
    },
    Job {
        name: "mnist",
        title: "MNIST, 784-128-10: needs its files in the folder that SLALOM_DATA names",
        hidden: 128,
        dropout: 0.0,
        batch: 64,
        rate: 1.5e-3,
        epochs: 10,
        load: mnist,
    },
];

/// What the command line sets.
pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) epochs: Option<u64>,
}

/// What summary.json says.
#[derive(Serialize)]
struct Summary {
    experiment: &'static str,
    test_accuracy: f64,
    test_loss: f64,
    epochs: u64,
    /// Of training, evaluation on the test samples after each epoch included.
    seconds: f64,
    seed: u64,
    threads: usize,
    /// Over configuration, final parameters, optimizer and history: equal on every run and with
    /// any number of threads.
    fingerprint: String,
    train_samples: usize,
    test_samples: usize,
    parameters: usize,
    machine: String,
}

/// Trains, and writes summary.json, history.csv and report.html into the folder.
pub(crate) fn run(job: &Job, options: &Options, out: &Path) -> Result<()> {
    let [train, test] = (job.load)(options.seed)?;
    let (train, test) = (train.samples()?, test.samples()?);
    let Targets::Classes(classes) = test.targets() else { unreachable!("classes are loaded") };
    let epochs = options.epochs.unwrap_or(job.epochs);
    let updates = epochs * train.len().div_ceil(job.batch) as u64;
    let layers = [
        Dense { init: Init::HeNormal, ..Dense::new(job.hidden, Activation::Relu) }.into(),
        Dropout::new(job.dropout).into(),
        Dense::linear(10).into(),
    ];
    let network = Network::<f32>::new(train.features(), layers)?;
    let parameters = network.len();
    let config = Config {
        seed: options.seed,
        batch: Batch::Size(job.batch),
        rate: Cosine { start: job.rate, end: 0.0, steps: updates }.into(),
        // the test samples are looked at after each epoch, never to choose one
        keep_best: false,
        ..Config::default()
    };
    let threads = Threads::new(options.threads).context("cannot start threads")?;
    let mut run = Run::new(network, config, threads)?;
    let progress = Progress::start(job.name, epochs as usize, 0);
    let fit = Fit { epochs, restore_best: false, ..Fit::default() };
    let mut watch = |_: &Run<f32>, event: Event<'_>| {
        if let Event::Epoch(epoch) = event {
            progress.say(&format!(
                "epoch {:>3} of {epochs}: training loss {:.4}, test loss {:.4}, {:.2} s",
                epoch.epoch,
                epoch.train_loss,
                epoch.valid_loss.unwrap_or(f64::NAN),
                epoch.seconds
            ));
        }
        Ok(ControlFlow::Continue(()))
    };
    run.fit(train, Some(test), &fit, &mut [&mut watch])?;
    progress.finish();

    let summary = Summary {
        experiment: job.name,
        test_accuracy: accuracy(&run.predict(test.inputs())?, classes),
        test_loss: run.evaluate(test)?,
        epochs: run.epochs(),
        seconds: run.history().epochs().iter().map(|epoch| epoch.seconds).sum(),
        seed: options.seed,
        threads: options.threads,
        fingerprint: run.fingerprint().to_string(),
        train_samples: train.len(),
        test_samples: test.len(),
        parameters,
        machine: machine::describe(),
    };
    let mut history = Vec::new();
    run.history().write_csv(&mut history)?;
    super::write(out, "summary.json", &(serde_json::to_string_pretty(&summary)? + "\n"))?;
    super::write(out, "history.csv", &String::from_utf8(history)?)?;
    super::write(out, "report.html", &page(job, &summary, &run)?)?;
    println!(
        "{}: test accuracy {:.4}, test loss {:.4}, {} epochs in {:.2} s",
        job.name, summary.test_accuracy, summary.test_loss, summary.epochs, summary.seconds
    );
    println!("report: {}", out.join("report.html").display());
    Ok(())
}

/// The 1,797 digits of UCI's test set, as smartcore ships them: 80 % to train, 20 % to test, each
/// class with its share; pixels from 0 to 1.
fn digits(seed: u64) -> Result<[DataSet<f32>; 2]> {
    let set = smartcore::dataset::digits::load_dataset();
    let inputs = Matrix::from_vec(set.num_features, set.num_samples, set.data);
    let indices = set.target.iter().map(|&class| class as u32).collect();
    let names = (0..10).map(|class| class.to_string()).collect();
    let data = DataSet::new(inputs, OwnedTargets::Classes { indices, names })?;
    let split = Split { test: 0.2, stratified: true, seed, ..Split::default() };
    let mut parts = data.split(&split)?;
    let scaler = MinMax::default().fit(parts.train.inputs())?;
    scaler.transform(parts.train.inputs_mut())?;
    scaler.transform(parts.test.inputs_mut())?;
    Ok([parts.train, parts.test])
}

/// MNIST's own 60,000 and 10,000 images, pixels from 0 to 1.
fn mnist(_seed: u64) -> Result<[DataSet<f32>; 2]> {
    let images = data::images("mnist")?;
    let load = |files: &[std::path::PathBuf; 2]| -> Result<DataSet<f32>> {
        let mut data = idx_data_set::<f32>(&files[0], &files[1], 10, &Limits::default())?;
        data.inputs_mut().iter_mut().for_each(|pixel| *pixel /= 255.0);
        Ok(data)
    };
    Ok([load(&images.train)?, load(&images.test)?])
}

fn page(job: &Job, summary: &Summary, run: &Run<f32>) -> Result<String> {
    let epochs = run.history().epochs();
    let losses = |value: fn(&slalom::train::Epoch) -> f64| {
        epochs.iter().map(move |epoch| (epoch.epoch as f64, value(epoch)))
    };
    let loss = Plot::new("loss", "Learning curves", Axis::linear("epoch"), Axis::log("loss"))
        .with(Series::line("training", losses(|epoch| epoch.train_loss)))
        .with(Series::line("test", losses(|epoch| epoch.valid_loss.unwrap_or(f64::NAN))));
    let facts = [
        (
            "test accuracy",
            format!("{:.4} on {} samples", summary.test_accuracy, summary.test_samples),
        ),
        ("test loss", format!("{:.4}", summary.test_loss)),
        (
            "training",
            format!(
                "{} samples, {} epochs, {:.2} s",
                summary.train_samples, summary.epochs, summary.seconds
            ),
        ),
        ("parameters", summary.parameters.to_string()),
        ("seed, threads", format!("{}, {}", summary.seed, summary.threads)),
        ("fingerprint", summary.fingerprint.clone()),
        ("machine", summary.machine.clone()),
    ];
    let mut body = format!("<h1>{}</h1>\n<dl>\n", report::escape(job.title));
    for (name, value) in &facts {
        body += &format!("<dt>{name}</dt><dd>{}</dd>\n", report::escape(value));
    }
    body += "</dl>\n";
    body += &report::figure(&loss)?;
    body += &format!(
        "<p class=\"made\">Made by <code>cargo xtask experiment {} --seed {} --epochs {}</code></p>\n",
        job.name, summary.seed, summary.epochs
    );
    Ok(report::frame(&format!("slalom: {}", job.name), &body))
}
