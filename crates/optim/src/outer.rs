//! The gradient by the weights of a dense layer from one sample: an outer product, multiplied out
//! number by number where the rule uses it.

use crate::Float;
use crate::norm::squares;
use crate::rules::{Kernel, Visit};
use crate::simd::{Level, Work};
use crate::sweep::{Sweep, extent, part, update};

/// A part of a·bᵀ, whose numbers are counted column by column.
#[derive(Clone, Copy)]
pub(crate) struct Outer<'a, F> {
    pub(crate) a: &'a [F],
    pub(crate) b: &'a [F],
    /// Where the part begins, and how many numbers it has.
    pub(crate) first: usize,
    pub(crate) len: usize,
}

impl<'a, F: Float> Outer<'a, F> {
    /// The columns, or what of them is in the part: numbers of `a`, and what they are multiplied by.
    #[inline(always)]
    pub(crate) fn columns(self) -> impl Iterator<Item = (&'a [F], F)> {
        let Self { a, b, first, len } = self;
        let (mut row, mut left) = (first % a.len(), len);
        b[first / a.len()..].iter().map_while(move |&by| {
            let count = left.min(a.len() - row);
            let own = &a[row..row + count];
            (row, left) = (0, left - count);
            (count > 0).then_some((own, by))
        })
    }

    /// The sum of squares, which of whole columns is the product of the sums over `a` and `b`.
    pub(crate) fn squares(self, level: Level) -> f64 {
        let Self { a, b, first, len } = self;
        let (row, column) = (first % a.len(), first / a.len());
        let head = if row == 0 { 0 } else { len.min(a.len() - row) };
        let (whole, tail) = ((len - head) / a.len(), (len - head) % a.len());
        let (start, end) = (column + usize::from(head > 0), column + usize::from(head > 0) + whole);
        let of = |a: &[F], b: &[F]| match (a, b) {
            ([], _) | (_, []) => 0.0,
            _ => squares(level, a) * squares(level, b),
        };
        of(&a[row..row + head], &b[column..start])
            + of(a, &b[start..end])
            + of(&a[..tail], &b[end..end + usize::from(tail > 0)])
    }
}

/// The numbers of a chunk, swept by a kernel with an outer product for a gradient.
pub(crate) struct Multiplied<'a, 'b, F> {
    /// All but the gradient.
    pub(crate) sweep: Sweep<'a, F>,
    pub(crate) outer: Outer<'b, F>,
}

impl<F: Float> Visit<F> for Multiplied<'_, '_, F> {
    fn update<const N: usize>(self, kernel: impl Kernel<F, N>) {
        let level = self.sweep.level;
        // a column's factor is one more scale
        match self.sweep.common.extent() {
            extent::ALL => level.run(Columns::<_, _, N, { extent::ALL }> { numbers: self, kernel }),
            _ => level.run(Columns::<_, _, N, { extent::SCALED }> { numbers: self, kernel }),
        }
    }
}

/// A chunk, column by column: what a column is multiplied by is its factor.
struct Columns<'a, 'b, F, K, const N: usize, const EXTENT: u8> {
    numbers: Multiplied<'a, 'b, F>,
    kernel: K,
}

impl<F: Float, K: Kernel<F, N>, const N: usize, const EXTENT: u8> Work
    for Columns<'_, '_, F, K, N, EXTENT>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Multiplied { sweep, outer } = self.numbers;
        let Sweep { common, params, slots: [a, b, c, d], .. } = sweep;
        let mut start = 0;
        for (grads, by) in outer.columns() {
            let range = start..start + grads.len();
            update::<F, N, EXTENT>(
                &self.kernel,
                common.multiplied(by),
                &mut params[range.clone()],
                grads,
                part::<F, 0, N>(a, &range),
                part::<F, 1, N>(b, &range),
                part::<F, 2, N>(c, &range),
                part::<F, 3, N>(d, &range),
            );
            start = range.end;
        }
    }
}
