//! Slices handed out to tasks part by part: the one place that lets several threads write.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ranges that do not overlap, one a task, and what each task leaves behind.
#[derive(Debug)]
pub(crate) struct Cuts {
    ranges: Vec<Range<usize>>,
    marks: Vec<Mark>,
    turn: u64,
}

/// What a task leaves behind, all of it in one place: where tasks of several threads share a cache line,
/// each that writes to it waits for it.
#[derive(Debug, Default)]
struct Mark {
    /// The turn in which the task was run last, so that nobody has to clear it.
    turn: AtomicU64,
    sum: AtomicU64,
}

impl Cuts {
    /// # Panics
    /// Where a range begins before the one before it has ended.
    pub(crate) fn new(ranges: Vec<Range<usize>>) -> Self {
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "ranges overlap");
        let marks = ranges.iter().map(|_| Mark::default()).collect();
        Self { ranges, marks, turn: 0 }
    }

    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Sets the sum of a task.
    pub(crate) fn set_sum(&self, task: usize, sum: f64) {
        self.marks[task].sum.store(sum.to_bits(), Ordering::Relaxed);
    }

    /// The sum over the sums of a range of tasks, in its order.
    pub(crate) fn sum(&self, tasks: Range<usize>) -> f64 {
        let of = |mark: &Mark| f64::from_bits(mark.sum.load(Ordering::Relaxed));
        self.marks[tasks].iter().map(of).sum()
    }

    /// The slices, cut at the ranges; an empty slice has only empty parts.
    pub(crate) fn cut<'a, T, const N: usize>(
        &'a mut self,
        slices: [&'a mut [T]; N],
    ) -> Parts<'a, T, N> {
        self.turn += 1;
        let slices = slices.map(|slice| {
            let cells = std::ptr::from_mut(slice) as *const [UnsafeCell<T>];
            // SAFETY: `UnsafeCell<T>` has the layout of `T`, and the borrow of the slice lives on
            // in `'a`.
            unsafe { &*cells }
        });
        Parts { slices, cuts: self }
    }
}

impl Clone for Cuts {
    fn clone(&self) -> Self {
        Self::new(self.ranges.clone())
    }
}

/// Slices of which each task takes its own part, once.
pub(crate) struct Parts<'a, T, const N: usize> {
    slices: [&'a [UnsafeCell<T>]; N],
    cuts: &'a Cuts,
}

// SAFETY: a part is given out once and parts do not overlap, so no number is reached from two
// threads.
unsafe impl<T: Send, const N: usize> Sync for Parts<'_, T, N> {}

impl<'a, T, const N: usize> Parts<'a, T, N> {
    /// The range of the task.
    pub(crate) fn range(&self, task: usize) -> Range<usize> {
        self.cuts.ranges[task].clone()
    }

    /// Where a range of every slice stands.
    pub(crate) fn places(&self, range: Range<usize>) -> [*const [T]; N] {
        self.slices.map(|slice| {
            let cells = if slice.is_empty() { slice } else { &slice[range.clone()] };
            std::ptr::from_ref(cells) as *const [T]
        })
    }

    /// The range of the task and its part of every slice.
    ///
    /// # Panics
    /// For a task that there is not, or that was run before.
    pub(crate) fn take(&self, task: usize) -> (Range<usize>, [&'a mut [T]; N]) {
        let turn = self.cuts.turn;
        let last = self.cuts.marks[task].turn.swap(turn, Ordering::Relaxed);
        assert!(last != turn, "task {task} is run twice");
        let range = self.cuts.ranges[task].clone();
        let parts = self.slices.map(|slice| {
            let cells = if slice.is_empty() { slice } else { &slice[range.clone()] };
            let start = UnsafeCell::raw_get(cells.as_ptr());
            // SAFETY: the cells lie in bounds, and only this call, once, gives them out.
            unsafe { std::slice::from_raw_parts_mut(start, cells.len()) }
        });
        (range, parts)
    }

    /// What the slices are cut by.
    pub(crate) fn cuts(&self) -> &'a Cuts {
        self.cuts
    }

    /// # Panics
    /// Where a task was not run.
    pub(crate) fn check_all_taken(&self) {
        let run = |mark: &Mark| mark.turn.load(Ordering::Relaxed) == self.cuts.turn;
        let left = self.cuts.marks.iter().position(|mark| !run(mark));
        assert!(left.is_none(), "task {left:?} is not run");
    }
}

/// Numbers that tasks set, each its own.
#[derive(Debug)]
pub(crate) struct Sums(Vec<AtomicU64>);

impl Sums {
    pub(crate) fn new(len: usize) -> Self {
        Self((0..len).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn set(&self, index: usize, value: f64) {
        self.0[index].store(value.to_bits(), Ordering::Relaxed);
    }

    /// The sum over a range, in its order.
    pub(crate) fn total(&self, range: Range<usize>) -> f64 {
        self.0[range].iter().map(|sum| f64::from_bits(sum.load(Ordering::Relaxed))).sum()
    }
}

impl Clone for Sums {
    fn clone(&self) -> Self {
        Self::new(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_gets_its_part_of_every_slice() {
        let mut cuts = Cuts::new(vec![0..2, 3..5]);
        let (mut a, mut b, mut none) = ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9], []);
        let parts = cuts.cut([&mut a[..], &mut b[..], &mut none[..]]);
        let (range, [x, y, z]) = parts.take(1);
        x[0] += y[1];
        assert_eq!((range, z.len()), (3..5, 0));
        parts.take(0);
        parts.check_all_taken();
        assert_eq!(a, [0, 1, 2, 12, 4]);
    }

    #[test]
    #[should_panic(expected = "task 0 is run twice")]
    fn a_part_is_given_out_once() {
        let mut cuts = Cuts::new(vec![0..1, 1..2]);
        let mut a = [0, 1];
        let parts = cuts.cut([&mut a[..]]);
        parts.take(0);
        parts.take(0);
    }

    #[test]
    #[should_panic(expected = "task Some(1) is not run")]
    fn a_task_left_out_is_noticed() {
        let mut cuts = Cuts::new(vec![0..1, 1..2]);
        let mut a = [0, 1];
        let parts = cuts.cut([&mut a[..]]);
        parts.take(0);
        parts.check_all_taken();
    }

    #[test]
    #[should_panic(expected = "ranges overlap")]
    fn ranges_that_overlap_are_refused() {
        Cuts::new(vec![0..2, 1..3]);
    }
}
