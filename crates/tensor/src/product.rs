//! Matrix products with either side transposed.
//!
//! A product is cut into tasks by its shape alone, never by the number of threads, and every task
//! is computed by one thread from first to last. The depth is cut by its length alone. So the bits
//! are the same at any number of threads.

use std::cell::Cell;
use std::ops::Range;

use nalgebra::{Const, Dyn, ViewStorageMut};

#[cfg(test)]
use crate::Matrix;
use crate::kernel::{Ahead, Block, COLUMNS, Kernel, Side};
use crate::{Scalar, Threads, View, ViewMut, sparse, vectorize};

/// One side of a product.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a, F: Scalar> {
    /// The matrix as it is.
    Plain(View<'a, F>),
    /// Its transpose, read in place.
    Transposed(View<'a, F>),
}

impl<F: Scalar> Factor<'_, F> {
    /// Rows and columns, after transposition.
    pub(crate) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Plain(m) => m.shape(),
            Self::Transposed(m) => (m.ncols(), m.nrows()),
        }
    }

    /// The elements in memory.
    pub(crate) fn side(&self) -> Side<F> {
        match self {
            Self::Plain(m) => Side { at: m.as_ptr(), row: 1, column: m.strides().1 },
            Self::Transposed(m) => Side { at: m.as_ptr(), row: m.strides().1, column: 1 },
        }
    }
}

/// `out = a·b`.
///
/// # Panics
/// If the shapes do not fit; the message has all three.
pub fn multiply<F: Scalar>(
    a: Factor<'_, F>,
    b: Factor<'_, F>,
    out: ViewMut<'_, F>,
    threads: &Threads,
) {
    run(best(), a, b, out, false, threads, &|_, _, _| {});
}

/// `out += a·b`.
///
/// # Panics
/// If the shapes do not fit; the message has all three.
pub fn multiply_add<F: Scalar>(
    a: Factor<'_, F>,
    b: Factor<'_, F>,
    out: ViewMut<'_, F>,
    threads: &Threads,
) {
    run(best(), a, b, out, true, threads, &|_, _, _| {});
}

/// `out = a·b`, and each part of it handed to `finish` as soon as it is done, while it is still in
/// the cache of the thread that computed it: the place for a bias and an activation.
///
/// `finish` is given the part with the row and the column of `out` where it begins; the parts cover
/// `out` once.
///
/// ```
/// use slalom_tensor::{Factor, Matrix, Threads, multiply_then};
/// let (w, x) = (Matrix::from_element(2, 2, 1.0_f64), Matrix::from_element(2, 1, -3.0));
/// let mut y = Matrix::zeros(2, 1);
/// let (w, x) = (Factor::Plain(w.as_view()), Factor::Plain(x.as_view()));
/// multiply_then(w, x, y.as_view_mut(), &Threads::one(), &|mut part, row, _| {
///     part.iter_mut().for_each(|v| *v = v.abs() + row as f64);
/// });
/// assert_eq!(y.as_slice(), [6.0, 6.0]);
/// ```
///
/// # Panics
/// If the shapes do not fit; the message has all three.
pub fn multiply_then<F: Scalar>(
    a: Factor<'_, F>,
    b: Factor<'_, F>,
    out: ViewMut<'_, F>,
    threads: &Threads,
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    run(best(), a, b, out, false, threads, finish);
}

/// How a product is cut: by its shape and layout alone.
#[derive(Debug)]
struct Plan {
    /// Blocks of rows and of columns: each pair is a task.
    blocks: (usize, usize),
    /// Rounds over the depth, and how deep the rounds before the last are.
    rounds: usize,
    depth: usize,
    /// Whether the rounds are tasks, in place of the blocks.
    in_parts: bool,
    /// Whether the left side is copied into panels (by each task for its block).
    pack_a: bool,
    /// Whether the right side is copied into panels (once, in tasks of its own).
    pack_b: bool,
}

