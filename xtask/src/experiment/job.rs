//! `experiment digits` and `experiment mnist`: one network trained on real data, end to end.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use slalom::prelude::*;
use slalom::preprocess::{DataSet, Limits, MinMax, OwnedTargets, Split, idx_data_set};
use slalom::train::checkpoint::CheckpointError;
use slalom::train::{Every, Progress, Save};

use super::data;
use super::net::accuracy;
use super::plot::{Axis, Plot, Series};
use super::{draw, machine, mistakes, report};
use crate::interrupt::{Interrupt, command_to_go_on};

/// A training: its data, its network, and how it is trained.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What it takes.
    pub(crate) needs: &'static str,
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
        title: "1,797 handwritten digits of 8x8 pixels",
        needs: "trains in seconds, needs no data",
        hidden: 128,
        dropout: 0.2,
        batch: 32,
        rate: 3e-3,
        epochs: 40,
        load: digits,
    },
    Job {
        name: "mnist",
        title: "MNIST, 784-128-10",
        needs: "needs its files in the folder that SLALOM_DATA names",
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
    /// Go on from the newest checkpoint in the folder, if there is one.
    pub(crate) resume: bool,
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

/// Trains, and writes summary.json, history.csv and report.html into the folder. A run that is
/// interrupted, or killed after a minute, can be resumed there.
pub(crate) fn run(job: &Job, options: &Options, out: &Path, interrupt: &Interrupt) -> Result<()> {
    let [train, test] = (job.load)(options.seed)?;
    let (train, test) = (train.samples()?, test.samples()?);
    let Targets::Classes(classes) = test.targets() else { unreachable!("classes are loaded") };
    let epochs = options.epochs.unwrap_or(job.epochs);
    let mut run = begin(job, options, epochs, train, out)?;
    let parameters = run.network().len();
    let fit = Fit { epochs, restore_best: false, ..Fit::default() };
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut save = Save { every: Every::Minutes(1.0), best: false, ..Save::new(out, job.name) };
    let mut progress = Progress::stderr(job.name, epochs);
    let callbacks: &mut [&mut dyn Callback<f32>] =
        &mut [&mut interrupt.flag(), &mut save, &mut progress];
    if run.fit(train, Some(test), &fit, callbacks)? == Outcome::Interrupted {
        let file = Save::newest(out, job.name)?.path;
        let (epoch, batch) = (run.epochs() + 1, run.batch());
        let kept = format!(
            "{} in epoch {epoch} of {epochs}, after batch {batch}; saved {}; go on with: {}",
            job.name,
            file.display(),
            command_to_go_on()
        );
        return Err(interrupt.stopped(kept).into());
    }

    let outputs = run.predict(test.inputs())?;
    let summary = Summary {
        experiment: job.name,
        test_accuracy: accuracy(&outputs, classes),
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
    let mistakes = mistakes::part(test.inputs(), classes, &outputs)?;
    super::write(out, "report.html", &page(job, &summary, &run, &mistakes)?)?;
    println!(
        "{}: test accuracy {:.4}, test loss {:.4}, {} epochs in {:.2} s",
        job.name, summary.test_accuracy, summary.test_loss, summary.epochs, summary.seconds
    );
    println!("fingerprint: {}", summary.fingerprint);
    println!("report: {}", out.join("report.html").display());
    Ok(())
}

/// The run before its first batch or, if that is wanted, where the newest checkpoint has it.
fn begin(
    job: &Job,
    options: &Options,
    epochs: u64,
    train: Samples<'_, f32>,
    out: &Path,
) -> Result<Run<f32>> {
    let updates = epochs * train.len().div_ceil(job.batch) as u64;
    let layers = [
        Dense { init: Init::HeNormal, ..Dense::new(job.hidden, Activation::Relu) }.into(),
        Dropout::new(job.dropout).into(),
        Dense::linear(10).into(),
    ];
    let network = Network::<f32>::new(train.features(), layers)?;
    let config = Config {
        seed: options.seed,
        batch: Batch::Size(job.batch),
        rate: Cosine { start: job.rate, end: 0.0, steps: updates }.into(),
        // the test samples are looked at after each epoch, never to choose one
        keep_best: false,
        ..Config::default()
    };
    let threads = Threads::new(options.threads).context("cannot start threads")?;
    if !options.resume {
        return Ok(Run::new(network, config, threads)?);
    }
    let newest = match Save::newest(out, job.name) {
        Err(CheckpointError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            eprintln!("{}: no checkpoint in {}: from the beginning", job.name, out.display());
            return Ok(Run::new(network, config, threads)?);
        }
        newest => newest?,
    };
    for (path, error) in &newest.damaged {
        eprintln!("{}: {} is passed over: {error}", job.name, path.display());
    }
    eprintln!("{}: goes on from {}", job.name, newest.path.display());
    Ok(Run::resume_as(&newest.checkpoint, &network, &config, threads)?)
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

fn page(job: &Job, summary: &Summary, run: &Run<f32>, mistakes: &str) -> Result<String> {
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
    let mut body = format!("<h1>{}</h1>\n<dl>\n", draw::escape(job.title));
    for (name, value) in &facts {
        body += &format!("<dt>{name}</dt><dd>{}</dd>\n", draw::escape(value));
    }
    body += "</dl>\n";
    body += &report::figure(&loss)?;
    body += mistakes;
    body += &format!(
        "<p class=\"made\">Made by <code>cargo xtask experiment {} --seed {} --epochs {}</code></p>\n",
        job.name, summary.seed, summary.epochs
    );
    Ok(report::frame(&format!("slalom: {}", job.name), &body))
}
