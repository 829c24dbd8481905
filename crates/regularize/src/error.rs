//! Why a configuration is refused.

/// A number of a configuration that lies outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}: it must be {bound}")]
pub struct RegularizeError {
    /// The field, as it is written in the configuration.
    pub field: &'static str,
    /// What it must be.
    pub bound: &'static str,
    /// What it is.
    pub value: f64,
}

/// An error unless `holds`.
pub(crate) fn require(
    holds: bool,
    field: &'static str,
    value: f64,
    bound: &'static str,
) -> Result<(), RegularizeError> {
    if holds { Ok(()) } else { Err(RegularizeError { field, bound, value }) }
}

/// The bound of every strength: large enough for any use, and no sum overflows.
pub(crate) const LARGEST_STRENGTH: f64 = 1e6;

/// An error unless the strength of a penalty is in 0..=1e6.
pub(crate) fn require_strength(field: &'static str, value: f64) -> Result<(), RegularizeError> {
    require((0.0..=LARGEST_STRENGTH).contains(&value), field, value, "in 0..=1e6")
}
