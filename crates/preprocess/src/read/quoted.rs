//! Records by the csv crate: with quotes, with any end of line, between blanks.
//!
//! The crate has neither a limit for a record nor an error for a quote that never ends; both come
//! from the reader beneath it, which counts bytes and puts a record of its own behind the file.

use super::csv::Separator;
use super::rows::{Bad, Rows};
use super::source::Source;
use crate::{Fault, PreprocessError};
use csv::ByteRecord;
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// What is appended to a file: a last record of its own, unless an open quote swallows it.
const END: &[u8] = b"\n\x00\x01slalom\x01\x00\n";

/// Takes all records of `rest` and then of the source; `lines` come before them.
pub(super) fn take_all<R: Read>(
    rest: &[u8],
    source: &mut Source<R>,
    separator: Separator,
    lines: u64,
    rows: &mut Rows<'_>,
) -> Result<(), PreprocessError> {
    let since = Rc::new(Cell::new(0));
    let ended = Rc::new(Cell::new(false));
    let blanks = separator == Separator::Blanks;
    let (since_guard, ended_guard) = (Rc::clone(&since), Rc::clone(&ended));
    let guard = Guard { rest, source, since: since_guard, ended: ended_guard, end: END, blanks };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(if let Separator::Byte(byte) = separator { byte } else { b' ' })
        .quoting(!blanks)
        .buffer_capacity(1 << 16)
        .from_reader(guard);
    let mut record = ByteRecord::new();
    loop {
        since.set(0);
        let before = reader.position().line() + lines;
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(reading_error(error, before, reader.into_inner().source)),
        }
        let line = record.position().map_or(0, csv::Position::line) + lines;
        if ended.get() && record.as_slice() == &END[1..END.len() - 1] {
            return Ok(());
        }
        let taken = if ended.get() && record.as_slice().ends_with(END) {
            let last = record.get(record.len() - 1).map_or(0, <[u8]>::len);
            let before = &record.as_slice()[..record.as_slice().len() - last];
            let within = before.iter().filter(|&&byte| byte == b'\n').count();
            Err(Fault::Quote { line: line + within as u64 }.into())
        } else if !blanks {
            rows.take(record.iter(), line)
        } else if record.iter().all(<[u8]>::is_empty) {
            Ok(())
        } else {
            rows.take(record.iter().filter(|field| !field.is_empty()), line)
        };
        if let Err(error) = taken {
            return Err(Bad::of(error, reader.into_inner().source));
        }
    }
}

/// Between the source and the csv reader: bounds the length of a record, marks the end, and turns
/// runs of blanks into single ones.
struct Guard<'a, R> {
    /// What was read before and not taken.
    rest: &'a [u8],
    source: &'a mut Source<R>,
    /// Bytes read since the last record was complete.
    since: Rc<Cell<u64>>,
    /// Whether the source has ended.
    ended: Rc<Cell<bool>>,
    /// What is left of the mark.
    end: &'static [u8],
    blanks: bool,
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended.get() {
            let n = self.end.len().min(buffer.len());
            buffer[..n].copy_from_slice(&self.end[..n]);
            self.end = &self.end[n..];
            return Ok(n);
        }
        let n = loop {
            if !self.rest.is_empty() {
                break self.rest.read(buffer)?;
            }
            match self.source.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if n == 0 {
            self.ended.set(true);
            return self.read(buffer);
        }
        if self.blanks {
            buffer[..n].iter_mut().filter(|byte| **byte == b'\t').for_each(|byte| *byte = b' ');
        }
        self.since.set(self.since.get() + n as u64);
        let limit = self.source.limits().record;
        if self.since.get() > limit.saturating_add(buffer.len() as u64) {
            let (field, what) = ("record", "the row");
            let fault = Fault::Limit { field, what, found: self.since.get(), limit };
            return Err(io::Error::other(fault));
        }
        Ok(n)
    }
}

/// An error of the csv crate, with the line on which the record starts.
fn reading_error<R: Read>(error: csv::Error, line: u64, source: &Source<R>) -> PreprocessError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match source.read_error(error) {
            PreprocessError::File {
                fault: Fault::Limit { field: "record", what, found, limit },
                file,
            } => {
                let what = format!(
                    "{what} that starts on line {line} is {found} or more, over the limit of \
                     {limit}: is a quote open there? else raise Limits::record"
                );
                PreprocessError::File { file, fault: Fault::Table { what } }
            }
            error => error,
        },
        other => source.error(Fault::Table { what: format!("line {line}: {other:?}") }),
    }
}
