//! Products whose right side has many zeros, as behind a rectifier or a dropout: only what is not
//! zero is multiplied.

use nalgebra::{Const, Dyn, ViewStorageMut};

use crate::kernel::{Ahead, Block, COLUMNS, Entries, Kernel, Side};
use crate::product::{FAR, Shared, border, rounds, with_room};
use crate::{Scalar, Threads, View, ViewMut, vectorize};

/// The fewest rows and columns of an output, and the least depth, for which it pays.
pub(crate) const LEAST: (usize, usize, usize) = (64, 24, 24);
/// The part of the right side, in eighths, that must at most be left.
const LEFT: usize = 5;
/// Columns of a matrix that are looked at for that.
const SAMPLE: usize = 16;
/// Numbers of such a column that are looked at, its first: those behind may lie in another thread's cache.
const LONG: usize = 384;
/// Numbers of a right side from which on several threads collect its entries.
const SHARED: usize = 1 << 13;
/// Columns that are computed together, at most: their entries take twice the room of the columns.
const MANY: usize = 1 << 10;
/// Rows of a task: one panel of the largest kernel.
const ROWS: usize = 64;

/// Whether a product of that shape is faster without the zeros of its right side, which is this matrix
/// or its transpose.
pub(crate) fn pays<F: Scalar>((m, n, k): (usize, usize, usize), b: View<'_, F>) -> bool {
    if m < LEAST.0 || n < LEAST.1 || k < LEAST.2 {
        return false;
    }
    let step = b.ncols().div_ceil(SAMPLE);
    let (mut left, mut all) = (0, 0);
    for j in (0..b.ncols()).step_by(step) {
        let column = b.column(j);
        let part = &column.as_slice()[..column.len().min(LONG)];
        left += not_zero(part);
        all += part.len();
    }
    left * 8 <= all * LEFT
}

/// How many of the numbers are not zero.
fn not_zero<F: Scalar>(numbers: &[F]) -> usize {
    vectorize(
        #[inline(always)]
        || numbers.iter().map(|&v| u32::from(v != F::zero())).sum::<u32>() as usize,
    )
}

/// How many numbers the entries of so many columns take, in all rounds over the depth.
pub(crate) fn room<F>(n: usize, k: usize) -> usize {
    let (count, depth) = rounds(k);
    count * Entries::<F>::room(depth, n)
}

/// The rounds over the depth: where each begins, how deep it is, and its entries.
pub(crate) fn entries<F>(
    at: *mut F,
    n: usize,
    k: usize,
) -> impl Iterator<Item = (usize, usize, Entries<F>)> {
    let (count, depth) = rounds(k);
    let of_round = Entries::<F>::room(depth, n);
    (0..count).map(move |round| {
        let (first, at) = (round * depth, at.wrapping_add(round * of_round));
        let depth = depth.min(k - first);
        (first, depth, Entries::new(at, depth, n))
    })
}

/// Collects the entries of a right side with so many columns and rows, into room for them.
pub(crate) fn collect<F: Scalar>(
    kernel: &Kernel<F>,
    b: Side<F>,
    (n, k): (usize, usize),
    to: *mut F,
    threads: &Threads,
) {
    let at = Shared((b, to));
    let at = &at;
    let tasks = if n * k < SHARED { 1 } else { n.div_ceil(COLUMNS).min(16) };
    threads.run(tasks, &|task| {
        let (b, to) = at.0;
        let column = |task| border(n, 2 * COLUMNS, tasks, task);
        let (column, end) = (column(task), column(task + 1));
        for (first, _, entries) in entries(to, n, k) {
            let entries = entries.after(column);
            // SAFETY: these columns are inside the factor, and their entries this task's alone.
            unsafe { (kernel.collect)(b.after(first, column), end - column, entries) };
        }
    });
}

/// `out (+)= a·b` like [`multiply_then`](crate::multiply_then), from what is not zero in `b`.
pub(crate) fn run<F: Scalar>(
    kernel: &Kernel<F>,
    (a, b): (Side<F>, Side<F>),
    mut out: ViewMut<'_, F>,
    depth: (usize, bool),
    threads: &Threads,
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    for first in (0..out.ncols()).step_by(MANY) {
        let count = MANY.min(out.ncols() - first);
        // SAFETY: the column is inside the factor.
        let b = unsafe { b.after(0, first) };
        let finish = |part: ViewMut<'_, F>, row, column| finish(part, row, first + column);
        columns(kernel, (a, b), out.columns_mut(first, count), depth, threads, &finish);
    }
}

