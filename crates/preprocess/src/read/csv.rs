//! Tables of text: comma-separated, or between any separator or blanks.
//!
//! # What is a number
//!
//! The first field of a column that is not missing decides: if it is a number, all of the column
//! must be numbers, else the column is text. Dates are text. [`Csv::kinds`] overrides it. A number
//! is decimal with a point (`-1.5e3`); infinities and numbers that overflow are errors, those
//! below the smallest f64 become 0, −0 stays.
//!
//! # What is missing
//!
//! Only what [`Csv::missing`] declares. An empty field, `?`, `-`, `NA`, `N/A`, `nan` or `null` that
//! was not declared is an error, and so is a text like `1,5` or `1_000`, unless its column is
//! declared to be text.

use super::source::Source;
use crate::table::{Column, Kind, Table, check_names, missing_column};
use crate::{Fault, Limits, PreprocessError, Text};
use csv::ByteRecord;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

/// What is appended to a file: a last record of its own, unless an open quote swallows it.
const END: &[u8] = b"\n\x00\x01slalom\x01\x00\n";

/// What stands between the fields of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// This one ASCII character.
    Byte(u8),
    /// Spaces and tabs, any number of them; nothing is quoted.
    Blanks,
}

/// How to read a table of text; plain or gzip, told by the first bytes.
///
/// ```
/// use slalom_preprocess::Csv;
/// let text = "city;height\nBern;540\n\"La Chaux-de-Fonds\";?\n";
/// let csv = Csv { separator: Csv::SEMICOLON, missing: vec!["?".into()], ..Csv::default() };
/// let table = csv.from_reader(text.as_bytes(), "cities")?;
/// assert_eq!(table.text("city")?.get(1), Some("La Chaux-de-Fonds"));
/// assert_eq!(table.numbers("height")?[0], 540.0);
/// assert!(table.numbers("height")?[1].is_nan());
///
/// let error = Csv::default().from_reader("a,b\n1,2\n3,4O\n".as_bytes(), "it").unwrap_err();
/// assert_eq!(error.to_string(), "it: line 3, column 'b': \"4O\" is no number");
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Csv {
    /// What stands between fields; a comma by default.
    pub separator: Separator,
    /// Whether the first row holds the names of the columns; yes by default.
    pub header: bool,
    /// The names of the columns, instead of those of the header or of `x0`, `x1`, …; none by
    /// default.
    pub names: Vec<String>,
    /// What stands for a missing value, after blanks are trimmed; nothing by default.
    pub missing: Vec<String>,
    /// What columns hold, by name, where the rule must not decide; none by default.
    pub kinds: Vec<(String, Kind)>,
    /// Whether blanks around a field are no part of it; yes by default.
    pub trim: bool,
    /// Lines to leave out at the start; 0 by default.
    pub skip_lines: usize,
    /// How many rows there must be; a file that was cut within its last number shows in nothing
    /// else. Any number by default.
    pub expect_rows: Option<usize>,
    /// What the file may ask of the machine.
    pub limits: Limits,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            separator: Self::COMMA,
            header: true,
            names: Vec::new(),
            missing: Vec::new(),
            kinds: Vec::new(),
            trim: true,
            skip_lines: 0,
            expect_rows: None,
            limits: Limits::default(),
        }
    }
}

impl Csv {
    /// A comma between fields.
    pub const COMMA: Separator = Separator::Byte(b',');
    /// A semicolon between fields.
    pub const SEMICOLON: Separator = Separator::Byte(b';');
    /// A tab between fields.
    pub const TAB: Separator = Separator::Byte(b'\t');

    /// Reads a file.
    ///
    /// # Errors
    /// The system's errors; rows of different length, fields that are not what their column holds
    /// and quotes that never end, by line and column; names that are empty or come twice; no rows;
    /// a limit.
    pub fn read(&self, path: &Path) -> Result<Table, PreprocessError> {
        let mut source = Source::open(path, &self.limits)?;
        skip_lines(&mut source, self.skip_lines)?;
        self.parse(source, self.skip_lines)
    }

