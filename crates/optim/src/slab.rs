//! Numbers that begin on a cache line, and elsewhere in a page than others.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Float;
use crate::pages::ask_for_large;

/// Bytes of a page, in which the first cache looks for a line by its place.
const PAGE: usize = 4096;
/// Bytes between the places in a page where slabs of one turn and of the next begin: whole cache lines.
const STEP: usize = 640;
/// How many turns there are in a page.
const TURNS: usize = PAGE / STEP;

/// Numbers that begin on a cache line, so that no vector of them lies across two: a step of a small
/// network takes a tenth less, and, where they are many, on large pages if the system has some: a step of
/// a large network takes a twentieth less. In all else a slice; a clone is laid out alike.
///
/// Slabs that one loop reads side by side should have different turns: they then begin at different places
/// of a page. Some processors (AMD's, from Zen on) take lines at the same place of two pages for one
/// another, for some pairs of addresses, and read them from the second cache again and again: a loop over
/// parameters and velocity was seen to take 4 to 8 times as long in one process of three.
///
/// ```
/// use slalom_optim::Slab;
/// let slab = Slab::from(vec![1.0_f32, 2.0]);
/// assert_eq!(slab[..], [1.0, 2.0]);
/// let other = Slab::<f32>::zeros_at(1, 2);
/// assert!([&slab, &other].map(|slab| slab.as_ptr().addr() % 4096) == [0, 640]);
/// ```
pub struct Slab<F> {
    /// The numbers, behind as many that are not used as there are before the place of the turn.
    room: Vec<F>,
    start: usize,
    turn: usize,
}

impl<F: Float> Slab<F> {
    /// So many zeros, of turn 0.
    ///
    /// They are written, not only asked for: else the system would give every page twice in the first
    /// step, to be read and to be written, and those of several slabs in turns.
    pub fn zeros(len: usize) -> Self {
        Self::zeros_at(0, len)
    }

    /// The same of another turn, of which there are six: the next ones begin again at 0. Parameters have
    /// turn 0, and the slots of an optimizer 1 to 4.
    pub fn zeros_at(turn: usize, len: usize) -> Self {
        let zero = std::hint::black_box(F::zero());
        Self::of(turn, len, zero, |room| room.extend((0..len).map(|_| zero)))
    }
}

impl<F: Clone> Slab<F> {
    /// The numbers that `fill` appends, behind as many of another as it takes.
    fn of(turn: usize, len: usize, other: F, fill: impl FnOnce(&mut Vec<F>)) -> Self {
        let most = PAGE / size_of::<F>().max(1);
        let mut room = Vec::<F>::with_capacity(len + most);
        ask_for_large(&room);
        let start = before(room.as_ptr(), turn).min(most);
        room.resize(start, other);
        fill(&mut room);
        Self { room, start, turn }
    }

    fn copied(turn: usize, numbers: &[F]) -> Self {
        let Some(first) = numbers.first() else { return Self { room: Vec::new(), start: 0, turn } };
        Self::of(turn, numbers.len(), first.clone(), |room| room.extend_from_slice(numbers))
    }

    /// The same numbers with this turn.
    pub(crate) fn at(self, turn: usize) -> Self {
        if self.turn == turn { self } else { Self::copied(turn, &self) }
    }
}

/// How many numbers stand before the next place where slabs of this turn begin.
fn before<F>(at: *const F, turn: usize) -> usize {
    at.wrapping_byte_sub(turn % TURNS * STEP).align_offset(PAGE)
}

impl<F: Clone> From<Vec<F>> for Slab<F> {
    /// Turn 0; copies the numbers if they do not begin there.
    fn from(numbers: Vec<F>) -> Self {
        match before(numbers.as_ptr(), 0) {
            0 => Self { room: numbers, start: 0, turn: 0 },
            _ => Self::copied(0, &numbers),
        }
    }
}

impl<F: Clone> Clone for Slab<F> {
    fn clone(&self) -> Self {
        Self::copied(self.turn, self)
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
    fn every_slab_begins_at_its_place_and_holds_its_numbers() {
        for len in [0, 1, 7, 100, 100_000] {
            let numbers: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let slab = Slab::from(numbers.clone());
            let moved = slab.clone().at(4);
            let zeros = Slab::<f64>::zeros_at(8, len);
            for (slab, turn) in
                [(&slab, 0), (&slab.clone(), 0), (&moved, 4), (&moved.clone(), 4), (&zeros, 2)]
            {
                assert!(len == 0 || slab.as_ptr().addr() % PAGE == turn * STEP);
                assert_eq!(slab.len(), len);
            }
            assert!(slab[..] == numbers && slab == slab.clone() && slab == moved);
            assert!(zeros.iter().all(|&zero| zero == 0.0));
            let text = serde_json::to_string(&slab).unwrap();
            assert_eq!(text, serde_json::to_string(&numbers).unwrap());
            assert_eq!(serde_json::from_str::<Slab<f64>>(&text).unwrap(), slab);
        }
        // lines of different turns are never at the same place, nor next to it
        for (a, b) in (0..TURNS).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let apart = (a - b) * STEP;
            assert!(apart >= STEP && PAGE - apart >= STEP);
        }
        assert_eq!(STEP % 64, 0);
    }
}
