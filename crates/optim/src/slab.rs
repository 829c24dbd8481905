//! Numbers that begin on a cache line.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Float;
use crate::pages::ask_for_large;

/// Bytes of a cache line, and of the longest vectors.
const LINE: usize = 64;

/// Numbers that begin on a cache line, so that no vector of them lies across two: a step of a small
/// network takes a tenth less, and, where they are many, on large pages if the system has some: a step of
/// a large network takes a twentieth less. In all else a slice; a clone is laid out alike.
///
/// ```
/// use slalom_optim::Slab;
/// let slab = Slab::from(vec![1.0_f32, 2.0]);
/// assert_eq!(slab[..], [1.0, 2.0]);
/// assert!(slab.as_ptr().addr().is_multiple_of(64));
/// ```
pub struct Slab<F> {
    /// The numbers, behind as many that are not used as there are before the first line.
    room: Vec<F>,
    start: usize,
}

impl<F: Float> Slab<F> {
    /// So many zeros.
    ///
    /// They are written, not only asked for: else the system would give every page twice in the first
    /// step, to be read and to be written, and those of several slabs in turns.
    pub fn zeros(len: usize) -> Self {
        let zero = std::hint::black_box(F::zero());
        Self::of(len, zero, |room| room.extend((0..len).map(|_| zero)))
    }
}

impl<F: Clone> Slab<F> {
    /// The numbers that `fill` appends, behind as many of another as it takes.
    fn of(len: usize, other: F, fill: impl FnOnce(&mut Vec<F>)) -> Self {
        let most = LINE / size_of::<F>().max(1);
        let mut room = Vec::<F>::with_capacity(len + most);
        ask_for_large(&room);
        let start = room.as_ptr().align_offset(LINE).min(most);
        room.resize(start, other);
        fill(&mut room);
        Self { room, start }
    }

    fn copied(numbers: &[F]) -> Self {
        let Some(first) = numbers.first() else { return Self { room: Vec::new(), start: 0 } };
        Self::of(numbers.len(), first.clone(), |room| room.extend_from_slice(numbers))
    }
}

impl<F: Clone> From<Vec<F>> for Slab<F> {
    /// Copies the numbers if they do not begin on a line.
    fn from(numbers: Vec<F>) -> Self {
        match numbers.as_ptr().align_offset(LINE) {
            0 => Self { room: numbers, start: 0 },
            _ => Self::copied(&numbers),
        }
    }
}

impl<F: Clone> Clone for Slab<F> {
    fn clone(&self) -> Self {
        Self::copied(self)
    }
}

impl<F> Deref for Slab<F> {
    type Target = [F];

    fn deref(&self) -> &[F] {
        &self.room[self.start..]
    }
}

impl<F> DerefMut for Slab<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.room[self.start..]
    }
}

impl<'a, F> IntoIterator for &'a Slab<F> {
    type Item = &'a F;
    type IntoIter = std::slice::Iter<'a, F>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<F: PartialEq> PartialEq for Slab<F> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<F: fmt::Debug> fmt::Debug for Slab<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// As a list of numbers.
impl<F: Serialize> Serialize for Slab<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, F: Clone + Deserialize<'de>> Deserialize<'de> for Slab<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slab_begins_on_a_line_and_holds_its_numbers() {
        for len in [0, 1, 7, 100, 100_000] {
            let numbers: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let slab = Slab::from(numbers.clone());
            let zeros = Slab::<f64>::zeros(len);
            for slab in [&slab, &slab.clone(), &zeros] {
                assert!(len == 0 || slab.as_ptr().addr().is_multiple_of(LINE));
                assert_eq!(slab.len(), len);
            }
            assert!(slab[..] == numbers && slab == slab.clone());
            assert!(zeros.iter().all(|&zero| zero == 0.0));
            let text = serde_json::to_string(&slab).unwrap();
            assert_eq!(text, serde_json::to_string(&numbers).unwrap());
            assert_eq!(serde_json::from_str::<Slab<f64>>(&text).unwrap(), slab);
        }
    }
}
