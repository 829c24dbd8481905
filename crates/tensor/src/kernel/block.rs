//! A block of a product: packing of the left side into panels, and tiles of the output in registers.

use super::ahead::{Ahead, Walk};
use super::lanes::Lanes;
use super::{COLUMNS, Side};

/// One block: `c (+)= a·b` with `m` × `k` times `k` × `n`, all of it done by one thread.
#[derive(Clone, Copy)]
pub(crate) struct Block<F> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: Side<F>,
    pub(crate) b: Side<F>,
    /// Distance between panels of [`COLUMNS`] columns of `b`.
    pub(crate) b_tile: usize,
    pub(crate) c: *mut F,
    /// Distance between columns of the output.
    pub(crate) c_step: usize,
    /// Add to what stands in the output instead of overwriting it.
    pub(crate) add: bool,
    /// Room for `m` (up to a multiple of a register) times `k` numbers on a cache line's border, or
    /// null to read `a` in place, which needs columns without gaps (`a.row == 1`).
    pub(crate) panels: *mut F,
    /// Whether the panels are full already, by [`pack`] with the same `m` and `k`.
    pub(crate) packed: bool,
}

/// Columns from which on the right side is taken for too large for a near cache.
const MANY: usize = 256;

/// Steps into the depth up to which a tile takes so little time that what stands around it counts.
const SHALLOW: usize = 64;

/// Steps into the depth from which on it pays to ask for the output that is added to beforehand.
const DEEP: usize = 128;

/// Computes a block.
///
/// # Safety
/// The pointers must be valid for the shapes, the output must not overlap anything else, and the
/// processor must have the instruction set of `L`.
#[inline(always)]
pub(super) unsafe fn block<L: Lanes>(x: &Block<L::Scalar>, ahead: Ahead) {
    // SAFETY: as the caller's; every offset stays inside the block's shape.
    unsafe {
        if x.n == 1 && x.a.column == 1 && x.b.row == 1 && x.a.row != 1 {
            return dots::<L>(x);
        }
        // one column leaves registers free for more rows, but panels are for whoever has their rows
        let tallest = if x.n == 1 && x.panels.is_null() { 8 } else { L::TILE.0 };
        let packs = !x.panels.is_null() && !x.packed;
        // whether the first tile of each panel fills it on its way
        let fills = packs && x.a.row == 1 && x.k >= L::FILLS && x.n >= L::TILE.1;
        if packs && !fills {
            pack::<L>(x, tallest);
        }
        let tall = heights::<L>(x.m, tallest).filter(|&height| height == L::TILE.0).count();
        // whether tiles that lie side by side are computed in one go
        let by_hand = !x.panels.is_null() || x.m <= L::WIDTH || x.m.is_multiple_of(L::WIDTH);
        let shallow = x.k <= SHALLOW && x.k >= L::FILLS && by_hand && !fills && ahead.is_nothing();
        // where no near cache holds the right side, the first tile of a panel of it asks for the next one
        let wide = x.n >= MANY && (x.b.row, x.b.column) == (COLUMNS, 1) && !shallow;
        let others = tall.saturating_sub(usize::from(wide));
        let mut ahead = ahead.spread((x.n / L::TILE.1 - usize::from(fills)) * others);
        let mut column = 0;
        while column < x.n {
            let columns = L::TILE.1.min(x.n - column);
            let tiles = if shallow { ((x.n - column) / L::TILE.1).max(1) } else { 1 };
            let mut row = 0;
            for height in heights::<L>(x.m, tallest) {
                let rows = (height * L::WIDTH).min(x.m - row);
                let panel = x.panels.wrapping_add(row * x.k);
                let (first, whole) = (fills && column == 0, rows == height * L::WIDTH);
                if first && !whole {
                    let a = x.a.after(row, 0);
                    pack::<L>(&Block { a, m: rows, panels: panel, ..*x }, tallest);
                }
                let fills = first && whole; // this tile
                let in_place = x.panels.is_null() || fills;
                let (a, a_step) = match in_place {
                    true => (x.a.at.add(row), x.a.column),
                    false => (panel.cast_const(), height * L::WIDTH),
                };
                let tile = Tile {
                    tiles,
                    b_next: x.b_tile,
                    fills: if fills { panel } else { std::ptr::null_mut() },
                    k: x.k,
                    a,
                    a_step,
                    b: x.b.at.add(column / COLUMNS * x.b_tile + column % COLUMNS * x.b.column),
                    b_row: x.b.row,
                    b_column: x.b.column,
                    c: x.c.add(row + column * x.c_step),
                    c_step: x.c_step,
                    add: x.add,
                    last: rows - (height - 1) * L::WIDTH,
                    padded: whole || !in_place,
                };
                if wide && row == 0 && column + COLUMNS < x.n {
                    let next = x.b.at.add((column / COLUMNS + 1) * x.b_tile);
                    let mut next = Ahead::new(next, 0, (COLUMNS * x.k, 1)).spread(1);
                    tile.run::<L>(height, columns, &mut next);
                } else {
                    tile.run::<L>(height, columns, &mut ahead);
                }
                row += rows;
            }
            column += columns * tiles;
        }
    }
}

