//! A sum of outer products, of which any part is computed when it is asked for.
//!
//! The gradient by the weights of a dense layer is one: it is as large as the weights, while what
//! it is computed from is small. Whoever reads it once need not have it in memory.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::kernel::{Ahead, Block, COLUMNS, Entries, HEIGHT, Kernel, Side};
use crate::product::{DEPTH, FAR, LINE, Shared, best, rounds};
use crate::reduce::{RowSums, STRIP};
use crate::{Largest, Scalar, Threads, View, row_sums, sparse, vectorize};

/// `a·bᵀ`: the sum over k of the outer products of column k of `a` and column k of `b`.
///
/// Its numbers have the bits that [`multiply`](crate::multiply) gives them, whatever the part.
///
/// ```
/// use slalom_tensor::{Matrix, Outer, Threads};
/// let a = Matrix::from_row_slice(2, 2, &[1.0, 2.0, 3.0, 4.0]);
/// let b = Matrix::from_row_slice(3, 2, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
/// let mut panels = vec![0.0; Outer::<f64>::room(2, 2)];
/// let mut sums = [0.0; 2];
/// let sides = (a.as_view(), b.as_view());
/// let packed = Outer::pack(sides, &mut panels, Some(&mut sums), &Threads::one());
/// assert_eq!(sums, [3.0, 7.0]);
/// let outer = Outer::new(sides, &panels, packed);
/// let mut part = [0.0; 3];
/// outer.write(3..6, &mut part, &[]); // the last three of six numbers, column by column
/// assert_eq!(part, [4.0, 3.0, 7.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outer<'a, F: Scalar> {
    a: View<'a, F>,
    b: View<'a, F>,
    /// What [`pack`](Outer::pack) wrote.
    panels: &'a [F],
    way: Way,
}

/// What [`Outer::pack`] has found, and what it wrote into the panels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    /// The [`largest`](crate::largest) magnitude in `a`, where it was found on the way.
    pub largest: Option<f64>,
    way: Way,
}

/// How the product is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Way {
    /// Both sides are read where they are.
    #[default]
    InPlace,
    /// `a` stands in panels, in the order in which the tiles read it.
    Panels,
    /// `a` stands in panels, and what is not zero in `b` is multiplied.
    SparseB,
    /// The entries of `aᵀ` stand in the panels: what is not zero in `a` is multiplied.
    SparseA,
}

/// Sums from which on the sides are copied into panels.
const PACKED: usize = 64;
/// Columns of `b` that are copied at a time: of few sums so many that they stay in the nearest cache, of
/// many more, because `a` is then read from far away for each group.
const WIDE: [usize; 2] = [4 * COLUMNS, 8 * COLUMNS];
/// Numbers of `a` above which they are copied by several threads.
const SHARED: usize = 1 << 15;

impl<'a, F: Scalar> Outer<'a, F> {
    /// How many numbers the panels of an `a` with so many rows and columns take.
    pub fn room(rows: usize, columns: usize) -> usize {
        let kernel = best::<F>();
        let panels = rows.next_multiple_of(kernel.width) * columns;
        match kernel.packs {
            true if sparse::LEAST.2 <= columns => panels.max(sparse::room::<F>(rows, columns)),
            _ => 0,
        }
    }

