//! The categories of one column of text: what the encoders share.

use crate::{PreprocessError, Text};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The distinct values of a column in order, a missing value last.
///
/// The order is that of the numbers where every value is a number, of the bytes otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Categories {
    /// The column's name.
    pub(crate) name: String,
    /// The values; `None` stands for what is missing.
    pub(crate) values: Vec<Option<String>>,
}

impl Categories {
    /// The categories that some row of the column holds, and how many rows hold each.
    pub(crate) fn of(name: &str, text: &Text) -> (Self, Vec<usize>) {
        let counts = text.counts();
        let mut used: Vec<usize> = (0..counts.len()).filter(|&code| counts[code] > 0).collect();
        let number = |code: usize| text.values()[code].trim().parse::<f64>().ok();
        if used.iter().all(|&code| number(code).is_some_and(f64::is_finite)) {
            used.sort_by(|&a, &b| {
                let order = number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal);
                order.then_with(|| text.values()[a].cmp(&text.values()[b]))
            });
        } else {
            used.sort_by_key(|&code| &text.values()[code]);
        }
        let mut values: Vec<_> =
            used.iter().map(|&code| Some(text.values()[code].clone())).collect();
        let mut counts: Vec<_> = used.iter().map(|&code| counts[code]).collect();
        if text.missing() > 0 {
            values.push(None);
            counts.push(text.missing());
        }
        (Self { name: name.to_string(), values }, counts)
    }

    /// The given categories, and how many rows of the column hold each.
    ///
    /// # Errors
    /// A category given twice, or a row that holds none of them unless `others` may be.
    pub(crate) fn given(
        name: &str,
        values: &[Option<String>],
        text: &Text,
        others: bool,
    ) -> Result<(Self, Vec<usize>), PreprocessError> {
        let categories = Self { name: name.to_string(), values: values.to_vec() };
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(PreprocessError::setting("categories", twice[0], "given once"));
        }
        let places = categories.places(text);
        let mut counts = vec![0; values.len()];
        for (row, place) in places.rows(text).enumerate() {
            match place {
                Some(place) => counts[place] += 1,
                None if others => {}
                None => return Err(categories.unknown(row, text)),
            }
        }
        Ok((categories, counts))
    }

    /// Where each value of a column stands among the categories.
    pub(crate) fn places(&self, text: &Text) -> PerRow<Option<usize>> {
        let index: HashMap<_, _> = self.values.iter().map(Option::as_deref).zip(0..).collect();
        let of = |value: &String| index.get(&Some(value.as_str())).copied();
        PerRow {
            values: text.values().iter().map(of).collect(),
            missing: index.get(&None).copied(),
        }
    }

    /// The error for a row whose value is none of the categories.
    pub(crate) fn unknown(&self, row: usize, text: &Text) -> PreprocessError {
        let value = text.get(row).unwrap_or("(missing)").to_string();
        PreprocessError::UnknownCategory { column: self.name.clone(), row, value }
    }
}

/// Something for each distinct value of a column, and for what is missing.
pub(crate) struct PerRow<T> {
    values: Vec<T>,
    missing: T,
}

impl<T: Copy> PerRow<T> {
    /// Something else for each.
    pub(crate) fn map<U>(self, work: impl Fn(T) -> U) -> PerRow<U> {
        let missing = work(self.missing);
        PerRow { values: self.values.into_iter().map(work).collect(), missing }
    }

    /// What each row's value has.
    pub(crate) fn rows(&self, text: &Text) -> impl Iterator<Item = T> {
        text.codes().map(|code| code.map_or(self.missing, |code| self.values[code]))
    }
}

/// Checks that there are as many columns as the fit saw, and that all are equally long; gives their
/// length.
pub(crate) fn check_columns(expected: usize, texts: &[&Text]) -> Result<usize, PreprocessError> {
    if texts.len() != expected {
        let found = texts.len();
        return Err(PreprocessError::Count { what: "columns", expected, found });
    }
    let rows = texts.first().map_or(0, |text| text.len());
    match texts.iter().find(|text| text.len() != rows) {
        None => Ok(rows),
        Some(text) => {
            let found = text.len();
            Err(PreprocessError::Count { what: "rows of a column", expected: rows, found })
        }
    }
}