/// Multiplications below which a product is one task: about a microsecond of work.
const SMALL: usize = 1 << 17;
/// The same where every number of the larger side is used once, so that memory sets the time.
const SMALL_ONCE: usize = 1 << 16;
/// The largest output whose rounds over the depth are computed side by side: the parts of a matrix
/// of weights then stay in the caches of the threads that update them.
const IN_PARTS: usize = 1 << 13;
/// The deepest round: a panel of the left side that deep and a block high fits the second cache.
pub(crate) const DEPTH: usize = 640;
/// Rows of a block, if there are many.
const ROWS: usize = 96;
/// The same if there are many columns, too.
const TALL: usize = 384;
/// Numbers of a left side that no near cache holds: it is read once, into panels, though the right
/// side be narrow, and asked for beforehand.
pub(crate) const FAR: usize = 1 << 19;
/// The depth up to which writing the output is much of the work: it is done column by column, as it lies
/// in memory.
const FLAT: usize = 128;
/// Numbers of a left side that the second cache holds beside the rest.
const NEAR: usize = 1 << 18;
/// Columns of a block, if there are many.
const WIDE: usize = 256;
/// Tasks of a product whose blocks of rows are few.
const PARTS: usize = 24;
/// The fewest columns that such a part has.
const NARROW: usize = 32;

impl Plan {
    fn new(
        (m, n, k): (usize, usize, usize),
        (a_transposed, b_transposed): (bool, bool),
        fills: usize,
    ) -> Self {
        let flat = k <= FLAT && m >= 256 && m * k <= NEAR && n >= 4 * COLUMNS;
        let by_columns = flat || m < 64 || n >= 4 * m || (b_transposed && n > m && m < 512);
        let small = if n == 1 || k == 1 { SMALL_ONCE } else { SMALL };
        let even = |blocks: usize| blocks.next_multiple_of(2).clamp(2, 64);
        let shared = m * n * k >= small;
        let far = m * k >= FAR;
        let blocks = match by_columns {
            _ if !shared => (1, 1),
            true => (1, even(n / if flat { 2 * COLUMNS } else { WIDE })),
            // a wide right side comes from far away for every block of rows: few of them, but in parts
            // that can change hands
            false if m >= 2 * TALL && n >= 2 * WIDE => (even(m / TALL), n / WIDE),
            false => {
                // one block of few rows, if there are enough columns to share
                let low = m < 2 * ROWS && n >= 4 * NARROW && !far;
                let rows = if low { 1 } else { even(m / ROWS) };
                // one thread may be slower than the other: parts of a block of rows can change hands, too
                let parts = if far { 1 } else { PARTS / rows };
                (rows, parts.min(n / NARROW).max(1))
            }
        };
        let (rounds, depth) = rounds(k);
        Self {
            blocks,
            rounds,
            depth,
            in_parts: shared && rounds > 1 && m * n <= IN_PARTS && !a_transposed,
            pack_a: n > 1
                && (a_transposed
                    || n >= WIDE
                    || (n >= 64 && (far || (m >= TALL && k >= fills)))
                    || (m < 64 && k >= 64)),
            pack_b: match b_transposed {
                true => m >= 1024 && n >= 64,
                false => m >= 512 && (n >= WIDE || (n >= 64 && far)),
            },
        }
    }

    /// The part of a far left side, of that shape, that a thread copies after this round's task, if
    /// it goes on with its own.
    fn ahead<F>(
        &self,
        kernel: &Kernel<F>,
        a: Side<F>,
        (m, k): (usize, usize),
        (round, task): (usize, usize),
        own: impl FnOnce() -> Range<usize>,
    ) -> Ahead {
        if !self.pack_a || self.blocks.0 == 1 || m * k < FAR {
            return Ahead::nothing();
        }
        let own = own();
        let (round, task) = match task + 1 < own.end {
            true => (round, task + 1),
            false => (round + 1, own.start),
        };
        if round == self.rounds {
            return Ahead::nothing();
        }
        if task % self.blocks.1 > 0 {
            return Ahead::nothing(); // it has the same rows as this one
        }
        let row = |i| border(m, kernel.width, self.blocks.0, i);
        let block = task / self.blocks.1;
        let (row, rows) = (row(block), row(block + 1) - row(block));
        let (first, depth) = (round * self.depth, self.depth.min(k - round * self.depth));
        let at = a.at.wrapping_add(row * a.row + first * a.column);
        match a.row {
            1 => Ahead::new(at, a.column, (rows, depth)),
            _ => Ahead::new(at, a.row, (depth, rows)),
        }
    }
}

/// How many rounds a product goes over its depth, and how deep those before the last are.
pub(crate) fn rounds(k: usize) -> (usize, usize) {
    let rounds = k.div_ceil(DEPTH);
    (rounds, k.div_ceil(rounds))
}