/// The heights of the panels, in registers: as even as they come, the taller ones first.
#[inline(always)]
pub(super) fn heights<L: Lanes>(m: usize, tallest: usize) -> impl Iterator<Item = usize> {
    let registers = m.div_ceil(L::WIDTH);
    let (panels, height, taller) = if registers <= tallest {
        (1, registers, 0) // no division: small products are mostly what stands around them
    } else {
        let panels = registers.div_ceil(tallest);
        (panels, registers / panels, registers % panels)
    };
    (0..panels).map(move |i| height + usize::from(i < taller))
}

/// Copies the left side into panels: column after column of as many rows as a tile has, so that
/// the tiles read it from first to last; rows beyond the last are zero. Panels are of up to `tallest`
/// registers of rows.
///
/// # Safety
/// As [`block`]'s; the panels are not null.
#[inline(always)]
pub(super) unsafe fn pack<L: Lanes>(x: &Block<L::Scalar>, tallest: usize) {
    let (w, k) = (L::WIDTH, x.k);
    if x.a.row == 1 {
        // SAFETY: the caller's.
        return unsafe { pack_plain::<L>(x, tallest) };
    }
    let mut row = 0;
    // SAFETY: the panels have room; reads stay inside m × k.
    unsafe {
        for height in heights::<L>(x.m, tallest) {
            let panel = x.panels.add(row * k);
            let step = height * w;
            for register in 0..height {
                let first = row + register * w;
                let count = w.min(x.m - first);
                let to = panel.add(register * w);
                let from = x.a.at.add(first * x.a.row);
                let squares = if count == w && x.a.column == 1 { k / w * w } else { 0 };
                for p in (0..squares).step_by(w) {
                    L::transpose(from.add(p), x.a.row, to.add(p * step), step);
                }
                for p in squares..k {
                    for i in 0..count {
                        *to.add(p * step + i) = *from.add(i * x.a.row + p * x.a.column);
                    }
                    for i in count..w {
                        *to.add(p * step + i) = <L::Scalar as num_traits::Zero>::zero();
                    }
                }
            }
            row += step;
        }
    }
}

/// Columns between the one that is copied and the one that is asked for: they lie pages apart, where
/// the processor does not look ahead by itself.
pub(super) const AHEAD: usize = 16;

/// The same where the rows of a column follow each other: column by column.
#[inline(always)]
unsafe fn pack_plain<L: Lanes>(x: &Block<L::Scalar>, tallest: usize) {
    let w = L::WIDTH;
    // SAFETY: the panels have room; reads stay inside m × k.
    unsafe {
        for p in 0..x.k {
            let from = x.a.at.add(p * x.a.column);
            if p + AHEAD < x.k {
                crate::prefetch(std::slice::from_raw_parts(from.add(AHEAD * x.a.column), x.m));
            }
            let mut row = 0;
            for height in heights::<L>(x.m, tallest) {
                let to = x.panels.add(row * x.k + p * height * w);
                for register in 0..height {
                    let first = row + register * w;
                    let count = w.min(x.m - first);
                    L::store(to.add(register * w), L::load_first(from.add(first), count));
                }
                row += height * w;
            }
        }
    }
}

