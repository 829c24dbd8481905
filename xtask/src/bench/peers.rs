//! `cargo xtask bench peers`: the trainings of `bench train` by the libraries one would pick instead.
//!
//! Each peer and slalom run in turn, several times, and the least times of these turns are compared:
//! what else runs on a machine slows either for minutes. What cannot be had (Python, a package, a
//! crate) is said, and the rest goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use slalom::prelude::*;

use super::train;
use super::workloads::{Rule, WORKLOADS, Workload};

/// Samples that are predicted in one call.
const PREDICTIONS: [usize; 2] = [1, 10_000];

/// The same trainings and predictions by RustyML, PyTorch, JAX and scikit-learn, as ratios.
#[derive(Parser)]
#[command(name = "cargo xtask bench peers")]
struct Arguments {
    /// Only trainings and predictions with this in their name
    #[arg(long, default_value = "")]
    filter: String,
    /// How often each peer runs, with slalom before each time; the least times are compared
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
}

/// What is measured.
struct Work {
    trainings: Vec<&'static Workload<'static>>,
    predictions: Vec<usize>,
}

impl Work {
    fn named(filter: &str) -> Result<Self> {
        let trainings = WORKLOADS.iter().filter(|work| work.name.contains(filter)).collect();
        let predictions =
            PREDICTIONS.into_iter().filter(|&n| prediction(n).contains(filter)).collect();
        let work = Self { trainings, predictions };
        if work.names().next().is_none() {
            let all = Self::named("")?.names().collect::<Vec<_>>().join(", ");
            bail!("no training or prediction has {filter:?} in its name: there are {all}");
        }
        Ok(work)
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let trainings = self.trainings.iter().map(|work| work.name.to_string());
        trainings.chain(self.predictions.iter().copied().map(prediction))
    }
}

fn prediction(samples: usize) -> String {
    format!("predict {samples}")
}

/// Microseconds by the name of the work.
type Times = BTreeMap<String, f64>;

pub(super) fn run(arguments: &[String]) -> Result<()> {
    let name = "cargo xtask bench peers".to_string();
    let arguments = Arguments::parse_from(std::iter::once(&name).chain(arguments));
    let chosen = Work::named(&arguments.filter)?;
    let folder = crate::root().join("target").join("peers");
    std::fs::create_dir_all(&folder)?;
    let work = folder.join("work.json");
    std::fs::write(&work, describe(&chosen).to_string())?;
    let mut peers: Vec<(&str, Command)> = Vec::new();
    match rustyml(&folder) {
        Ok(command) => peers.push(("RustyML", command)),
        Err(error) => println!("skipped: RustyML: {error:#}"),
    }
    match python(&folder) {
        Ok(python) => {
            let scripts = [("PyTorch", "torch"), ("JAX", "jax"), ("scikit-learn", "sklearn")];
            for (name, script) in scripts {
                let mut command = Command::new(&python);
                command.arg(sources().join(format!("{script}_peer.py")));
                peers.push((name, command));
            }
        }
        Err(error) => println!("skipped: PyTorch, JAX, scikit-learn: {error:#}"),
    }
    let mut columns = Vec::new();
    for (name, mut command) in peers {
        command.arg(&work);
        match in_turns(name, &chosen, arguments.turns, &mut command) {
            Ok((ours, theirs)) => columns.push((name, ours, theirs)),
            Err(error) => println!("skipped: {name}: {error:#}"),
        }
    }
    print!("{}", table(&chosen, &columns, slalom(&chosen)?));
    Ok(())
}

/// The least times of slalom and of a peer, which run one after the other.
fn in_turns(name: &str, work: &Work, turns: u32, peer: &mut Command) -> Result<(Times, Times)> {
    let (mut ours, mut theirs) = (Times::new(), Times::new());
    for turn in 1..=turns {
        println!("{name}, turn {turn} of {turns} …");
        keep_least(&mut ours, slalom(work)?);
        keep_least(&mut theirs, times(peer)?);
    }
    Ok((ours, theirs))
}

