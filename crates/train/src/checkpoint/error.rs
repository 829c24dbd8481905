//! What can be wrong with a file, or with writing one.

use std::path::{Path, PathBuf};

/// Why a file could not be written, read or understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The system refused an operation. Whatever stood at the path before is untouched.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried, such as "write" or "rename".
        operation: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The new file is in place, but its folder could not be synced.
    #[error("saved {}, but it may not survive a power loss: cannot sync its folder: {source}", path.display())]
    NotDurable {
        /// The file that was written.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file at a path is not what it should be.
    #[error("{}: {source}", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<CheckpointError>,
    },
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file ends too early.
    #[error("truncated: {found} bytes of {expected}")]
    Truncated {
        /// Bytes in the file.
        found: u64,
        /// Bytes it declares, or that the smallest file has.
        expected: u64,
    },
    /// The file goes on after its end.
    #[error("{found} bytes where the header declares {expected}: something was appended")]
    TrailingBytes {
        /// Bytes in the file.
        found: u64,
        /// Bytes it declares.
        expected: u64,
    },
    /// The file begins with something else than a checkpoint's magic.
    #[error("not a slalom checkpoint: it looks like {looks_like}")]
    WrongMagic {
        /// What its first bytes suggest.
        looks_like: &'static str,
    },
    /// The format's version is not one that this version of slalom reads.
    #[error(
        "written by {} version of slalom: the format's version is {found}, this one reads {oldest} \
         to {newest}",
        if found > newest { "a newer" } else { "another" }
    )]
    Version {
        /// The version in the file.
        found: u32,
        /// The oldest version read.
        oldest: u32,
        /// The newest version read.
        newest: u32,
    },
    /// A length goes past a limit.
    #[error("{what} is {found}, the limit is {limit} (Limits::{field})")]
    Limit {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        found: u64,
        /// How long it may be.
        limit: u64,
        /// The field of [`Limits`](super::Limits) to raise.
        field: &'static str,
    },
    /// The checksum over the file does not hold.
    #[error("damaged: the checksum differs; use an earlier checkpoint")]
    Damaged,
    /// The checksum holds, but the contents do not fit together.
    #[error("{place} is not valid: {reason}")]
    Invalid {
        /// The header or the section's name.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The file holds no section of this name.
    #[error("no section {name:?}; there are {present:?}")]
    Missing {
        /// The section wanted.
        name: String,
        /// The sections that there are.
        present: Vec<String>,
    },
    /// The file holds numbers of another scalar type.
    #[error("the file holds {found} numbers, {wanted} are wanted: load it as {found}")]
    Scalar {
        /// The scalar type in the file.
        found: String,
        /// The scalar type wanted.
        wanted: &'static str,
    },
    /// The file is of another kind.
    #[error("the file holds a {found}, a {wanted} is wanted")]
    Kind {
        /// The kind in the file.
        found: super::Kind,
        /// The kind wanted.
        wanted: super::Kind,
    },
    /// A number that is NaN or infinite where only finite ones make sense.
    #[error("section {name:?}, number {index} is {value}: every number must be finite")]
    NotFinite {
        /// The section.
        name: String,
        /// Which number of it, from 0.
        index: usize,
        /// The value found.
        value: f64,
    },
}

impl CheckpointError {
    pub(crate) fn at(self, path: &Path) -> Self {
        Self::At { path: path.to_owned(), source: Box::new(self) }
    }

    pub(crate) fn invalid(place: impl Into<String>, reason: impl ToString) -> Self {
        Self::Invalid { place: place.into(), reason: reason.to_string() }
    }
}