/// The same of so many columns that the room for their entries is not too large.
fn columns<F: Scalar>(
    kernel: &Kernel<F>,
    (a, b): (Side<F>, Side<F>),
    mut out: ViewMut<'_, F>,
    (k, add): (usize, bool),
    threads: &Threads,
    finish: &(dyn Fn(ViewMut<'_, F>, usize, usize) + Sync),
) {
    let (m, n) = out.shape();
    let (count, depth) = rounds(k);
    let blocks = (m / ROWS).next_multiple_of(2).clamp(2, 64);
    let rows = |i| border(m, kernel.width, blocks, i);
    let panels = m.div_ceil(kernel.width).div_ceil(blocks) * kernel.width * depth;
    let (c_step, far, all) = (out.strides().1, m * k >= FAR, room::<F>(n, k));
    with_room(all + panels * threads.count(), |room: *mut F| {
        collect(kernel, b, (n, k), room, threads);
        let at = Shared((a, b, out.as_mut_ptr(), room));
        let at = &at;
        threads.run_seated(blocks, &|task, seat| {
            let (a, b, c, room) = at.0;
            let (row, end) = (rows(task), rows(task + 1));
            let m = end - row;
            if m == 0 {
                return;
            }
            // what this thread reads next: the next round of these rows, or the next rows
            let next = |round: usize| {
                let (row, end, first) = match round + 1 < count {
                    true => (row, end, (round + 1) * depth),
                    false if task + 1 < threads.own(seat, blocks).end => (end, rows(task + 2), 0),
                    false => return Ahead::nothing(),
                };
                let (rows, depth) = (end - row, depth.min(k - first));
                let at = a.at.wrapping_add(row * a.row + first * a.column);
                match a.row {
                    1 => Ahead::new(at, a.column, (rows, depth)),
                    _ => Ahead::new(at, a.row, (depth, rows)),
                }
            };
            for (round, (first, k, entries)) in entries(room, n, k).enumerate() {
                let ahead = if far { next(round) } else { Ahead::nothing() };
                // SAFETY: the caller asserted that the shapes fit. These rows of the output belong to
                // this task alone; the room holds panels for every seat.
                unsafe {
                    let (a, b) = (a.after(row, first), b.after(first, 0));
                    let (c, panels) = (c.add(row), room.add(all + panels * seat));
                    let (b_tile, add, packed) = (COLUMNS * b.column, add || round > 0, false);
                    let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                    (kernel.sparse)(&block, entries, false, ahead);
                }
            }
            // SAFETY: as above.
            let part = unsafe {
                let (shape, steps) = ((Dyn(m), Dyn(n)), (Const::<1>, Dyn(c_step)));
                ViewStorageMut::from_raw_parts(c.add(row), shape, steps)
            };
            finish(ViewMut::from_data(part), row, 0);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::plain;
    use crate::{Factor, Matrix, multiply};
    use proptest::prelude::*;

    fn whole(rows: usize, columns: usize, seed: usize) -> Matrix<f64> {
        Matrix::from_fn(rows, columns, |i, j| ((i * 31 + j * 17 + seed * 7) % 23) as f64 - 11.0)
    }

    /// Half of the numbers, and zeros of either sign.
    fn thin(rows: usize, columns: usize) -> Matrix<f64> {
        whole(rows, columns, 2).map(|v| if v > 0.0 { v } else { v * 0.0 })
    }

    #[test]
    fn long_columns_are_judged_by_their_beginnings() {
        let pays = |left| {
            let x =
                Matrix::<f32>::from_fn(1000, 32, |i, j| f32::from(i < LONG && (i + j) % 8 < left));
            pays((64, 32, 1000), x.as_view())
        };
        assert_eq!([0, 5, 6, 8].map(pays), [true, true, false, false]);
    }

    fn side<F: Scalar>(m: &Matrix<F>, transposed: bool) -> Factor<'_, F> {
        let view = m.as_view();
        if transposed { Factor::Transposed(view) } else { Factor::Plain(view) }
    }

    /// Every kernel with panels against the plain product, in whole numbers and with a frame around
    /// the output, whatever the part of zeros.
    fn check<F: Scalar>(
        (m, n, k): (usize, usize, usize),
        (ta, tb, add): (bool, bool, bool),
        threads: usize,
    ) {
        let turned = |m: Matrix<f64>, turn: bool| if turn { m.transpose() } else { m };
        let a = turned(whole(m, k, 1), ta).map(F::of);
        let b = turned(thin(k, n), tb).map(F::of);
        let threads = Threads::new(threads).unwrap();
        for kernel in F::kernels().filter(|kernel| kernel.packs) {
            let mut frame = whole(m + 2, n + 2, 3).map(F::of);
            let mut expected = frame.clone();
            let mut inner = expected.view_mut((1, 1), (m, n));
            let product = plain(side(&a, ta), side(&b, tb));
            if add {
                inner += product
            } else {
                inner.copy_from(&product)
            }
            inner.neg_mut();
            let sides = (side(&a, ta).side(), side(&b, tb).side());
            let out = frame.view_mut((1, 1), (m, n));
            run(kernel, sides, out, (k, add), &threads, &|mut part, _, _| part.neg_mut());
            assert!(frame == expected, "{m}x{n}x{k} {ta} {tb} {add} width {}", kernel.width);
        }
    }

    proptest! {
        #[test]
        fn equals_the_plain_product(
            m in 1_usize..150, n in 1_usize..60, k in 1_usize..150,
            ta: bool, tb: bool, add: bool, threads in 1_usize..4,
        ) {
            check::<f32>((m, n, k), (ta, tb, add), threads);
            check::<f64>((m, n, k), (ta, tb, add), threads);
        }
    }

    #[test]
    fn equals_the_plain_product_over_stretches_and_rounds() {
        for shape in [(300, 150, 129), (70, 20, 700), (820, 30, 650), (1, 140, 1300), (9, 2060, 30)]
        {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                check::<f32>(shape, (ta, tb, true), 2);
                check::<f64>(shape, (ta, tb, false), 2);
            }
        }
    }

    /// Numbers that are not whole, so that the order of additions shows.
    fn sides(m: usize, n: usize, k: usize) -> (Matrix<f32>, Matrix<f32>) {
        (whole(m, k, 1).map(|v| (v * 0.1) as f32), thin(k, n).map(|v| (v * 0.3) as f32))
    }

    fn product(a: Factor<'_, f32>, b: Factor<'_, f32>, columns: usize) -> Matrix<f32> {
        let mut out = Matrix::zeros(a.shape().0, columns);
        multiply(a, b, out.as_view_mut(), &Threads::new(2).unwrap());
        out
    }

    #[test]
    fn the_bits_are_those_of_the_columns_one_by_one() {
        let (a, b) = sides(200, 50, 700);
        assert!(pays((200, 50, 700), b.as_view()) && !pays((200, 1, 700), b.columns(0, 1)));
        let all = product(side(&a, false), side(&b, false), 50);
        for j in 0..50 {
            let one = Factor::Plain(b.columns(j, 1));
            assert_eq!(product(side(&a, false), one, 1), all.columns(j, 1), "column {j}");
        }
    }

    #[test]
    fn zero_times_what_is_not_finite_is_not_left_out() {
        let (mut a, mut b) = sides(200, 50, 700);
        b[(699, 0)] = 1.0;
        (b[(3, 1)], b[(699, 1)]) = (0.0, 0.0);
        for (i, bad) in [(0, f32::NAN), (77, f32::INFINITY), (199, f32::NEG_INFINITY)] {
            for p in [3, 699] {
                let good = std::mem::replace(&mut a[(i, p)], bad);
                let c = product(side(&a, false), side(&b, false), 50);
                assert!(c[(i, 1)].is_nan(), "{bad} times 0 in row {i}, step {p}");
                let rest = (0..200).filter(|&other| other != i);
                assert!(rest.into_iter().all(|other| c.row(other).iter().all(|v| v.is_finite())));
                a[(i, p)] = good;
            }
        }
        b[(3, 1)] = f32::NAN;
        let c = product(side(&a, false), side(&b, false), 50);
        assert!(c.column(1).iter().all(|v| v.is_nan()), "NaN in the right side");
    }

    #[test]
    fn a_matrix_with_few_zeros_is_left_as_it_is() {
        let shape = (64, 24, 24);
        let matrix = |every| Matrix::<f32>::from_fn(24, 24, |i, j| ((i + j) % every) as f32);
        assert!(pays(shape, matrix(2).as_view()));
        assert!(!pays(shape, matrix(3).as_view()));
        for smaller in [(63, 24, 24), (64, 23, 24), (64, 24, 23)] {
            assert!(!pays(smaller, matrix(2).as_view()), "{smaller:?}");
        }
    }
}