    /// Reads from anything that gives bytes; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn from_reader(&self, reader: impl Read, name: &str) -> Result<Table, PreprocessError> {
        let mut source = Source::new(reader, name, &self.limits)?;
        skip_lines(&mut source, self.skip_lines)?;
        self.parse(source, self.skip_lines)
    }

    /// Reads what follows after so many lines.
    pub(super) fn parse<R: Read>(
        &self,
        mut source: Source<R>,
        lines_before: usize,
    ) -> Result<Table, PreprocessError> {
        let separator = match self.separator {
            Separator::Blanks => b' ',
            Separator::Byte(byte) => {
                let good = byte.is_ascii_punctuation() || byte == b'\t' || byte == b' ';
                if !good || byte == b'"' {
                    let bound = "an ASCII punctuation mark other than the quote, a tab or a space";
                    return Err(PreprocessError::setting("separator", byte as char, bound));
                }
                byte
            }
        };
        let since = Rc::new(Cell::new(0));
        let ended = Rc::new(Cell::new(false));
        let guard = Guard {
            source: &mut source,
            since: Rc::clone(&since),
            ended: Rc::clone(&ended),
            end: END,
            blanks: self.separator == Separator::Blanks,
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .quoting(self.separator != Separator::Blanks)
            .buffer_capacity(1 << 16)
            .from_reader(guard);
        let mut record = ByteRecord::new();
        let mut rows = Rows::new(self);
        loop {
            since.set(0);
            let before = reader.position().line() + lines_before as u64;
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    return Err(self.reading_error(error, before, reader.into_inner().source));
                }
            }
            let line = record.position().map_or(0, csv::Position::line) + lines_before as u64;
            if ended.get() && record.as_slice() == &END[1..END.len() - 1] {
                break;
            }
            let taken = if ended.get() && record.as_slice().ends_with(END) {
                let last = record.get(record.len() - 1).map_or(0, <[u8]>::len);
                let before = &record.as_slice()[..record.as_slice().len() - last];
                let lines = before.iter().filter(|&&byte| byte == b'\n').count();
                Err(Fault::Quote { line: line + lines as u64 }.into())
            } else {
                rows.take(&record, line)
            };
            if let Err(error) = taken {
                return Err(error.of(reader.into_inner().source));
            }
        }
        let source = reader.into_inner().source;
        rows.finish().map_err(|error| error.of(source))
    }

    fn reading_error<R: Read>(
        &self,
        error: csv::Error,
        line: u64,
        source: &Source<R>,
    ) -> PreprocessError {
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
}

