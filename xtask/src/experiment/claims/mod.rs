//! The claims of the textbooks, measured.

use super::Experiment;

/// In the order of the report.
pub(super) const ALL: &[&Experiment] = &[];
