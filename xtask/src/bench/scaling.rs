//! `cargo xtask bench scaling`: how a step's cost grows with width, depth, batch, data and threads.

use anyhow::{Result, bail};

use super::train;
use super::workloads::{Rule, Workload};

/// The training that one number at a time is varied of.
const BASE: Workload<'_> = Workload {
    name: "base",
    samples: 4096,
    sizes: &[256, 256, 256, 10],
    batch: 64,
    rule: Rule::Adam,
    dropout: 0.0,
};

/// The powers of two that are tried.
const POWERS: std::ops::RangeInclusive<u32> = 4..=12;

pub(super) fn run(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("bench scaling takes no arguments, found {arguments:?}");
    }
    println!("µs a step of 256-256-256-10, batch 64, Adam, 2 threads, but for one number:");
    println!("| n | width | (1 thread) | depth | batch | data |");
    println!("|---|---|---|---|---|---|");
    for power in POWERS {
        let n = 1_usize << power;
        let time = |work: &Workload<'_>, threads| match train::seconds_per_step(work, threads) {
            Ok(seconds) => format!("{:.1}", seconds * 1e6),
            Err(error) => format!("{error}"),
        };
        let width = Workload { sizes: &[n, n, n, 10], ..BASE };
        let deep: Vec<_> = std::iter::repeat_n(64, n.min(256) + 1).chain([10]).collect();
        let depth = Workload { sizes: &deep, ..BASE };
        let batch = Workload { batch: n, ..BASE };
        let data = Workload { samples: n.max(64), ..BASE };
        let depth = if n <= 256 { time(&depth, 2) } else { "–".into() };
        let (two, one) = (time(&width, 2), time(&width, 1));
        println!("| {n} | {two} | {one} | {depth} | {} | {} |", time(&batch, 2), time(&data, 2));
    }
    println!("depth: so many hidden layers of 64 units; width: inputs and both hidden layers.");
    Ok(())
}
