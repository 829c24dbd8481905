//! The outputs of one encoded column: rare categories share the last, one may be left out.

use crate::categories::Categories;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The categories of one column and the output of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub(crate) struct Block {
    pub(crate) categories: Categories,
    /// Which categories share the last output.
    pub(crate) infrequent: Vec<bool>,
    /// The output that is left out.
    pub(crate) dropped: Option<usize>,
}

impl Block {
    /// The output of each category before one is dropped, and the one that rare ones share.
    pub(crate) fn slots(&self) -> (Vec<usize>, Option<usize>) {
        let frequent = self.infrequent.iter().filter(|&&rare| !rare).count();
        let mut next = 0;
        let slot = |&rare: &bool| {
            if rare {
                return frequent;
            }
            next += 1;
            next - 1
        };
        let slots = self.infrequent.iter().map(slot).collect();
        (slots, self.infrequent.contains(&true).then_some(frequent))
    }

    /// The output of a slot, after one is dropped.
    fn output(&self, slot: usize) -> Option<usize> {
        match self.dropped.map(|dropped| slot.cmp(&dropped)) {
            Some(Ordering::Equal) => None,
            Some(Ordering::Greater) => Some(slot - 1),
            _ => Some(slot),
        }
    }

    /// The output of each category.
    pub(crate) fn outputs(&self) -> Vec<Option<usize>> {
        self.slots().0.into_iter().map(|slot| self.output(slot)).collect()
    }

    /// The output that rare categories share.
    pub(crate) fn shared(&self) -> Option<usize> {
        self.slots().1.and_then(|slot| self.output(slot))
    }

    pub(crate) fn width(&self) -> usize {
        self.outputs().into_iter().flatten().max().map_or(0, |last| last + 1)
    }

    /// The category that each output stands for.
    pub(crate) fn output_values(&self) -> Vec<Option<String>> {
        let mut values = vec![None; self.width()];
        for (output, value) in self.outputs().into_iter().zip(&self.categories.values) {
            if let Some(output) = output {
                values[output].clone_from(value);
            }
        }
        if let Some(shared) = self.shared() {
            values[shared] = Some("infrequent".to_string());
        }
        values
    }

    pub(crate) fn dropped_value(&self) -> Option<String> {
        let (slots, shared) = self.slots();
        let dropped = self.dropped?;
        if shared == Some(dropped) {
            return Some("infrequent".to_string());
        }
        let place = slots.iter().position(|&slot| slot == dropped)?;
        self.categories.values[place].clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let column = &self.categories.name;
        let name = |value: Option<String>| match value {
            Some(value) => format!("{column}_{value}"),
            None => format!("{column}_missing"),
        };
        self.output_values().into_iter().map(name).collect()
    }
}

/// What stands in a file, before it is known to be consistent.
#[derive(Deserialize)]
struct Unchecked {
    categories: Categories,
    infrequent: Vec<bool>,
    dropped: Option<usize>,
}

impl TryFrom<Unchecked> for Block {
    type Error = String;

    fn try_from(found: Unchecked) -> Result<Self, String> {
        let Unchecked { categories, infrequent, dropped } = found;
        let (n, flags) = (categories.values.len(), infrequent.len());
        if flags != n {
            return Err(format!("{flags} infrequent flags for the {n} categories"));
        }
        let block = Self { categories, infrequent, dropped };
        match dropped {
            Some(output) if !block.slots().0.contains(&output) => {
                Err(format!("dropped is {output}, there is no such output"))
            }
            _ => Ok(block),
        }
    }
}
