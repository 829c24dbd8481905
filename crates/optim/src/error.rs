//! What can be wrong with a configuration, a slice or a gradient.

use thiserror::Error;

/// Why an optimizer, a schedule or a step was refused.
///
/// Every message names the place, the value found and the bound that it breaks:
///
/// ```
/// use slalom_optim::{Adam, Block, Optimizer};
/// let adam = Adam { beta1: 1.0, ..Adam::default() };
/// let error = Optimizer::<f32>::new(adam, vec![Block::new("w", 0..3)], None).unwrap_err();
/// assert_eq!(error.to_string(), "Adam: beta1 is 1: it must be at least 0 and below 1");
/// ```
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A number of a configuration lies outside its bounds, or is not a number.
    #[error("{owner}: {field} is {value}: it must be {bound}")]
    Setting {
        /// The rule, schedule or block that holds the field.
        owner: String,
        /// The field's name.
        field: &'static str,
        /// The value found.
        value: f64,
        /// What the value must be.
        bound: &'static str,
    },
    /// Two settings that exclude each other.
    #[error("{owner}: {conflict}")]
    Conflict {
        /// The rule, schedule or block that holds both.
        owner: String,
        /// Which two, and how to resolve it.
        conflict: &'static str,
    },
    /// The blocks do not follow each other from 0 without a gap.
    #[error(
        "block {name:?} is {start}..{end}: it must start at {wanted} and hold at least 1 number"
    )]
    Blocks {
        /// The block's name.
        name: String,
        /// Where it starts.
        start: usize,
        /// Where it ends.
        end: usize,
        /// Where the block before it ends.
        wanted: usize,
    },
    /// Two blocks of the same name.
    #[error("block {name:?} is there twice: names must differ")]
    Name {
        /// The name.
        name: String,
    },
    /// A slice does not have the length that the blocks ask for.
    #[error("{what} holds {found} numbers: the blocks hold {wanted}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length of the blocks together.
        wanted: usize,
    },
    /// A gradient is NaN or infinite.
    #[error("the gradient of block {block:?} is {value} at index {index} of the block")]
    NotFinite {
        /// The block's name.
        block: String,
        /// The first such place within the block.
        index: usize,
        /// What stands there: NaN, inf or -inf.
        value: f64,
    },
    /// A saved state belongs to another rule.
    #[error("the state holds {found} slots: {rule} keeps {wanted}")]
    Slots {
        /// The rule that was to go on.
        rule: &'static str,
        /// Slots in the state.
        found: usize,
        /// Slots that the rule keeps.
        wanted: usize,
    },
}

/// `value` if `holds`, otherwise the error that says what it must be.
pub(crate) fn check(
    owner: &str,
    field: &'static str,
    value: f64,
    holds: bool,
    bound: &'static str,
) -> Result<(), OptimError> {
    if holds {
        return Ok(());
    }
    Err(OptimError::Setting { owner: owner.into(), field, value, bound })
}

/// Refuses what is not in `[0, 1)`: momenta and averaging factors.
pub(crate) fn check_factor(owner: &str, field: &'static str, value: f64) -> Result<(), OptimError> {
    let holds = (0.0..1.0).contains(&value);
    check(owner, field, value, holds, "at least 0 and below 1")
}

/// Refuses what is not positive and finite.
pub(crate) fn check_positive(
    owner: &str,
    field: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    check(owner, field, value, value > 0.0 && value.is_finite(), "above 0 and finite")
}

/// Refuses what is negative or not finite.
pub(crate) fn check_not_negative(
    owner: &str,
    field: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    check(owner, field, value, value >= 0.0 && value.is_finite(), "at least 0 and finite")
}

/// Refuses a slice that has not the length of the blocks.
pub(crate) fn check_length(
    what: &'static str,
    found: usize,
    wanted: usize,
) -> Result<(), OptimError> {
    if found == wanted { Ok(()) } else { Err(OptimError::Length { what, found, wanted }) }
}

/// Refuses two ε of which one is negative, or none above 0: a gradient of 0 would give 0/0.
pub(crate) fn check_eps(owner: &str, eps: f64, eps_root: f64) -> Result<(), OptimError> {
    check_not_negative(owner, "eps", eps)?;
    check_not_negative(owner, "eps_root", eps_root)?;
    check(owner, "eps", eps, eps + eps_root > 0.0, "above 0 where eps_root is 0")
}
