//! The rows of a table of text, one after the other: what they hold becomes columns.

use super::cell::{not_a_number, number, shown, suspicious};
use super::csv::{Csv, Separator};
use super::source::Source;
use crate::table::{Column, Kind, Table, check_names, missing_column};
use crate::{Fault, Limits, PreprocessError, Text};
use std::io::Read;

/// The table while it is read.
pub(super) struct Rows<'a> {
    csv: &'a Csv,
    names: Vec<String>,
    columns: Vec<Open>,
    started: bool,
    count: usize,
    other_separator: Guess,
}

impl<'a> Rows<'a> {
    pub(super) fn new(csv: &'a Csv) -> Self {
        Self {
            csv,
            names: Vec::new(),
            columns: Vec::new(),
            started: false,
            count: 0,
            other_separator: Guess::Open,
        }
    }

    /// Takes one record: the header or a row.
    pub(super) fn take<'f>(
        &mut self,
        fields: impl Iterator<Item = &'f [u8]> + Clone,
        line: u64,
    ) -> Result<(), Bad> {
        let width = fields.clone().count();
        self.guess(fields.clone(), width, line)?;
        if !self.started {
            self.started = true;
            self.start(fields.clone(), width, line)?;
            if self.csv.header {
                return Ok(());
            }
        }
        if width != self.columns.len() {
            return Err(self.count_error(width, line).into());
        }
        let (trim, limit) = (self.csv.trim, self.csv.limits.field);
        for (i, field) in fields.enumerate() {
            let found = field.len() as u64;
            if found > limit {
                let what = "a field in bytes";
                return Err(Fault::Limit { field: "field", what, found, limit }.into());
            }
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

    /// How many columns there are, if the first record has come and all hold numbers.
    pub(super) fn all_numbers(&self) -> Option<usize> {
        let numbers = self.columns.iter().all(|column| matches!(column, Open::Numbers(_)));
        (numbers && !self.columns.is_empty()).then_some(self.columns.len())
    }

    /// Takes many rows of numbers, column by column, and says how many.
    pub(super) fn take_numbers(&mut self, columns: &[Vec<f64>]) -> u64 {
        for (open, column) in self.columns.iter_mut().zip(columns) {
            if let Open::Numbers(numbers) = open {
                numbers.extend_from_slice(column);
            }
        }
        let rows = columns.first().map_or(0, Vec::len);
        self.count += rows;
        rows as u64
    }

    /// How the file is to be read.
    pub(super) fn csv(&self) -> &'a Csv {
        self.csv
    }

    /// Takes a field that is not simply one more number.
    fn take_other(&mut self, i: usize, field: &[u8]) -> Result<(), (Vec<u8>, &'static str)> {
        let error = |why| Err((field.to_vec(), why));
        let missing = self.csv.is_missing(field);
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
    fn start<'f>(
        &mut self,
        fields: impl Iterator<Item = &'f [u8]>,
        width: usize,
        line: u64,
    ) -> Result<(), Bad> {
        let (found, limit) = (width as u64, self.csv.limits.columns);
        if found > limit {
            let what = "the number of columns";
            return Err(Fault::Limit { field: "columns", what, found, limit }.into());
        }
        let names = &self.csv.names;
        if !names.is_empty() && names.len() != width {
            let what = format!(
                "{} names for the {width} columns of line {line}: if that line is no part of the \
                 table, set skip_lines",
                names.len()
            );
            return Err(Fault::Table { what }.into());
        }
        self.names = if !names.is_empty() {
            names.clone()
        } else if self.csv.header {
            header(fields, line)?
        } else {
            (0..width).map(|i| format!("x{i}")).collect()
        };
        check_names(&self.names)?;
        self.columns.resize_with(width, || Open::Unknown(0));
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
    fn guess<'f>(
        &mut self,
        mut fields: impl Iterator<Item = &'f [u8]>,
        width: usize,
        line: u64,
    ) -> Result<(), Fault> {
        let (Separator::Byte(used), Guess::Open | Guess::Maybe(_)) =
            (self.csv.separator, self.other_separator)
        else {
            return Ok(());
        };
        let only = fields.next().filter(|_| width == 1).unwrap_or_default();
        let holds = |sign: &u8| *sign != used && only.contains(sign);
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

    /// The table, after the last record.
    pub(super) fn finish(self) -> Result<Table, Bad> {
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

/// A fault that does not know its file yet.
pub(super) enum Bad {
    Fault(Fault),
    Other(PreprocessError),
}

impl Bad {
    /// The fault of this source, as an error.
    pub(super) fn of<R: Read>(self, source: &Source<R>) -> PreprocessError {
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

/// The names in a header.
fn header<'f>(fields: impl Iterator<Item = &'f [u8]>, line: u64) -> Result<Vec<String>, Bad> {
    let mut names = Vec::new();
    for field in fields {
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

/// The fault of a record over the limit.
pub(super) fn too_long(line: u64, limits: &Limits) -> Fault {
    let limit = limits.record;
    let what = format!(
        "the row that starts on line {line} has more than {limit} bytes: is a quote open there? \
         else raise Limits::record, if the file is to be trusted"
    );
    Fault::Table { what }
}
