//! The claims of the textbooks, measured.

mod adam;
mod adaptive;
mod batch_size;
mod descent;
mod dropout;
mod early_stopping;
mod momentum;
mod nesterov;
mod penalties;
mod scaling;
mod shuffling;
mod targets;

use super::Experiment;

/// In the order of the report.
pub(super) const ALL: &[&Experiment] = &[
    &batch_size::EXPERIMENT,
    &momentum::EXPERIMENT,
    &nesterov::EXPERIMENT,
    &adaptive::EXPERIMENT,
    &adam::EXPERIMENT,
    &penalties::EXPERIMENT,
    &dropout::EXPERIMENT,
    &early_stopping::EXPERIMENT,
    &shuffling::EXPERIMENT,
    &scaling::EXPERIMENT,
    &targets::EXPERIMENT,
];