/// A pointer that tasks share.
pub(crate) struct Shared<T>(pub(crate) T);
// SAFETY: tasks read the factors and write disjoint parts of the output and of the panels, all of
// which `run` borrows until they are done.
unsafe impl<T> Sync for Shared<T> {}

/// A cache line, so that panels begin on one.
#[repr(align(64))]
#[derive(Clone)]
struct Line {
    _bytes: [u8; LINE],
}

pub(crate) const LINE: usize = 64;

thread_local! {
    /// Room for panels, kept from product to product by the thread that calls.
    static ROOM: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with room for so many numbers.
pub(crate) fn with_room<F>(numbers: usize, work: impl FnOnce(*mut F)) {
    if numbers == 0 {
        return work(std::ptr::null_mut());
    }
    let lines = (numbers * size_of::<F>()).div_ceil(size_of::<Line>());
    let mut room = ROOM.take();
    if room.len() < lines {
        room.resize(lines, Line { _bytes: [0; LINE] });
    }
    work(room.as_mut_ptr().cast());
    ROOM.set(room);
}

/// The best kernel for this processor.
pub(crate) fn best<F: Scalar>() -> &'static Kernel<F> {
    F::kernels().next().expect("the portable kernel runs everywhere")
}

/// Where block `i` of `count` begins, when units of `unit` are shared out as evenly as they come.
pub(crate) fn border(length: usize, unit: usize, count: usize, i: usize) -> usize {
    match i {
        0 => 0, // no division: small products are mostly what stands around them
        _ if i == count => length,
        _ => (i * length.div_ceil(unit) / count * unit).min(length),
    }
}

fn run<F: Scalar>(
    kernel: &Kernel<F>,
    a: Factor<'_, F>,
    b: Factor<'_, F>,
    mut out: ViewMut<'_, F>,
    add: bool,
    threads: &Threads,
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    let ((m, k), (kb, n)) = (a.shape(), b.shape());
    assert!(
        k == kb && out.shape() == (m, n),
        "{m}x{k} times {kb}x{n} into {}x{}",
        out.nrows(),
        out.ncols()
    );
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if !add {
            out.fill(F::zero());
        }
        return finish(out, 0, 0);
    }
    let transposed = |f: &Factor<'_, F>| matches!(f, Factor::Transposed(_));
    let sides = (transposed(&a), transposed(&b));
    if m < 512 && n < 64 && k < 64 && m * n * k < SMALL_ONCE && matches!(a, Factor::Plain(_)) {
        return as_it_lies(kernel, (a.side(), b.side()), out, (k, add), finish);
    }
    let (Factor::Plain(right) | Factor::Transposed(right)) = b;
    if kernel.packs && sparse::pays((m, n, k), right) {
        return sparse::run(kernel, (a.side(), b.side()), out, (k, add), threads, finish);
    }
    let mut plan = Plan::new((m, n, k), sides, kernel.fills);
    if plan.in_parts {
        return in_parts(kernel, (a.side(), b.side()), out, (k, &plan, add), threads, finish);
    }
    plan.pack_a &= kernel.packs;
    plan.pack_b &= kernel.packs;
    let shape = (m, k);
    let block_rows = m.div_ceil(kernel.width).div_ceil(plan.blocks.0) * kernel.width;
    // each seat's panels, behind a line that says whose they are
    let panels = if plan.pack_a { LINE / size_of::<F>() + block_rows * plan.depth } else { 0 };
    let columns = if plan.pack_b { n.next_multiple_of(COLUMNS) * plan.depth } else { 0 };
    let c_step = out.strides().1;
    let (whole, b, c) = (a.side(), b.side(), out.as_mut_ptr());
    with_room(columns + panels * threads.count(), |room: *mut F| {
        for round in 0..plan.rounds {
            let first = round * plan.depth;
            let k = plan.depth.min(k - first);
            // SAFETY: `first` is less than the depth of both factors.
            let (a, mut b) = unsafe { (whole.after(0, first), b.after(first, 0)) };
            if plan.pack_b {
                pack_columns(kernel, b, (k, n), room, threads);
                b = Side { at: room, row: COLUMNS, column: 1 };
            }
            for seat in (0..threads.count()).filter(|_| plan.pack_a) {
                // SAFETY: the room holds a line and panels for every seat.
                unsafe { room.add(columns + panels * seat).cast::<usize>().write(usize::MAX) };
            }
            let at = Shared((whole, a, b, c, room));
            let at = &at;
            let (plan, last) = (&plan, round + 1 == plan.rounds);
            let tasks = plan.blocks.0 * plan.blocks.1;
            threads.run_seated(tasks, &|task, seat| {
                let (whole, a, b, c, room) = at.0;
                let own = || threads.own(seat, tasks);
                let ahead = plan.ahead(kernel, whole, shape, (round, task), own);
                let (i, j) = (task / plan.blocks.1, task % plan.blocks.1);
                let rows = |i| border(m, kernel.width, plan.blocks.0, i);
                let cols = |j| border(n, COLUMNS, plan.blocks.1, j);
                let (row, column) = (rows(i), cols(j));
                let (m, n) = (rows(i + 1) - row, cols(j + 1) - column);
                if m == 0 || n == 0 {
                    return;
                }
                let b_tile = match plan.pack_b {
                    true => COLUMNS * k,
                    false => COLUMNS * b.column,
                };
                // SAFETY: `run` asserted that the shapes fit. Rows `row..row + m` and columns
                // `column..column + n` of the output belong to this task alone; the room holds
                // `panels` numbers for every seat behind the columns; the kernel is one that this
                // processor has.
                unsafe {
                    let c = c.add(row + column * c_step);
                    let (panels, packed) = match plan.pack_a {
                        true => {
                            let line = room.add(columns + panels * seat);
                            let held = line.cast::<usize>().replace(i);
                            (line.add(LINE / size_of::<F>()), held == i)
                        }
                        false => (std::ptr::null_mut(), false),
                    };
                    let b = Side { at: b.at.add(column / COLUMNS * b_tile), ..b };
                    let add = add || round > 0;
                    let a = a.after(row, 0);
                    let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                    (kernel.block)(&block, ahead);
                    if last {
                        let (shape, steps) = ((Dyn(m), Dyn(n)), (Const::<1>, Dyn(c_step)));
                        let part = ViewStorageMut::from_raw_parts(c, shape, steps);
                        finish(ViewMut::from_data(part), row, column);
                    }
                }
            });
        }
    });
}

