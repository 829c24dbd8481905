//! Tables of text: comma-separated, or between any separator or blanks.
//!
//! # What is a number
//!
//! The first field of a column that is not missing decides: if it is a number, all of the column
//! must be numbers, else the column is text. Dates are text. [`Csv::kinds`] overrides it. A number
//! is decimal with a point (`-1.5e3`); infinities and numbers that overflow are errors, those
//! below the smallest f64 become 0, −0 stays, and what has more digits than f64 holds (integers
//! above 2⁵³, as in long identifiers) is rounded: declare such a column to be text.
//!
//! # What is missing
//!
//! Only what [`Csv::missing`] declares. An empty field, `?`, `-`, `.`, `NA`, `N/A`, `#N/A`, `<NA>`,
//! `nan` or `null` that was not declared is an error, and so is a text like `1,5` or `1_000`, unless
//! its column is declared to be text.
//!
//! This is the configuration; `delimited.rs` reads.

use crate::{Kind, Limits};
use serde::{Deserialize, Serialize};

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

    /// Whether a field stands for a missing value.
    pub(super) fn is_missing(&self, field: &[u8]) -> bool {
        self.missing.iter().any(|marker| marker.as_bytes() == field)
    }
}