    /// Copies `a` into panels: into the order in which the product reads it, without its zeros where they
    /// are many and those of `b` are not. On the way, it writes the [sums of a's rows](crate::row_sums),
    /// if they are wanted.
    ///
    /// # Panics
    /// If the sides differ in columns, the panels have another length than [`room`](Outer::room) says, or
    /// the sums are not as long as a column.
    pub fn pack(
        (a, b): (View<'_, F>, View<'_, F>),
        panels: &mut [F],
        sums: Option<&mut [F]>,
        threads: &Threads,
    ) -> Packed {
        assert_eq!(a.ncols(), b.ncols(), "columns of the sides");
        assert_eq!(panels.len(), Self::room(a.nrows(), a.ncols()), "numbers in the panels");
        let (m, n, k) = (a.nrows(), b.nrows(), a.ncols());
        let way = match panels.is_empty() {
            true => Way::InPlace,
            false if sparse::pays((m, n, k), b) => Way::SparseB,
            false if sparse::pays((n, m, k), a) => Way::SparseA,
            false if k >= PACKED => Way::Panels,
            false => Way::InPlace,
        };
        if way == Way::Panels || way == Way::SparseB {
            let largest = pack(a, panels, rows(best::<F>(), way), sums, threads);
            // zeros are left out where they cannot meet what is not finite
            let way = if way == Way::Panels || largest.is_finite() { way } else { Way::InPlace };
            return Packed { largest: Some(largest), way };
        }
        if let Some(sums) = sums {
            row_sums(a, sums, threads);
        }
        if way == Way::SparseA {
            // the columns of aᵀ
            let b = Side { at: a.as_ptr(), row: a.strides().1, column: 1 };
            sparse::collect(best::<F>(), b, (m, k), panels.as_mut_ptr(), threads);
        }
        Packed { largest: None, way }
    }

    /// The product of these sides, with what [`pack`](Outer::pack) has made of them.
    ///
    /// # Panics
    /// If the sides differ in columns, or the panels have another length than
    /// [`room`](Outer::room) says.
    pub fn new((a, b): (View<'a, F>, View<'a, F>), panels: &'a [F], packed: Packed) -> Self {
        assert_eq!(a.ncols(), b.ncols(), "columns of the sides");
        assert_eq!(panels.len(), Self::room(a.nrows(), a.ncols()), "numbers in the panels");
        Self { a, b, panels, way: packed.way }
    }

    /// Writes a range of the product's numbers, which are counted column by column. Meanwhile the
    /// processor is asked for what stands in the slices, for whoever reads that next: nothing else
    /// is done with them.
    ///
    /// # Panics
    /// If the range ends behind the product, or `out` is not as long as the range.
    pub fn write(&self, range: Range<usize>, out: &mut [F], next: &[*const [F]]) {
        let rows = self.a.nrows();
        assert!(range.end <= rows * self.b.nrows(), "{range:?} of {rows}x{}", self.b.nrows());
        assert_eq!(out.len(), range.len(), "numbers of the range");
        if self.a.ncols() == 0 {
            return out.fill(F::zero());
        }
        let (mut at, mut rest) = (range.start, out);
        while !rest.is_empty() {
            let (row, column) = (at % rows, at / rows);
            let length = match row {
                0 if rest.len() >= rows => rest.len() / rows * rows,
                _ => rest.len().min(rows - row),
            };
            let (part, later) = rest.split_at_mut(length);
            if length < rows {
                self.part_of_column(row, column, part);
            } else if self.a.ncols() == 1 && best::<F>().packs {
                self.scaled(column, part);
            } else {
                match self.way {
                    Way::InPlace => self.columns(column, part),
                    Way::Panels => self.columns_from_panels(column, part, next),
                    Way::SparseB => self.columns_without_zeros_of_b(column, part, next),
                    Way::SparseA => self.columns_without_zeros_of_a(column, part, next),
                }
            }
            (at, rest) = (at + length, later);
        }
    }

    fn sides(&self) -> (Side<F>, Side<F>) {
        let (a, b) = (self.a, self.b);
        (
            Side { at: a.as_ptr(), row: 1, column: a.strides().1 },
            Side { at: b.as_ptr(), row: b.strides().1, column: 1 },
        )
    }

    /// Some rows of one column.
    fn part_of_column(&self, row: usize, column: usize, out: &mut [F]) {
        self.in_place((row, out.len()), (column, 1), out);
    }

