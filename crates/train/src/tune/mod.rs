//! Finding settings: the learning rate's range, cross-validation, search.

mod cross_validation;
mod range_test;
mod search;

pub use cross_validation::{Scores, cross_validate};
pub use range_test::{RangeCurve, RangePoint, RangeTest};
pub use search::{Search, Setting, Trial};
