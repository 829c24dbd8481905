//! How much a file may ask of the machine before reading it is refused.

use serde::{Deserialize, Serialize};

/// Bounds that every reader keeps, so that a small hostile file cannot fill the memory.
///
/// A length that a file declares is a hint: it is held against these bounds and against what
/// arrives, and memory grows with the bytes that are really there. An error names the field to
/// raise.
///
/// ```
/// use slalom_preprocess::Limits;
/// let generous = Limits { bytes: 64 << 30, ..Limits::default() };
/// assert_eq!(Limits::default().bytes, 4 << 30);
/// assert_eq!(generous.columns, 65_536);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes of content, after decompression; 4 GiB by default.
    pub bytes: u64,
    /// Bytes of content per byte of file beyond the first 64 MiB of content; 200 by default (real
    /// tables reach 10, DEFLATE ends at 1,032).
    pub ratio: u64,
    /// Bytes of one record of a table; 16 MiB by default.
    pub record: u64,
    /// Bytes of one field of a table; 1 MiB by default.
    pub field: u64,
    /// Columns of a table, and outputs of one encoder; 65,536 by default.
    pub columns: u64,
    /// Bytes of the header of an NPY file; 10,000 by default, as in NumPy.
    pub header: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            ratio: 200,
            record: 16 << 20,
            field: 1 << 20,
            columns: 65_536,
            header: 10_000,
        }
    }
}