fn keep_least(least: &mut Times, times: Times) {
    for (name, us) in times {
        least.entry(name).and_modify(|least| *least = least.min(us)).or_insert(us);
    }
}

fn sources() -> PathBuf {
    crate::root().join("benches").join("peers")
}

/// The work as the peers read it.
fn describe(work: &Work) -> serde_json::Value {
    let trainings: Vec<_> = work
        .trainings
        .iter()
        .map(|work| {
            let rule = match work.rule {
                Rule::Adam => "adam",
                Rule::SgdMomentum => "sgdm",
            };
            serde_json::json!({
                "name": work.name, "samples": work.samples, "sizes": work.sizes,
                "batch": work.batch, "rule": rule, "dropout": work.dropout,
            })
        })
        .collect();
    serde_json::json!({ "trainings": trainings, "predictions": work.predictions })
}

/// Builds the peer that is a crate.
fn rustyml(folder: &Path) -> Result<Command> {
    let manifest = sources().join("rustyml").join("Cargo.toml");
    let target = folder.join("rustyml");
    let mut build = crate::cargo();
    build.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest);
    succeed(build.env("CARGO_TARGET_DIR", &target))?;
    Ok(Command::new(target.join("release").join("rustyml-peer")))
}

/// A Python with the packages of the peers, made once.
fn python(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin").join("python");
    if !venv.join("complete").exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let pip = ["-m", "pip", "install", "--quiet", "-r"];
        succeed(Command::new(&python).args(pip).arg(sources().join("requirements.txt")))?;
        std::fs::write(venv.join("complete"), "")?;
    }
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program}: {status}");
    }
    Ok(())
}

/// Runs a peer and reads its JSON lines.
fn times(command: &mut Command) -> Result<Times> {
    #[derive(serde::Deserialize)]
    struct Line {
        name: String,
        us: f64,
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{program}: {}: {}", output.status, text.lines().last().unwrap_or_default());
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = |line| Ok(serde_json::from_str::<Line>(line)?).map(|line| (line.name, line.us));
    lines.lines().map(read).collect()
}

/// Our own times, on two threads as the peers'.
fn slalom(work: &Work) -> Result<Times> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(2);
    let mut times = Times::new();
    for workload in &work.trainings {
        let seconds = train::seconds_per_step(workload, threads)?;
        times.insert(workload.name.into(), seconds * 1e6);
    }
    let layers = [Dense::new(128, Activation::Relu).into(), Dense::linear(10).into()];
    let network = Network::<f32>::new(784, layers)?;
    let (params, threads) = (network.init(0), Threads::new(threads)?);
    for &samples in &work.predictions {
        let x = Matrix::from_fn(784, samples, |i, j| ((i * 31 + j * 7) % 255) as f32 / 255.0);
        let mut best = f64::INFINITY;
        for _ in 0..200 {
            let start = Instant::now();
            network.predict(&params, x.as_view(), &threads)?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        times.insert(prediction(samples), best * 1e6);
    }
    Ok(times)
}

/// Microseconds, and how many times ours each peer takes beside the run of ours next to it.
fn table(work: &Work, columns: &[(&str, Times, Times)], ours: Times) -> String {
    let mut table = format!("{:<38} {:>10}", "µs (times slalom's)", "slalom");
    columns.iter().for_each(|(name, ..)| table += &format!(" {name:>19}"));
    table.push('\n');
    for name in work.names() {
        let mut all: Vec<f64> = columns.iter().map(|(_, beside, _)| beside[&name]).collect();
        all.push(ours[&name]);
        all.sort_by(f64::total_cmp);
        table += &format!("{name:<38} {:>10.2}", all[all.len() / 2]);
        for (_, beside, theirs) in columns {
            let cell = theirs
                .get(&name)
                .map_or("–".into(), |us| format!("{us:.1} ({:.2}x)", us / beside[&name]));
            table += &format!(" {cell:>19}");
        }
        table.push('\n');
    }
    table
}
