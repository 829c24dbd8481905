//! Finished cells, one JSON line each, so that a killed run goes on where it was.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::cell::Done;

/// The file of an experiment's finished cells, open for the next one.
#[derive(Debug)]
pub(crate) struct Store {
    file: File,
}

/// The first line: which run the cells belong to.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    experiment: String,
    quick: bool,
    version: String,
}

impl Store {
    /// Opens the store and returns the cells that it holds: those of the same experiment, the same
    /// amount of work and the same version of this program, if `resume` asks for them. A line that
    /// a kill left unfinished is dropped.
    pub(crate) fn open(
        path: &Path,
        experiment: &str,
        quick: bool,
        resume: bool,
    ) -> Result<(Self, Vec<Done>)> {
        let version = env!("CARGO_PKG_VERSION").into();
        let head = Head { experiment: experiment.into(), quick, version };
        let old =
            if resume { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
        let mut lines = old.lines();
        let found: Option<Head> = lines.next().and_then(|line| serde_json::from_str(line).ok());
        let done: Vec<Done> = match found.as_ref() == Some(&head) {
            true => lines.map_while(|line| serde_json::from_str(line).ok()).collect(),
            false => Vec::new(),
        };
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut store = Self { file };
        store.line(&head)?;
        for cell in &done {
            store.line(cell)?;
        }
        Ok((store, done))
    }

    /// Keeps a finished cell.
    pub(crate) fn keep(&mut self, cell: &Done) -> Result<()> {
        self.line(cell)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).context("cannot write finished cells")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::cell::Outcome;

    fn done(seed: u64) -> Done {
        let outcome = Outcome::default().number("loss", 0.1 * seed as f64);
        Done { config: "a".into(), seed, seconds: 1.5, outcome }
    }

    #[test]
    fn a_killed_run_goes_on_with_whole_cells_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.jsonl");
        let (mut store, old) = Store::open(&path, "momentum", false, true).unwrap();
        assert!(old.is_empty(), "there is no file yet");
        store.keep(&done(1)).unwrap();
        store.keep(&done(2)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let (mut store, old) = Store::open(&path, "momentum", false, true).unwrap();
        assert_eq!(old, [done(1)], "the second line was cut");
        store.keep(&done(3)).unwrap();
        let (_, old) = Store::open(&path, "momentum", false, true).unwrap();
        assert_eq!(old, [done(1), done(3)]);
    }

    #[test]
    fn cells_of_other_work_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.jsonl");
        for (experiment, quick, resume) in
            [("adam", false, true), ("momentum", true, true), ("momentum", false, false)]
        {
            let (mut store, _) = Store::open(&path, "momentum", false, false).unwrap();
            store.keep(&done(1)).unwrap();
            let (_, old) = Store::open(&path, experiment, quick, resume).unwrap();
            assert!(old.is_empty(), "{experiment} {quick} {resume}");
        }
    }
}
