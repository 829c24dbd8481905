//! What can go wrong in a run.

use std::path::PathBuf;

use slalom_layers::LayerError;
use slalom_optim::OptimError;
use slalom_regularize::RegularizeError;
use slalom_tensor::SampleError;

use crate::checkpoint::CheckpointError;
use crate::metrics::MetricError;

/// Why a run cannot begin, go on or be resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A field of the configuration that is out of its range.
    #[error("{field} is {value}: it must be {bound}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it was.
        value: f64,
        /// What it must be.
        bound: &'static str,
    },
    /// The network, or data that do not fit it.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The optimizer or the schedule.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// A penalty or a stopping rule.
    #[error(transparent)]
    Regularize(#[from] RegularizeError),
    /// A file.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Samples that do not belong together, or are not finite.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Samples that cannot be read.
    #[error("cannot read {}{}: {source}", place(sample), path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// At which sample, from 0; none before the first.
        sample: Option<usize>,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that is no array of samples.
    #[error("{}: {reason}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A metric that has no value on the validation samples.
    #[error("{metric}: {source}")]
    Metric {
        /// Its name.
        metric: String,
        /// Why.
        source: MetricError,
    },
    /// A batch of the caller's, or an epoch's samples, of another number than before.
    #[error("the epoch began with {began} samples, now there are {found}: end it first")]
    Samples {
        /// When the epoch began.
        began: u64,
        /// Now.
        found: u64,
    },
    /// The loss on the validation samples is NaN or infinite. The epoch is not recorded.
    #[error("the validation loss is {loss} after epoch {epoch}: the last good state is kept")]
    Validation {
        /// The loss.
        loss: f64,
        /// After which epoch, from 1.
        epoch: u64,
    },
    /// A saved run of another network or configuration than wanted.
    #[error(
        "the saved run is another: {}; resume it as it is, and change it by reconfigure if that is \
         meant", differences.join(", ")
    )]
    Resume {
        /// What differs, a line a field.
        differences: Vec<String>,
    },
    /// Other training samples than those that the saved run was trained on.
    #[error(
        "these are not the samples of the saved run: {}; call accept_data if that is meant",
        differences.join(", ")
    )]
    Data {
        /// What differs, a line each.
        differences: Vec<String>,
    },
    /// A setting that cannot be changed where the run stands.
    #[error("{field} cannot be changed: {reason}")]
    Fixed {
        /// The setting.
        field: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A log that cannot be written.
    #[error("cannot write the log: {0}")]
    Log(#[source] std::io::Error),
    /// What kept a callback of the caller's from its work.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
    /// The system refused a thread.
    #[error("cannot start the threads: {0}")]
    Threads(#[from] std::io::Error),
    /// The loss is NaN or infinite. Parameters and optimizer are as they were before the batch.
    #[error(
        "the loss is {loss} in epoch {epoch}, batch {batch} (update {update}, learning rate \
         {rate:e}), first seen behind block {block:?}: try a smaller learning rate, clipping, or \
         scaled inputs"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The first block behind which a number is not finite; the last one if only the loss is.
        block: String,
        /// Which epoch, from 1.
        epoch: u64,
        /// Which batch of it, from 1.
        batch: u64,
        /// Which update of the run, from 1.
        update: u64,
        /// Its learning rate.
        rate: f64,
    },
    /// A gradient is NaN or infinite. Parameters and optimizer are as they were before the batch.
    #[error(
        "{source} in epoch {epoch}, batch {batch} (update {update}, learning rate {rate:e}): try a \
         smaller learning rate, clipping, or scaled inputs"
    )]
    Gradient {
        /// The block and the place in it.
        source: OptimError,
        /// Which epoch, from 1.
        epoch: u64,
        /// Which batch of it, from 1.
        batch: u64,
        /// Which update of the run, from 1.
        update: u64,
        /// Its learning rate.
        rate: f64,
    },
    /// A network made of boxed layers, which a file cannot describe.
    #[error("the network has layers that a file cannot name: keep its parameters yourself")]
    NoSpecs,
}

impl TrainError {
    /// Whether a loss or a gradient was NaN or infinite: going on would only meet it again.
    pub fn diverged(&self) -> bool {
        matches!(self, Self::Diverged { .. } | Self::Gradient { .. } | Self::Validation { .. })
    }
}

fn place(sample: &Option<usize>) -> String {
    sample.map_or(String::new(), |sample| format!("sample {sample} of "))
}
