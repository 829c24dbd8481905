//! Readers: each a format, all through one source that counts bytes and keeps the limits.

mod idx;
mod source;

pub use idx::{Idx, idx_data_set, read_idx};
