//! Reading tables of text as a [`Csv`] says: plain lines the fast way, the rest by the csv crate.

use super::csv::{Csv, Separator};
use super::rows::Rows;
use super::source::{Source, binary_format};
use super::{plain, quoted};
use crate::{Fault, PreprocessError, Table};
use slalom_tensor::Threads;
use std::io::Read;
use std::path::Path;

impl Csv {
    /// Reads a file.
    ///
    /// # Errors
    /// The system's errors; rows of different length, fields that are not what their column holds
    /// and quotes that never end, by line and column; names that are empty or come twice; no rows;
    /// a limit.
    pub fn read(&self, path: &Path) -> Result<Table, PreprocessError> {
        self.read_with(path, &Threads::one())
    }

    /// Reads a file, the parsing of plain numbers shared by the threads; the table is the same at any
    /// number of them.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn read_with(&self, path: &Path, threads: &Threads) -> Result<Table, PreprocessError> {
        let mut source = Source::open(path, &self.limits)?;
        let start = skip_lines(&mut source, self.skip_lines)?;
        self.parse(start, source, self.skip_lines, threads)
    }

    /// Reads from anything that gives bytes; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn from_reader(&self, reader: impl Read, name: &str) -> Result<Table, PreprocessError> {
        let mut source = Source::new(reader, name, &self.limits)?;
        let start = skip_lines(&mut source, self.skip_lines)?;
        self.parse(start, source, self.skip_lines, &Threads::one())
    }

    /// Reads what follows after so many lines, the first bytes of which may have been read.
    pub(super) fn parse<R: Read>(
        &self,
        start: Vec<u8>,
        mut source: Source<R>,
        lines_before: usize,
        threads: &Threads,
    ) -> Result<Table, PreprocessError> {
        if let Separator::Byte(byte) = self.separator {
            let good = byte.is_ascii_punctuation() || byte == b'\t' || byte == b' ';
            if !good || byte == b'"' {
                let bound = "an ASCII punctuation mark other than the quote, a tab or a space";
                return Err(PreprocessError::setting("separator", byte as char, bound));
            }
        }
        let mut rows = Rows::new(self);
        let mut lines = lines_before as u64;
        let start = without_mark(start, &mut source)?;
        let rest = match self.separator {
            Separator::Byte(byte) => {
                plain::take_while_plain(start, &mut source, byte, &mut lines, &mut rows, threads)?
            }
            Separator::Blanks => Some(start),
        };
        if let Some(rest) = rest {
            quoted::take_all(&rest, &mut source, self.separator, lines, &mut rows)?;
        }
        rows.finish().map_err(|error| error.of(&source))
    }
}

/// The first bytes, without a byte order mark.
fn without_mark<R: Read>(
    mut start: Vec<u8>,
    source: &mut Source<R>,
) -> Result<Vec<u8>, PreprocessError> {
    let read = source.by_ref().take(8).read_to_end(&mut start);
    read.map_err(|error| source.read_error(error))?;
    if start.starts_with(b"\xef\xbb\xbf") {
        start.drain(..3);
    }
    match binary_format(&start) {
        None => Ok(start),
        Some(found) => Err(source.error(Fault::Magic { wanted: "a table of text", found })),
    }
}

/// Leaves out so many lines; what was read of the next one, as a line may end in a carriage return
/// alone.
fn skip_lines<R: Read>(source: &mut Source<R>, lines: usize) -> Result<Vec<u8>, PreprocessError> {
    let mut next = None;
    for line in 0..lines {
        loop {
            let byte = if next.is_some() { next.take() } else { source.byte()? };
            match byte {
                Some(b'\n') => break,
                Some(b'\r') => {
                    next = source.byte()?.filter(|&byte| byte != b'\n');
                    break;
                }
                Some(_) => {}
                None => {
                    let what = format!("skip_lines is {lines}, the file has {line} lines");
                    return Err(source.error(Fault::Table { what }));
                }
            }
        }
    }
    Ok(Vec::from_iter(next))
}
