//! Going over the columns of a matrix, alone or on several threads.
//!
//! Ranges of columns are cut by the size of the matrix alone, and what comes from them is handed
//! back in order, so the number of threads changes no bit of a result.

use crate::PreprocessError;
use slalom_tensor::{Matrix, Scalar, Threads, View, ViewMut};
use std::sync::{Mutex, PoisonError};

/// Numbers that one task goes over: enough to make its start cheap, few enough to share them out.
const NUMBERS_A_TASK: usize = 1 << 16;

/// Checks that a matrix has as many rows as there were features in the fit.
pub(crate) fn check_features(expected: usize, found: usize) -> Result<(), PreprocessError> {
    if expected == found {
        Ok(())
    } else {
        Err(PreprocessError::Count { what: "features (rows of the matrix)", expected, found })
    }
}

/// Checks that there is at least one sample to fit on.
pub(crate) fn check_samples<F: Scalar>(x: View<'_, F>) -> Result<(), PreprocessError> {
    match x.ncols() {
        0 => Err(PreprocessError::TooFew { what: "a fit", needed: 1, found: 0 }),
        _ => Ok(()),
    }
}

/// The first infinite number, as an error.
pub(crate) fn refuse_infinite<F: Scalar>(x: View<'_, F>) -> Result<(), PreprocessError> {
    for (sample, column) in x.column_iter().enumerate() {
        if let Some(feature) = column.as_slice().iter().position(|v| v.is_infinite()) {
            let value = column[feature].wide();
            return Err(PreprocessError::NotFinite { sample, feature, value });
        }
    }
    Ok(())
}

/// How many columns one task takes.
pub(crate) fn columns_a_task(rows: usize) -> usize {
    (NUMBERS_A_TASK / rows.max(1)).max(1)
}

/// Runs `work(task)` for every task and gives the results in the order of the tasks.
pub(crate) fn in_order<T: Send>(
    tasks: usize,
    threads: &Threads,
    work: &(dyn Fn(usize) -> T + Sync),
) -> Vec<T> {
    let done: Vec<Mutex<Option<T>>> = (0..tasks).map(|_| Mutex::new(None)).collect();
    threads.run(tasks, &|task| {
        *done[task].lock().unwrap_or_else(PoisonError::into_inner) = Some(work(task));
    });
    let results = done.into_iter().filter_map(|slot| slot.into_inner().ok().flatten());
    results.collect()
}

/// Calls `work` with each range of columns and gives the results in order.
pub(crate) fn by_columns<F: Scalar, T: Send>(
    x: View<'_, F>,
    threads: &Threads,
    work: &(dyn Fn(View<'_, F>) -> T + Sync),
) -> Vec<T> {
    let width = columns_a_task(x.nrows());
    in_order(x.ncols().div_ceil(width), threads, &|task| {
        let start = task * width;
        work(x.columns(start, width.min(x.ncols() - start)))
    })
}

/// Calls `work` with every column, to be changed in place.
pub(crate) fn each_column<F: Scalar>(
    x: ViewMut<'_, F>,
    threads: &Threads,
    work: &(dyn Fn(&mut [F]) + Sync),
) {
    let width = columns_a_task(x.nrows());
    threads.columns(x, width, &|_, mut part| {
        part.column_iter_mut().for_each(|mut column| work(column.as_mut_slice()));
    });
}

/// A matrix of zeros whose memory the system clears when it is first touched.
pub(crate) fn zeros<F: Scalar>(rows: usize, columns: usize) -> Matrix<F> {
    Matrix::from_vec(rows, columns, vec![F::zero(); rows * columns])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_visited_once_whatever_the_threads() {
        for (rows, columns) in [(1, 1), (3, 70_001), (70_000, 3), (5, 0)] {
            for threads in [Threads::one(), Threads::new(3).unwrap()] {
                let mut x = Matrix::<f32>::zeros(rows, columns);
                each_column(x.as_view_mut(), &threads, &|column| {
                    column.iter_mut().for_each(|v| *v += 1.0);
                });
                assert!(x.iter().all(|&v| v == 1.0), "{rows} x {columns}");
                let counts = by_columns(x.as_view(), &threads, &|part| part.ncols());
                assert_eq!(counts.iter().sum::<usize>(), columns);
            }
        }
    }

    #[test]
    fn tasks_are_cut_by_numbers() {
        assert_eq!([0, 1, 64, 1 << 20].map(columns_a_task), [1 << 16, 1 << 16, 1 << 10, 1]);
    }
}
