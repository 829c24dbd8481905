//! Norms: sums of squares, the same bits on every CPU and for any number of threads.

use crate::Float;
use crate::float::wide;
use crate::plan::CHUNK;
use crate::simd::{Level, Work};

/// Independent sums within one slice, so that the compiler may use vectors without reordering.
const LANES: usize = 16;

/// How many squares of one lane are added in `F`: conversions cost more than additions.
const RUN: usize = 8;

/// The norm of `values`, in partial sums as the chunks of a slab have them. Not finite where one of
/// them is not.
pub(crate) fn norm<F: Float>(level: Level, values: &[F]) -> f64 {
    let norm = values.chunks(CHUNK).map(|chunk| squares(level, chunk)).sum::<f64>().sqrt();
    if norm.is_finite() { norm } else { scaled_norm(values.iter()) }
}

/// The sum of squares of `values`: short runs in `F`, whose sums are added in f64. Infinite or NaN
/// where a value is, or where a square overflows.
pub(crate) fn squares<F: Float>(level: Level, values: &[F]) -> f64 {
    level.run(AllSquares(values))
}

struct AllSquares<'a, F>(&'a [F]);

impl<F: Float> Work for AllSquares<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut squares = Squares::default();
        squares.add(self.0);
        squares.total()
    }
}

/// A sum of squares that grows piece by piece: the same bits for any cut into pieces of whole
/// groups.
#[derive(Default)]
pub(crate) struct Squares([f64; LANES]);

impl Squares {
    /// Adds the squares of `values`; gives whether all of them are finite.
    #[inline(always)]
    pub(crate) fn add<F: Float>(&mut self, values: &[F]) -> bool {
        let mut finite = true;
        let groups = values.chunks_exact(LANES * RUN);
        let rest = groups.remainder();
        for group in groups {
            let mut runs = [F::zero(); LANES];
            for row in group.chunks_exact(LANES) {
                for (run, &value) in runs.iter_mut().zip(row) {
                    *run += value * value;
                }
            }
            for (sum, &run) in self.0.iter_mut().zip(&runs) {
                *sum += wide(run);
                finite &= run.is_finite();
            }
        }
        for row in rest.chunks(LANES) {
            for (sum, &value) in self.0.iter_mut().zip(row) {
                *sum += wide(value) * wide(value);
                finite &= value.is_finite();
            }
        }
        finite
    }

    #[inline(always)]
    pub(crate) fn total(&self) -> f64 {
        self.0.iter().sum()
    }
}

/// The first value that is NaN or infinite, and where it stands.
pub(crate) fn first_not_finite<F: Float>(values: &[F]) -> Option<(usize, f64)> {
    let index = values.iter().position(|value| !value.is_finite())?;
    Some((index, wide(values[index])))
}

/// The norm of values whose squares overflow: scaled by the largest of them. Not finite where one
/// of them is not.
pub(crate) fn scaled_norm<'a, F: Float>(values: impl Iterator<Item = &'a F> + Clone) -> f64 {
    let largest = largest(values.clone());
    largest * values.map(|&value| (wide(value) / largest).powi(2)).sum::<f64>().sqrt()
}

/// (Σ|x|ᵖ)^(1/p) of finite values, the largest |x| where p is infinite: scaled by the largest, so that
/// no power overflows.
pub(crate) fn p_norm<'a, F: Float>(p: f64, values: impl Iterator<Item = &'a F> + Clone) -> f64 {
    let largest = largest(values.clone());
    if p.is_infinite() || largest == 0.0 {
        return largest;
    }
    let powers = values.map(|&value| (wide(value).abs() / largest).powf(p));
    largest * powers.sum::<f64>().powf(1.0 / p)
}

fn largest<'a, F: Float>(values: impl Iterator<Item = &'a F>) -> f64 {
    values.fold(0.0, |largest, &value| largest.max(wide(value).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_summed_to_the_last_value() {
        for n in [0, 1, 15, 16, 17, 127, 128, 129, 1000] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let wanted = f64::from(n * (n + 1) * (2 * n + 1) / 6);
            let narrow: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            for level in Level::available() {
                assert_eq!(squares(level, &values), wanted);
                assert!((squares(level, &narrow) - wanted).abs() <= 2e-7 * wanted);
            }
        }
    }

    #[test]
    fn many_small_squares_are_not_lost_beside_each_other() {
        let values = vec![0.1_f32; 1 << 20];
        let wanted = f64::from(0.1_f32).powi(2) * f64::from(1 << 20);
        assert!((squares(Level::Baseline, &values) / wanted - 1.0).abs() < 1e-7);
    }

    #[test]
    fn levels_agree_to_the_bit() {
        let values: Vec<f64> = (0..1003).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let plain = squares(Level::Baseline, &values);
        assert!(
            Level::available().all(|level| squares(level, &values).to_bits() == plain.to_bits())
        );
    }

    #[test]
    fn a_norm_beyond_the_squares_is_scaled() {
        assert!((scaled_norm([3e200, -4e200].iter()) / 5e200 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_first_bad_value_is_found() {
        assert_eq!(first_not_finite(&[1.0, 2.0]), None);
        assert_eq!(first_not_finite(&[1.0, f32::INFINITY, f32::NAN]), Some((1, f64::INFINITY)));
    }
}