    /// Whole columns.
    fn columns(&self, first: usize, out: &mut [F]) {
        let rows = self.a.nrows();
        self.in_place((0, rows), (first, out.len() / rows), out);
    }

    /// Whole columns of a single outer product, where multiply-adds are one instruction.
    fn scaled(&self, first: usize, out: &mut [F]) {
        let (a, b) = (self.a.column(0), self.b.column(0));
        let (a, b) = (a.as_slice(), &b.as_slice()[first..]);
        vectorize(
            #[inline(always)]
            || {
                for (out, &b) in out.chunks_exact_mut(a.len()).zip(b) {
                    // the zero that a sum begins with
                    out.iter_mut().zip(a).for_each(|(out, &a)| *out = a.mul_add(b, F::zero()));
                }
            },
        );
    }

    /// So many rows and columns, from these on, with both sides read where they are.
    fn in_place(&self, (row, m): (usize, usize), (column, n): (usize, usize), out: &mut [F]) {
        debug_assert_eq!(out.len(), m * n);
        let kernel = best::<F>();
        let (a, b) = self.sides();
        for (first, k) in depths(self.a.ncols()) {
            // SAFETY: `write` asserted that the range is inside the product, `out` has m·n numbers,
            // and the kernel is one that this processor has.
            unsafe {
                let (a, b) = (a.after(row, first), b.after(first, column));
                let (c, panels) = (out.as_mut_ptr(), std::ptr::null_mut());
                let (b_tile, c_step, add, packed) = (COLUMNS, m, first > 0, false);
                let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                (kernel.block)(&block, Ahead::nothing());
            }
        }
    }

    /// Whole columns, from the panels of `a` and from columns of `b` that are copied group by group.
    #[inline(never)] // the room on the stack is for those who need it
    fn columns_from_panels(&self, first: usize, out: &mut [F], next: &[*const [F]]) {
        let kernel = best::<F>();
        let m = self.a.nrows();
        let (_, b) = self.sides();
        let mut room = [const { MaybeUninit::<F>::uninit() }; WIDE[1] * DEPTH];
        let room = room.as_mut_ptr().cast::<F>();
        let wide = WIDE[usize::from(self.a.ncols() >= 4 * PACKED)];
        // so many panels at a time that a block has some tiles: there is work around them
        let high = (WIDE[1] * m / out.len()).max(1);
        let rounds = depths(self.a.ncols()).count() * groups(kernel.rows, high, m).count();
        let (blocks, mut done) = (out.len().div_ceil(wide * m) * rounds, 0);
        for (group, out) in out.chunks_mut(wide * m).enumerate() {
            let (column, n) = (first + group * wide, out.len() / m);
            for (depth, k) in depths(self.a.ncols()) {
                // SAFETY: the columns are inside `b`; the room holds so many columns as deep as
                // a round can be.
                unsafe { (kernel.pack_columns)(b.after(depth, column), k, n, room) };
                let (row, column) = (COLUMNS, 1);
                let b = Side { at: room.cast_const(), row, column };
                for (top, rows) in groups(kernel.rows, high, m) {
                    let own = panel_at(kernel, m, (depth, k), top);
                    let tiles = n / COLUMNS * rows / kernel.rows;
                    let ahead = self.ahead(own + rows * k, rows * k, tiles, |stretches| {
                        Ahead::share(next, (done, blocks), stretches)
                    });
                    done += 1;
                    // SAFETY: the panels were filled for this round and these rows; the room was
                    // filled above; `out` has m·n numbers.
                    unsafe {
                        let panels = self.panels.as_ptr().cast_mut().add(own);
                        let (a, c) = (self.sides().0, out.as_mut_ptr().add(top));
                        let (b_tile, add, packed) = (COLUMNS * k, depth > 0, true);
                        let (m, c_step) = (rows, m);
                        let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                        (kernel.block)(&block, ahead);
                    }
                }
            }
        }
    }