/// Copies so many rows and columns of the right side into panels of [`COLUMNS`] columns, one behind the
/// other: row after row.
///
/// # Safety
/// The side must have these rows and columns, and the panels room for them; the processor must have
/// the instruction set of `L`.
#[inline(always)]
pub(super) unsafe fn pack_columns<L: Lanes>(
    b: Side<L::Scalar>,
    k: usize,
    n: usize,
    to: *mut L::Scalar,
) {
    let w = L::WIDTH;
    let mut column = 0;
    // SAFETY: as the caller's; squares lie inside these rows and columns.
    unsafe {
        // columns whose rows follow each other: squares of a register's width, turned
        while b.row == 1 && column + w.max(COLUMNS) <= n {
            let mut square = [<L::Scalar as num_traits::Zero>::zero(); 256];
            for p in (0..k / w * w).step_by(w) {
                for part in (0..w.max(COLUMNS)).step_by(w) {
                    let from = b.at.add((column + part) * b.column + p);
                    if w <= COLUMNS {
                        let to = to.add(column * k + p * COLUMNS + part);
                        L::transpose(from, b.column, to, COLUMNS);
                        continue;
                    }
                    L::transpose(from, b.column, square.as_mut_ptr(), w);
                    for (i, row) in square.chunks_exact(w).take(w).enumerate() {
                        for (panel, row) in row.chunks_exact(COLUMNS).enumerate() {
                            let to = to.add((column + panel * COLUMNS) * k + (p + i) * COLUMNS);
                            std::ptr::copy_nonoverlapping(row.as_ptr(), to, COLUMNS);
                        }
                    }
                }
            }
            for panel in (column..column + w.max(COLUMNS)).step_by(COLUMNS) {
                let rest = k / w * w;
                let (from, to) = (b.after(rest, panel), to.add(panel * k + rest * COLUMNS));
                pack_panel(from, k - rest, COLUMNS, to);
            }
            column += w.max(COLUMNS);
        }
        while column < n {
            pack_panel(b.after(0, column), k, COLUMNS.min(n - column), to.add(column * k));
            column += COLUMNS;
        }
    }
}

/// Copies so many rows and columns into one panel.
#[inline(always)]
unsafe fn pack_panel<F: Copy>(b: Side<F>, k: usize, count: usize, to: *mut F) {
    for p in 0..k {
        // SAFETY: as the caller's.
        unsafe {
            let (from, to) = (b.at.add(p * b.row), to.add(p * COLUMNS));
            if count == COLUMNS && b.column == 1 {
                std::ptr::copy_nonoverlapping(from, to, COLUMNS);
            } else {
                for j in 0..count {
                    *to.add(j) = *from.add(j * b.column);
                }
            }
        }
    }
}

/// One tile of the output, summed in registers, or several side by side.
pub(super) struct Tile<F> {
    /// How many there are: one, unless they are computed [`by_hand`](Lanes::by_hand).
    pub(super) tiles: usize,
    /// Numbers from the right side of one to the next.
    pub(super) b_next: usize,
    pub(super) k: usize,
    pub(super) a: *const F,
    pub(super) a_step: usize,
    pub(super) b: *const F,
    pub(super) b_row: usize,
    pub(super) b_column: usize,
    pub(super) c: *mut F,
    pub(super) c_step: usize,
    pub(super) add: bool,
    /// Rows in the last register.
    pub(super) last: usize,
    /// Whether all of it can be read on the left side: in a panel, zeros follow the last row.
    pub(super) padded: bool,
    /// The panel that is filled with the left side on the way, or null.
    pub(super) fills: *mut F,
}

