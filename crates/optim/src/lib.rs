//! Optimizers and schedules on plain slices: a rule, a learning rate, `&mut [F]` and `&[F]`.
//!
//! ```
//! use slalom_optim::{Adam, Block, Cosine, Optimizer, Schedule};
//!
//! let mut w = vec![3.0_f32, -2.0]; // minimise ½·(w₀² + 10·w₁²)
//! let mut opt = Optimizer::new(Adam::default(), vec![Block::new("w", 0..2)], None)?;
//! let rate = Cosine { start: 0.1, end: 0.0, steps: 300 };
//! for step in 0..300 {
//!     let grads = [w[0], 10.0 * w[1]];
//!     opt.step(rate.at(step), &mut w, &grads)?;
//! }
//! assert!(w.iter().all(|w| w.abs() < 1e-2));
//! # Ok::<(), slalom_optim::OptimError>(())
//! ```
//!
//! The numbers are the caller's: a `Vec`, an ndarray, a nalgebra matrix, whatever is a slice (see
//! `examples/`). What the optimizer remembers is plain data ([`State`]) and resumes to the bit.
//!
//! | to | take |
//! |---|---|
//! | turn gradients into steps | [`Optimizer`] with a [`Rule`]: [`Sgd`], [`AdaGrad`], [`RmsProp`], [`AdaDelta`], [`Adam`], [`AdamW`], [`Adamax`], [`NAdam`], [`RAdam`], [`Asgd`], [`Rprop`], [`AdaBelief`], [`Yogi`], [`Lion`], [`Adan`], [`Lars`], [`Lamb`] |
//! | treat parts of the slab differently: rate, L1, L2, decay, frozen | [`Block`] |
//! | bound gradients | [`Clip`] |
//! | move the rate, or the momentum ([`Rates`]) | a [`Schedule`]: [`LearningRate`] holds all that can be written to a file; [`Plateau`] follows a metric |
//! | average parameters | [`Average`] |
//! | minimise over whole batches | [`LbfgsRun`] |
//! | update each block as soon as its gradient is there | [`Pass`] |
//!
//! Every rule and schedule has PyTorch's defaults (optax's where PyTorch has none) and says in its
//! documentation how it differs from PyTorch, Keras and optax. Golden tests hold every parameter of
//! 40 steps within 1e-12 of the references in f64 and within 2e-5 in f32.
//!
//! Results do not depend on the number of threads, the vector width of the CPU or how the slab is
//! cut: work is split by the configuration and sums are added in index order.

mod average;
mod block;
mod chunks;
mod clip;
mod error;
mod float;
mod lbfgs;
mod norm;
mod optimizer;
mod outer;
mod pages;
mod pass;
mod plan;
mod rates;
mod rules;
mod schedules;
mod share;
mod simd;
mod slab;
mod stage;
mod state;
mod sweep;
mod threads;

pub use average::{Average, Averaging};
pub use block::Block;
pub use chunks::Chunks;
pub use clip::Clip;
pub use error::OptimError;
pub use float::Float;
pub use lbfgs::{Iteration, Lbfgs, LbfgsRun, Objective, Outcome};
pub use optimizer::Optimizer;
pub use pass::Pass;
pub use rates::{Rates, Step};
pub use rules::{
    AdaBelief, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Adan, Asgd, Lamb, Lars, Lion, NAdam, RAdam,
    RmsProp, Rprop, Rule, Sgd, Yogi,
};
pub use schedules::{
    Cosine, CosineRestarts, CosineWave, Cyclic, Exponential, InverseTime, Join, LearningRate,
    Linear, MultiStep, Noam, OneCycle, Piecewise, Plateau, Polynomial, Schedule, Shape, StepDecay,
    Sutskever, Warmup,
};
pub use slab::Slab;
pub use state::State;
pub use threads::Run;

#[cfg(test)]
mod conformance;
