//! Sums over rows and columns, with f64 accumulators whatever the scalar, always in index order.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Scalar, Threads, View, ViewMut, vectorize};

/// Adds `bias[i]` to row i of every column: the `+ b` of `W·x + b`.
///
/// # Panics
/// If the bias is not as long as a column.
pub fn add_bias<F: Scalar>(mut x: ViewMut<'_, F>, bias: &[F]) {
    assert_eq!(bias.len(), x.nrows(), "bias of {} for {} rows", bias.len(), x.nrows());
    for mut column in x.column_iter_mut() {
        for (value, &b) in column.as_mut_slice().iter_mut().zip(bias) {
            *value += b;
        }
    }
}

/// The sum of each row over all columns, written to `sums`: a bias's gradient from `dY`.
///
/// ```
/// use slalom_tensor::{Matrix, Threads, row_sums};
/// let (x, mut sums) = (Matrix::from_row_slice(2, 2, &[1.0, 2.0, 3.0, 4.0]), [0.0; 2]);
/// row_sums(x.as_view(), &mut sums, &Threads::one());
/// assert_eq!(sums, [3.0, 7.0]);
/// ```
///
/// # Panics
/// If `sums` is not as long as a column.
pub fn row_sums<F: Scalar>(x: View<'_, F>, sums: &mut [F], threads: &Threads) {
    const TASKS: usize = 4;
    const SHARED: usize = 1 << 13;
    assert_eq!(sums.len(), x.nrows(), "{} sums for {} rows", sums.len(), x.nrows());
    let tasks = (x.len() / SHARED).clamp(1, TASKS);
    let rows = x.nrows().div_ceil(tasks).next_multiple_of(STRIP).max(STRIP);
    threads.pieces(sums, rows, &|first, sums| {
        for (i, sums) in sums.chunks_mut(STRIP).enumerate() {
            let mut strip = RowSums::default();
            strip.add(x.rows(first + i * STRIP, sums.len()));
            strip.write(sums);
        }
    });
}

/// Rows that are summed together.
pub(crate) const STRIP: usize = 64;

/// Sums of up to [`STRIP`] rows, to which columns are added: the accumulators of a strip need no memory
/// of their own.
pub(crate) struct RowSums([f64; STRIP]);

impl Default for RowSums {
    fn default() -> Self {
        Self([0.0; STRIP])
    }
}

impl RowSums {
    /// Adds these columns, in order.
    pub(crate) fn add<F: Scalar>(&mut self, x: View<'_, F>) {
        vectorize(
            #[inline(always)]
            || {
                // so many rows that their sums stay in registers, and fewer and fewer of those that are left
                let mut rest = &mut self.0[..x.nrows()];
                while !rest.is_empty() {
                    let first = x.nrows() - rest.len();
                    rest = match rest.len() {
                        48.. => add_rows::<F, 48>(x, first, rest),
                        16.. => add_rows::<F, 16>(x, first, rest),
                        8.. => add_rows::<F, 8>(x, first, rest),
                        4.. => add_rows::<F, 4>(x, first, rest),
                        2.. => add_rows::<F, 2>(x, first, rest),
                        _ => add_rows::<F, 1>(x, first, rest),
                    }
                }
            },
        );
    }

    /// Writes the first sums.
    pub(crate) fn write<F: Scalar>(&self, sums: &mut [F]) {
        sums.iter_mut().zip(self.0).for_each(|(sum, wide)| *sum = F::of(wide));
    }
}

/// Adds all columns to the sums of `N` rows, and gives the sums that follow.
#[inline(always)]
fn add_rows<'s, F: Scalar, const N: usize>(
    x: View<'_, F>,
    first: usize,
    sums: &'s mut [f64],
) -> &'s mut [f64] {
    let (to, rest) = sums.split_first_chunk_mut::<N>().expect("so many rows");
    let mut sums = *to;
    for column in x.column_iter() {
        let values = column.as_slice()[first..].first_chunk::<N>().expect("so many rows");
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.wide());
    }
    *to = sums;
    rest
}

/// The sum of each column, in order.
pub fn column_sums<F: Scalar>(x: View<'_, F>) -> Vec<f64> {
    x.column_iter().map(|column| column.iter().map(|v| v.wide()).sum()).collect()
}

