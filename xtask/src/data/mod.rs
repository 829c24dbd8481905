//! Where data sets lie, and `cargo xtask data`, which brings them to people who have no copy.

mod fetch;
mod folder;
mod sets;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use fetch::Client;
pub(crate) use folder::{file, folder, missing};
use sets::SETS;

/// Fetch data sets for the experiments: streamed, resumed where a download broke off, and kept only
/// if their SHA-256 is right
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show the data sets, their sizes and where they come from
    List,
    /// Fetch data sets
    Fetch {
        /// Which: see `list`
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Where the sets' folders go [default: the folder that SLALOM_DATA names, or target/data]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        /// Another place that serves the same files by their names, instead of the set's own
        #[arg(long, value_name = "URL")]
        from: Option<String>,
    },
}

/// `cargo xtask data …`.
pub(crate) fn command(arguments: &Arguments) -> Result<()> {
    let (names, to, from) = match &arguments.command {
        Command::List => {
            for set in SETS {
                let bytes: u64 = set.files.iter().map(|file| file.bytes).sum();
                let size = bytes as f64 / 1e6;
                println!("{:<16}{size:>6.1} MB  {}  {}", set.name, set.licence, set.from);
            }
            return Ok(());
        }
        Command::Fetch { names, to, from } => (names, to, from),
    };
    let to = to.clone().unwrap_or_else(folder);
    for name in names {
        let Some(set) = SETS.iter().find(|set| set.name == name) else {
            let known: Vec<_> = SETS.iter().map(|set| set.name).collect();
            bail!("no data set is called {name:?}: there are {}", known.join(", "))
        };
        let client = Client::new(Duration::from_secs(30), 4);
        for file in set.files {
            let url = match from {
                Some(from) => format!("{}/{}", from.trim_end_matches('/'), file.name()),
                None => format!("{}/{}", set.from, file.path),
            };
            client.fetch(&url, file, &to.join(set.name))?;
        }
    }
    println!("in {}", to.display());
    if folder() != to {
        println!("set SLALOM_DATA to that folder, so that experiments find it");
    }
    Ok(())
}
