//! What keeps a model from overfitting: penalties, constraints, dropout masks and early stopping.
//!
//! Everything here works on slices that the caller owns and on plain, serialisable
//! configurations. There is no state: a mask is a function of (seed, step, layer), a decision to
//! stop is a function of the history. So each part serves in a training loop that uses nothing
//! else of slalom.
//!
//! ```
//! use slalom_regularize::{EarlyStopping, Penalty, dropout_mask};
//!
//! let penalty = Penalty { l1: 0.0, l2: 0.1 };
//! let (weights, mut gradient) = ([1.0, -2.0], [0.5, 0.5]);
//! penalty.add_gradient(&weights, &mut gradient);
//! assert_eq!(gradient, [0.6, 0.3]);
//!
//! let mut mask = [0.0_f32; 8];
//! dropout_mask(7, 0, 0, 0.5, &mut mask);
//! assert!(mask.iter().all(|&m| m == 0.0 || m == 2.0));
//!
//! let rule = EarlyStopping { patience: 2, ..Default::default() };
//! let decision = rule.decide(&[0.9, 0.5, 0.6, 0.7]);
//! assert!(decision.stop());
//! assert_eq!(decision.best, Some(1));
//! ```

mod activity;
mod constraint;
mod decay;
mod dropout;
mod error;
mod float;
mod group_lasso;
mod penalty;
mod philox;
mod rows;
mod stopping;

pub use activity::ActivityPenalty;
pub use constraint::Constraint;
pub use decay::decay;
pub use dropout::{
    MASK_PIECE, classical_mask, classical_mask_from, dropout_mask, dropout_mask_from,
};
pub use error::RegularizeError;
pub use float::Float;
pub use group_lasso::{GroupLasso, Groups};
pub use penalty::Penalty;
pub use stopping::*;
