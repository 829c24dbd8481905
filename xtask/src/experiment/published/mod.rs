//! Published tables, ours beside theirs.

mod proben1;
mod quadratic_deep;
pub(crate) mod sklearn;
mod sklearn_mlp;

use super::Experiment;

/// In the order of the report.
pub(super) const ALL: &[&Experiment] =
    &[&sklearn::EXPERIMENT, &proben1::EXPERIMENT, &quadratic_deep::EXPERIMENT];
