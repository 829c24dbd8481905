//! A block of a product whose right side has many zeros: only what is not zero is multiplied.
//!
//! Behind a rectifier or a dropout that is half of the numbers and more. A sum over what is left has
//! the bits of the whole one: a multiply-add of zero changes nothing, as long as the other factor is
//! finite.

use num_traits::Zero;

use super::ahead::Ahead;
use super::block::{heights, pack};
use super::lanes::Lanes;
use super::{Block, Side};
use crate::product::DEPTH;

/// The deepest stretch: a panel of the left side that deep fits the first cache.
const STRETCH: usize = 128;
/// Columns whose sums wait together for the next stretch, or to be turned: so few that they stay in the
/// first cache.
const TOGETHER: usize = 32;
/// Lanes of the largest register, and rows of the largest panel.
const LANES: usize = 16;
const ROWS: usize = HEIGHT * LANES;

/// The numbers of a right side that are not zero, column by column.
#[derive(Clone, Copy)]
pub(crate) struct Entries<F> {
    values: *mut F,
    /// Where each stands in its stretch: its row times the lanes of a register.
    places: *mut u32,
    /// How many there are in each stretch.
    counts: *mut u32,
    depth: usize,
}

/// How many stretches a depth has, and how deep those before the last are.
fn stretches(depth: usize) -> (usize, usize) {
    let count = depth.div_ceil(STRETCH);
    (count, depth.div_ceil(count))
}

impl<F> Entries<F> {
    /// Entries that a column has room for: registers are written whole.
    const fn column(depth: usize) -> usize {
        (depth + LANES).next_multiple_of(LANES)
    }

    /// How many numbers of `F` the entries of so many columns take.
    pub(crate) fn room(depth: usize, columns: usize) -> usize {
        let counts = stretches(depth).0 * columns;
        let words = Self::column(depth) * columns + counts.next_multiple_of(LANES);
        Self::column(depth) * columns + (words * size_of::<u32>()).div_ceil(size_of::<F>())
    }

    /// The entries of so many columns, in room for them.
    pub(crate) fn new(room: *mut F, depth: usize, columns: usize) -> Self {
        let length = Self::column(depth) * columns;
        let places = room.wrapping_add(length).cast::<u32>();
        Self { values: room, places, counts: places.wrapping_add(length), depth }
    }

    /// Those from a column on.
    pub(crate) fn after(self, column: usize) -> Self {
        let first = Self::column(self.depth) * column;
        Self {
            values: self.values.wrapping_add(first),
            places: self.places.wrapping_add(first),
            counts: self.counts.wrapping_add(stretches(self.depth).0 * column),
            ..self
        }
    }
}

/// Collects the entries of so many columns of the right side, as deep as the entries are.
///
/// # Safety
/// The side must have these rows and columns, and the entries room for them; the processor must have
/// the instruction set of `L`.
#[inline(always)]
pub(super) unsafe fn collect<L: Lanes>(b: Side<L::Scalar>, n: usize, to: Entries<L::Scalar>) {
    let (w, k) = (L::WIDTH, to.depth);
    // SAFETY: as the caller's; squares lie inside these rows and columns.
    unsafe {
        if b.row == 1 {
            for column in 0..n {
                collect_column::<L>(b.at.add(column * b.column), to.after(column));
            }
            return;
        }
        // turned by squares of a register's width, and so many columns at a time
        let mut turned = [const { std::mem::MaybeUninit::<L::Scalar>::uninit() }; LANES * DEPTH];
        let turned = turned.as_mut_ptr().cast::<L::Scalar>();
        for column in (0..n).step_by(w) {
            let count = w.min(n - column);
            let squares = if count == w && b.column == 1 { k / w * w } else { 0 };
            for p in (0..squares).step_by(w) {
                L::transpose(b.at.add(column + p * b.row), b.row, turned.add(p), k);
            }
            for p in squares..k {
                let from = b.at.add(p * b.row + column * b.column);
                for i in 0..count {
                    *turned.add(i * k + p) = *from.add(i * b.column);
                }
            }
            for i in 0..count {
                collect_column::<L>(turned.add(i * k), to.after(column + i));
            }
        }
    }
}

