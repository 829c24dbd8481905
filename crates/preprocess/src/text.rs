//! A column of text, each distinct value held once.

use crate::PreprocessError;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The code of a missing value.
const MISSING: u32 = u32::MAX;

/// A column of text: a list of distinct values, and for each row the code of its value, or nothing
/// where it is missing.
///
/// ```
/// use slalom_preprocess::Text;
/// let colours: Text = [Some("red"), None, Some("blue"), Some("red")].into_iter().collect();
/// assert_eq!(colours.len(), 4);
/// assert_eq!(colours.values(), ["red", "blue"]);
/// assert_eq!((colours.get(0), colours.get(1)), (Some("red"), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Text {
    values: Vec<String>,
    codes: Vec<u32>,
    #[serde(skip)]
    index: HashMap<String, u32>,
}

impl Text {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The value of a row; nothing where it is missing.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = self.codes[row];
        (code != MISSING).then(|| self.values[code as usize].as_str())
    }

    /// The values of all rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// The distinct values, in the order in which they first came; some may no longer be used by
    /// any row.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// How many rows hold each of [`values`](Text::values).
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.values.len()];
        for &code in self.codes.iter().filter(|&&code| code != MISSING) {
            counts[code as usize] += 1;
        }
        counts
    }

    /// How many rows are missing.
    pub fn missing(&self) -> usize {
        self.codes.iter().filter(|&&code| code == MISSING).count()
    }

    /// These rows, in this order.
    ///
    /// # Errors
    /// An index past the end.
    pub fn subset(&self, rows: &[usize]) -> Result<Self, PreprocessError> {
        let samples = self.len();
        if let Some(&index) = rows.iter().find(|&&row| row >= samples) {
            return Err(PreprocessError::Index { index, samples });
        }
        let codes = rows.iter().map(|&row| self.codes[row]).collect();
        Ok(Self { codes, ..self.clone() })
    }

    /// Adds a row.
    ///
    /// # Panics
    /// At 2³² − 1 distinct values.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => MISSING,
            Some(value) => match self.index.get(value) {
                Some(&code) => code,
                None => self.insert(value),
            },
        };
        self.codes.push(code);
    }

    /// Whether this value has come before.
    pub(crate) fn knows(&self, value: &str) -> bool {
        self.index.contains_key(value)
    }

    /// The code of each row: the place of its value in [`values`](Text::values), or nothing.
    pub(crate) fn codes(&self) -> impl Iterator<Item = Option<usize>> {
        self.codes.iter().map(|&code| (code != MISSING).then_some(code as usize))
    }

    /// Fills the missing rows.
    pub(crate) fn fill(&mut self, value: &str) {
        if self.missing() > 0 {
            let code = self.index.get(value).copied().unwrap_or_else(|| self.insert(value));
            self.codes.iter_mut().filter(|known| **known == MISSING).for_each(|row| *row = code);
        }
    }

    fn insert(&mut self, value: &str) -> u32 {
        let code = self.values.len() as u32;
        assert!(code < MISSING, "more than {MISSING} distinct values in a column");
        self.values.push(value.to_string());
        self.index.insert(value.to_string(), code);
        code
    }
}

impl<'a> FromIterator<Option<&'a str>> for Text {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(values: I) -> Self {
        let mut text = Self::default();
        values.into_iter().for_each(|value| text.push(value));
        text
    }
}

impl<'a> FromIterator<&'a str> for Text {
    fn from_iter<I: IntoIterator<Item = &'a str>>(values: I) -> Self {
        values.into_iter().map(Some).collect()
    }
}

/// What stands in a file, before it is known that the codes belong to the values.
#[derive(Deserialize)]
struct Unchecked {
    values: Vec<String>,
    codes: Vec<u32>,
}

impl TryFrom<Unchecked> for Text {
    type Error = String;

    fn try_from(Unchecked { values, codes }: Unchecked) -> Result<Self, String> {
        let n = values.len();
        if let Some(row) = codes.iter().position(|&code| code != MISSING && code as usize >= n) {
            return Err(format!("row {row} has code {}, there are {n} values", codes[row]));
        }
        let index: HashMap<_, _> = values.iter().cloned().zip(0..).collect();
        if index.len() != n {
            return Err(format!("only {} of the {n} values are distinct", index.len()));
        }
        Ok(Self { values, codes, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_column_comes_back_unless_it_contradicts_itself() {
        let text: Text = [Some("b"), None, Some("a"), Some("b")].into_iter().collect();
        let good = serde_json::to_string(&text).unwrap();
        let back: Text = serde_json::from_str(&good).unwrap();
        assert!(back.iter().eq(text.iter()));
        for (from, to, why) in [
            ("[\"b\",\"a\"]", "[\"b\"]", "row 2 has code 1, there are 1 values"),
            ("[\"b\",\"a\"]", "[\"b\",\"b\"]", "only 1 of the 2 values are distinct"),
        ] {
            let error = serde_json::from_str::<Text>(&good.replace(from, to)).unwrap_err();
            assert!(error.to_string().starts_with(why), "{error}");
        }
    }

    #[test]
    fn gaps_are_filled_and_nothing_else() {
        let mut text: Text = ["b", "a"].into_iter().collect();
        text.fill("z");
        assert!(!text.is_empty() && text.iter().eq([Some("b"), Some("a")]) && !text.knows("z"));
        text.push(None);
        text.fill("a");
        assert!(text.iter().eq([Some("b"), Some("a"), Some("a")]) && text.knows("a"));
    }
}
