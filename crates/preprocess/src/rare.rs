//! Which categories are too rare for a place of their own.

use crate::PreprocessError;
use serde::{Deserialize, Serialize};

/// How frequent a category must be to have an output of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// So many rows.
    Count(usize),
    /// This share of the rows, above 0 and below 1.
    Share(f64),
}

/// What makes a category rare.
pub(crate) struct Rare {
    min_frequency: Option<Frequency>,
    max_categories: Option<usize>,
}

impl Rare {
    /// Rarer than the least frequency, or too many.
    ///
    /// # Errors
    /// A setting out of bounds.
    pub(crate) fn new(
        min_frequency: Option<Frequency>,
        max_categories: Option<usize>,
    ) -> Result<Self, PreprocessError> {
        if max_categories == Some(0) {
            return Err(PreprocessError::setting("max_categories", 0, "at least 1"));
        }
        match min_frequency {
            Some(Frequency::Count(0)) => {
                Err(PreprocessError::setting("min_frequency", 0, "a count of at least 1"))
            }
            Some(Frequency::Share(share)) if !(share > 0.0 && share < 1.0) => {
                Err(PreprocessError::setting("min_frequency", share, "a share above 0 and below 1"))
            }
            _ => Ok(Self { min_frequency, max_categories }),
        }
    }

    /// Which of the categories with these counts among so many rows are rare.
    pub(crate) fn among(&self, counts: &[usize], rows: usize) -> Vec<bool> {
        let rare = |&count: &usize| match self.min_frequency {
            None => false,
            Some(Frequency::Count(least)) => count < least,
            Some(Frequency::Share(share)) => (count as f64) < share * rows as f64,
        };
        let mut infrequent: Vec<bool> = counts.iter().map(rare).collect();
        if let Some(most) = self.max_categories {
            let mut order: Vec<usize> = (0..counts.len()).collect();
            order.sort_by_key(|&i| counts[i]);
            // the most frequent ones keep their places; of equally frequent ones, the later
            let shared = counts.len().saturating_sub(most - 1);
            order[..shared].iter().for_each(|&i| infrequent[i] = true);
        }
        infrequent
    }
}
