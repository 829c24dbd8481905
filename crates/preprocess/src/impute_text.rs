//! Filling in missing text: by the most frequent value of its column or by a constant.
//!
//! As scikit-learn 1.9 (`SimpleImputer`): of equally frequent values the first in byte order is taken.
//! Other than there, a column without any value is an error unless a constant fills it.

use crate::{PreprocessError, Text};
use serde::{Deserialize, Serialize};

/// What a missing text becomes.
///
/// ```
/// use slalom_preprocess::{ImputeText, Text};
/// let mut colours: Text = [Some("red"), None, Some("red"), Some("blue")].into_iter().collect();
/// ImputeText::MostFrequent.fit(&colours)?.transform(&mut colours);
/// assert_eq!(colours.get(1), Some("red"));
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeText {
    /// The most frequent value, the first in byte order of several; the default.
    #[default]
    MostFrequent,
    /// This text.
    Constant(String),
}

impl ImputeText {
    /// Learns what fills the gaps of a column.
    ///
    /// # Errors
    /// A column without any value, unless a constant fills it.
    pub fn fit(&self, text: &Text) -> Result<FittedImputeText, PreprocessError> {
        let fill = match self {
            Self::Constant(fill) => fill.clone(),
            Self::MostFrequent => {
                let counts = text.counts();
                let used = (0..counts.len()).filter(|&i| counts[i] > 0);
                let best = used.max_by_key(|&i| (counts[i], std::cmp::Reverse(&text.values()[i])));
                let best = best.ok_or(PreprocessError::AllMissing { feature: 0 })?;
                text.values()[best].clone()
            }
        };
        Ok(FittedImputeText { fill })
    }
}

/// An imputer that knows what its training column gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedImputeText {
    fill: String,
}

impl FittedImputeText {
    /// What fills the gaps.
    pub fn fill(&self) -> &str {
        &self.fill
    }

    /// Fills the gaps in place.
    pub fn transform(&self, text: &mut Text) {
        text.fill(&self.fill);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_frequent_texts_the_first_is_taken() {
        let text: Text = ["b", "a", "c", "a", "b"].into_iter().collect();
        assert_eq!(ImputeText::MostFrequent.fit(&text).unwrap().fill(), "a");
    }

    #[test]
    fn only_a_constant_fills_what_has_no_value() {
        let none: Text = [None, None].into_iter().collect();
        assert!(ImputeText::MostFrequent.fit(&none).is_err());
        assert_eq!(ImputeText::Constant("?".into()).fit(&none).unwrap().fill(), "?");
    }

    #[test]
    fn values_that_no_row_holds_fill_nothing() {
        let text: Text = [Some("a"), None].into_iter().collect();
        assert!(ImputeText::MostFrequent.fit(&text.subset(&[1]).unwrap()).is_err());
    }
}
