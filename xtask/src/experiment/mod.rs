//! `cargo xtask experiment`: what people will quote, reproducible and with pictures.
//!
//! One shape for all: an [`Experiment`] has a claim, a list of cells and a rule that turns their
//! numbers into findings. Running them, keeping what is finished, statistics and pages are the same
//! for all and stand in [`runner`], [`store`], [`cell`] and [`report`]. `digits` and `mnist` are
//! single trainings with files of their own: [`job`].

#[cfg(test)]
mod browser_tests;
mod cell;
mod claims;
mod data;
mod draw;
mod findings;
mod job;
mod machine;
mod markdown;
mod mistakes;
mod net;
mod numpy;
mod plot;
mod published;
mod report;
mod runner;
mod store;
mod summary;
mod table;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::interrupt::{Interrupt, command_to_go_on};
use cell::{Cell, Plan, Results};
use findings::Findings;
use report::Section;
use store::Store;

/// Run experiments: claims measured, published tables reproduced, each with numbers, plots and a
/// verdict
///
/// `digits` and `mnist` train one network and write summary.json, history.csv and report.html.
/// All others run many cells (configurations x seeds), two at a time, and write summary.json,
/// cells.csv, their plots and report.html. `all` runs all those others and writes one report over
/// them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which experiments: names, `list` to see them, or `all`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Seeds a configuration, at least 1 [default: each experiment's own number: 10 or more for a
    /// claim, fewer where a published table takes long]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// A few per cent of the work: to see that everything runs, not to be quoted
    #[arg(long)]
    quick: bool,
    /// Go on where a stopped or killed run was: finished cells are kept, digits and mnist go on from
    /// their newest checkpoint to the same bits
    #[arg(long)]
    resume: bool,
    /// Where the files go: straight into DIR for one name, into DIR/NAME for several [default:
    /// target/experiments/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads: that many cells at once, or that many for the one training of digits and mnist; the
    /// numbers are the same for any [default: the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// digits, mnist: the seed of everything random [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// digits, mnist, sklearn --table: passes over the training data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// sklearn: run its seven strategies on this CSV table (last column the class), and print a
    /// JSON list of strategy, loss, accuracy and epochs
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Several experiments or all: also write their results as docs/experiments.md
    #[arg(long)]
    publish: bool,
}

/// An experiment: what it claims, what it runs, what it finds.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) claim: &'static str,
    /// How it is measured.
    pub(crate) setup: &'static str,
    /// How the numbers decide.
    pub(crate) rule: &'static str,
    /// What was tried where published numbers are not met; may be empty.
    pub(crate) tried: &'static str,
    pub(crate) cells: fn(&Plan) -> Result<Vec<Cell>>,
    pub(crate) findings: fn(&Results) -> Findings,
}

/// All experiments, in the order of the report.
fn experiments() -> impl Iterator<Item = &'static Experiment> {
    claims::ALL.iter().chain(published::ALL).copied()
}

/// `cargo xtask experiment NAME…`.
pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    if arguments.names.iter().any(|name| name == "list") {
        return list();
    }
    if let Some(table) = &arguments.table {
        return on_table(arguments, table);
    }
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = arguments.threads.map_or(cores, usize::from);
    let base = arguments.out.clone().unwrap_or_else(|| crate::root().join("target/experiments"));
    let straight = arguments.out.is_some() && arguments.names.len() == 1;
    let (jobs, names): (Vec<_>, Vec<_>) = arguments
        .names
        .iter()
        .partition(|name| job::JOBS.iter().any(|job| job.name == name.as_str()));
    refuse(arguments, !jobs.is_empty(), !names.is_empty())?;
    let interrupt = Interrupt::listen()?;
    for name in jobs {
        let job = job::JOBS.iter().find(|job| job.name == name).expect("partitioned above");
        let (seed, resume) = (arguments.seed.unwrap_or(1), arguments.resume);
        let options = job::Options { seed, threads, epochs: arguments.epochs, resume };
        let out = if straight { base.clone() } else { base.join(job.name) };
        job::run(job, &options, &out, &interrupt)?;
    }
    if names.is_empty() {
        return Ok(());
    }
    let all = names.iter().any(|name| *name == "all");
    let chosen = match all {
        true => experiments().collect(),
        false => names.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?,
    };
    let straight = straight && !all;
    let plan = Plan { seeds: arguments.seeds, quick: arguments.quick };
    let machine = machine::describe();
    let mut sections = Vec::new();
    for (number, experiment) in (1..).zip(&chosen) {
        let out = if straight { base.clone() } else { base.join(experiment.name) };
        let label = match chosen.len() {
            1 => experiment.name.to_string(),
            count => format!("{number}/{count} {}", experiment.name),
        };
        let resume = arguments.resume;
        let run = Run { label, plan, threads, resume, interrupt: &interrupt, machine: &machine };
        let section = run.measure(experiment, &out)?;
        println!("{:<16} {}", experiment.name, summary::line(&section));
        sections.push(section);
    }
    if chosen.len() > 1 {
        let page = report::page("slalom: experiments", &machine, plan.quick, &sections)?;
        write(&base, "report.html", &page)?;
        println!("report: {}", base.join("report.html").display());
        let out = |e: &&Experiment| !chosen.iter().any(|chosen| chosen.name == e.name);
        let left_out: Vec<_> = experiments().filter(out).map(|e| e.name).collect();
        let command = plan.command(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>());
        let results = markdown::page(&command, &machine, plan.quick, &sections, &left_out);
        write(&base, "experiments.md", &results)?;
        if arguments.publish {
            write(&crate::root().join("docs"), "experiments.md", &results)?;
        }
    } else {
        let folder = if straight { base } else { base.join(chosen[0].name) };
        println!("report: {}", folder.join("report.html").display());
    }
    let missing = sections.iter().filter(|section| section.findings.is_err()).count();
    if missing > 0 {
        bail!("{missing} of {} experiments did not run", sections.len());
    }
    Ok(())
}

