//! The run: batches, epochs, history, metrics, callbacks, checkpoints.
//!
//! The loop is the caller's:
//!
//! ```
//! # use slalom_layers::{Activation, Dense, Network};
//! # use slalom_tensor::{Samples, Targets, Threads, from_rows};
//! # use slalom_train::{Config, Run};
//! # use slalom_regularize::EarlyStopping;
//! # let x = from_rows(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
//! # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 1, 0]))?;
//! # let network = Network::<f64>::new(2, [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()])?;
//! let mut run = Run::new(network, Config::default(), Threads::one())?;
//! let stop = EarlyStopping { patience: 10, min_delta: 1e-4, ..EarlyStopping::default() };
//! while run.epochs() < 20 && !stop.decide(&run.history().losses()).stop() {
//!     let report = run.epoch(train, None)?;
//!     println!("{report}");
//! }
//! run.checkpoint()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Run::fit`] is that loop with [`Callback`]s, for people who do not want to write it. A
//! [`Source`] brings samples from elsewhere than memory, [`Run::update`] takes batches from the
//! caller's own iterator.

mod batches;
mod blocks;
mod callbacks;
pub mod checkpoint;
mod checksum;
mod config;
mod descend;
mod diagnosis;
mod digest;
mod error;
mod evaluate;
mod file_source;
mod finding;
mod fingerprint;
mod fit;
mod history;
pub mod metrics;
mod resume;
mod run;
mod source;
mod step;
mod tune;
mod verify;
pub mod weights;

pub use blocks::BlockConfig;
#[cfg(feature = "progress")]
pub use callbacks::Progress;
pub use callbacks::{Callback, CsvLog, Event, Every, JsonLog, Newest, Save, StopFlag, TensorBoard};
pub use config::{Batch, Config};
pub use diagnosis::{BlockStatistics, Diagnosis, LayerStatistics};
pub use error::TrainError;
pub use file_source::FileSource;
pub use finding::Finding;
pub use fingerprint::Fingerprint;
pub use fit::{Fit, Outcome};
pub use history::{Epoch, History};
pub use run::Run;
pub use source::Source;
pub use step::Step;
pub use tune::{RangeCurve, RangePoint, RangeTest, Scores, Search, Setting, Trial, cross_validate};
pub use verify::Verification;
