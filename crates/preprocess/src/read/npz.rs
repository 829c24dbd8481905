//! NPZ: a zip of NPY files, stored or deflated.
//!
//! Only what NumPy writes is read: no encryption, no archives in parts, none over 4 GiB. The list at
//! the archive's end says what there is; checksums are verified.

use super::npy::npy_from_reader;
use crate::{Fault, Limits, PreprocessError};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use slalom_tensor::{Matrix, Scalar};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The most arrays that an archive may hold.
const ARRAYS: usize = 10_000;

/// The names of the arrays of an NPZ file, in order.
///
/// # Errors
/// The system's errors, or a file that is no such archive.
pub fn npz_names(path: &Path) -> Result<Vec<String>, PreprocessError> {
    Ok(Archive::open(path)?.entries.into_iter().map(|entry| entry.name).collect())
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
    let mut archive = Archive::open(path)?;
    let Some(entry) = archive.entries.iter().find(|entry| entry.name == name).cloned() else {
        let known: Vec<&str> = archive.entries.iter().map(|entry| &entry.name[..]).collect();
        let what = format!("no array is called {name:?}: there are {}", known.join(", "));
        return Err(PreprocessError::file(path, Fault::Table { what }));
    };
    let content = archive.content(&entry).map_err(|fault| PreprocessError::file(path, fault))?;
    let mut sum = Sum { reader: content, crc: Crc::new() };
    let shown = format!("{}, array {name}", path.display());
    let matrix = npy_from_reader(&mut sum, &shown, limits)?;
    if sum.crc.sum() == entry.crc {
        Ok(matrix)
    } else {
        let what = format!("the checksum of array {name:?} differs: the file is damaged");
        Err(PreprocessError::file(path, Fault::Table { what }))
    }
}

/// A zip archive and its list of members.
struct Archive {
    file: File,
    entries: Vec<Entry>,
}

/// A member of an archive.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    deflated: bool,
    crc: u32,
    /// Its bytes in the archive.
    packed: u64,
    /// Where its local header starts.
    start: u64,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, PreprocessError> {
        let failed = |fault| PreprocessError::file(path, fault);
        let io = |error| failed(Fault::Io { at: 0, error });
        let mut file = File::open(path).map_err(io)?;
        let data = file.metadata().map_err(io)?;
        match (data.is_dir(), data.len()) {
            (true, _) => return Err(failed(Fault::Folder)),
            (_, 0) => return Err(failed(Fault::Empty)),
            _ => {}
        }
        let entries = list(&mut file, data.len()).map_err(failed)?;
        Ok(Self { file, entries })
    }

    /// A reader of a member's content.
    fn content(&mut self, entry: &Entry) -> Result<Box<dyn Read>, Fault> {
        let io = |error| Fault::Io { at: entry.start, error };
        let mut header = [0; 30];
        self.file.seek(SeekFrom::Start(entry.start)).map_err(io)?;
        self.file.read_exact(&mut header).map_err(io)?;
        if header[..4] != *b"PK\x03\x04" {
            return Err(broken("no member starts where the list says"));
        }
        let skip = u64::from(half(&header, 26)) + u64::from(half(&header, 28));
        self.file.seek(SeekFrom::Start(entry.start + 30 + skip)).map_err(io)?;
        let packed = self.file.try_clone().map_err(io)?.take(entry.packed);
        Ok(if entry.deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) })
    }
}

/// Reads the list at the end of an archive.
fn list(file: &mut File, length: u64) -> Result<Vec<Entry>, Fault> {
    let io = |error| Fault::Io { at: 0, error };
    // the record that ends an archive is 22 bytes and a comment of at most 65,535
    let tail = length.min(22 + 65_535);
    file.seek(SeekFrom::Start(length - tail)).map_err(io)?;
    let mut end = Vec::new();
    file.take(tail).read_to_end(&mut end).map_err(io)?;
    let place =
        (0..end.len().saturating_sub(21)).rev().find(|&i| end[i..].starts_with(b"PK\x05\x06"));
    let Some(place) = place else {
        let found = super::source::looks_like(&end[..end.len().min(8)]);
        return Err(Fault::Magic { wanted: "an NPZ file (no list of members at its end)", found });
    };
    let end = &end[place..];
    let (count, size, start) = (usize::from(half(end, 10)), word(end, 12), word(end, 16));
    if count > ARRAYS {
        return Err(broken("more than 10000 members"));
    }
    if u64::from(start) + u64::from(size) > length {
        return Err(broken("the list of members lies past the end"));
    }
    file.seek(SeekFrom::Start(start.into())).map_err(io)?;
    let mut list = Vec::new();
    file.take(size.into()).read_to_end(&mut list).map_err(io)?;
    let mut rest = &list[..];
    let mut entries = Vec::new();
    for _ in 0..count {
        if rest.len() < 46 || !rest.starts_with(b"PK\x01\x02") {
            return Err(broken("the list of members is damaged"));
        }
        let lengths = [28, 30, 32].map(|at| usize::from(half(rest, at)));
        let total = 46 + lengths.iter().sum::<usize>();
        if rest.len() < total {
            return Err(broken("the list of members is damaged"));
        }
        let name = String::from_utf8_lossy(&rest[46..46 + lengths[0]]).into_owned();
        let deflated = match half(rest, 10) {
            0 => false,
            8 => true,
            _ => return Err(broken("a member is neither stored nor deflated")),
        };
        if half(rest, 8) & 1 == 1 {
            return Err(broken("a member is encrypted"));
        }
        if word(rest, 20) == u32::MAX || word(rest, 42) == u32::MAX {
            return Err(broken("archives over 4 GiB are not read"));
        }
        entries.push(Entry {
            name: name.strip_suffix(".npy").unwrap_or(&name).to_string(),
            deflated,
            crc: word(rest, 16),
            packed: word(rest, 20).into(),
            start: word(rest, 42).into(),
        });
        rest = &rest[total..];
    }
    Ok(entries)
}

fn broken(what: &str) -> Fault {
    Fault::Header { what: what.to_string() }
}

/// Two bytes at a place.
fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Four bytes at a place.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// A reader that sums what passes.
struct Sum<R> {
    reader: R,
    crc: Crc,
}

impl<R: Read> Read for Sum<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.crc.update(&buffer[..n]);
        Ok(n)
    }
}