/// Flags that mean nothing for what was asked are errors, not silence.
fn refuse(arguments: &Arguments, jobs: bool, experiments: bool) -> Result<()> {
    let for_experiments = [
        ("--seeds", arguments.seeds.is_some()),
        ("--quick", arguments.quick),
        ("--publish", arguments.publish),
    ];
    let for_jobs = [("--seed", arguments.seed.is_some()), ("--epochs", arguments.epochs.is_some())];
    let given =
        |flags: &[(&'static str, bool)]| flags.iter().find(|flag| flag.1).map(|flag| flag.0);
    if let Some(flag) = given(&for_experiments).filter(|_| jobs && !experiments) {
        bail!("{flag} is for experiments of many cells: digits and mnist are one training each");
    }
    if let Some(flag) = given(&for_jobs).filter(|_| experiments && !jobs) {
        bail!(
            "{flag} is for digits and mnist: other experiments have seeds and epochs of their own"
        );
    }
    Ok(())
}

/// `cargo xtask experiment sklearn --table FILE`: nothing but the list on standard output.
fn on_table(arguments: &Arguments, table: &Path) -> Result<()> {
    if arguments.names != ["sklearn"] {
        bail!("--table is for `experiment sklearn` only");
    }
    let others = [
        ("--seeds", arguments.seeds.is_some()),
        ("--seed", arguments.seed.is_some()),
        ("--quick", arguments.quick),
        ("--resume", arguments.resume),
        ("--publish", arguments.publish),
        ("--threads", arguments.threads.is_some()),
        ("--out", arguments.out.is_some()),
    ];
    if let Some((flag, _)) = others.iter().find(|other| other.1) {
        bail!("{flag} means nothing beside --table, which takes --epochs only");
    }
    let epochs = arguments.epochs.unwrap_or(400) as usize;
    println!("{}", published::sklearn::on_table(table, epochs)?);
    Ok(())
}

/// What all experiments of a call have in common, but for the label of one.
struct Run<'a> {
    label: String,
    plan: Plan,
    threads: usize,
    resume: bool,
    interrupt: &'a Interrupt,
    machine: &'a str,
}

impl Run<'_> {
    /// Runs one experiment and writes its files.
    fn measure(&self, experiment: &'static Experiment, out: &Path) -> Result<Section> {
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        let start = Instant::now();
        let mut results = Results { cells: Vec::new() };
        let run = (experiment.cells)(&self.plan).and_then(|cells| {
            let path = out.join("cells.jsonl");
            let (store, kept) = Store::open(&path, experiment.name, self.plan.quick, self.resume)?;
            runner::run(&self.label, cells, self.threads, store, &kept, self.interrupt)
        });
        if self.interrupt.is_raised() {
            let (kept, how) = (out.join("cells.jsonl"), command_to_go_on());
            let kept = format!("finished cells are in {}; go on with: {how}", kept.display());
            return Err(self.interrupt.stopped(kept).into());
        }
        let findings = run.map(|done| {
            results = done;
            (experiment.findings)(&results)
        });
        let sum = results.cells.iter().map(|cell| cell.seconds).sum::<f64>();
        let section = Section {
            experiment,
            command: self.plan.command(&[experiment.name]),
            cells: results.cells.len(),
            // cells run side by side: the time that it took, or would have taken without a break
            seconds: start.elapsed().as_secs_f64().max(sum / self.threads as f64),
            findings: findings.map_err(|error| format!("{error:#}")),
        };
        write(out, "summary.json", &summary::json(&section, self.machine, &self.plan)?)?;
        write(out, "cells.csv", &summary::csv(&results))?;
        if let Ok(findings) = &section.findings {
            for plot in &findings.plots {
                write(out, &format!("{}.svg", plot.name), &draw::file(plot)?)?;
            }
        }
        let title = format!("slalom: experiment {}", experiment.name);
        let sections = std::slice::from_ref(&section);
        let page = report::page(&title, self.machine, self.plan.quick, sections)?;
        write(out, "report.html", &page)?;
        Ok(section)
    }
}

fn list() -> Result<()> {
    for job in job::JOBS {
        println!("{:<16} {}: {}", job.name, job.title, job.needs);
    }
    for experiment in experiments() {
        println!("{:<16} {}", experiment.name, experiment.title);
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static Experiment> {
    match experiments().find(|experiment| experiment.name == name) {
        Some(experiment) => Ok(experiment),
        None => {
            let jobs = job::JOBS.iter().map(|job| job.name);
            let names: Vec<_> =
                jobs.chain(experiments().map(|experiment| experiment.name)).collect();
            bail!("no experiment is called {name:?}: there are {}", names.join(", "))
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
