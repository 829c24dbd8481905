//! The fitted column pipeline: from any table with the training table's columns to a matrix.

use crate::columns::zeros;
use crate::table::kind_error;
use crate::{
    Column, DataSet, FittedImputeText, FittedOneHot, FittedOrdinal, FittedScaler, Kind,
    OwnedTargets, PreprocessError, Table, Text, Transform,
};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, Threads};
use std::borrow::Cow;

/// A pipeline that knows its training table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedPipeline {
    /// The columns of the training table.
    pub(crate) seen: Vec<(String, Kind)>,
    pub(crate) groups: Vec<FittedGroup>,
}

impl FittedPipeline {
    /// The names and kinds of the columns that every table must have, in any order.
    pub fn columns(&self) -> &[(String, Kind)] {
        &self.seen
    }

    /// The name of each output.
    pub fn feature_names_out(&self) -> Vec<String> {
        self.groups.iter().flat_map(FittedGroup::outputs).collect()
    }

    /// The table as numbers, *outputs × samples*: a matrix of its own, in which the numbers are
    /// then transformed in place. Drop the table if memory is scarce.
    ///
    /// # Errors
    /// A column that is missing, one too many or one of another kind, by name; an unknown category
    /// where that is an error; a number too large for the scalar.
    pub fn transform<F: Scalar>(&self, table: &Table) -> Result<Matrix<F>, PreprocessError> {
        self.transform_with(table, &Threads::one())
    }

    /// The table as numbers, the work shared by the threads.
    ///
    /// # Errors
    /// As [`transform`](FittedPipeline::transform).
    pub fn transform_with<F: Scalar>(
        &self,
        table: &Table,
        threads: &Threads,
    ) -> Result<Matrix<F>, PreprocessError> {
        self.check(table)?;
        let mut x = zeros(self.feature_names_out().len(), table.rows());
        let mut first = 0;
        for group in &self.groups {
            group.write(table, first, &mut x, threads)?;
            first += group.outputs().len();
        }
        Ok(x)
    }

    /// The table as the inputs of a data set with these targets.
    ///
    /// # Errors
    /// As [`transform`](FittedPipeline::transform); targets of another number than rows.
    pub fn data_set<F: Scalar>(
        &self,
        table: &Table,
        targets: OwnedTargets<F>,
    ) -> Result<DataSet<F>, PreprocessError> {
        DataSet::named(self.transform(table)?, targets, self.feature_names_out())
    }

    fn check(&self, table: &Table) -> Result<(), PreprocessError> {
        for (name, kind) in &self.seen {
            let found = table.column(name)?.kind();
            // a column of nothing but gaps is read as numbers
            let gaps = || table.column(name).is_ok_and(|column| column.missing() == column.len());
            if found != *kind && !(*kind == Kind::Text && gaps()) {
                return Err(kind_error(name, *kind, found));
            }
        }
        let known: Vec<String> = self.seen.iter().map(|(name, _)| name.clone()).collect();
        match table.names().iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let what = format!("the fit saw no column '{name}': leave it out of the table");
                Err(PreprocessError::Names { what })
            }
        }
    }
}

/// A fitted group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FittedGroup {
    pub(crate) names: Vec<String>,
    pub(crate) steps: FittedSteps,
}

/// What a group has learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FittedSteps {
    Numbers {
        steps: Vec<FittedScaler>,
        /// The places of the columns that get an indicator.
        indicators: Vec<usize>,
    },
    Text {
        imputes: Vec<Option<FittedImputeText>>,
        encoder: FittedEncoder,
    },
    Drop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FittedEncoder {
    OneHot(FittedOneHot),
    Ordinal(FittedOrdinal),
}

