//! `cargo xtask`: the rules of the house, the benchmarks and the experiments, as commands.
//!
//! One module a command; `cargo xtask help COMMAND` says what each is for.

mod bench;
mod data;
mod experiment;
mod interrupt;
mod progress;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use interrupt::Interrupted;

/// Work on slalom: check the rules of the house, measure speed, run experiments.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the rules that no compiler checks: dependency arrows, file heads and sizes, quiet
    /// libraries, README's commands, the budget of third-party crates
    Tidy,
    Bench(bench::Arguments),
    Experiment(experiment::Arguments),
    Data(data::Arguments),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(interrupted) => {
                eprintln!("stopped: {interrupted}");
                interrupted.exit_code()
            }
            None => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(command: &Command) -> Result<()> {
    interrupt::end_quietly_without_a_reader()?;
    match command {
        Command::Tidy => tidy::command(),
        Command::Bench(arguments) => bench::command(arguments),
        Command::Experiment(arguments) => experiment::command(arguments),
        Command::Data(arguments) => data::command(arguments),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the root")
        .to_path_buf()
}

/// The `cargo` that runs this program.
fn cargo() -> std::process::Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.current_dir(root());
    command
}
