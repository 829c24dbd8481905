//! `cargo xtask bench train`: microseconds a training step takes, beside what the machine could do.

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;

use super::machine;
use super::workloads::{WORKLOADS, Workload};

/// Six trainings of random data, timed per step through `Run::epoch`.
#[derive(Parser)]
#[command(name = "cargo xtask bench train")]
struct Arguments {
    /// Writes one JSON object for each training to this file, as a list
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only trainings with this in their name
    #[arg(long, default_value = "")]
    filter: String,
    /// How many threads: 2, or 1 where there is one processor
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

/// What was measured.
#[derive(Clone, Debug, serde::Serialize)]
struct Figure {
    name: &'static str,
    us_per_step: f64,
    gflops: f64,
    /// The least time that the machine's own limits allow for whole products, over the measured one:
    /// above 1 where many zeros are left out.
    roofline_share: f64,
    threads: usize,
}

pub(super) fn run(arguments: &[String]) -> Result<()> {
    let name = "cargo xtask bench train".to_string();
    let arguments = Arguments::parse_from(std::iter::once(&name).chain(arguments));
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = arguments.threads.map_or(processors.min(2), NonZero::get);
    let chosen: Vec<_> =
        WORKLOADS.iter().filter(|workload| workload.name.contains(&arguments.filter)).collect();
    if chosen.is_empty() {
        let all = WORKLOADS.map(|workload| workload.name).join(", ");
        bail!("no training has {:?} in its name: there are {all}", arguments.filter);
    }
    // before anything is measured: a file that cannot be written is known now
    let json = arguments.json.map(|path| {
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))
    });
    let json = json.transpose()?;
    let peak = machine::peak(threads);
    println!("peak {:.0} GFLOP/s f32 on {threads} threads", peak / 1e9);
    println!("{:<38} {:>10} {:>9} {:>9}", "training", "µs/step", "GFLOP/s", "roofline");
    let mut figures = Vec::new();
    for workload in chosen {
        let figure = measure(workload, threads, peak)?;
        let Figure { name, us_per_step, gflops, roofline_share, .. } = figure;
        println!("{name:<38} {us_per_step:>10.2} {gflops:>9.1} {:>8.0}%", 100.0 * roofline_share);
        figures.push(figure);
    }
    println!(
        "Products count in full; behind rectifiers and dropout their zeros are left out, so that a"
    );
    println!("step can do with less than the roofline's time: more than 100 %.");
    if let Some(mut json) = json {
        writeln!(json, "{}", serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

/// Seconds that a training is measured for, at least.
const SECONDS: f64 = 1.0;
/// Seconds of a single timing, at least.
const TIMING: f64 = 0.01;

fn measure(workload: &Workload<'_>, threads: usize, peak: f64) -> Result<Figure> {
    let best = seconds_per_step(workload, threads)?;
    let bandwidth = machine::triad(workload.bytes() as usize / 2, threads);
    let least = (workload.flop() / peak).max(workload.bytes() / bandwidth);
    Ok(Figure {
        name: workload.name,
        us_per_step: best * 1e6,
        gflops: workload.flop() / best / 1e9,
        roofline_share: least / best,
        threads,
    })
}

/// The best of several timings of whole epochs, after one that does not count.
pub(super) fn seconds_per_step(workload: &Workload<'_>, threads: usize) -> Result<f64> {
    let data = workload.data();
    let samples = data.samples()?;
    let mut run = workload.run(threads)?;
    run.epoch(samples, None)?;
    let (began, mut best, mut timings, mut epochs) = (Instant::now(), f64::INFINITY, 0, 1);
    while timings < 3 || began.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        for _ in 0..epochs {
            run.epoch(samples, None)?;
        }
        let seconds = start.elapsed().as_secs_f64();
        if seconds < TIMING {
            epochs *= 2;
            continue;
        }
        best = best.min(seconds / (epochs * workload.steps()) as f64);
        timings += 1;
    }
    Ok(best)
}
