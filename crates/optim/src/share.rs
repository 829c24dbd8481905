//! One mutable slice handed to many tasks, each of which takes its own part.

use std::cell::UnsafeCell;
use std::ops::Range;

/// A mutable slice whose parts may be taken by tasks that run at the same time.
pub(crate) struct Shared<'a, T>(&'a [UnsafeCell<T>]);

// SAFETY: `part` asks its callers never to hold overlapping parts, so no number is reached from two
// threads at once.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        let cells = std::ptr::from_mut(slice) as *const [UnsafeCell<T>];
        // SAFETY: `UnsafeCell<T>` has the layout of `T`, and the borrow of the slice lives on in
        // `'a`.
        Self(unsafe { &*cells })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of `range`.
    ///
    /// # Safety
    /// While the part is in use, no other part that overlaps it may be.
    ///
    /// # Panics
    /// Where the range leaves the slice.
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        let cells = &self.0[range];
        let start = UnsafeCell::raw_get(cells.as_ptr());
        // SAFETY: the cells lie in bounds one after the other, and the caller keeps them to itself.
        unsafe { std::slice::from_raw_parts_mut(start, cells.len()) }
    }
}
