//! Matrices and views: nalgebra's, under the short names that all of slalom uses.

use crate::Scalar;

/// An owned column-major matrix, *features × samples*.
pub type Matrix<F> = nalgebra::DMatrix<F>;

/// A borrowed matrix whose columns are contiguous.
pub type View<'a, F> = nalgebra::DMatrixView<'a, F>;

/// A mutably borrowed matrix whose columns are contiguous.
pub type ViewMut<'a, F> = nalgebra::DMatrixViewMut<'a, F>;

/// A matrix from rows, one row a sample: the result is *features × samples*, with no number moved
/// out of its row.
///
/// ```
/// let x = slalom_tensor::from_rows(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(x.shape(), (3, 2));
/// assert_eq!(x.column(1).as_slice(), [4.0, 5.0, 6.0]);
/// ```
///
/// # Panics
/// If the rows differ in length.
pub fn from_rows<F: Scalar, R: AsRef<[F]>>(rows: &[R]) -> Matrix<F> {
    let features = rows.first().map_or(0, |row| row.as_ref().len());
    let mut numbers = Vec::with_capacity(features * rows.len());
    for (i, row) in rows.iter().enumerate() {
        let row = row.as_ref();
        assert_eq!(row.len(), features, "row {i} has {} values, row 0 has {features}", row.len());
        numbers.extend_from_slice(row);
    }
    Matrix::from_vec(features, rows.len(), numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rows_make_an_empty_matrix() {
        assert_eq!(from_rows::<f64, [f64; 2]>(&[]).shape(), (0, 0));
    }

    #[test]
    #[should_panic(expected = "row 1 has 1 values, row 0 has 2")]
    fn ragged_rows_are_named() {
        from_rows(&[vec![1.0, 2.0], vec![3.0]]);
    }
}
