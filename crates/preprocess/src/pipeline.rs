//! The column pipeline: from a table to a matrix, fitted on the training table alone.
//!
//! As scikit-learn's `ColumnTransformer`: groups of columns, chosen by name or by kind, each go
//! through their own steps, and the outputs stand one below the other, group by group. Other than
//! there, columns are matched by name whatever their order, every column must belong to a group,
//! and a table with a column missing, one too many or one of another kind is refused.

use crate::columns::zeros;
use crate::fitted_pipeline::{FittedEncoder, FittedGroup, FittedSteps, copy_numbers};
use crate::table::check_names;
use crate::{
    Fit, FittedPipeline, FittedScaler, Impute, ImputeText, Kind, OneHot, Ordinal, PreprocessError,
    Scaler, Standard, Table, Transform,
};
use serde::{Deserialize, Serialize};
use slalom_tensor::Threads;
use std::borrow::Cow;

/// How many numbers go through the steps of a fit at once, if they are more than one column.
const NUMBERS_AT_ONCE: usize = 1 << 24;

/// Groups of columns and what becomes of each.
///
/// By default numbers have gaps filled with their mean and are standardised, and text is one-hot
/// encoded, a missing text being a category of its own.
///
/// ```
/// use slalom_preprocess::{Csv, Pipeline};
/// let train = Csv::default().from_reader("age,city\n30,Bern\n50,Basel\n".as_bytes(), "train")?;
/// let test = Csv::default().from_reader("city,age\nBasel,40\n".as_bytes(), "test")?;
/// let pipeline = Pipeline::default().fit(&train)?;
/// assert_eq!(pipeline.feature_names_out(), ["age", "city_Basel", "city_Bern"]);
/// assert_eq!(pipeline.transform::<f32>(&test)?.as_slice(), [0.0, 1.0, 0.0]);
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The groups in the order of their outputs. A group by kind takes what no group names.
    pub groups: Vec<Group>,
}

impl Default for Pipeline {
    fn default() -> Self {
        let numbers = vec![Impute::default().into(), Standard::default().into()];
        let text = Encoder::OneHot(OneHot::default());
        Self {
            groups: vec![
                Group {
                    columns: Columns::Kind(Kind::Numbers),
                    steps: Steps::Numbers { steps: numbers, indicators: false },
                },
                Group {
                    columns: Columns::Kind(Kind::Text),
                    steps: Steps::Text { impute: None, encoder: text },
                },
            ],
        }
    }
}

/// Some columns and what becomes of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Which columns.
    pub columns: Columns,
    /// What becomes of them.
    pub steps: Steps,
}

/// Which columns a group holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// Those of these names.
    Named(Vec<String>),
    /// Those of this kind that no other group names.
    Kind(Kind),
}

/// What becomes of the columns of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// Numbers go through these steps, one after the other.
    Numbers {
        /// The steps; none leaves the numbers as they are.
        steps: Vec<Scaler>,
        /// Whether columns with gaps in training get an output that is 1 where a number is missing.
        indicators: bool,
    },
    /// Text is encoded.
    Text {
        /// What fills gaps before; nothing leaves them missing.
        impute: Option<ImputeText>,
        /// How categories become numbers.
        encoder: Encoder,
    },
    /// The columns are left out.
    Drop,
}

/// How categories become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// One output for each category.
    OneHot(OneHot),
    /// The category's place in an order.
    Ordinal(Ordinal),
}

impl Pipeline {
    /// Learns from a table.
    ///
    /// Numbers go through the steps in a copy: some columns at a time, one if there are 2²⁴ rows or
    /// more, or the whole group if it has [`Normalize`](crate::Normalize).
    ///
    /// # Errors
    /// No rows; a column that belongs to no group, to two, or that is not there; a group whose
    /// steps are for another kind; whatever a step refuses, with the column's name.
    pub fn fit(&self, table: &Table) -> Result<FittedPipeline, PreprocessError> {
        self.fit_with(table, &Threads::one())
    }