/// A product so small that it is one task and needs no panels: mostly what stands around it takes time.
fn as_it_lies<F: Scalar>(
    kernel: &Kernel<F>,
    (a, b): (Side<F>, Side<F>),
    mut out: ViewMut<'_, F>,
    (k, add): (usize, bool),
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    let ((m, n), c_step, c) = (out.shape(), out.strides().1, out.as_mut_ptr());
    let (b_tile, panels, packed) = (COLUMNS * b.column, std::ptr::null_mut(), false);
    let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
    // SAFETY: `run` asserted that the shapes fit, the left side's rows follow each other, and the kernel
    // is one that this processor has.
    unsafe { (kernel.block)(&block, Ahead::nothing()) };
    finish(out, 0, 0);
}

/// A product whose rounds over the depth are computed side by side, all but the first into room of their
/// own, and then added in order: the bits are those of one round after the other.
fn in_parts<F: Scalar>(
    kernel: &Kernel<F>,
    (a, b): (Side<F>, Side<F>),
    mut out: ViewMut<'_, F>,
    (k, plan, add): (usize, &Plan, bool),
    threads: &Threads,
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    let (m, n) = out.shape();
    let later = plan.rounds - 1;
    with_room(later * m * n, |room: *mut F| {
        let at = Shared((a, b, out.as_mut_ptr(), room));
        let (at, step) = (&at, out.strides().1);
        threads.run(plan.rounds, &|round| {
            let (a, b, out, room) = at.0;
            let first = round * plan.depth;
            let k = plan.depth.min(k - first);
            // SAFETY: `run` asserted that the shapes fit; the first round has the output, and each other
            // one `m·n` numbers of the room; the kernel is one that this processor has.
            unsafe {
                let (c, c_step, add) = match round {
                    0 => (out, step, add),
                    _ => (room.add((round - 1) * m * n), m, false),
                };
                let (a, b) = (a.after(0, first), b.after(first, 0));
                let (b_tile, panels, packed) = (COLUMNS * b.column, std::ptr::null_mut(), false);
                let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                (kernel.block)(&block, Ahead::nothing());
            }
        });
        // SAFETY: the room holds so many numbers, and the tasks that wrote them have ended.
        let rounds = unsafe { std::slice::from_raw_parts(room, later * m * n) };
        for sums in rounds.chunks_exact(m * n) {
            for (mut column, sums) in out.column_iter_mut().zip(sums.chunks_exact(m)) {
                add_to(column.as_mut_slice(), sums);
            }
        }
    });
    finish(out, 0, 0);
}

