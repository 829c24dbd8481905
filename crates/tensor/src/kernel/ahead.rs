//! Memory that is needed soon, asked for bit by bit while tiles are computed.
//!
//! A block is copied into panels before its tiles are computed. Where the block comes from memory,
//! the multipliers would stand still for as long: so it is asked for while those of the block before
//! it have work, at a pace that the memory can keep.

/// Bytes that a request brings.
const LINE: usize = 64;

/// Parts of matrices that tiles ask for, one behind the other. Nothing is read from them, so that a place
/// where there is nothing does no harm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    part: Part,
    /// What comes when that is done.
    behind: Part,
    /// Stretches that a tile asks for.
    share: usize,
}

/// A part of a matrix: stretches of memory at equal distances.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where the next stretch begins.
    start: usize,
    /// Bytes of a stretch, and from one to the next.
    length: usize,
    step: usize,
    /// Stretches that are left.
    left: usize,
}

const NOTHING: Part = Part { start: 0, length: 0, step: 0, left: 0 };

impl Ahead {
    pub(crate) fn nothing() -> Self {
        Self { part: NOTHING, behind: NOTHING, share: 0 }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.part.left == 0
    }

    /// So many stretches of so many numbers, from one to the next `step` numbers.
    pub(crate) fn new<F>(at: *const F, step: usize, (length, count): (usize, usize)) -> Self {
        let [length, step] = [length, step].map(|numbers| numbers * size_of::<F>());
        let part = Part { start: at.addr(), length, step, left: count };
        Self { part, behind: NOTHING, share: 0 }
    }

    /// A slice, in so many stretches.
    pub(crate) fn slice<F>(slice: *const [F], stretches: usize) -> Self {
        let stretch = slice.len().div_ceil(stretches);
        Self::new(slice.cast::<F>(), stretch, (stretch, stretches))
    }

    /// What a block asks for of slices that all blocks ask for together, in turns: a part of one of
    /// them, in so many stretches.
    pub(crate) fn share<F>(
        slices: &[*const [F]],
        (block, blocks): (usize, usize),
        stretches: usize,
    ) -> Self {
        let shares = blocks.checked_div(slices.len()).unwrap_or(0);
        if block >= shares * slices.len() {
            return Self::nothing();
        }
        let (slice, share) = (slices[block % slices.len()], block / slices.len());
        let border = |share| slice.len() * share / shares;
        let (from, to) = (border(share), border(share + 1));
        let at = slice.cast::<F>().wrapping_add(from);
        Self::slice(std::ptr::slice_from_raw_parts(at, to - from), stretches)
    }

    /// This first, and then the other.
    pub(crate) fn then(self, other: Self) -> Self {
        Self { behind: other.part, ..self }
    }

    /// The same, asked for by so many tiles.
    pub(super) fn spread(self, tiles: usize) -> Self {
        if self.is_nothing() {
            return self; // no division: small products are mostly what stands around them
        }
        Self { share: (self.part.left + self.behind.left).div_ceil(tiles.max(1)), ..self }
    }

    /// How many stretches the next tile asks for: all of one part.
    pub(super) fn goes(&self) -> usize {
        self.share.min(self.part.left)
    }

    /// The next stretch, and how far from one step of a tile to the next: by less than a line, so
    /// that none is left out, unless there are more lines than steps.
    pub(super) fn next(&mut self, steps: usize) -> Walk {
        let part = &mut self.part;
        let walk = Walk { at: part.start, by: part.length.div_ceil(steps.max(1)) };
        part.start = part.start.wrapping_add(part.step);
        part.left -= 1;
        if part.left == 0 {
            self.part = std::mem::replace(&mut self.behind, NOTHING);
        }
        walk
    }

    /// Asks for the next stretch at once.
    #[inline(always)]
    pub(super) fn ask(&mut self) {
        let lines = self.part.length.div_ceil(LINE);
        let mut walk = self.next(lines);
        (0..lines).for_each(|_| walk.step());
    }