    /// Learns from a table, the work shared by the threads; the result is the same at any number
    /// of them.
    ///
    /// # Errors
    /// As [`fit`](Pipeline::fit).
    pub fn fit_with(
        &self,
        table: &Table,
        threads: &Threads,
    ) -> Result<FittedPipeline, PreprocessError> {
        if table.rows() == 0 {
            return Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 });
        }
        let mut groups = Vec::new();
        for (group, names) in self.groups.iter().zip(self.members(table)?) {
            if names.is_empty() {
                continue;
            }
            let fitted = match &group.steps {
                Steps::Drop => FittedSteps::Drop,
                Steps::Numbers { steps, indicators } => {
                    let part = (NUMBERS_AT_ONCE / table.rows()).max(1);
                    fit_numbers(table, &names, steps, *indicators, part, threads)?
                }
                Steps::Text { impute, encoder } => {
                    fit_text(table, &names, impute.as_ref(), encoder)?
                }
            };
            groups.push(FittedGroup { names, steps: fitted });
        }
        let seen = table.columns().map(|(name, column)| (name.to_string(), column.kind()));
        Ok(FittedPipeline { seen: seen.collect(), groups })
    }

    /// The names of the columns of each group.
    fn members(&self, table: &Table) -> Result<Vec<Vec<String>>, PreprocessError> {
        let mut named = Vec::new();
        for group in &self.groups {
            if let Columns::Named(names) = &group.columns {
                names.iter().try_for_each(|name| table.column(name).map(|_| ()))?;
                named.extend(names.iter().cloned());
            }
        }
        check_names(&named)?;
        let rest = || table.columns().filter(|(name, _)| !named.iter().any(|n| n == name));
        let of = |group: &Group| match &group.columns {
            Columns::Named(names) => names.clone(),
            Columns::Kind(kind) => rest()
                .filter(|(_, column)| column.kind() == *kind)
                .map(|(name, _)| name.to_string())
                .collect(),
        };
        let members: Vec<Vec<String>> = self.groups.iter().map(of).collect();
        let times = |name: &str| members.iter().flatten().filter(|member| *member == name).count();
        match table.names().iter().find(|name| times(name) != 1) {
            None => Ok(members),
            Some(name) => {
                let n = times(name);
                let what = format!(
                    "column '{name}' belongs to {n} groups, it must belong to one: use Steps::Drop \
                     for a column that is not wanted"
                );
                Err(PreprocessError::Names { what })
            }
        }
    }
}

/// Fits columns part by part, so that no more of them than one part is held twice.
fn fit_numbers(
    table: &Table,
    names: &[String],
    steps: &[Scaler],
    indicators: bool,
    part: usize,
    threads: &Threads,
) -> Result<FittedSteps, PreprocessError> {
    // what is done to a sample as a whole needs all columns at once
    let whole = steps.iter().any(|step| matches!(step, Scaler::Normalize(_)));
    let part = if whole { names.len() } else { part };
    let mut fitted: Vec<FittedScaler> = Vec::new();
    let mut gaps = Vec::new();
    for (i, names) in names.chunks(part).enumerate() {
        let mut x = zeros::<f64>(names.len(), table.rows());
        copy_numbers(table, names, 0, &mut x)?;
        let gap = |&feature: &usize| x.row(feature).iter().any(|v| v.is_nan());
        gaps.extend((0..names.len()).filter(gap).map(|feature| i * part + feature));
        for (place, step) in steps.iter().enumerate() {
            let step = step.fit_with(x.as_view(), threads).map_err(|error| named(error, names))?;
            if place + 1 < steps.len() {
                step.transform_with(x.as_view_mut(), threads)?;
            }
            match fitted.get_mut(place) {
                Some(fitted) => fitted.append(step),
                None => fitted.push(step),
            }
        }
    }
    Ok(FittedSteps::Numbers {
        steps: fitted,
        indicators: if indicators { gaps } else { Vec::new() },
    })
}