    /// Whole columns, from the panels of `a` and from what is not zero in columns of `b`.
    #[inline(never)] // the room on the stack is for those who need it
    fn columns_without_zeros_of_b(&self, first: usize, out: &mut [F], next: &[*const [F]]) {
        const NUMBERS: usize = 2 * WIDE[1] * (DEPTH + 2 * LINE);
        let kernel = best::<F>();
        let m = self.a.nrows();
        let (a, b) = self.sides();
        let mut room = [const { MaybeUninit::<F>::uninit() }; NUMBERS];
        let room = room.as_mut_ptr().cast::<F>();
        let high = rows(kernel, self.way);
        let rounds = depths(self.a.ncols()).count() * groups(high, 1, m).count();
        let (blocks, mut done) = (out.len().div_ceil(WIDE[1] * m) * rounds, 0);
        for (group, out) in out.chunks_mut(WIDE[1] * m).enumerate() {
            let (column, n) = (first + group * WIDE[1], out.len() / m);
            for (depth, k) in depths(self.a.ncols()) {
                let entries = Entries::new(room, k, n);
                debug_assert!(Entries::<F>::room(k, n) <= NUMBERS);
                // SAFETY: the columns are inside `b`, and the room holds their entries.
                let b = unsafe {
                    let b = b.after(depth, column);
                    (kernel.collect)(b, n, entries);
                    b
                };
                for (top, rows) in groups(high, 1, m) {
                    let own = panel_at(kernel, m, (depth, k), top);
                    let ahead = Ahead::share(next, (done, blocks), n);
                    done += 1;
                    // SAFETY: as in `columns_from_panels`; the panels are finite, as `pack` saw.
                    unsafe {
                        let panels = self.panels.as_ptr().cast_mut().add(own);
                        let c = out.as_mut_ptr().add(top);
                        let (b_tile, add, packed) = (COLUMNS, depth > 0, true);
                        let (m, c_step) = (rows, m);
                        let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                        (kernel.sparse)(&block, entries, false, ahead);
                    }
                }
            }
        }
    }

    /// Whole columns, as the transpose of b·aᵀ: from columns of `b`, which are copied into panels, and
    /// from what is not zero in `a`.
    #[inline(never)] // the room on the stack is for those who need it
    fn columns_without_zeros_of_a(&self, first: usize, out: &mut [F], next: &[*const [F]]) {
        const HIGH: usize = 64;
        let kernel = best::<F>();
        let n = self.a.nrows();
        let (a, b) = self.sides();
        let turned = |side: Side<F>| Side { at: side.at, row: side.column, column: side.row };
        let (a, b) = (turned(b), turned(a));
        let mut room = [const { MaybeUninit::<F>::uninit() }; HIGH * DEPTH + LINE];
        let room = room.as_mut_ptr().cast::<F>();
        let panels = room.wrapping_add(room.align_offset(LINE).min(LINE));
        let rounds = depths(self.a.ncols()).count();
        let (blocks, mut done) = (out.len().div_ceil(HIGH * n) * rounds, 0);
        for (group, out) in out.chunks_mut(HIGH * n).enumerate() {
            let (row, m) = (first + group * HIGH, out.len() / n);
            let at = self.panels.as_ptr().cast_mut();
            for (depth, k, entries) in sparse::entries(at, n, self.a.ncols()) {
                let ahead = Ahead::share(next, (done, blocks), n);
                done += 1;
                // SAFETY: these rows are inside `b`, the panels hold them, the entries are those that
                // `pack` collected, and `out` has m·n numbers.
                unsafe {
                    let (a, b) = (a.after(row, depth), b.after(depth, 0));
                    let (c, c_step) = (out.as_mut_ptr(), n);
                    let (b_tile, add, packed) = (COLUMNS, depth > 0, false);
                    let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                    (kernel.sparse)(&block, entries, true, ahead);
                }
            }
        }
    }

