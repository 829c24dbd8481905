//! Matrix products with either side transposed: the one module that calls the product kernel.
//!
//! A product is cut into tasks by the shape of its output alone, never by the number of threads,
//! and every task is computed by one thread from first to last: the bits are the same at any
//! number of threads.

#[cfg(test)]
use crate::Matrix;
use crate::{Scalar, Threads, View, ViewMut};

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
    fn shape(&self) -> (usize, usize) {
        match self {
            Self::Plain(m) => m.shape(),
            Self::Transposed(m) => (m.ncols(), m.nrows()),
        }
    }

    /// First element, distance between rows, distance between columns.
    fn layout(&self) -> (*const F, isize, isize) {
        match self {
            Self::Plain(m) => (m.as_ptr(), 1, m.strides().1 as isize),
            Self::Transposed(m) => (m.as_ptr(), m.strides().1 as isize, 1),
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
    run(a, b, out, false, threads);
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
    run(a, b, out, true, threads);
}

/// Multiplications below which a product is one task.
const SMALL: usize = 1 << 16;
/// Output columns or rows of one task: a multiple of every kernel's tile.
const STRIP: usize = 96;

struct Output<F>(*mut F);
// SAFETY: tasks write disjoint parts of the output, which `run` borrows mutably until all are done.
unsafe impl<F: Send> Sync for Output<F> {}

fn run<F: Scalar>(
    a: Factor<'_, F>,
    b: Factor<'_, F>,
    mut out: ViewMut<'_, F>,
    add: bool,
    threads: &Threads,
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
        return;
    }
    let ((pa, ra, ca), (pb, rb, cb)) = (a.layout(), b.layout());
    let stride = out.strides().1 as isize;
    let sides = Output(out.as_mut_ptr());
    let sides = &sides;
    let (a_at, b_at) = (Output(pa.cast_mut()), Output(pb.cast_mut()));
    let (a_at, b_at) = (&a_at, &b_at);
    let by_columns = n >= m;
    let length = if by_columns { n } else { m };
    let strip = if m * n * k <= SMALL { length } else { STRIP };
    threads.run(length.div_ceil(strip), &|task| {
        let start = task * strip;
        let count = strip.min(length - start);
        let (row, column, m, n) =
            if by_columns { (0, start, m, count) } else { (start, 0, count, n) };
        let (row, column) = (row as isize, column as isize);
        // SAFETY: the assertion above makes the shapes fit; rows `row..row + m` and columns
        // `column..column + n` lie inside the output, belong to this task alone, and the factors'
        // elements that they need lie inside the borrowed views.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                sides.0.offset(row + column * stride),
                stride,
                1,
                add,
                a_at.0.cast_const().offset(row * ra),
                ca,
                ra,
                b_at.0.cast_const().offset(column * cb),
                cb,
                rb,
                F::one(),
                F::one(),
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
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

    fn matrix(rows: usize, columns: usize, seed: usize) -> Matrix<f64> {
        Matrix::from_fn(rows, columns, |i, j| ((i * 31 + j * 17 + seed * 7) % 23) as f64 - 11.0)
    }

    proptest! {
        #[test]
        fn equals_the_plain_product(
            m in 0_usize..40, n in 0_usize..200, k in 0_usize..40,
            ta: bool, tb: bool, add: bool, threads in 1_usize..4,
        ) {
            let a = if ta { matrix(k, m, 1) } else { matrix(m, k, 1) };
            let b = if tb { matrix(n, k, 2) } else { matrix(k, n, 2) };
            let side = |m, t| if t { Factor::Transposed(m) } else { Factor::Plain(m) };
            let (fa, fb) = (side(a.as_view(), ta), side(b.as_view(), tb));
            let mut out = matrix(m, n, 3);
            // whole numbers: every order of addition gives the same sum
            let expected = if add { &out + plain(fa, fb) } else { plain(fa, fb) };
            let threads = Threads::new(threads).unwrap();
            if add {
                multiply_add(fa, fb, out.as_view_mut(), &threads);
            } else {
                multiply(fa, fb, out.as_view_mut(), &threads);
            }
            prop_assert_eq!(out, expected);
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