/// An error that knows a feature's number, with its name.
fn named(error: PreprocessError, names: &[String]) -> PreprocessError {
    match error {
        PreprocessError::AllMissing { feature } => {
            let what = format!(
                "column '{}': every value is missing: drop the column or fill in a constant",
                names[feature]
            );
            PreprocessError::Names { what }
        }
        other => other,
    }
}

fn fit_text(
    table: &Table,
    names: &[String],
    impute: Option<&ImputeText>,
    encoder: &Encoder,
) -> Result<FittedSteps, PreprocessError> {
    let mut texts = Vec::new();
    let mut imputes = Vec::new();
    for name in names {
        let mut text = Cow::Borrowed(table.text(name)?);
        let fitted = impute.map(|impute| impute.fit(&text)).transpose();
        let fitted = fitted.map_err(|error| named(error, std::slice::from_ref(name)))?;
        if let Some(fitted) = &fitted {
            fitted.transform(text.to_mut());
        }
        imputes.push(fitted);
        texts.push(text);
    }
    let columns: Vec<_> =
        names.iter().map(String::as_str).zip(texts.iter().map(Cow::as_ref)).collect();
    let encoder = match encoder {
        Encoder::OneHot(encoder) => FittedEncoder::OneHot(encoder.fit(&columns)?),
        Encoder::Ordinal(encoder) => FittedEncoder::Ordinal(encoder.fit(&columns)?),
    };
    Ok(FittedSteps::Text { imputes, encoder })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Fill, MaxAbs, MinMax, Normalize, Power, Quantile, Robust};

    fn table(columns: usize) -> Table {
        let number = |column: usize, row: usize| match (column + row) % 5 {
            0 if column % 2 == 1 => f64::NAN,
            _ => ((column * 31 + row * 17) % 23) as f64 - 7.0,
        };
        let column = |i| Column::Numbers((0..40).map(|row| number(i, row)).collect());
        Table::new((0..columns).map(|i| (format!("c{i}"), column(i))).collect()).unwrap()
    }

    #[test]
    fn columns_fitted_in_parts_are_those_fitted_at_once() {
        let table = table(7);
        let steps: [Vec<Scaler>; 8] = [
            vec![Impute::default().into(), Standard::default().into()],
            vec![Impute::from(Fill::Median).into(), MinMax::default().into()],
            vec![MaxAbs::default().into(), Robust::default().into()],
            vec![Quantile::default().into()],
            vec![Power::default().into()],
            vec![Power { standardize: false }.into(), Standard::default().into()],
            vec![Impute::default().into(), Normalize::L2.into(), Standard::default().into()],
            vec![],
        ];
        for steps in steps {
            let fit = |part| {
                let threads = Threads::one();
                let steps = fit_numbers(&table, table.names(), &steps, true, part, &threads);
                let group = FittedGroup { names: table.names().to_vec(), steps: steps.unwrap() };
                let seen = table.names().iter().map(|name| (name.clone(), Kind::Numbers));
                FittedPipeline { seen: seen.collect(), groups: vec![group] }
            };
            let whole = fit(7);
            assert_eq!(whole.feature_names_out().len(), 10, "{steps:?}");
            for part in [1, 3] {
                assert_eq!(fit(part), whole, "{steps:?}");
            }
        }
    }

    #[test]
    fn an_error_names_the_column_in_whatever_part_it_is() {
        let mut columns = vec![("a".to_string(), Column::Numbers(vec![1.0, 2.0]))];
        columns.push(("b".into(), Column::Numbers(vec![f64::NAN; 2])));
        let table = Table::new(columns).unwrap();
        let steps = [Standard::default().into()];
        for part in [1, 2] {
            let threads = Threads::one();
            let error = fit_numbers(&table, table.names(), &steps, false, part, &threads);
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with("column 'b': every value is missing"), "{error}");
        }
    }
}
