//! The run: batches, epochs, history, metrics, callbacks, checkpoints.

mod batches;
pub mod checkpoint;
mod config;
mod error;
mod fingerprint;
mod fit;
mod history;
pub mod metrics;
mod run;

pub use config::{Batch, Config};
pub use error::TrainError;
pub use fingerprint::Fingerprint;
pub use fit::{Event, Fit, Outcome};
pub use history::{Epoch, History};
pub use run::{Run, Step};