/// The mean of each row over all columns.
///
/// # Panics
/// If there are no columns, or `means` is not as long as one.
pub fn row_means<F: Scalar>(x: View<'_, F>, means: &mut [f64]) {
    assert!(x.ncols() > 0, "no columns to take a mean of");
    assert_eq!(means.len(), x.nrows(), "{} means for {} rows", means.len(), x.nrows());
    means.fill(0.0);
    for column in x.column_iter() {
        means.iter_mut().zip(column.as_slice()).for_each(|(sum, value)| *sum += value.wide());
    }
    let n = x.ncols() as f64;
    means.iter_mut().for_each(|mean| *mean /= n);
}

/// The population variance (divided by n) of each row around the given means, by the two-pass form
/// with the correction term of Chan, Golub and LeVeque 1983, eq. 1.7.
///
/// # Panics
/// If there are no columns, or a slice is not as long as one.
pub fn row_variances<F: Scalar>(x: View<'_, F>, means: &[f64], variances: &mut [f64]) {
    let n = x.ncols();
    assert!(n > 0, "no columns to take a variance of");
    assert_eq!((means.len(), variances.len()), (x.nrows(), x.nrows()), "means and variances");
    variances.fill(0.0);
    let mut slips = vec![0.0; means.len()];
    for column in x.column_iter() {
        let deviations = column.as_slice().iter().zip(means).map(|(&v, mean)| v.wide() - mean);
        for ((variance, slip), d) in variances.iter_mut().zip(&mut slips).zip(deviations) {
            *variance += d * d;
            *slip += d;
        }
    }
    let n = n as f64;
    for (variance, slip) in variances.iter_mut().zip(slips) {
        *variance = (*variance - slip * slip / n).max(0.0) / n;
    }
}

/// The mean of the numbers, 0 of none.
pub fn mean(numbers: &[f64]) -> f64 {
    if numbers.is_empty() { 0.0 } else { numbers.iter().sum::<f64>() / numbers.len() as f64 }
}

/// The sum of the squares, accumulated in f64 so that large f32 values do not overflow: as sixteen
/// interleaved sums, which are added in order at the end.
pub fn squared_norm<F: Scalar>(numbers: &[F]) -> f64 {
    vectorize(
        #[inline(always)]
        || {
            let mut sums = [0.0; 16];
            let groups = numbers.chunks_exact(sums.len());
            let rest = groups.remainder();
            for group in groups {
                sums.iter_mut().zip(group).for_each(|(sum, v)| *sum += v.wide() * v.wide());
            }
            sums.iter_mut().zip(rest).for_each(|(sum, v)| *sum += v.wide() * v.wide());
            sums.iter().sum()
        },
    )
}

/// The largest magnitude among the numbers: 0 of none, NaN where one of them is not finite.
///
/// ```
/// use slalom_tensor::{Matrix, Threads, largest};
/// let x = Matrix::from_row_slice(1, 3, &[1.0, -3.0, 2.0]);
/// assert_eq!(largest(x.as_view(), &Threads::one()), 3.0);
/// let x = Matrix::from_row_slice(1, 2, &[1.0, f32::INFINITY]);
/// assert!(largest(x.as_view(), &Threads::one()).is_nan());
/// ```
pub fn largest<F: Scalar>(x: View<'_, F>, threads: &Threads) -> f64 {
    const TASKS: usize = 8;
    const SHARED: usize = 1 << 14;
    let tasks = if x.len() < SHARED { 1 } else { TASKS };
    let found = Largest::default();
    threads.run(tasks, &|task| {
        let (first, end) = (task * x.ncols() / tasks, (task + 1) * x.ncols() / tasks);
        found.look(x.columns(first, end - first));
    });
    found.get()
}

/// The [`largest`] magnitude of what several threads look at part by part, for those who have the numbers
/// in a near cache for something else.
///
/// ```
/// use slalom_tensor::{Largest, View};
/// let found = Largest::default();
/// found.look(View::from_slice(&[1.0, -3.0], 2, 1));
/// found.look(View::from_slice(&[2.0], 1, 1));
/// assert_eq!(found.get(), 3.0);
/// ```
#[derive(Debug, Default)]
pub struct Largest(AtomicU64);

impl Largest {
    /// Looks at these numbers.
    pub fn look<F: Scalar>(&self, x: View<'_, F>) {
        // numbers from 0 on have the order of their bits, and NaN is above them
        self.0.fetch_max(largest_of(x).to_bits(), Ordering::Relaxed);
    }

