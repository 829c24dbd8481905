//! Training of feed-forward neural networks on the CPU: fast, exact, reproducible to the bit.
//!
//! This crate is the other crates under one name, and a [`prelude`]:
//!
//! ```
//! use slalom::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two rings, 200 points: the inner one is class 0, the outer one class 1.
//! let point = |i: usize| {
//!     let (class, angle) = (i % 2, i as f32 * 0.31);
//!     let radius = 0.5 + class as f32 + 0.1 * (i as f32 * 1.7).sin();
//!     [radius * angle.cos(), radius * angle.sin()]
//! };
//! let x = from_rows(&(0..200).map(point).collect::<Vec<_>>());
//! let classes: Vec<u32> = (0..200).map(|i| i % 2).collect();
//! let rings = Samples::new(x.as_view(), Targets::Classes(&classes))?;
//!
//! let layers = [Dense::new(16, Activation::Tanh).into(), Dense::linear(2).into()];
//! let network = Network::<f32>::new(2, layers)?;
//! let config = Config { rate: 0.02.into(), seed: 1, ..Config::default() };
//! let mut run = Run::new(network, config, Threads::one())?;
//! while run.epochs() < 50 {
//!     let report = run.epoch(rings, None)?;
//!     println!("{report}");
//! }
//!
//! let logits = run.predict(from_rows(&[[0.0, 0.5], [1.5, 0.0]]).as_view())?;
//! assert!(logits[(0, 0)] > logits[(1, 0)] && logits[(1, 1)] > logits[(0, 1)]);
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it is about |
//! |---|---|
//! | [`tensor`] | scalars, matrices and views, products, reductions, random streams, threads |
//! | [`preprocess`] | the table before training: reading, cleaning, scaling, encoding, splitting |
//! | [`optim`] | turning a gradient into a step, and the clock (schedules) |
//! | [`regularize`] | penalties, constraints, dropout masks, early-stopping rules |
//! | [`layers`] | activations flowing through a network, and losses |
//! | [`train`] | the run: batches, epochs, history, callbacks, metrics, checkpoints |
//!
//! With the feature `progress`, `train::Progress` shows a fit's epoch, loss and time left.

mod model;

pub use model::{Model, ModelError};
pub use slalom_layers as layers;
pub use slalom_optim as optim;
pub use slalom_preprocess as preprocess;
pub use slalom_regularize as regularize;
pub use slalom_tensor as tensor;
pub use slalom_train as train;

/// What most programs need, for one `use`.
pub mod prelude {
    pub use crate::Model;
    pub use slalom_layers::{Activation, Dense, Dropout, Init, Loss, Network};
    pub use slalom_optim::{Adam, Clip, Cosine, LearningRate, Schedule, Sgd};
    pub use slalom_preprocess::{Csv, DataSet, MinMax, OwnedTargets, Pipeline, Split, Standard};
    pub use slalom_preprocess::{Fit as _, Transform as _};
    pub use slalom_regularize::{EarlyStopping, Penalty, StopRule};
    pub use slalom_tensor::{Matrix, Samples, Scalar, Targets, Threads, from_rows};
    pub use slalom_train::checkpoint::Checkpoint;
    pub use slalom_train::{Batch, BlockConfig, Callback, Config, Event, Fit, Outcome, Run};
}