/// Leaves out so many lines.
fn skip_lines<R: Read>(source: &mut Source<R>, lines: usize) -> Result<(), PreprocessError> {
    let mut byte = [0];
    for line in 0..lines {
        while byte[0] != b'\n' {
            match source.read(&mut byte) {
                Ok(0) => {
                    let what = format!("skip_lines is {lines}, the file has {line} lines");
                    return Err(source.error(Fault::Table { what }));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(source.read_error(error)),
            }
        }
        byte[0] = 0;
    }
    Ok(())
}

/// Between the source and the csv reader: bounds the length of a record, marks the end, and turns
/// runs of blanks into single ones.
struct Guard<'a, R> {
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

/// A fault that does not know its file yet.
enum Bad {
    Fault(Fault),
    Other(PreprocessError),
}

impl Bad {
    fn of<R: Read>(self, source: &Source<R>) -> PreprocessError {
        match self {
            Self::Fault(fault) => source.error(fault),
            Self::Other(PreprocessError::Names { what }) => source.error(Fault::Table { what }),
            Self::Other(error) => error,
        }
    }
}

impl From<Fault> for Bad {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<PreprocessError> for Bad {
    fn from(error: PreprocessError) -> Self {
        Self::Other(error)
    }
}

/// The table while it is read.
struct Rows<'a> {
    csv: &'a Csv,
    /// The header's fields, before the first row says how the file is cut.
    names: Vec<String>,
    columns: Vec<Open>,
    started: bool,
    count: usize,
    other_separator: Guess,
    /// The fields of a row between blanks.
    fields: ByteRecord,
}

/// What could be the separator instead of the one declared.
#[derive(Clone, Copy)]
enum Guess {
    /// No record yet.
    Open,
    /// The first record holds this sign and is of one field.
    Maybe(u8),
    None,
}

/// A column while it is read.
enum Open {
    /// Missing so far, so many times.
    Unknown(usize),
    Numbers(Vec<f64>),
    Text {
        text: Text,
        /// Whether the user says that it is text, whatever stands there.
        declared: bool,
    },
}

impl<'a> Rows<'a> {
    fn new(csv: &'a Csv) -> Self {
        Self {
            csv,
            names: Vec::new(),
            columns: Vec::new(),
            started: false,
            count: 0,
            other_separator: Guess::Open,
            fields: ByteRecord::new(),
        }
    }

    /// Takes one record: the header or a row.
    fn take(&mut self, record: &ByteRecord, line: u64) -> Result<(), Bad> {
        if self.csv.separator != Separator::Blanks {
            return self.take_fields(record, line);
        }
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        record.iter().filter(|field| !field.is_empty()).for_each(|f| fields.push_field(f));
        let taken = if fields.is_empty() { Ok(()) } else { self.take_fields(&fields, line) };
        self.fields = fields;
        taken
    }

    fn take_fields(&mut self, record: &ByteRecord, line: u64) -> Result<(), Bad> {
        if record.as_slice().len() as u64 > self.csv.limits.field {
            self.check_fields(record)?;
        }
        self.guess(record, line)?;
        if !self.started {
            self.started = true;
            self.start(record, line)?;
            if self.csv.header {
                return Ok(());
            }
        }
        if record.len() != self.columns.len() {
            return Err(self.count_error(record.len(), line).into());
        }
        let trim = self.csv.trim;
        for (i, field) in record.iter().enumerate() {
            let field = if trim { field.trim_ascii() } else { field };
            if let Open::Numbers(numbers) = &mut self.columns[i]
                && let Some(number) = number(field)
            {
                numbers.push(number);
            } else if let Err((text, why)) = self.take_other(i, field) {
                let (column, text) = (self.names[i].clone(), shown(&text));
                return Err(Fault::Cell { line, column, text, why }.into());
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Takes a field that is not simply one more number.
    fn take_other(&mut self, i: usize, field: &[u8]) -> Result<(), (Vec<u8>, &'static str)> {
        let error = |why| Err((field.to_vec(), why));
        let missing = self.csv.missing.iter().any(|marker| marker.as_bytes() == field);
        let utf8 = || std::str::from_utf8(field).map_err(|_| (field.to_vec(), "is not UTF-8"));
        match &mut self.columns[i] {
            Open::Unknown(count) if missing => *count += 1,
            Open::Numbers(numbers) if missing => numbers.push(f64::NAN),
            Open::Text { text, .. } if missing => text.push(None),
            Open::Text { text, declared } => {
                let value = utf8()?;
                if !*declared && !text.knows(value) {
                    suspicious(value).map_or(Ok(()), error)?;
                }
                text.push(Some(value));
            }
            Open::Unknown(count) => {
                let count = *count;
                self.columns[i] = match number(field) {
                    Some(number) => {
                        let mut numbers = vec![f64::NAN; count];
                        numbers.push(number);
                        Open::Numbers(numbers)
                    }
                    None => {
                        let value = utf8()?;
                        suspicious(value).map_or(Ok(()), error)?;
                        let missing = std::iter::repeat_n(None, count);
                        let text = missing.chain([Some(value)]).collect();
                        Open::Text { text, declared: false }
                    }
                };
            }
            Open::Numbers(_) => return error(not_a_number(field)),
        }
        Ok(())
    }

    /// Learns the columns from the first record.
    fn start(&mut self, record: &ByteRecord, line: u64) -> Result<(), Bad> {
        let (width, limit) = (record.len() as u64, self.csv.limits.columns);
        if width > limit {
            let what = "the number of columns";
            return Err(Fault::Limit { field: "columns", what, found: width, limit }.into());
        }
        let names = &self.csv.names;
        if !names.is_empty() && names.len() != record.len() {
            let what = format!("{} names for the {width} columns of line {line}", names.len());
            return Err(Fault::Table { what }.into());
        }
        self.names = if !names.is_empty() {
            names.clone()
        } else if self.csv.header {
            header(record, line)?
        } else {
            (0..width).map(|i| format!("x{i}")).collect()
        };
        check_names(&self.names)?;
        self.columns.resize_with(record.len(), || Open::Unknown(0));
        for (name, kind) in &self.csv.kinds {
            let place = self.names.iter().position(|known| known == name);
            let place = place.ok_or_else(|| missing_column(name, &self.names))?;
            self.columns[place] = match kind {
                Kind::Numbers => Open::Numbers(Vec::new()),
                Kind::Text => Open::Text { text: Text::default(), declared: true },
            };
        }
        Ok(())
    }

    /// Finds out whether the separator is another one: the first two records are of one field and
    /// both hold a sign that could be it.
    fn guess(&mut self, record: &ByteRecord, line: u64) -> Result<(), Fault> {
        let Separator::Byte(used) = self.csv.separator else { return Ok(()) };
        let holds =
            |sign: &u8| *sign != used && record.len() == 1 && record.as_slice().contains(sign);
        match self.other_separator {
            Guess::Open => {
                let found = [b';', b'\t', b',', b'|'].into_iter().find(holds);
                self.other_separator = found.map_or(Guess::None, Guess::Maybe);
            }
            Guess::Maybe(sign) if holds(&sign) => {
                let sign = sign as char;
                let what = format!("line {line}: 1 column found; is the separator {sign:?}?");
                return Err(Fault::Table { what });
            }
            _ => self.other_separator = Guess::None,
        }
        Ok(())
    }

    fn check_fields(&self, record: &ByteRecord) -> Result<(), Fault> {
        let limit = self.csv.limits.field;
        match record.iter().map(|field| field.len() as u64).find(|&len| len > limit) {
            None => Ok(()),
            Some(found) => {
                Err(Fault::Limit { field: "field", what: "a field in bytes", found, limit })
            }
        }
    }

    fn count_error(&self, found: usize, line: u64) -> Fault {
        let wanted = self.columns.len();
        let second = self.count == usize::from(!self.csv.header);
        let hint = match found > wanted {
            true if second => ": if the first line is no part of the table, set skip_lines",
            false => ": is the file cut, or a quote open?",
            true => ": is a separator within a field not quoted?",
        };
        Fault::Fields { line, wanted, found, hint }
    }

    fn finish(self) -> Result<Table, Bad> {
        if self.count == 0 {
            let what = "the table has no rows".to_string();
            return Err(Fault::Table { what }.into());
        }
        if let Some(expected) = self.csv.expect_rows.filter(|&rows| rows != self.count) {
            let what = format!("{} rows found, {expected} expected", self.count);
            return Err(Fault::Table { what }.into());
        }
        let mut columns = Vec::new();
        for (name, column) in self.names.into_iter().zip(self.columns) {
            let column = match column {
                Open::Numbers(numbers) => Column::Numbers(numbers),
                Open::Text { text, .. } => Column::Text(text),
                // nothing but gaps: numbers, so that an imputer or the user may decide
                Open::Unknown(count) => Column::Numbers(vec![f64::NAN; count]),
            };
            columns.push((name, column));
        }
        Ok(Table::new(columns)?)
    }
}

/// The names in a header.
fn header(record: &ByteRecord, line: u64) -> Result<Vec<String>, Bad> {
    let mut names = Vec::new();
    for field in record {
        let field = field.trim_ascii();
        let cell = |why| {
            let column = names.len().to_string();
            Fault::Cell { line, column, text: shown(field), why }
        };
        if number(field).is_some() {
            return Err(cell(
                "is a number, not a name: set header to false if there is none, or give names",
            )
            .into());
        }
        match std::str::from_utf8(field) {
            Ok(name) => names.push(name.to_string()),
            Err(_) => return Err(cell("is not UTF-8").into()),
        }
    }
    Ok(names)
}

/// A finite decimal number.
fn number(field: &[u8]) -> Option<f64> {
    fast_float2::parse::<f64, _>(field).ok().filter(|number| number.is_finite())
}

/// Why a field is no number.
fn not_a_number(field: &[u8]) -> &'static str {
    let text = std::str::from_utf8(field).unwrap_or_default();
    match fast_float2::parse::<f64, _>(field) {
        _ if looks_missing(text) => "is no number: declare it in `missing` if it stands for a gap",
        Ok(number) if number.is_infinite() => "is infinite or too large for f64",
        _ if looks_numeric(text) => "is no decimal number with a point",
        _ => "is no number",
    }
}

/// Why a text should not be taken as a category without the user's word.
fn suspicious(text: &str) -> Option<&'static str> {
    if looks_missing(text) {
        Some("looks missing: declare it in `missing`, or declare the column in `kinds`")
    } else if looks_numeric(text) {
        Some(
            "looks like a number but is no decimal one with a point: if it is meant as text, \
              declare the column in `kinds`",
        )
    } else {
        None
    }
}

fn looks_missing(text: &str) -> bool {
    ["", "?", "-", "na", "n/a", "nan", "null"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Digits with commas or underscores, a hexadecimal number, doubled signs, infinities, overflow.
fn looks_numeric(text: &str) -> bool {
    if number(text.as_bytes()).is_some() {
        return false;
    }
    let digits = text.trim_start_matches(['+', '-']);
    let only = digits.bytes().all(|byte| byte.is_ascii_digit() || b",._eE".contains(&byte));
    let first = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    (first && only)
        || hexadecimal.is_some_and(|hex| u64::from_str_radix(hex, 16).is_ok())
        || fast_float2::parse::<f64, _>(text).is_ok()
}

/// A field as it stands in an error: quoted, control characters escaped, cut.
fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(40) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
