//! Readers: each a format, all through one source that counts bytes and keeps the limits.

mod cell;
mod csv;
mod decimals;
mod delimited;
mod fields;
mod idx;
mod npy;
mod npz;
mod plain;
mod proben1;
mod quoted;
mod rows;
mod source;

pub use self::csv::{Csv, Separator};
pub use idx::{Idx, idx_data_set, read_idx};
pub use npy::{npy_from_reader, read_npy};
pub use npz::{npz_names, read_npz};
pub use proben1::read_proben1;
