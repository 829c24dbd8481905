//! The run: batches, epochs, history, metrics, callbacks, checkpoints.

pub mod checkpoint;
mod fingerprint;
mod history;
pub mod metrics;

pub use fingerprint::Fingerprint;
pub use history::{Epoch, History};
