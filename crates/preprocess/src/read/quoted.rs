//! Records by the csv crate: with quotes, with any end of line, between blanks.
//!
//! The crate reads whatever it is given: it knows no limit for a record, takes a quote that never
//! ends for a long field, and text behind a closing quote for part of the field. So every byte is
//! looked at before it gets there, which also tells on what line each record starts.

use super::csv::Separator;
use super::rows::{Bad, Rows, too_long};
use super::source::Source;
use crate::{Fault, PreprocessError};
use csv::ByteRecord;
use std::collections::VecDeque;
use std::io::{self, Read};

/// Takes all records of `rest` and then of the source; `lines` come before them.
pub(super) fn take_all<R: Read>(
    rest: &[u8],
    source: &mut Source<R>,
    separator: Separator,
    lines: u64,
    rows: &mut Rows<'_>,
) -> Result<(), PreprocessError> {
    let delimiter = if let Separator::Byte(byte) = separator { byte } else { b' ' };
    let blanks = separator == Separator::Blanks;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(!blanks)
        .buffer_capacity(1 << 16)
        .from_reader(Watch::new(rest, source, delimiter, blanks, lines));
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                let source = reader.into_inner().source;
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => source.read_error(error),
                    other => source.error(Fault::Table { what: format!("{other:?}") }),
                });
            }
        }
        let line = reader.get_mut().starts.pop_front().unwrap_or_default();
        let taken = if !blanks {
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

/// Between the source and the csv reader: notes where records start, bounds them, refuses quotes
/// that are not closed or closed too early, and turns tabs into spaces between blanks.
struct Watch<'a, R> {
    /// What was read before and not taken.
    rest: &'a [u8],
    source: &'a mut Source<R>,
    delimiter: u8,
    blanks: bool,
    place: Place,
    /// The line of the next byte.
    line: u64,
    /// Whether the last byte was a carriage return.
    returned: bool,
    /// The line of the last quote that opened.
    opened: u64,
    /// Bytes of the record so far.
    length: u64,
    /// The lines on which the records start that the csv reader has not given yet.
    starts: VecDeque<u64>,
    /// What is wrong behind the bytes handed out.
    fault: Option<Fault>,
}

/// Where in a record the next byte stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// At its start.
    Record,
    /// At the start of a field.
    Field,
    /// Within a field without quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// Right behind a quote that closes, unless it is doubled.
    Closed,
    /// Behind that, and blanks.
    Behind,
}

impl<'a, R: Read> Watch<'a, R> {
    fn new(
        rest: &'a [u8],
        source: &'a mut Source<R>,
        delimiter: u8,
        blanks: bool,
        lines: u64,
    ) -> Self {
        Self {
            rest,
            source,
            delimiter,
            blanks,
            place: Place::Record,
            line: lines + 1,
            returned: false,
            opened: 0,
            length: 0,
            starts: VecDeque::new(),
            fault: None,
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.rest.is_empty() {
            return self.rest.read(buffer);
        }
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Looks at the next byte.
    fn step(&mut self, byte: u8) -> Result<(), Fault> {
        let feed = byte == b'\n' || byte == b'\r';
        if self.place == Place::Record {
            self.length = 0;
            if !feed {
                self.starts.push_back(self.line);
            }
        }
        self.length += 1;
        if self.length > self.source.limits().record {
            let line = self.starts.back().copied().unwrap_or(self.line);
            return Err(too_long(line, self.source.limits()));
        }
        self.place = match self.place {
            Place::Quoted if byte == b'"' => Place::Closed,
            Place::Closed if byte == b'"' => Place::Quoted,
            Place::Quoted => Place::Quoted,
            _ if feed => Place::Record,
            _ if byte == self.delimiter => Place::Field,
            Place::Record | Place::Field if byte == b'"' && !self.blanks => {
                self.opened = self.line;
                Place::Quoted
            }
            Place::Closed | Place::Behind if byte == b' ' || byte == b'\t' => Place::Behind,
            Place::Closed | Place::Behind => {
                let (line, opened) = (self.line, self.opened);
                let what = format!(
                    "line {line}: text follows the quote that closes the one of line {opened}: a \
                     quote within quotes must be doubled"
                );
                return Err(Fault::Table { what });
            }
            _ => Place::Plain,
        };
        // a line feed behind a carriage return ends the same line
        self.line += u64::from(feed && !(byte == b'\n' && self.returned));
        self.returned = byte == b'\r';
        Ok(())
    }
}

impl<R: Read> Read for Watch<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault.take() {
            return Err(io::Error::other(fault));
        }
        let n = self.fill(buffer)?;
        if n == 0 && self.place == Place::Quoted {
            return Err(io::Error::other(Fault::Quote { line: self.opened }));
        }
        for (i, byte) in buffer[..n].iter_mut().enumerate() {
            if self.blanks && *byte == b'\t' {
                *byte = b' ';
            }
            match self.step(*byte) {
                Ok(()) => {}
                Err(fault) if i == 0 => return Err(io::Error::other(fault)),
                // the records before it come first
                Err(fault) => {
                    self.fault = Some(fault);
                    return Ok(i);
                }
            }
        }
        Ok(n)
    }
}
