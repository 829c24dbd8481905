//! Published tables, ours beside theirs.

mod autoencoder;
mod kingma;
mod mnist_setups;
mod mnist_tables;
mod proben1;
mod proben1_sets;
mod quadratic_deep;
mod regularised;
pub(crate) mod sklearn;
mod sklearn_mlp;
mod time_to;
mod zeiler;

use super::Experiment;

/// In the order of the report.
pub(super) const ALL: &[&Experiment] = &[
    &sklearn::EXPERIMENT,
    &proben1::EXPERIMENT,
    &quadratic_deep::EXPERIMENT,
    &mnist_tables::EXPERIMENT,
    &time_to::EXPERIMENT,
    &regularised::EXPERIMENT,
    &zeiler::EXPERIMENT,
    &autoencoder::EXPERIMENT,
    &kingma::EXPERIMENT,
];
