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

mod average;
mod block;
mod clip;
mod error;
mod float;
mod lbfgs;
mod line_search;
mod norm;
mod optimizer;
mod pass;
mod plan;
mod rules;
mod schedules;
mod share;
mod simd;
mod stage;
mod state;
mod sweep;
mod threads;

pub use average::{Average, Averaging};
pub use block::Block;
pub use clip::Clip;
pub use error::OptimError;
pub use float::Float;
pub use lbfgs::{Iteration, Lbfgs, LbfgsRun, Objective, Outcome};
pub use optimizer::{Optimizer, Rates, Step};
pub use pass::Pass;
pub use rules::{
    AdaBelief, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Adan, Asgd, Lamb, Lars, Lion, NAdam, RAdam,
    RmsProp, Rprop, Rule, Sgd, Yogi,
};
pub use schedules::{
    Cosine, CosineRestarts, CosineWave, Cyclic, Exponential, InverseTime, Join, LearningRate,
    Linear, MultiStep, Noam, OneCycle, Piecewise, Plateau, Polynomial, Schedule, Shape, StepDecay,
    Sutskever, Warmup,
};
pub use state::State;
pub use threads::Run;

#[cfg(test)]
mod conformance;