/// The entries of one column, whose numbers follow each other.
#[inline(always)]
unsafe fn collect_column<L: Lanes>(from: *const L::Scalar, to: Entries<L::Scalar>) {
    let (count, length) = stretches(to.depth);
    for stretch in 0..count {
        let first = stretch * length;
        let end = (first + length).min(to.depth);
        let mut found = 0;
        // SAFETY: as the caller's; whatever is written behind the last entry is room of this column.
        unsafe {
            for p in (first..end).step_by(L::WIDTH) {
                let (values, places) = (to.values.add(first + found), to.places.add(first + found));
                let (lanes, place) = (L::WIDTH.min(end - p), (p - first) * L::WIDTH);
                found += L::compress(from.add(p), lanes, place as u32, values, places);
            }
            *to.counts.add(stretch) = found as u32;
        }
    }
}

/// Registers of the largest panel's column: each entry is read once for so many sums.
pub(crate) const HEIGHT: usize = 4;

/// Computes a block from the entries of its right side, which must be as deep as the block. It needs
/// panels, [`HEIGHT`] registers high; those that are [packed](Block::packed) must be finite. If it is
/// `turned`, the rows of the output are the columns of the product.
///
/// # Safety
/// As [`block`](super::block::block)'s; the entries are those of the block's right side.
#[inline(always)]
pub(super) unsafe fn block<L: Lanes>(
    x: &Block<L::Scalar>,
    entries: Entries<L::Scalar>,
    turned: bool,
    ahead: Ahead,
) {
    debug_assert!(!x.panels.is_null() && entries.depth == x.k && x.k <= DEPTH);
    // SAFETY: the caller's; every offset stays inside the block's shape.
    unsafe {
        if !x.packed {
            pack::<L>(x, HEIGHT);
        }
        let panels = heights::<L>(x.m, HEIGHT).count();
        let mut ahead = ahead.spread(panels * stretches(x.k).0 * x.n);
        let mut row = 0;
        for height in heights::<L>(x.m, HEIGHT) {
            match height {
                1 => panel::<L, 1>(x, entries, row, turned, &mut ahead),
                2 => panel::<L, 2>(x, entries, row, turned, &mut ahead),
                3 => panel::<L, 3>(x, entries, row, turned, &mut ahead),
                HEIGHT => panel::<L, HEIGHT>(x, entries, row, turned, &mut ahead),
                _ => unreachable!("no panel of {height} registers"),
            }
            row += height * L::WIDTH;
        }
    }
}

/// The rows of one panel, from this one on.
#[inline(always)]
unsafe fn panel<L: Lanes, const HEIGHT: usize>(
    x: &Block<L::Scalar>,
    entries: Entries<L::Scalar>,
    row: usize,
    turned: bool,
    ahead: &mut Ahead,
) {
    let rows = HEIGHT * L::WIDTH;
    let last = (x.m - row).min(rows) - (HEIGHT - 1) * L::WIDTH;
    let (count, length) = stretches(x.k);
    let mut waiting = [const { std::mem::MaybeUninit::<L::Scalar>::uninit() }; ROWS * TOGETHER];
    let waiting = waiting.as_mut_ptr().cast::<L::Scalar>();
    let stretch_at = |stretch: usize| {
        let start = stretch * length;
        (start, length.min(x.k - start))
    };
    let mut finite = [true; DEPTH.div_ceil(STRETCH)];
    for (stretch, finite) in finite.iter_mut().enumerate().take(if x.packed { 0 } else { count }) {
        let (start, depth) = stretch_at(stretch);
        // SAFETY: the panel is full, and as deep.
        *finite =
            unsafe { self::finite::<L>(x.panels.add(row * x.k + start * rows), depth * rows) };
    }
    for first in (0..x.n).step_by(TOGETHER) {
        let columns = first..(first + TOGETHER).min(x.n);
        for (stretch, &finite) in finite.iter().enumerate().take(count) {
            let (start, depth) = stretch_at(stretch);
            // SAFETY: the caller's; the columns that wait have room for all rows of a panel.
            unsafe {
                let a = x.panels.add(row * x.k + start * rows).cast_const();
                for column in columns.clone() {
                    for _ in 0..ahead.goes() {
                        ahead.ask();
                    }
                    let sums = waiting.add((column - first) * rows);
                    let zero = L::splat(L::Scalar::zero());
                    let mut sum: [L::Vector; HEIGHT] = std::array::from_fn(|i| match stretch {
                        0 => zero,
                        _ => L::load(sums.add(i * L::WIDTH)),
                    });
                    if finite {
                        let entries = entries.after(column);
                        let (values, places) =
                            (entries.values.add(start), entries.places.add(start));
                        // whoever has the panels of a late gradient could have written anything there
                        let found = (*entries.counts.add(stretch) as usize).min(depth);
                        let farthest = ((depth - 1) * L::WIDTH) as u32;
                        for entry in 0..found {
                            let place = (*places.add(entry)).min(farthest);
                            let a = a.add(place as usize * HEIGHT);
                            step::<L, HEIGHT>(a, *values.add(entry), &mut sum);
                        }
                    } else {
                        let b = x.b.after(start, column);
                        for p in 0..depth {
                            step::<L, HEIGHT>(a.add(p * rows), *b.at.add(p * b.row), &mut sum);
                        }
                    }
                    if stretch + 1 < count || turned {
                        for (i, &sum) in sum.iter().enumerate() {
                            L::store(sums.add(i * L::WIDTH), sum);
                        }
                        continue;
                    }
                    for (i, &sum) in sum.iter().enumerate() {
                        let to = x.c.add(row + i * L::WIDTH + column * x.c_step);
                        let lanes = if i == HEIGHT - 1 { last } else { L::WIDTH };
                        let sum = if x.add { L::add(L::load_first(to, lanes), sum) } else { sum };
                        L::store_first(to, sum, lanes);
                    }
                }
            }
        }
        if turned {
            let shape = (rows.min(x.m - row), columns.len());
            // SAFETY: all sums of these columns wait, and their places in the output are this block's.
            unsafe {
                let to = x.c.add(first + row * x.c_step);
                turn::<L>(waiting, rows, shape, (to, x.c_step), x.add);
            }
        }
    }
}