    /// What so many tiles ask for: of panels that no near cache holds three quarters of them for the next
    /// one, which begins there, and the others for what is handed to them.
    fn ahead(
        &self,
        panel: usize,
        length: usize,
        tiles: usize,
        other: impl FnOnce(usize) -> Ahead,
    ) -> Ahead {
        if self.panels.len() < FAR || tiles < 4 {
            return other(tiles.max(1));
        }
        let end = self.panels.len();
        let panel = &self.panels[panel.min(end)..(panel + length).min(end)];
        Ahead::slice(panel, tiles * 3 / 4).then(other(tiles / 4))
    }
}

/// The rounds over the depth: where each begins, and how deep it is.
fn depths(k: usize) -> impl Iterator<Item = (usize, usize)> {
    let (count, depth) = rounds(k);
    (0..count).map(move |round| (round * depth, depth.min(k - round * depth)))
}

/// Rows of the panels of `a`.
fn rows<F>(kernel: &Kernel<F>, way: Way) -> usize {
    if way == Way::SparseB { HEIGHT * kernel.width } else { kernel.rows }
}

/// The rows in groups of so many panels, which have so many rows each, and what is left: where each
/// begins, and how many rows it has.
fn groups(rows: usize, high: usize, m: usize) -> impl Iterator<Item = (usize, usize)> {
    let (rows, whole) = (high * rows, m - m % rows);
    let rest = (whole < m).then_some((whole, m - whole));
    (0..whole).step_by(rows).map(move |top| (top, rows.min(whole - top))).chain(rest)
}

/// Where the panel of a round and of the rows from `top` on stands.
fn panel_at<F>(kernel: &Kernel<F>, m: usize, (depth, k): (usize, usize), top: usize) -> usize {
    depth * m.next_multiple_of(kernel.width) + top * k
}