impl<F: crate::Scalar> Tile<F> {
    #[inline(always)]
    unsafe fn run<L: Lanes<Scalar = F>>(&self, height: usize, columns: usize, ahead: &mut Ahead) {
        // SAFETY: as the caller's.
        unsafe {
            match (height, columns) {
                (1, 1) => self.sum::<L, 1, 1>(ahead),
                (1, 2) => self.sum::<L, 1, 2>(ahead),
                (1, 3) => self.sum::<L, 1, 3>(ahead),
                (1, 4) => self.sum::<L, 1, 4>(ahead),
                (1, 5) => self.sum::<L, 1, 5>(ahead),
                (1, 6) => self.sum::<L, 1, 6>(ahead),
                (1, 7) => self.sum::<L, 1, 7>(ahead),
                (1, 8) => self.sum::<L, 1, 8>(ahead),
                (2, 1) => self.sum::<L, 2, 1>(ahead),
                (2, 2) => self.sum::<L, 2, 2>(ahead),
                (2, 3) => self.sum::<L, 2, 3>(ahead),
                (2, 4) => self.sum::<L, 2, 4>(ahead),
                (2, 5) => self.sum::<L, 2, 5>(ahead),
                (2, 6) => self.sum::<L, 2, 6>(ahead),
                (2, 7) => self.sum::<L, 2, 7>(ahead),
                (2, 8) => self.sum::<L, 2, 8>(ahead),
                (3, 1) => self.sum::<L, 3, 1>(ahead),
                (3, 2) => self.sum::<L, 3, 2>(ahead),
                (3, 3) => self.sum::<L, 3, 3>(ahead),
                (3, 4) => self.sum::<L, 3, 4>(ahead),
                (3, 5) => self.sum::<L, 3, 5>(ahead),
                (3, 6) => self.sum::<L, 3, 6>(ahead),
                (3, 7) => self.sum::<L, 3, 7>(ahead),
                (3, 8) => self.sum::<L, 3, 8>(ahead),
                (4, 1) => self.sum::<L, 4, 1>(ahead),
                (5, 1) => self.sum::<L, 5, 1>(ahead),
                (6, 1) => self.sum::<L, 6, 1>(ahead),
                (7, 1) => self.sum::<L, 7, 1>(ahead),
                (8, 1) => self.sum::<L, 8, 1>(ahead),
                _ => unreachable!("no tile of {height} registers by {columns} columns"),
            }
        }
    }

    /// Every element is one chain of fused multiply-adds over k, so its bits do not depend on the
    /// tile that it falls into.
    #[inline(always)]
    unsafe fn sum<L: Lanes<Scalar = F>, const HEIGHT: usize, const COLUMNS: usize>(
        &self,
        ahead: &mut Ahead,
    ) {
        // SAFETY: as the caller's: `HEIGHT` registers by `COLUMNS` columns lie inside the block.
        unsafe {
            if self.add && self.k >= DEEP {
                // long before it is needed, and from far away
                let rows = (HEIGHT - 1) * L::WIDTH + self.last;
                for j in 0..COLUMNS {
                    let to = self.c.add(j * self.c_step).cast_const();
                    crate::prefetch(std::slice::from_raw_parts(to, rows));
                }
            }
            // the largest tile only: it takes the time, and the loops of the others stay short
            let asks = (HEIGHT, COLUMNS) == L::TILE;
            let mut nothing = Ahead::nothing();
            let ahead = if asks { ahead } else { &mut nothing };
            debug_assert!(self.fills.is_null() || COLUMNS == L::TILE.1 && self.last == L::WIDTH);
            let by_hand =
                HEIGHT <= L::TILE.0 && COLUMNS == L::TILE.1 && (self.padded || HEIGHT == 1);
            if by_hand && L::by_hand(self, HEIGHT, ahead) {
                return;
            }
            debug_assert_eq!(self.tiles, 1);
            let zero = L::splat(<L::Scalar as num_traits::Zero>::zero());
            let mut sums = [[zero; HEIGHT]; COLUMNS];
            let (mut a, mut b) = (self.a, self.b);
            let goes = if asks { ahead.goes() } else { 0 };
            for go in 0..goes {
                let count = self.k * (go + 1) / goes - self.k * go / goes;
                let walk = ahead.next(count);
                self.steps::<L, HEIGHT, COLUMNS>(count, Some(walk), (&mut a, &mut b, &mut sums));
            }
            if goes == 0 {
                self.steps::<L, HEIGHT, COLUMNS>(self.k, None, (&mut a, &mut b, &mut sums));
            }
            for (j, column) in sums.iter().enumerate() {
                let to = self.c.add(j * self.c_step);
                for (i, &sum) in column.iter().enumerate() {
                    let to = to.add(i * L::WIDTH);
                    let count = if i == HEIGHT - 1 { self.last } else { L::WIDTH };
                    let sum = if self.add { L::add(L::load_first(to, count), sum) } else { sum };
                    L::store_first(to, sum, count);
                }
            }
        }
    }

