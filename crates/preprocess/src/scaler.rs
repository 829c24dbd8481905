//! Any of the scalers, chosen at run time: what a pipeline holds.

use crate::{
    Fit, FittedImpute, FittedMaxAbs, FittedMinMax, FittedNormalize, FittedPower, FittedQuantile,
    FittedRobust, FittedStandard, Impute, MaxAbs, MinMax, Normalize, Power, PreprocessError,
    Quantile, Robust, Standard, Transform,
};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Threads, View, ViewMut};

macro_rules! scalers {
    ($($name:ident, $fitted:ident, $what:literal;)*) => {
        /// The configuration of any transformation that gives one number for each number.
        ///
        /// ```
        /// use slalom_preprocess::{MinMax, Scaler, Standard};
        /// let scalers = [Scaler::from(Standard::default()), MinMax::default().into()];
        /// # let _ = scalers;
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Scaler {
            $(#[doc = $what] $name($name),)*
        }

        /// Any fitted transformation that gives one number for each number.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FittedScaler {
            $(#[doc = $what] $name($fitted),)*
        }

        $(impl From<$name> for Scaler {
            fn from(scaler: $name) -> Self {
                Self::$name(scaler)
            }
        })*

        impl Fit for Scaler {
            type Fitted = FittedScaler;

            fn fit_with<F: Scalar>(
                &self,
                x: View<'_, F>,
                threads: &Threads,
            ) -> Result<FittedScaler, PreprocessError> {
                match self {
                    $(Self::$name(scaler) => scaler.fit_with(x, threads).map(FittedScaler::$name),)*
                }
            }
        }

        impl FittedScaler {
            /// Takes over the features of another fit with the same configuration, behind its own.
            pub(crate) fn append(&mut self, more: Self) {
                match (self, more) {
                    $((Self::$name(fitted), Self::$name(more)) => fitted.append(more),)*
                    _ => unreachable!("one configuration fits to one type"),
                }
            }
        }

        impl Transform for FittedScaler {
            fn features(&self) -> usize {
                match self {
                    $(Self::$name(fitted) => fitted.features(),)*
                }
            }

            fn transform_with<F: Scalar>(
                &self,
                x: ViewMut<'_, F>,
                threads: &Threads,
            ) -> Result<(), PreprocessError> {
                match self {
                    $(Self::$name(fitted) => fitted.transform_with(x, threads),)*
                }
            }

            fn inverse_with<F: Scalar>(
                &self,
                x: ViewMut<'_, F>,
                threads: &Threads,
            ) -> Result<(), PreprocessError> {
                match self {
                    $(Self::$name(fitted) => fitted.inverse_with(x, threads),)*
                }
            }
        }
    };
}

scalers! {
    Standard, FittedStandard, "Mean 0 and deviation 1.";
    MinMax, FittedMinMax, "To a range.";
    MaxAbs, FittedMaxAbs, "By the greatest absolute value.";
    Robust, FittedRobust, "By the median and a span of quantiles.";
    Normalize, FittedNormalize, "Each sample to norm 1.";
    Power, FittedPower, "As normal as one power can make it.";
    Quantile, FittedQuantile, "To a distribution, by rank.";
    Impute, FittedImpute, "Filling in what is missing.";
}
