//! `cargo xtask bench`: what slalom's speed is, as tables.
//!
//! Without a name it runs the criterion benches of the `benches` package and prints one table.
//! With a name it runs a measurement that criterion has no shape for (whole trainings, other
//! libraries beside ours): one file each in this folder, one line each in [`BENCHES`].

mod criterion;
mod machine;
mod optim;
mod peers;
mod preprocess;
mod scaling;
mod train;
mod workloads;

use anyhow::{Result, bail};

/// Measure speed: all criterion benches as one table, or one of the larger measurements by name
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which measurement: none runs the criterion benches, `list` names the others
    name: Option<String>,
    /// What the measurement itself takes, as `bench NAME -- --help` tells; for the criterion benches, a
    /// filter on their names
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// A measurement: its name, what it measures, and the function that runs it.
struct Bench {
    name: &'static str,
    measures: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "criterion",
        measures: "all criterion benches: products, one training step, … (what runs without a name)",
        run: criterion::run,
    },
    Bench {
        name: "train",
        measures: "a step of six trainings, from 4-16-3 to 2048 units: µs, GFLOP/s, share of the roofline",
        run: train::run,
    },
    Bench {
        name: "peers",
        measures: "the same trainings by RustyML, PyTorch, JAX and scikit-learn, as ratios",
        run: peers::run,
    },
    Bench {
        name: "scaling",
        measures: "a step's cost by width, depth, batch, data and threads, from 2^4 to 2^12",
        run: scaling::run,
    },
    Bench {
        name: "optim",
        measures: "one optimizer step over 10 million f32, each rule, beside a plain triad",
        run: optim::run,
    },
    Bench {
        name: "preprocess",
        measures: "scaling 1,000,000 x 32 f32, one-hot of a million, reading a CSV of 100 MB",
        run: preprocess::run,
    },
];

/// `cargo xtask bench [NAME] [ARGUMENT…]`.
pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    let name = arguments.name.as_deref().unwrap_or("criterion");
    if name == "list" {
        BENCHES.iter().for_each(|bench| println!("{:<12}{}", bench.name, bench.measures));
        return Ok(());
    }
    match BENCHES.iter().find(|bench| bench.name == name) {
        Some(bench) => (bench.run)(&arguments.rest),
        None => {
            let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
            bail!("no bench is called {name:?}: there are {}", names.join(", "))
        }
    }
}
