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

use super::rows::Rows;
use super::source::Source;
use super::{plain, quoted};
use crate::{Fault, Kind, Limits, PreprocessError, Table};
use serde::{Deserialize, Serialize};
use slalom_tensor::Threads;
use std::io::{self, Read};
use std::path::Path;

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
        self.read_with(path, &Threads::one())
    }

    /// Reads a file, the parsing of plain numbers shared by the threads; the table is the same at any
    /// number of them.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn read_with(&self, path: &Path, threads: &Threads) -> Result<Table, PreprocessError> {
        let mut source = Source::open(path, &self.limits)?;
        skip_lines(&mut source, self.skip_lines)?;
        self.parse(source, self.skip_lines, threads)
    }

    /// Reads from anything that gives bytes; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`read`](Csv::read).
    pub fn from_reader(&self, reader: impl Read, name: &str) -> Result<Table, PreprocessError> {
        let mut source = Source::new(reader, name, &self.limits)?;
        skip_lines(&mut source, self.skip_lines)?;
        self.parse(source, self.skip_lines, &Threads::one())
    }

    /// Reads what follows after so many lines.
    pub(super) fn parse<R: Read>(
        &self,
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
        let rest = match self.separator {
            Separator::Byte(byte) => {
                plain::take_while_plain(&mut source, byte, &mut lines, &mut rows, threads)?
            }
            Separator::Blanks => Some(Vec::new()),
        };
        if let Some(rest) = rest {
            quoted::take_all(&rest, &mut source, self.separator, lines, &mut rows)?;
        }
        rows.finish().map_err(|error| error.of(&source))
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
