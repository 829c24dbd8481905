//! The rows of a column-major block of weights, *units × inputs*: what comes into each unit.
//!
//! A row is strided in memory, so up to [`BLOCK`] rows are taken side by side: every inner loop runs
//! over a contiguous piece of a column, and the sums stay on the stack.

use std::ops::Range;

use crate::float::{Float, of, wide};

/// Rows taken side by side.
const BLOCK: usize = 64;

/// The rows `0..units` in blocks.
///
/// # Panics
/// If `length` numbers are not whole columns of `units`.
pub(crate) fn blocks(units: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    assert!(
        units > 0 && length.is_multiple_of(units),
        "{length} weights are not whole columns of {units} units"
    );
    (0..units).step_by(BLOCK).map(move |start| start..units.min(start + BLOCK))
}

/// The Euclidean norm of each of the rows; what lies past them is 0.
pub(crate) fn norms<F: Float>(units: usize, rows: Range<usize>, weights: &[F]) -> [f64; BLOCK] {
    let mut norms = [0.0; BLOCK];
    for column in weights.chunks_exact(units) {
        for (sum, &w) in norms.iter_mut().zip(&column[rows.clone()]) {
            *sum += wide(w) * wide(w);
        }
    }
    norms.map(f64::sqrt)
}

/// Multiplies each row by `factor(its norm)`.
///
/// # Panics
/// If the weights are not whole columns of `units` numbers.
pub(crate) fn scale<F: Float>(units: usize, weights: &mut [F], factor: impl Fn(f64) -> f64) {
    for rows in blocks(units, weights.len()) {
        let factors = norms(units, rows.clone(), weights).map(|norm| of::<F>(factor(norm)));
        for column in weights.chunks_exact_mut(units) {
            for (w, &f) in column[rows.clone()].iter_mut().zip(&factors) {
                *w *= f;
            }
        }
    }
}
