//! What can go wrong between a file and a matrix, each with its place, its value and its bound.

use crate::Kind;
use std::path::Path;

/// Why a table could not be read, fitted or transformed.
///
/// Samples, rows and features are counted from 0 as everywhere in code; lines of a file from 1, as
/// editors do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// A field of a configuration is out of bounds.
    #[error("{field} is {value}: it must be {bound}")]
    Setting {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        bound: &'static str,
    },
    /// Nothing to work on.
    #[error("no samples: {what} needs at least {needed}, found {found}")]
    TooFew {
        /// What was to be done.
        what: &'static str,
        /// The least number of samples.
        needed: usize,
        /// The number given.
        found: usize,
    },
    /// Two things that belong together differ in number.
    #[error("{what}: expected {expected}, found {found}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// The number that was expected.
        expected: usize,
        /// The number that was found.
        found: usize,
    },
    /// A feature of which every value is missing.
    #[error("every value of feature {feature} is missing: drop the column or fill in a constant")]
    AllMissing {
        /// Which feature, from 0.
        feature: usize,
    },
    /// A number that a fit cannot use.
    #[error(
        "sample {sample}, feature {feature} is {value}: only finite numbers and NaN (missing) can be fitted"
    )]
    NotFinite {
        /// Which sample, from 0.
        sample: usize,
        /// Which feature, from 0.
        feature: usize,
        /// The value found.
        value: f64,
    },
    /// A class or group that a split cannot share out.
    #[error(
        "class {class} has {found} samples: a stratified split into {parts} parts needs at least {parts} of each class"
    )]
    RareClass {
        /// Which class.
        class: u32,
        /// How many samples it has.
        found: usize,
        /// How many parts are wanted.
        parts: usize,
    },
    /// A class index that has no name or no output.
    #[error("the class of sample {sample} is {class}: there are only {classes} classes, 0 to {}", classes.saturating_sub(1))]
    Class {
        /// Which sample, from 0.
        sample: usize,
        /// Its class.
        class: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A sample index past the end.
    #[error("sample {index} was asked for: there are only {samples}")]
    Index {
        /// The index.
        index: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// A category that the fit never saw.
    #[error(
        "row {row} of column '{column}' holds {value:?}, which the fit never saw: fit on a table that holds it, or tell the encoder what becomes of unknown categories"
    )]
    UnknownCategory {
        /// The column's name.
        column: String,
        /// Which row, from 0.
        row: usize,
        /// The category.
        value: String,
    },
    /// Names of columns that are wrong or not there.
    #[error("{what}")]
    Names {
        /// Which name, and what about it.
        what: String,
    },
    /// A column of another kind than is needed.
    #[error("column '{column}' holds {found}, {expected} {} needed", if *expected == Kind::Text { "is" } else { "are" })]
    ColumnKind {
        /// The column's name.
        column: String,
        /// What is needed.
        expected: Kind,
        /// What it holds.
        found: Kind,
    },
    /// A number that the scalar of a matrix cannot hold.
    #[error(
        "row {row} of column '{column}' is {value}: that is infinite or too large for {scalar}"
    )]
    TooLarge {
        /// The column's name.
        column: String,
        /// Which row, from 0.
        row: u64,
        /// The number.
        value: f64,
        /// The scalar: `f32` or `f64`.
        scalar: &'static str,
    },
    /// A transformation that cannot be undone.
    #[error("{what} has no inverse")]
    NoInverse {
        /// The transformation.
        what: &'static str,
    },
    /// Inputs and targets that do not make samples.
    #[error(transparent)]
    Samples(#[from] slalom_tensor::SampleError),
    /// A file that cannot be read, or not as what it was taken for.
    #[error("{file}: {fault}")]
    File {
        /// The file's name, or what stands for it.
        file: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

impl PreprocessError {
    pub(crate) fn setting(
        field: &'static str,
        value: impl std::fmt::Debug,
        bound: &'static str,
    ) -> Self {
        Self::Setting { field, value: format!("{value:?}"), bound }
    }

    pub(crate) fn file(path: &Path, fault: impl Into<Fault>) -> Self {
        Self::File { file: path.display().to_string(), fault: fault.into() }
    }
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The system's own error.
    #[error("{error} (at byte {at})")]
    Io {
        /// How many bytes had been read, after decompression.
        at: u64,
        /// What the system says.
        error: std::io::Error,
    },
    /// A folder, not a file.
    #[error("this is a folder, not a file")]
    Folder,
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Fewer bytes than the format or its header promise.
    #[error("truncated at byte {found} of {expected} ({what})")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// The bytes that were expected in all.
        expected: u64,
        /// The bytes that are there.
        found: u64,
    },
    /// More bytes than the header promises.
    #[error("{extra} or more bytes follow after the {expected} that the header declares")]
    Trailing {
        /// The bytes that were expected in all.
        expected: u64,
        /// At least so many more are there.
        extra: u64,
    },
    /// Not the format that it was taken for.
    #[error("not {wanted}: it starts with {found}")]
    Magic {
        /// The format.
        wanted: &'static str,
        /// The first bytes, and what they look like.
        found: String,
    },
    /// A header whose fields cannot be true.
    #[error("the header is wrong: {what}")]
    Header {
        /// Which field, its value and its bound.
        what: String,
    },
    /// Larger than the caller allows.
    #[error(
        "{what} is {found}, over the limit of {limit}: raise Limits::{field} if the file is to be trusted"
    )]
    Limit {
        /// The field of [`Limits`](crate::Limits) to raise.
        field: &'static str,
        /// What is too large.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// Compressed data that does not decompress.
    #[error("the compressed data is damaged after {at} bytes of content: {error}")]
    Compressed {
        /// How many bytes came out before.
        at: u64,
        /// What the decompressor says.
        error: std::io::Error,
    },
    /// A label that is no class.
    #[error("label {sample} is {value}: there are only {classes} classes")]
    Label {
        /// Which label, from 0.
        sample: usize,
        /// Its value.
        value: f64,
        /// How many classes there are.
        classes: usize,
    },
    /// A row with too few or too many fields.
    #[error("line {line} has {found} fields, the first has {wanted}{hint}")]
    Fields {
        /// Its first line, from 1.
        line: u64,
        /// The fields of the first row.
        wanted: usize,
        /// The fields of this one.
        found: usize,
        /// What may help.
        hint: &'static str,
    },
    /// A field that is not what its column holds.
    #[error("line {line}, column '{column}': {text} {why}")]
    Cell {
        /// The line on which its row starts, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What stands there, control characters escaped, cut after 40 characters.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A quoted field that never ends.
    #[error("the quote that opens on line {line} is never closed")]
    Quote {
        /// The line, from 1.
        line: u64,
    },
    /// The table as a whole is not as expected.
    #[error("{what}")]
    Table {
        /// What is wrong, and what to do.
        what: String,
    },
}
