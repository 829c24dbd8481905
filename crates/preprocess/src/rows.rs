//! Going over the rows of a matrix, each gathered into one slice without its missing values.

use crate::PreprocessError;
use crate::columns::{check_samples, in_order, refuse_infinite};
use slalom_tensor::{Scalar, Threads, View};
use std::sync::{Mutex, PoisonError};

/// Rows gathered in one pass over the matrix, as they share its cache lines.
const TOGETHER: usize = 4;

/// Samples whose columns stay in the cache while their rows are gathered.
const BLOCK: usize = 256;

/// Calls `work` with the values of each row that are not missing and gives the results in order.
///
/// # Errors
/// No samples, an infinite number, or a row without any value.
pub(crate) fn each_row<F: Scalar, T: Send>(
    x: View<'_, F>,
    threads: &Threads,
    work: &(dyn Fn(&mut [F]) -> T + Sync),
) -> Result<Vec<T>, PreprocessError> {
    each_row_or(x, threads, &|| None, work)
}

/// As [`each_row`], with what stands for a row without any value, if it is no error.
pub(crate) fn each_row_or<F: Scalar, T: Send>(
    x: View<'_, F>,
    threads: &Threads,
    empty: &(dyn Fn() -> Option<T> + Sync),
    work: &(dyn Fn(&mut [F]) -> T + Sync),
) -> Result<Vec<T>, PreprocessError> {
    check_samples(x)?;
    let one = |row: &mut Vec<F>| match keep_finite(row) {
        false => None,
        true if row.is_empty() => empty(),
        true => Some(work(row)),
    };
    // several rows a task, unless few tasks would be left
    let together = (x.nrows() / 4).clamp(1, TOGETHER);
    let rooms: Mutex<Vec<Vec<Vec<F>>>> = Mutex::default();
    let free = || rooms.lock().unwrap_or_else(PoisonError::into_inner);
    let results = in_order(x.nrows().div_ceil(together), threads, &|task| {
        let first = task * together;
        let mut rows = free().pop().unwrap_or_default();
        gather(x.rows(first, together.min(x.nrows() - first)), &mut rows);
        let results: Vec<Option<T>> = rows.iter_mut().map(one).collect();
        free().push(rows);
        results
    });
    let results: Vec<Option<T>> = results.into_iter().flatten().collect();
    match results.iter().position(Option::is_none) {
        None => Ok(results.into_iter().flatten().collect()),
        Some(feature) => {
            refuse_infinite(x)?;
            Err(PreprocessError::AllMissing { feature })
        }
    }
}

/// The rows of `x`, one after the other, in rooms that may have been used before.
fn gather<F: Scalar>(x: View<'_, F>, rows: &mut Vec<Vec<F>>) {
    rows.resize_with(x.nrows(), Vec::new);
    for row in &mut *rows {
        row.clear();
        row.reserve_exact(x.ncols());
    }
    for start in (0..x.ncols()).step_by(BLOCK) {
        let block = x.columns(start, BLOCK.min(x.ncols() - start));
        for (i, row) in rows.iter_mut().enumerate() {
            row.extend(block.column_iter().map(|column| column.as_slice()[i]));
        }
    }
}

/// Takes NaN out; whether no infinite number is left.
fn keep_finite<F: Scalar>(row: &mut Vec<F>) -> bool {
    let finite = row.iter().filter(|v| v.is_finite()).count();
    if finite < row.len() {
        row.retain(|v| !v.is_nan());
    }
    finite == row.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::Matrix;

    #[test]
    fn every_row_is_gathered_without_its_gaps() {
        let threads = [Threads::one(), Threads::new(3).unwrap()];
        for (rows, columns) in [(1, 1), (3, BLOCK), (9, BLOCK + 1), (17, 3 * BLOCK - 1)] {
            let x = Matrix::from_fn(rows, columns, |i, j| match (i + j) % 7 {
                1 => f32::NAN,
                _ => (i * columns + j) as f32,
            });
            let plain = |i: usize| x.row(i).iter().copied().filter(|v| !v.is_nan()).collect();
            let plain: Vec<Vec<f32>> = (0..rows).map(plain).collect();
            for threads in &threads {
                let found = each_row(x.as_view(), threads, &|row| row.to_vec()).unwrap();
                assert_eq!(found, plain, "{rows} x {columns}");
            }
        }
    }

    #[test]
    fn rows_that_hold_nothing_and_infinite_numbers_are_named() {
        let mut x = Matrix::from_element(9, 3, 1.0);
        let fit = |x: &Matrix<f64>| each_row(x.as_view(), &Threads::one(), &|row| row.len());
        assert_eq!(fit(&x).unwrap(), [3; 9]);
        x.row_mut(5).fill(f64::NAN);
        assert!(matches!(fit(&x), Err(PreprocessError::AllMissing { feature: 5 })));
        let filled = each_row_or(x.as_view(), &Threads::one(), &|| Some(7), &|row| row.len());
        assert_eq!(filled.unwrap(), [3, 3, 3, 3, 3, 7, 3, 3, 3]);
        x[(7, 2)] = f64::NEG_INFINITY;
        let error = fit(&x);
        assert!(matches!(error, Err(PreprocessError::NotFinite { sample: 2, feature: 7, .. })));
    }
}
