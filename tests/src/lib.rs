//! What the tests that cross crates share: golden files, a small data set, comparisons.

pub mod disk;
pub mod golden;
pub mod python;
mod rings;
mod rules;
mod saved_run;

pub use rings::{RINGS, Rings, rings};
pub use rules::rules;
pub use saved_run::{saved_run, train_and_save};

/// |a − b| relative to the larger of the two, to 1 where both are small.
pub fn relative_difference(a: f64, b: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(1.0)
}