    /// The next stretches, asked for in so many steps each, and how far it is from the end of one to
    /// the next. Where nothing is left, a walk that stands still.
    pub(super) fn walk(&mut self, stretches: usize, steps: usize) -> (Walk, usize) {
        let Part { start, step, .. } = self.part;
        if self.goes() == 0 {
            return (Walk { at: start, by: 0 }, 0);
        }
        let walk = self.next(steps);
        for _ in 1..stretches {
            self.next(steps);
        }
        (walk, step.wrapping_sub(steps * walk.by))
    }
}

/// A way through memory, at an even pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) at: usize,
    pub(super) by: usize,
}

impl Walk {
    /// Asks the processor to bring the line into the second cache, and goes on.
    #[inline(always)]
    pub(super) fn step(&mut self) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            let at = std::ptr::without_provenance(self.at);
            // SAFETY: every x86-64 processor has the instruction, and it reads nothing that is used.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(at) };
        }
        self.at = self.at.wrapping_add(self.by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_asked_for() {
        // three stretches of 100 numbers, 250 apart, from the fifth of a line on, by two tiles
        let at = std::ptr::without_provenance::<f32>(1024 + 20);
        let mut ahead = Ahead::new(at, 250, (100, 3)).spread(2);
        let mut begins = Vec::new();
        for goes in [2, 1, 0] {
            assert_eq!(ahead.goes(), goes);
            for _ in 0..goes {
                let mut walk = ahead.next(30);
                let begin = walk.at;
                let mut lines: Vec<_> = (0..30)
                    .map(|_| {
                        let line = walk.at / LINE;
                        walk.step();
                        line
                    })
                    .collect();
                lines.dedup();
                assert!(lines.into_iter().eq(begin / LINE..=(begin + 399) / LINE));
                begins.push(begin - 1024);
            }
        }
        assert_eq!(begins, [20, 1020, 2020]);
    }

    #[test]
    fn a_walk_over_stretches_begins_where_each_does() {
        let at = std::ptr::without_provenance::<f32>(1024);
        let ahead = || Ahead::new(at, 250, (100, 3)).spread(1);
        let (mut all, mut one) = (ahead(), ahead());
        let (walk, jump) = all.walk(3, 30);
        let begins: Vec<_> = (0..3).map(|_| one.next(30).at).collect();
        let went = |stretch| walk.at.wrapping_add((30 * walk.by).wrapping_add(jump) * stretch);
        assert_eq!(begins, [0, 1, 2].map(went));
        assert_eq!(all.goes(), 0);
        let (walk, jump) = all.walk(1, 30);
        assert_eq!((walk.by, jump), (0, 0));
    }

    #[test]
    fn a_tile_asks_for_one_part() {
        let numbers = [0.0_f32; 100];
        let [first, second] = [0..50, 50..100].map(|range| &raw const numbers[range]);
        // five stretches over three tiles: two, one (the first part ends), two
        let mut ahead = Ahead::slice(first, 3).then(Ahead::slice(second, 2)).spread(3);
        let mut begins = Vec::new();
        for goes in [2, 1, 2, 0] {
            assert_eq!(ahead.goes(), goes);
            begins.extend((0..goes).map(|_| (ahead.next(1).at - first.addr()) / 4));
        }
        assert_eq!(begins, [0, 17, 34, 50, 75]);
    }

    #[test]
    fn blocks_share_slices() {
        const STRETCHES: usize = 4;
        let numbers = [[0.0_f32; 120]; 2];
        let slices = numbers.each_ref().map(|numbers| std::ptr::from_ref(&numbers[..]));
        let of = |block| Ahead::share(&slices, (block, 7), STRETCHES).part;
        let end = |block| of(block).start + STRETCHES * of(block).length;
        for (block, numbers) in numbers.iter().enumerate() {
            let all = numbers.as_ptr_range();
            assert_eq!(of(block).start, all.start.addr());
            assert_eq!(end(block), of(block + 2).start);
            assert_eq!(end(block + 2), of(block + 4).start);
            assert_eq!(end(block + 4), all.end.addr());
        }
        assert_eq!(of(6).left, 0);
        assert_eq!(Ahead::share::<f32>(&[], (0, 7), 4).part.left, 0);
        assert_eq!(Ahead::share(&slices, (0, 1), 4).part.left, 0);
    }
}
