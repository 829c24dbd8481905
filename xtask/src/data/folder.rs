//! Where data sets lie.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use super::sets::can_fetch;

/// The folder of the data sets: `$SLALOM_DATA`, or where `data fetch` puts them.
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("SLALOM_DATA") {
        Some(folder) => folder.into(),
        None => crate::root().join("target/data"),
    }
}

/// A file of the folder, or an error that says what to do.
pub(crate) fn file(path: &str) -> Result<PathBuf> {
    let folder = folder();
    let file = folder.join(path);
    if file.is_file() {
        return Ok(file);
    }
    Err(missing(path, path.split('/').next().unwrap_or(path)))
}

/// The error of a set's file that is not there.
pub(crate) fn missing(what: &str, set: &str) -> anyhow::Error {
    let folder = folder();
    let how = match std::env::var_os("SLALOM_DATA") {
        Some(_) => "which SLALOM_DATA names",
        None => "SLALOM_DATA is not set",
    };
    let fetch = match can_fetch(set) {
        true => format!(", or run `cargo xtask data fetch {set}`"),
        false => String::new(),
    };
    anyhow!(
        "no {what} in {} ({how}): set SLALOM_DATA to the folder that holds {set}/{fetch}",
        folder.display()
    )
}