fn add_to<F: Scalar>(to: &mut [F], values: &[F]) {
    vectorize(
        #[inline(always)]
        || to.iter_mut().zip(values).for_each(|(to, &value)| *to += value),
    );
}

/// Copies the right side into panels of [`COLUMNS`] columns.
fn pack_columns<F: Scalar>(
    kernel: &Kernel<F>,
    b: Side<F>,
    (k, n): (usize, usize),
    to: *mut F,
    threads: &Threads,
) {
    let panels = n.div_ceil(COLUMNS);
    let tasks = panels.min(8);
    let at = Shared((b, to));
    let at = &at;
    threads.run(tasks, &|task| {
        let (b, to) = at.0;
        let column = |task: usize| (task * panels / tasks * COLUMNS).min(n);
        let (first, count) = (column(task), column(task + 1) - column(task));
        // SAFETY: these columns are inside the factor, and their panels' room is this task's alone.
        unsafe { (kernel.pack_columns)(b.after(0, first), k, count, to.add(first * k)) };
    });
}

/// The obviously right product, kept as the oracle of the fast one.
#[cfg(test)]
pub(crate) fn plain<F: Scalar>(a: Factor<'_, F>, b: Factor<'_, F>) -> Matrix<F> {
    let at = |f: &Factor<'_, F>, i: usize, j: usize| match f {
        Factor::Plain(m) => m[(i, j)].wide(),
        Factor::Transposed(m) => m[(j, i)].wide(),
    };
    let ((m, k), (_, n)) = (a.shape(), b.shape());
    Matrix::from_fn(m, n, |i, j| F::of((0..k).map(|p| at(&a, i, p) * at(&b, p, j)).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

    fn matrix(rows: usize, columns: usize, seed: usize) -> Matrix<f64> {
        Matrix::from_fn(rows, columns, |i, j| ((i * 31 + j * 17 + seed * 7) % 23) as f64 - 11.0)
    }

    fn side<F: Scalar>(m: &Matrix<F>, transposed: bool) -> Factor<'_, F> {
        let view = m.as_view();
        if transposed { Factor::Transposed(view) } else { Factor::Plain(view) }
    }

    /// Every kernel of this processor against the plain product. Whole numbers: every order of
    /// addition gives the same sum, so the comparison is exact.
    fn check<F: Scalar>(
        (m, n, k): (usize, usize, usize),
        (ta, tb, add): (bool, bool, bool),
        threads: usize,
    ) {
        let whole = |rows, columns, seed| matrix(rows, columns, seed).map(F::of);
        let a = if ta { whole(k, m, 1) } else { whole(m, k, 1) };
        let b = if tb { whole(n, k, 2) } else { whole(k, n, 2) };
        let threads = Threads::new(threads).unwrap();
        for kernel in F::kernels() {
            // rows and columns around the output must stay as they are
            let mut frame = whole(m + 2, n + 2, 3);
            let mut expected = frame.clone();
            let mut inner = expected.view_mut((1, 1), (m, n));
            let product = plain(side(&a, ta), side(&b, tb));
            if add {
                inner += product
            } else {
                inner.copy_from(&product)
            }
            let out = frame.view_mut((1, 1), (m, n));
            run(kernel, side(&a, ta), side(&b, tb), out, add, &threads, &|_, _, _| {});
            assert!(frame == expected, "{m}x{n}x{k} {ta} {tb} {add} width {}", kernel.width);
        }
    }

    proptest! {
        #[test]
        fn equals_the_plain_product(
            m in 0_usize..150, n in 0_usize..150, k in 0_usize..60,
            ta: bool, tb: bool, add: bool, threads in 1_usize..4,
        ) {
            check::<f32>((m, n, k), (ta, tb, add), threads);
            check::<f64>((m, n, k), (ta, tb, add), threads);
        }

        #[test]
        fn equals_the_plain_product_when_small(
            m in 0_usize..20, n in 0_usize..12, k in 0_usize..20, ta: bool, tb: bool, add: bool,
        ) {
            check::<f32>((m, n, k), (ta, tb, add), 1);
            check::<f64>((m, n, k), (ta, tb, add), 1);
        }
    }

    #[test]
    fn equals_the_plain_product_in_every_way_of_cutting() {
        // several rounds over the depth, packed columns either way, one column, one row, many blocks
        let shapes = [
            (1030, 70, 9),
            (70, 300, 700),
            (300, 1, 650),
            (1, 300, 650),
            (16, 40, 1300),
            (300, 400, 1),
            (820, 66, 650),
            (513, 259, 33),
            (769, 516, 5),
            (300, 40, 10),
        ];
        for shape in shapes {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                check::<f32>(shape, (ta, tb, false), 2);
                check::<f64>(shape, (ta, tb, true), 2);
            }
        }
        check::<f32>((769, 516, 650), (false, false, false), 2);
    }

    /// Whichever comes first: one column, a tile, a tile and a column.
    fn panels_serve<F: Scalar>() {
        let (m, k) = (60, 70);
        let (a, b) = (matrix(m, k, 1).map(F::of), matrix(k, 9, 2).map(F::of));
        let (left, right) = (side(&a, false), side(&b, false));
        let expected = plain(left, right);
        for kernel in F::kernels().filter(|kernel| kernel.packs) {
            for first in [1, 8, 9] {
                with_room(64 * k, |panels: *mut F| {
                    for (n, packed) in [(first, false), (1, true), (8, true), (9, true)] {
                        let mut out = Matrix::<F>::zeros(m, n);
                        let (a, b, c) = (left.side(), right.side(), out.as_mut_ptr());
                        let (b_tile, c_step, add) = (COLUMNS * k, m, false);
                        let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                        // SAFETY: sides and output have these shapes, and the panels 64 rows.
                        unsafe { (kernel.block)(&block, Ahead::nothing()) };
                        assert!(
                            out == expected.columns(0, n),
                            "{first} {n} width {}",
                            kernel.width
                        );
                    }
                });
            }
        }
    }

    #[test]
    fn panels_serve_every_task_with_their_rows() {
        panels_serve::<f32>();
        panels_serve::<f64>();
    }

    #[test]
    fn every_part_is_finished_once() {
        for (m, n, k) in [(5, 3, 2), (300, 100, 700), (10, 900, 64)] {
            let (a, b) = (matrix(m, k, 1), matrix(k, n, 2));
            let mut out = Matrix::zeros(m, n);
            let counts = Mutex::new(Matrix::zeros(m, n));
            multiply_then(
                side(&a, false),
                side(&b, false),
                out.as_view_mut(),
                &Threads::new(2).unwrap(),
                &|mut part, row, column| {
                    let mut counts = counts.lock().unwrap();
                    counts.view_mut((row, column), part.shape()).add_scalar_mut(1.0);
                    part.neg_mut();
                },
            );
            assert_eq!(counts.into_inner().unwrap(), Matrix::from_element(m, n, 1.0));
            assert_eq!(out, -plain(side(&a, false), side(&b, false)));
        }
    }

    #[test]
    fn same_bits_at_any_number_of_threads() {
        let a = matrix(301, 77, 1).map(|v| (v * 0.1) as f32);
        let b = matrix(77, 203, 2).map(|v| (v * 0.3) as f32);
        let product = |threads| {
            let mut out = Matrix::zeros(301, 203);
            let threads = Threads::new(threads).unwrap();
            multiply(
                Factor::Plain(a.as_view()),
                Factor::Plain(b.as_view()),
                out.as_view_mut(),
                &threads,
            );
            out
        };
        let one = product(1);
        for threads in [2, 3, 8] {
            assert_eq!(product(threads), one);
        }
    }

    #[test]
    #[should_panic(expected = "2x3 times 2x4 into 2x4")]
    fn shapes_that_do_not_fit_are_named() {
        let (a, b) = (Matrix::<f32>::zeros(2, 3), Matrix::zeros(2, 4));
        let mut out = Matrix::zeros(2, 4);
        multiply(
            Factor::Plain(a.as_view()),
            Factor::Plain(b.as_view()),
            out.as_view_mut(),
            &Threads::one(),
        );
    }
}