    /// The largest magnitude so far: 0 of nothing, NaN where a number was not finite.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

fn largest_of<F: Scalar>(x: View<'_, F>) -> f64 {
    const LANES: usize = 64;
    vectorize(
        #[inline(always)]
        || {
            let (mut largest, mut bad) = ([F::zero(); LANES], [F::zero(); LANES]);
            // of whole groups alone, so that what was found stays in registers
            let mut look = |group: &[F; LANES]| {
                for ((largest, bad), &v) in largest.iter_mut().zip(&mut bad).zip(group) {
                    *largest = if v.abs() > *largest { v.abs() } else { *largest };
                    *bad += v * F::zero(); // NaN of what is not finite
                }
            };
            for column in x.column_iter() {
                let (groups, rest) = column.as_slice().as_chunks();
                groups.iter().for_each(&mut look);
                if !rest.is_empty() {
                    let mut last = [F::zero(); LANES];
                    last[..rest.len()].copy_from_slice(rest);
                    look(&last);
                }
            }
            let largest = largest.into_iter().fold(F::zero(), F::max);
            (largest + bad.into_iter().sum()).wide()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn sums_and_bias_by_hand() {
        let mut x = Matrix::from_row_slice(2, 3, &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut sums = [0.0_f32; 2];
        row_sums(x.as_view(), &mut sums, &Threads::one());
        assert_eq!(sums, [6.0, 15.0]);
        assert_eq!(column_sums(x.as_view()), [5.0, 7.0, 9.0]);
        add_bias(x.as_view_mut(), &[10.0, -1.0]);
        assert_eq!(x, Matrix::from_row_slice(2, 3, &[11.0, 12.0, 13.0, 3.0, 4.0, 5.0]));
    }

    #[test]
    fn variance_survives_a_large_mean() {
        let x = Matrix::from_fn(1, 1000, |_, j| 1e7_f32 + (j % 2) as f32);
        let (mut means, mut variances) = ([0.0], [0.0]);
        row_means(x.as_view(), &mut means);
        row_variances(x.as_view(), &means, &mut variances);
        assert_eq!((means[0], variances[0]), (1e7 + 0.5, 0.25));
    }

    #[test]
    fn every_row_of_a_tall_matrix_is_summed() {
        for rows in [0, 3, 2 * STRIP + 1, 2 * STRIP + 63, 1 << 13] {
            let x = Matrix::from_fn(rows, 3, |i, j| (i * 3 + j) as f64);
            let mut sums = vec![0.0; rows];
            row_sums(x.as_view(), &mut sums, &Threads::new(2).unwrap());
            assert!((0..rows).all(|i| sums[i] == (9 * i + 3) as f64), "{sums:?}");
        }
    }

    #[test]
    fn a_variance_is_right_around_a_mean_that_is_off() {
        let x = Matrix::from_row_slice(1, 2, &[0.0, 1.0]);
        let mut variances = [9.0];
        row_variances(x.as_view(), &[0.75], &mut variances);
        assert_eq!(variances, [0.25]);
        row_variances(Matrix::from_element(1, 3, 0.1).as_view(), &[0.4], &mut variances);
        assert!((0.0..1e-15).contains(&variances[0]), "{variances:?}");
    }

    #[test]
    fn means_and_squares_of_few_and_of_many() {
        assert_eq!((mean(&[]), mean(&[1.0, 2.0, 6.0])), (0.0, 3.0));
        for n in [0, 1, 15, 16, 17, 35] {
            let numbers: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(squared_norm(&numbers), f64::from(n * (n + 1) * (2 * n + 1) / 6));
        }
    }

    #[test]
    fn the_largest_is_found_and_nothing_bad_is_missed() {
        let two = Threads::new(2).unwrap();
        for (rows, columns) in [(0, 1), (1, 1), (63, 1), (64, 3), (65, 9), (1000, 100), (3, 50_000)]
        {
            let n = rows * columns;
            let mut x = Matrix::from_fn(rows, columns, |i, j| ((i + 3 * j) % 7) as f32 - 3.0);
            let wanted = x.iter().fold(0.0, |m: f32, v| m.max(v.abs())).wide();
            assert_eq!(largest(x.as_view(), &two), wanted);
            for (i, bad) in [(0, f32::NAN), (n / 3, f32::INFINITY), (n.max(1) - 1, -f32::INFINITY)]
            {
                if i < n {
                    let kept = std::mem::replace(&mut x[i], bad);
                    assert!(largest(x.as_view(), &two).is_nan(), "{rows}x{columns} {i}");
                    x[i] = kept;
                }
            }
        }
    }

    #[test]
    fn squares_of_large_f32_stay_finite() {
        assert_eq!(squared_norm(&[1e30_f32, 0.0]), 1e30_f32.wide().powi(2));
    }
}
