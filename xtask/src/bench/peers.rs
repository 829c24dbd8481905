//! `cargo xtask bench peers`: the trainings of `bench train` by the libraries one would pick instead.
//!
//! Each peer and slalom run in turn, several times at each training, and the least times of these
//! turns are compared: what else runs on a machine slows either for minutes. What cannot be had
//! (Python, a package, a crate) is said, and the rest goes on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use slalom::prelude::*;

use super::train;
use super::workloads::{Rule, WORKLOADS, Workload};

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

/// What is measured at a time.
enum Work {
    Training(&'static Workload<'static>),
    /// So many samples in one call.
    Prediction(usize),
}

impl Work {
    fn all() -> impl Iterator<Item = Self> {
        let predictions = [1, 10_000].map(Self::Prediction);
        WORKLOADS.iter().map(Self::Training).chain(predictions)
    }

    fn name(&self) -> String {
        match self {
            Self::Training(work) => work.name.into(),
            Self::Prediction(samples) => format!("predict {samples}"),
        }
    }
}

/// Least times in microseconds, of slalom and of the peer that ran beside it.
struct Pair {
    ours: f64,
    theirs: f64,
}

pub(super) fn run(arguments: &[String]) -> Result<()> {
    let name = "cargo xtask bench peers".to_string();
    let arguments = Arguments::parse_from(std::iter::once(&name).chain(arguments));
    let chosen: Vec<_> = Work::all().filter(|w| w.name().contains(&arguments.filter)).collect();
    if chosen.is_empty() {
        let all = Work::all().map(|work| work.name()).collect::<Vec<_>>().join(", ");
        bail!("no training or prediction has {:?} in its name: there are {all}", arguments.filter);
    }
    let folder = crate::root().join("target").join("peers");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("work.json");
    let mut peers: Vec<(&str, Option<Command>)> = Vec::new();
    match rustyml(&folder) {
        Ok(mut command) => {
            command.arg(&path);
            peers.push(("RustyML", Some(command)));
        }
        Err(error) => println!("skipped: RustyML: {error:#}"),
    }
    match python(&folder) {
        Ok(python) => {
            let scripts = [("PyTorch", "torch"), ("JAX", "jax"), ("scikit-learn", "sklearn")];
            for (name, script) in scripts {
                let mut command = Command::new(&python);
                command.arg(sources().join(format!("{script}_peer.py"))).arg(&path);
                peers.push((name, Some(command)));
            }
        }
        Err(error) => println!("skipped: PyTorch, JAX, scikit-learn: {error:#}"),
    }
    let mut rows = Vec::new();
    for work in &chosen {
        std::fs::write(&path, describe(work).to_string())?;
        let mut pairs = Vec::new();
        for (name, peer) in &mut peers {
            let Some(command) = peer else {
                pairs.push(None);
                continue;
            };
            println!("{}: {name} …", work.name());
            let pair = in_turns(work, arguments.turns, command).unwrap_or_else(|error| {
                println!("skipped: {name}: {error:#}");
                *peer = None; // what it cannot do once is not asked again
                None
            });
            if let Some(Pair { ours, theirs }) = &pair {
                println!("  {theirs:.2} µs beside {ours:.2} of slalom: {:.2} times", theirs / ours);
            }
            pairs.push(pair);
        }
        let alone = slalom(work)?;
        let ours = pairs.iter().flatten().fold(alone, |least, pair| pair.ours.min(least));
        rows.push((work.name(), ours, pairs));
    }
    let peers: Vec<_> = peers.iter().map(|(name, _)| *name).collect();
    print!("{}", table(&peers, &rows));
    Ok(())
}

/// The least times of slalom and of a peer, which run one after the other; none of a peer that does
/// not have this work.
fn in_turns(work: &Work, turns: u32, peer: &mut Command) -> Result<Option<Pair>> {
    let mut least: Option<Pair> = None;
    for _ in 0..turns {
        let ours = slalom(work)?;
        let Some(theirs) = time(peer)? else { return Ok(None) };
        let before = least.unwrap_or(Pair { ours, theirs });
        least = Some(Pair { ours: before.ours.min(ours), theirs: before.theirs.min(theirs) });
    }
    Ok(least)
}

fn sources() -> PathBuf {
    crate::root().join("benches").join("peers")
}

/// The work as the peers read it.
fn describe(work: &Work) -> serde_json::Value {
    match work {
        Work::Prediction(samples) => {
            serde_json::json!({ "trainings": [], "predictions": [samples] })
        }
        Work::Training(work) => {
            let rule = match work.rule {
                Rule::Adam => "adam",
                Rule::SgdMomentum => "sgdm",
            };
            let training = serde_json::json!({
                "name": work.name, "samples": work.samples, "sizes": work.sizes,
                "batch": work.batch, "rule": rule, "dropout": work.dropout,
            });
            serde_json::json!({ "trainings": [training], "predictions": [] })
        }
    }
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

/// Runs a peer and reads its JSON line; there is none where it does not have the work.
fn time(command: &mut Command) -> Result<Option<f64>> {
    #[derive(serde::Deserialize)]
    struct Line {
        us: f64,
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{program}: {}: {}", output.status, text.lines().last().unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().map(serde_json::from_str::<Line>).transpose()?;
    Ok(line.map(|line| line.us))
}

/// Our own microseconds, on two threads as the peers'.
fn slalom(work: &Work) -> Result<f64> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(2);
    let samples = match work {
        Work::Training(work) => return Ok(train::seconds_per_step(work, threads)? * 1e6),
        Work::Prediction(samples) => *samples,
    };
    let layers = [Dense::new(128, Activation::Relu).into(), Dense::linear(10).into()];
    let network = Network::<f32>::new(784, layers)?;
    let (params, threads) = (network.init(0), Threads::new(threads)?);
    let x = Matrix::from_fn(784, samples, |i, j| ((i * 31 + j * 7) % 255) as f32 / 255.0);
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        network.predict(&params, x.as_view(), &threads)?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best * 1e6)
}

/// Microseconds, and how many times ours each peer takes beside the runs of ours next to its own.
fn table(peers: &[&str], rows: &[(String, f64, Vec<Option<Pair>>)]) -> String {
    let mut table = format!("{:<38} {:>10}", "µs (times slalom's)", "slalom");
    peers.iter().for_each(|name| table += &format!(" {name:>19}"));
    table.push('\n');
    for (name, ours, pairs) in rows {
        table += &format!("{name:<38} {ours:>10.2}");
        for pair in pairs {
            let cell = pair.as_ref().map_or("–".into(), |Pair { ours, theirs }| {
                format!("{theirs:.1} ({:.2}x)", theirs / ours)
            });
            table += &format!(" {cell:>19}");
        }
        table.push('\n');
    }
    table
}
