//! NPZ: a zip of NPY files, stored or deflated, of any size.

use super::npy::npy_from_reader;
use crate::{Fault, Limits, PreprocessError};
use slalom_tensor::{Matrix, Scalar};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// The names of the arrays of an NPZ file, in order.
///
/// # Errors
/// The system's errors, or a file that is no such archive.
pub fn npz_names(path: &Path) -> Result<Vec<String>, PreprocessError> {
    names(&open(path)?).map_err(|fault| PreprocessError::file(path, fault))
}

/// Reads an array of an NPZ file by its name, as [`read_npy`](crate::read_npy) does.
///
/// # Errors
/// Those of [`read_npy`](crate::read_npy); a file that is no such archive; no array of that name; a checksum
/// that differs.
pub fn read_npz<F: Scalar>(
    path: &Path,
    name: &str,
    limits: &Limits,
) -> Result<Matrix<F>, PreprocessError> {
    let failed = |fault| PreprocessError::file(path, fault);
    let mut archive = open(path)?;
    let known = names(&archive).map_err(failed)?;
    let Some(index) = known.iter().position(|known| known == name) else {
        let what = format!("no array is called {name:?}: there are {}", known.join(", "));
        return Err(failed(Fault::Table { what }));
    };
    let mut entry = archive.by_index(index).map_err(|error| failed(fault(error)))?;
    let shown = format!("{}, array {name}", path.display());
    let matrix = npy_from_reader(&mut entry, &shown, limits)?;
    // the checksum is compared where the entry ends
    match io::copy(&mut entry, &mut io::sink()) {
        Ok(_) => Ok(matrix),
        Err(error) => Err(failed(Fault::Table { what: format!("array {name:?}: {error}") })),
    }
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, PreprocessError> {
    let failed = |fault| PreprocessError::file(path, fault);
    let io = |error| failed(Fault::Io { at: 0, error });
    let mut file = File::open(path).map_err(io)?;
    let data = file.metadata().map_err(io)?;
    match (data.is_dir(), data.len()) {
        (true, _) => return Err(failed(Fault::Folder)),
        (_, 0) => return Err(failed(Fault::Empty)),
        _ => {}
    }
    let mut start = Vec::new();
    (&mut file).take(8).read_to_end(&mut start).map_err(io)?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| match start.starts_with(b"PK") {
        true => failed(fault(error)),
        false => {
            let found = super::source::looks_like(&start);
            failed(Fault::Magic { wanted: "an NPZ file", found })
        }
    })
}

fn names(archive: &ZipArchive<BufReader<File>>) -> Result<Vec<String>, Fault> {
    if archive.has_duplicate_names() {
        return Err(Fault::Table { what: "two arrays have one name".into() });
    }
    let name = |name: Result<Cow<'_, str>, ZipError>| {
        let name = name.map_err(fault)?;
        Ok(name.strip_suffix(".npy").unwrap_or(&name).to_string())
    };
    archive.file_names().map(name).collect()
}

fn fault(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) => Fault::Io { at: 0, error },
        other => Fault::Header { what: other.to_string() },
    }
}
