//! From a messy table to a data set: reading, cleaning, scaling, encoding, splitting.
//!
//! A configuration ([`Standard`], [`MinMax`], …) is [fitted](Fit) to the training part and turns
//! into its fitted type, and only that [transforms](Transform): test data cannot leak into what is
//! learned. Samples are columns, missing values are NaN, everything learned is f64.

mod columns;
mod data_set;
mod error;
mod fit;
mod limits;
mod min_max;
mod read;
mod split;
mod standard;

pub use data_set::{DataSet, OwnedTargets};
pub use error::{Fault, PreprocessError};
pub use fit::{Fit, Transform};
pub use limits::Limits;
pub use min_max::{FittedMinMax, MinMax};
pub use read::{Idx, idx_data_set, read_idx};
pub use split::{Parts, Split};
pub use standard::{FittedStandard, Standard};
