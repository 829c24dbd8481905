//! The column pipeline: from a table to a matrix, fitted on the training table alone.
//!
//! As scikit-learn's `ColumnTransformer`: groups of columns, chosen by name or by kind, each go
//! through their own steps, and the outputs stand one below the other, group by group. Other than
//! there, columns are matched by name whatever their order, every column must belong to a group,
//! and a table with a column missing, one too many or one of another kind is refused.

use crate::columns::{check_samples, zeros};
use crate::fitted_pipeline::{FittedEncoder, FittedGroup, FittedSteps, copy_numbers};
use crate::table::check_names;
use crate::{
    Fit, FittedPipeline, Impute, ImputeText, Kind, OneHot, Ordinal, PreprocessError, Scaler,
    Standard, Table, Transform,
};
use serde::{Deserialize, Serialize};
use slalom_tensor::Threads;

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
    /// Meanwhile one group of columns at a time is held twice: numbers go through the steps in a
    /// matrix of f64 that is dropped when the group is done.
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
                    fit_numbers(table, &names, steps, *indicators, threads)?
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

fn fit_numbers(
    table: &Table,
    names: &[String],
    steps: &[Scaler],
    indicators: bool,
    threads: &Threads,
) -> Result<FittedSteps, PreprocessError> {
    let mut x = zeros::<f64>(names.len(), table.rows());
    copy_numbers(table, names, 0, &mut x)?;
    check_samples(x.as_view())?;
    let gap = |i: &usize| x.row(*i).iter().any(|v| v.is_nan());
    let indicators = if indicators { (0..names.len()).filter(gap).collect() } else { Vec::new() };
    let mut fitted = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let step = step.fit_with(x.as_view(), threads).map_err(|error| named(error, names))?;
        if i + 1 < steps.len() {
            step.transform_with(x.as_view_mut(), threads)?;
        }
        fitted.push(step);
    }
    Ok(FittedSteps::Numbers { steps: fitted, indicators })
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
        let mut text = table.text(name)?.clone();
        let fitted = impute.map(|impute| impute.fit(&text)).transpose();
        let fitted = fitted.map_err(|error| named(error, std::slice::from_ref(name)))?;
        if let Some(fitted) = &fitted {
            fitted.transform(&mut text);
        }
        imputes.push(fitted);
        texts.push(text);
    }
    let columns: Vec<_> = names.iter().map(String::as_str).zip(&texts).collect();
    let encoder = match encoder {
        Encoder::OneHot(encoder) => FittedEncoder::OneHot(encoder.fit(&columns)?),
        Encoder::Ordinal(encoder) => FittedEncoder::Ordinal(encoder.fit(&columns)?),
    };
    Ok(FittedSteps::Text { imputes, encoder })
}
