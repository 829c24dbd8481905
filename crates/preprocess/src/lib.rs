//! From a messy table to a data set: reading, cleaning, scaling, encoding, splitting.
//!
//! A configuration ([`Standard`], [`MinMax`], …) is [fitted](Fit) to the training part and turns
//! into its fitted type, and only that [transforms](Transform): test data cannot leak into what is
//! learned. Samples are columns, missing values are NaN, everything learned is f64 and can be saved
//! with serde (serde_json needs its feature `float_roundtrip`, or the last bit of a number is lost).
//!
//! ```
//! use slalom_preprocess::{Csv, Labels, Pipeline, Split};
//!
//! let text = "age,city,rich\n39,Bern,no\n50,Basel,yes\n38,Bern,no\n?,Bern,yes\n28,Basel,no\n";
//! let csv = Csv { missing: vec!["?".into()], ..Csv::default() };
//! let table = csv.from_reader(text.as_bytes(), "people.csv")?;
//! let labels = Labels::fit("rich", table.text("rich")?)?;
//! let inputs = table.without(&["rich"])?;
//!
//! let parts = Split { test: 0.4, seed: 1, ..Split::default() }.indices(table.rows())?;
//! let train = inputs.subset(&parts.train)?;
//! let pipeline = Pipeline::default().fit(&train)?; // numbers: impute, standardise; text: one-hot
//! let targets = labels.targets::<f32>(&table.text("rich")?.subset(&parts.train)?)?;
//! let data = pipeline.data_set(&train, targets)?;
//! assert_eq!(data.samples()?.len(), 3);
//!
//! let json = serde_json::to_string(&pipeline)?; // beside the network; the test part comes later
//! let pipeline: slalom_preprocess::FittedPipeline = serde_json::from_str(&json)?;
//! let test = pipeline.transform::<f32>(&inputs.subset(&parts.test)?)?;
//! assert_eq!((test.nrows(), test.ncols()), (pipeline.feature_names_out().len(), 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what for | what there is |
//! |---|---|
//! | reading | [`Csv`] (any separator, blanks, gzip), [`read_idx`], [`read_npy`], [`read_npz`], [`read_proben1`]; [`Limits`] |
//! | tables | [`Table`], [`Column`], [`Text`], [`Pipeline`] |
//! | scaling | [`Standard`], [`MinMax`], [`MaxAbs`], [`Robust`], [`Normalize`], [`Power`], [`Quantile`] |
//! | gaps | [`Impute`], [`ImputeText`] |
//! | encoding | [`OneHot`], [`Ordinal`], [`Labels`], [`one_hot`] |
//! | sharing out | [`DataSet`], [`Split`], [`Folds`], [`bootstrap`], [`class_weights`] |
//! | teaching and tests | [`generate`] |

mod affine;
mod block;
mod brent;
mod categories;
mod columns;
mod data_set;
mod error;
mod fit;
mod fitted_one_hot;
mod fitted_pipeline;
mod folds;
pub mod generate;
mod impute;
mod impute_text;
mod interpolate;
mod labels;
mod limits;
mod max_abs;
mod min_max;
mod moments;
mod normal;
mod normalize;
mod one_hot;
mod ordinal;
mod pairwise;
mod pipeline;
mod power;
mod quantile;
mod ranks;
mod rare;
mod read;
mod resample;
mod robust;
mod rows;
mod scaler;
mod split;
mod standard;
mod table;
mod text;

pub use data_set::{DataSet, OwnedTargets};
pub use error::{Fault, PreprocessError};
pub use fit::{Fit, Transform};
pub use fitted_one_hot::FittedOneHot;
pub use fitted_pipeline::FittedPipeline;
pub use folds::{Fold, Folds};
pub use impute::{Fill, FittedImpute, Impute};
pub use impute_text::{FittedImputeText, ImputeText};
pub use labels::{Labels, one_hot};
pub use limits::Limits;
pub use max_abs::{FittedMaxAbs, MaxAbs};
pub use min_max::{FittedMinMax, MinMax};
pub use normalize::{FittedNormalize, Normalize};
pub use one_hot::{Drop, OneHot, Unknown};
pub use ordinal::{FittedOrdinal, Ordinal, Unseen};
pub use pipeline::{Columns, Encoder, Group, Pipeline, Steps};
pub use power::{FittedPower, Power};
pub use quantile::{FittedQuantile, Quantile, Shape};
pub use rare::Frequency;
pub use read::{
    Csv, Idx, Separator, idx_data_set, npy_from_reader, npz_names, read_idx, read_npy, read_npz,
    read_proben1,
};
pub use resample::{Bag, bootstrap, class_counts, class_weights, epoch_order, sample_weights};
pub use robust::{FittedRobust, Robust};
pub use scaler::{FittedScaler, Scaler};
pub use split::{Parts, Split};
pub use standard::{FittedStandard, Standard};
pub use table::{Column, Kind, Table};
pub use text::Text;