/// Writes so many rows and columns to where the transposed matrix is, square by square.
#[inline(always)]
unsafe fn turn<L: Lanes>(
    from: *const L::Scalar,
    from_step: usize,
    (rows, columns): (usize, usize),
    (to, to_step): (*mut L::Scalar, usize),
    add: bool,
) {
    let w = L::WIDTH;
    let mut square = [L::Scalar::zero(); LANES * LANES];
    for column in (0..columns).step_by(w) {
        for row in (0..rows).step_by(w) {
            let (height, width) = (w.min(rows - row), w.min(columns - column));
            // SAFETY: the caller's; whole squares lie inside these rows and columns.
            unsafe {
                let from = from.add(row + column * from_step);
                let to = to.add(column + row * to_step);
                if (height, width, add) == (w, w, false) {
                    L::transpose(from, from_step, to, to_step);
                    continue;
                }
                for j in 0..width {
                    for i in 0..height {
                        square[i * w + j] = *from.add(i + j * from_step);
                    }
                }
                for (i, row) in square.chunks_exact(w).take(height).enumerate() {
                    let to = to.add(i * to_step);
                    let row = L::load(row.as_ptr());
                    let sum = if add { L::add(L::load_first(to, width), row) } else { row };
                    L::store_first(to, sum, width);
                }
            }
        }
    }
}

/// One multiply-add of a panel's column.
#[inline(always)]
unsafe fn step<L: Lanes, const HEIGHT: usize>(
    a: *const L::Scalar,
    factor: L::Scalar,
    sum: &mut [L::Vector; HEIGHT],
) {
    // SAFETY: the caller's.
    unsafe {
        let factor = L::splat(factor);
        for (i, sum) in sum.iter_mut().enumerate() {
            *sum = L::fma(L::load(a.add(i * L::WIDTH)), factor, *sum);
        }
    }
}

/// Whether all numbers of a panel are finite: zero times any other is not zero.
#[inline(always)]
unsafe fn finite<L: Lanes>(a: *const L::Scalar, length: usize) -> bool {
    let zero = L::Scalar::zero();
    // SAFETY: the caller's: panels are whole registers.
    unsafe {
        // several sums: one would wait for itself
        let mut sums = [L::splat(zero); 4];
        for i in (0..length).step_by(sums.len() * L::WIDTH) {
            for (j, sum) in sums.iter_mut().enumerate() {
                let at = i + j * L::WIDTH;
                if at < length {
                    *sum = L::fma(L::load(a.add(at)), L::splat(zero), *sum);
                }
            }
        }
        let [p, q, r, s] = sums;
        let sum = L::add(L::add(p, q), L::add(r, s));
        let mut lanes = [zero; LANES];
        L::store(lanes.as_mut_ptr(), sum);
        lanes.iter().all(|&lane| lane == zero)
    }
}