    /// So many steps further into the depth, and along the walk.
    #[inline(always)]
    unsafe fn steps<L: Lanes<Scalar = F>, const HEIGHT: usize, const COLUMNS: usize>(
        &self,
        count: usize,
        walk: Option<Walk>,
        at: (&mut *const F, &mut *const F, &mut [[L::Vector; HEIGHT]; COLUMNS]),
    ) {
        // SAFETY: as the caller's.
        unsafe {
            // with distances that are known, the loop is loads and multiply-adds alone
            if COLUMNS == L::TILE.1
                && (self.b_row, self.b_column) == (super::COLUMNS, 1)
                && self.padded
            {
                self.steps_of::<L, HEIGHT, COLUMNS, true>(count, walk, at)
            } else {
                self.steps_of::<L, HEIGHT, COLUMNS, false>(count, walk, at)
            }
        }
    }

    /// The same; in a `PANEL` the right side's rows follow each other, and all rows of the left one
    /// can be read.
    #[inline(always)]
    unsafe fn steps_of<
        L: Lanes<Scalar = F>,
        const HEIGHT: usize,
        const COLUMNS: usize,
        const PANEL: bool,
    >(
        &self,
        count: usize,
        mut walk: Option<Walk>,
        (a, b, sums): (&mut *const F, &mut *const F, &mut [[L::Vector; HEIGHT]; COLUMNS]),
    ) {
        let distances = if PANEL { (super::COLUMNS, 1) } else { (self.b_row, self.b_column) };
        let (b_row, b_column) = distances;
        for _ in 0..count {
            if let Some(walk) = &mut walk {
                walk.step();
            }
            // SAFETY: as the caller's.
            unsafe {
                let mut rows = [L::splat(<F as num_traits::Zero>::zero()); HEIGHT];
                for (i, row) in rows.iter_mut().enumerate().take(HEIGHT - 1) {
                    *row = L::load(a.add(i * L::WIDTH));
                }
                let end = a.add((HEIGHT - 1) * L::WIDTH);
                rows[HEIGHT - 1] = if PANEL { L::load(end) } else { L::load_first(end, self.last) };
                for (j, column) in sums.iter_mut().enumerate() {
                    let factor = L::splat(*b.add(j * b_column));
                    for (sum, row) in column.iter_mut().zip(rows) {
                        *sum = L::fma(row, factor, *sum);
                    }
                }
                (*a, *b) = (a.add(self.a_step), b.add(b_row));
            }
        }
    }
}

/// A transposed matrix times one column: a dot product for each column of the matrix, four at a
/// time, each over `WIDTH` interleaved sums that are added in order at the end.
#[inline(always)]
unsafe fn dots<L: Lanes>(x: &Block<L::Scalar>) {
    const ROWS: usize = 4;
    let w = L::WIDTH;
    for first in (0..x.m).step_by(ROWS) {
        let count = ROWS.min(x.m - first);
        // SAFETY: rows `first..first + count` and all of k lie inside the block; the rows beyond
        // are the last one again.
        unsafe {
            let rows: [_; ROWS] =
                std::array::from_fn(|i| x.a.at.add((first + i.min(count - 1)) * x.a.row));
            let mut sums = [L::splat(<L::Scalar as num_traits::Zero>::zero()); ROWS];
            for p in (0..x.k).step_by(w) {
                let lanes = w.min(x.k - p);
                let b = L::load_first(x.b.at.add(p), lanes);
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum = L::fma(L::load_first(row.add(p), lanes), b, *sum);
                }
            }
            for (i, &sum) in sums.iter().enumerate().take(count) {
                let mut lanes = [<L::Scalar as num_traits::Zero>::zero(); 16];
                L::store(lanes.as_mut_ptr(), sum);
                let total = lanes[..w].iter().copied().sum();
                let to = x.c.add(first + i);
                *to = if x.add { *to + total } else { total };
            }
        }
    }
}