impl FittedGroup {
    /// The names of the outputs.
    fn outputs(&self) -> Vec<String> {
        match &self.steps {
            FittedSteps::Drop => Vec::new(),
            FittedSteps::Numbers { indicators, .. } => {
                let missing = |&i: &usize| self.names.get(i).map(|name| format!("{name}_missing"));
                self.names.iter().cloned().chain(indicators.iter().filter_map(missing)).collect()
            }
            FittedSteps::Text { encoder: FittedEncoder::OneHot(encoder), .. } => {
                encoder.feature_names_out()
            }
            FittedSteps::Text { encoder: FittedEncoder::Ordinal(encoder), .. } => {
                encoder.feature_names_out()
            }
        }
    }

    /// Writes the outputs into the rows of `x` from `first` on, which are zero.
    fn write<F: Scalar>(
        &self,
        table: &Table,
        first: usize,
        x: &mut Matrix<F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        match &self.steps {
            FittedSteps::Drop => Ok(()),
            FittedSteps::Numbers { steps, indicators } => {
                copy_numbers(table, &self.names, first, x)?;
                let width = self.names.len();
                for (i, &column) in indicators.iter().enumerate().filter(|(_, c)| **c < width) {
                    for mut sample in x.column_iter_mut() {
                        let missing = sample[first + column].is_nan();
                        sample[first + width + i] = if missing { F::one() } else { F::zero() };
                    }
                }
                for step in steps {
                    step.transform_with(x.rows_mut(first, width), threads)?;
                }
                Ok(())
            }
            FittedSteps::Text { imputes, encoder } => {
                let mut texts = Vec::new();
                for (i, name) in self.names.iter().enumerate() {
                    let mut text = text_of(table, name)?;
                    if let Some(impute) = imputes.get(i).and_then(Option::as_ref) {
                        impute.transform(text.to_mut());
                    }
                    texts.push(text);
                }
                let texts: Vec<&Text> = texts.iter().map(Cow::as_ref).collect();
                crate::categories::check_columns(encoder.columns(), &texts)?;
                match encoder {
                    FittedEncoder::OneHot(encoder) => encoder.write(&texts, first, x),
                    FittedEncoder::Ordinal(encoder) => encoder.write(&texts, first, x),
                }
            }
        }
    }
}

impl FittedEncoder {
    fn columns(&self) -> usize {
        match self {
            Self::OneHot(encoder) => encoder.categories().len(),
            Self::Ordinal(encoder) => encoder.outputs(),
        }
    }
}

/// Writes columns of numbers into the rows of `x` from `first` on.
pub(crate) fn copy_numbers<F: Scalar>(
    table: &Table,
    names: &[String],
    first: usize,
    x: &mut Matrix<F>,
) -> Result<(), PreprocessError> {
    let columns: Vec<&[f64]> =
        names.iter().map(|name| table.numbers(name)).collect::<Result<_, _>>()?;
    let height = x.nrows().max(1);
    for (row, sample) in x.as_mut_slice().chunks_exact_mut(height).enumerate() {
        for (place, column) in sample[first..].iter_mut().zip(&columns) {
            *place = F::of(column[row]);
        }
        let wide = sample[first..].iter().take(columns.len()).position(|v| v.is_infinite());
        if let Some(feature) = wide {
            let (column, row) = (names[feature].clone(), row as u64);
            let value = columns[feature][row as usize];
            return Err(PreprocessError::TooLarge { column, row, value, scalar: F::NAME });
        }
    }
    Ok(())
}

/// A column of text, or one of nothing but gaps.
fn text_of<'a>(table: &'a Table, name: &str) -> Result<Cow<'a, Text>, PreprocessError> {
    match table.column(name)? {
        Column::Text(text) => Ok(Cow::Borrowed(text)),
        Column::Numbers(numbers) if numbers.iter().all(|v| v.is_nan()) => {
            Ok(Cow::Owned(std::iter::repeat_n(None::<&str>, numbers.len()).collect()))
        }
        Column::Numbers(_) => Err(kind_error(name, Kind::Text, Kind::Numbers)),
    }
}
