//! Layers, losses and networks, all over one slab of parameters that the caller owns.
//!
//! A layer is plain configuration: it holds no numbers. Its parameters are a slice of the
//! network's slab, its activations live on a [`Tape`] that the caller owns, so a network can be
//! shared between threads, a checkpoint is one write, and one gradient check covers every layer.
//!
//! ```
//! use slalom_layers::{Activation, Dense, Loss, Mode, Network, Pass};
//! use slalom_tensor::{Targets, Threads, from_rows};
//!
//! let network = Network::<f64>::new(2, [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()])?;
//! let params = network.init(42);
//! let mut grads = vec![0.0; params.len()];
//! let mut tape = network.tape(4);
//!
//! let x = from_rows(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
//! let pass = Pass { mode: Mode::Train { seed: 42, step: 0 }, layer: 0, threads: &Threads::one() };
//! network.forward(&params, x.as_view(), &mut tape, &pass);
//! let (outputs, deltas) = tape.ends();
//! let loss = Loss::default().evaluate(outputs, Targets::Classes(&[0, 1, 1, 0]), None, Some(deltas));
//! network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
//! assert!(loss.value > 0.0 && grads.iter().any(|g| *g != 0.0));
//! # Ok::<(), slalom_layers::LayerError>(())
//! ```
//!
//! | to | take |
//! |---|---|
//! | stack layers | a [`Network`] of [`LayerSpec`]s: [`Dense`], [`Activation`], [`Prelu`], [`Softmax`], [`LogSoftmax`], [`Embedding`] |
//! | keep it from overfitting | [`Dropout`], [`GaussianDropout`], [`AlphaDropout`], [`ActivityPenalty`] |
//! | normalise | [`BatchNorm`], [`LayerNorm`] |
//! | go around layers | [`Residual`], [`Concat`] |
//! | begin | an [`Init`] |
//! | compare outputs with targets | a [`Loss`]: [`CrossEntropy`], [`BinaryCrossEntropy`], [`MeanSquaredError`], [`MeanAbsoluteError`], [`Huber`], [`SmoothL1`], [`LogCosh`], [`Poisson`], [`GaussianLikelihood`], [`Quantile`], [`Hinge`], [`KlDivergence`] |
//! | write a layer | the trait [`Layer`] (`examples/custom_layer.rs`) |
//!
//! Every layer and loss has PyTorch's defaults, or says in its documentation how it differs from
//! PyTorch and Keras; golden tests hold values and gradients within 1e-12 of PyTorch's in f64.

mod activation;
mod activity;
mod alpha_dropout;
mod batch_norm;
mod dense;
mod dropout;
mod embedding;
mod error;
mod gaussian_dropout;
mod init;
mod layer;
mod layer_norm;
mod losses;
mod network;
mod prelu;
mod shortcut;
mod softmax;
mod spec;
mod tape;

pub use activation::Activation;
pub use alpha_dropout::AlphaDropout;
pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub use dropout::{Dropout, DropoutForm};
pub use embedding::{Embedding, EmbeddingTable};
pub use error::LayerError;
pub use gaussian_dropout::GaussianDropout;
pub use init::Init;
pub use layer::{Backward, Forward, Kind, LateProduct, Layer, Mode, Parameter, Pass};
pub use layer_norm::LayerNorm;
pub use losses::{
    BinaryCrossEntropy, CrossEntropy, GaussianLikelihood, Hinge, Huber, KlDivergence, LogCosh,
    Loss, LossValue, MeanAbsoluteError, MeanSquaredError, Poisson, Quantile, SmoothL1,
};
pub use network::{Block, Gradient, MOST_LAYERS, Network, NetworkSpec, Summary, SummaryRow};
pub use prelu::Prelu;
pub use shortcut::{Concat, Residual};
pub use slalom_regularize::ActivityPenalty;
pub use softmax::{LogSoftmax, Softmax};
pub use spec::LayerSpec;
pub use tape::Tape;