/// Copies `a` into panels of so many rows: group after group of rows, and in each round after round. Writes the sums of
/// the rows, and gives the largest magnitude.
fn pack<F: Scalar>(
    a: View<'_, F>,
    panels: &mut [F],
    high: usize,
    sums: Option<&mut [F]>,
    threads: &Threads,
) -> f64 {
    let kernel = best::<F>();
    let (m, columns) = a.shape();
    assert!(high <= STRIP, "a group of {high} rows");
    if let Some(sums) = &sums {
        assert_eq!(sums.len(), m, "{} sums for {m} rows", sums.len());
    }
    let a = Side { at: a.as_ptr(), row: 1, column: a.strides().1 };
    let at = Shared((a, panels.as_mut_ptr(), sums.map(<[F]>::as_mut_ptr)));
    let (at, all) = (&at, m);
    let count = m.div_ceil(high);
    let tasks = if m * columns < SHARED { 1 } else { count.min(8) };
    let found = Largest::default();
    threads.run(tasks, &|task| {
        let own = task * count / tasks..(task + 1) * count / tasks;
        for (top, m) in groups(high, 1, m).skip(own.start).take(own.len()) {
            let (a, panels, sums) = at.0;
            let (rows, mut of_rows) = (m.next_multiple_of(kernel.width), RowSums::default());
            for (depth, k) in depths(columns) {
                // SAFETY: the rows and columns are inside `a`, and the panel is this task's alone.
                let panel = unsafe {
                    let a = a.after(top, depth);
                    let panels = panels.add(panel_at(kernel, all, (depth, k), top));
                    let (b, c, b_tile, c_step) = (a, std::ptr::null_mut(), 0, 0);
                    let (n, add, packed) = (COLUMNS, false, false);
                    let block = Block { m, n, k, a, b, b_tile, c, c_step, add, panels, packed };
                    (kernel.pack_rows)(&block, high / kernel.width);
                    std::slice::from_raw_parts(panels, rows * k)
                };
                found.look(View::from_slice(panel, panel.len(), 1));
                if sums.is_some() {
                    of_rows.add(View::from_slice(panel, rows, k));
                }
            }
            if let Some(sums) = sums {
                // SAFETY: there is one for each row of `a`, and these are this task's alone.
                of_rows.write(unsafe { std::slice::from_raw_parts_mut(sums.add(top), m) });
            }
        }
    });
    found.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Factor, Matrix, largest, multiply};

    fn numbers<F: Scalar>(rows: usize, columns: usize, seed: usize) -> Matrix<F> {
        let of = |i, j| ((i * 31 + j * 17 + seed * 7) % 23) as f64 * 0.1 - 1.1;
        Matrix::from_fn(rows, columns, |i, j| F::of(of(i, j)))
    }

    /// Every part of every length has the bits of the whole product.
    fn check<F: Scalar>(m: usize, n: usize, k: usize) {
        let (a, b) = (numbers::<F>(m, k, 1), numbers::<F>(n, k, 2));
        let threads = Threads::new(2).unwrap();
        let mut whole = Matrix::zeros(m, n);
        let (left, right) = (Factor::Plain(a.as_view()), Factor::Transposed(b.as_view()));
        multiply(left, right, whole.as_view_mut(), &threads);
        let mut panels = vec![F::nan(); Outer::<F>::room(m, k)];
        let (mut sums, mut found) = (vec![F::nan(); m], vec![F::nan(); m]);
        row_sums(a.as_view(), &mut sums, &threads);
        let sides = (a.as_view(), b.as_view());
        let packed = Outer::pack(sides, &mut panels, Some(&mut found), &threads);
        assert!(packed.largest.is_none_or(|most| most == largest(a.as_view(), &threads)));
        assert!(found == sums, "sums of the rows of {m}x{k}");
        let outer = Outer::new(sides, &panels, packed);
        for length in [1, m / 2 + 1, m, 2 * m + 3, 40 * m, m * n] {
            let numbers: [F; 100] = [F::nan(); 100];
            let mut out = vec![F::nan(); m * n];
            for (i, part) in out.chunks_mut(length).enumerate() {
                outer.write(i * length..i * length + part.len(), part, &[&numbers]);
            }
            assert!(out == whole.as_slice(), "{m}x{n}, {k} sums, parts of {length}");
        }
    }

    #[test]
    fn parts_have_the_bits_of_the_product() {
        // `gemm`'s order of addition is its own, so without a kernel of ours bits may differ
        if !best::<f32>().packs {
            return println!("skipped: no AVX2");
        }
        for (m, n, k) in [(1, 1, 1), (50, 7, 1), (128, 40, 32), (100, 70, 100), (49, 35, 1300)] {
            check::<f32>(m, n, k);
            check::<f64>(m, n, k);
        }
    }

    /// The same where many numbers of one side are zero, and where one of the other side is not finite.
    fn check_sparse<F: Scalar>((m, n, k): (usize, usize, usize), way: Way) {
        let thin = |m: Matrix<F>| m.map(|v| if v > F::zero() { v } else { v * F::zero() });
        let (mut a, mut b) = (numbers::<F>(m, k, 1), numbers::<F>(n, k, 2));
        let threads = Threads::new(2).unwrap();
        for bad in [None, Some(F::infinity())] {
            if let Some(bad) = bad {
                let other = if way == Way::SparseA { &mut b } else { &mut a };
                *other.iter_mut().next_back().unwrap() = bad; // the last sample's last number
            }
            let (a, b) = if way == Way::SparseA {
                (thin(a.clone()), b.clone())
            } else {
                (a.clone(), thin(b.clone()))
            };
            let mut whole = Matrix::zeros(m, n);
            for (j, mut column) in whole.column_iter_mut().enumerate() {
                let b = Factor::Transposed(b.rows(j, 1)); // a single column is multiplied in full
                multiply(Factor::Plain(a.as_view()), b, column.as_view_mut(), &threads);
            }
            let sides = (a.as_view(), b.as_view());
            let mut panels = vec![F::nan(); Outer::<F>::room(m, k)];
            let (mut sums, mut found) = (vec![F::nan(); m], vec![F::nan(); m]);
            row_sums(a.as_view(), &mut sums, &threads);
            let packed = Outer::pack(sides, &mut panels, Some(&mut found), &threads);
            let fall_back = bad.is_some() && way == Way::SparseB;
            assert_eq!(packed.way, if fall_back { Way::InPlace } else { way }, "{m}x{n}x{k}");
            assert!(found == sums || bad.is_some(), "sums of the rows of {m}x{k}");
            let outer = Outer::new(sides, &panels, packed);
            for length in [m / 2 + 1, m, 2 * m + 3, 64 * m, m * n] {
                let mut out = vec![F::nan(); m * n];
                for (i, part) in out.chunks_mut(length).enumerate() {
                    outer.write(i * length..i * length + part.len(), part, &[]);
                }
                let same = |(a, b): (&F, &F)| a == b || a.is_nan() && b.is_nan();
                assert!(out.iter().zip(&whole).all(same), "{m}x{n}x{k} {way:?} by {length}");
            }
            assert_eq!(whole.iter().any(|v| v.is_nan()), bad.is_some());
        }
    }

    #[test]
    fn zeros_of_either_side_are_left_out() {
        if !best::<f32>().packs {
            return println!("skipped: no AVX2");
        }
        for shape in [(100, 130, 100), (70, 64, 1300), (64, 70, 32), (203, 101, 24)] {
            for way in [Way::SparseA, Way::SparseB] {
                check_sparse::<f32>(shape, way);
                check_sparse::<f64>(shape, way);
            }
        }
    }

    #[test]
    fn panels_of_others_give_other_numbers_and_no_harm() {
        let (m, n, k) = (64, 70, 130);
        let (a, b) = (numbers::<f32>(m, k, 1).map(|v| v.max(0.0)), numbers::<f32>(n, k, 2));
        let sides = (a.as_view(), b.as_view());
        let mut panels = vec![0.0; Outer::<f32>::room(m, k)];
        let packed = Outer::pack(sides, &mut panels, None, &Threads::one());
        panels.fill(f32::from_bits(u32::MAX)); // as places and counts the largest numbers
        let mut out = vec![0.0; m * n];
        Outer::new(sides, &panels, packed).write(0..m * n, &mut out, &[]);
        assert_eq!(out.iter().any(|v| v.is_nan()), best::<f32>().packs);
    }

    #[test]
    fn what_is_not_finite_is_noticed_on_the_way() {
        let mut a = numbers::<f32>(100, 400, 1);
        a[(99, 399)] = f32::NEG_INFINITY;
        let mut panels = vec![0.0; Outer::<f32>::room(100, 400)];
        if panels.is_empty() {
            return println!("skipped: no AVX2");
        }
        let sides = (a.as_view(), a.as_view());
        let packed = Outer::pack(sides, &mut panels, None, &Threads::new(2).unwrap());
        assert!(packed.largest.unwrap().is_nan());
    }

    #[test]
    fn no_columns_give_zeros() {
        let (a, b) = (Matrix::<f32>::zeros(2, 0), Matrix::zeros(3, 0));
        let mut out = [1.0; 6];
        Outer::new((a.as_view(), b.as_view()), &[], Packed::default()).write(0..6, &mut out, &[]);
        assert_eq!(out, [0.0; 6]);
    }

    #[test]
    #[should_panic(expected = "5..7 of 2x3")]
    fn a_range_behind_the_product_is_refused() {
        let (a, b) = (Matrix::<f32>::zeros(2, 1), Matrix::zeros(3, 1));
        Outer::new((a.as_view(), b.as_view()), &[], Packed::default()).write(
            5..7,
            &mut [0.0; 2],
            &[],
        );
    }
}
