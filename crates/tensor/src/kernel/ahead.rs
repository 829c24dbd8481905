//! Memory that is needed soon, asked for bit by bit while tiles are computed.
//!
//! A block is copied into panels before its tiles are computed. Where the block comes from memory,
//! the multipliers would stand still for as long: so it is asked for while those of the block before
//! it have work, at a pace that the memory can keep.

/// Bytes of a cache line.
const LINE: usize = 64;

/// A part of a matrix: stretches of memory at equal distances. Nothing is read from it, so that a
/// place where there is nothing does no harm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// Where the stretch under way begins, and the place in it that is asked for next.
    start: usize,
    next: usize,
    /// Bytes of a stretch, and from one to the next.
    length: usize,
    step: usize,
    /// Stretches that are left, with the one under way.
    left: usize,
    /// Lines that are asked for at a time.
    share: usize,
}

impl Ahead {
    pub(crate) fn nothing() -> Self {
        Self { start: 0, next: 0, length: 0, step: 0, left: 0, share: 0 }
    }

    /// So many stretches of so many numbers, from one to the next `step` numbers.
    pub(crate) fn new<F>(at: *const F, step: usize, (length, count): (usize, usize)) -> Self {
        let [length, step] = [length, step].map(|numbers| numbers * size_of::<F>());
        let start = at.addr();
        Self { start, next: start, length, step, left: count, share: 0 }
    }

    /// The same, asked for in so many goes.
    pub(super) fn spread(self, goes: usize) -> Self {
        // a stretch seldom begins where a line does
        let lines = self.left * (self.length / LINE + 1);
        Self { share: lines.div_ceil(goes.max(1)), ..self }
    }

    /// Whether there is nothing to ask for.
    pub(super) fn is_nothing(&self) -> bool {
        self.share == 0
    }

    /// Asks for the share of one go.
    #[inline(always)]
    pub(super) fn ask(&mut self) {
        for _ in 0..self.share {
            match self.line() {
                Some(line) => fetch(line),
                None => break,
            }
        }
    }

    /// An address in the line that is next.
    #[inline(always)]
    fn line(&mut self) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        let line = self.next;
        self.next = (line & !(LINE - 1)) + LINE;
        if self.next >= self.start + self.length {
            self.start += self.step;
            self.next = self.start;
            self.left -= 1;
        }
        Some(line)
    }
}

/// Asks the processor to bring a line into the second cache.
#[inline(always)]
fn fetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and it reads nothing that is used.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::without_provenance(address)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_asked_for_once() {
        // three stretches of 40 numbers, 100 apart, from the fifth of a line on: of 160 bytes that
        // begin 20, 36 and 52 bytes behind a line
        let at = std::ptr::without_provenance::<f32>(1024 + 20);
        let mut ahead = Ahead::new(at, 100, (40, 3));
        let lines = std::iter::from_fn(|| ahead.line().map(|line| line / LINE));
        assert_eq!(lines.collect::<Vec<_>>(), [16, 17, 18, 22, 23, 24, 25, 28, 29, 30, 31]);
    }

    #[test]
    fn all_of_it_is_asked_for_in_the_goes() {
        for (length, count, goes) in [(16, 1, 1), (128, 7, 3), (5, 100, 8), (1000, 3, 500)] {
            let at = std::ptr::without_provenance::<f64>(4096 + 8);
            let mut ahead = Ahead::new(at, 2000, (length, count)).spread(goes);
            (0..goes).for_each(|_| ahead.ask());
            assert_eq!(ahead.left, 0, "{length} {count} {goes}");
        }
        assert!(Ahead::nothing().spread(9).is_nothing());
    }
}
