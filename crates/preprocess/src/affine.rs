//! The straight line that most scalers come down to once they are fitted, and back.

use crate::PreprocessError;
use crate::columns::{check_features, each_column};
use slalom_tensor::{Scalar, Threads, ViewMut};

/// What is taken off each feature, and what it is then divided by.
pub(crate) struct Affine {
    pub(crate) shifts: Vec<f64>,
    pub(crate) scales: Vec<f64>,
}

impl Affine {
    /// No bounds: nothing is cut.
    pub(crate) const FREE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

    /// (x − shift) / scale, cut to the bounds.
    pub(crate) fn divide<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
        bounds: [f64; 2],
    ) -> Result<(), PreprocessError> {
        if bounds == Self::FREE {
            self.each(x, threads, |x, shift, scale| (x - shift) / scale)
        } else {
            self.each(x, threads, |x, shift, scale| cut((x - shift) / scale, bounds))
        }
    }

    /// x · scale + shift, cut to the bounds.
    pub(crate) fn multiply<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
        bounds: [f64; 2],
    ) -> Result<(), PreprocessError> {
        if bounds == Self::FREE {
            self.each(x, threads, |x, shift, scale| x * scale + shift)
        } else {
            self.each(x, threads, |x, shift, scale| cut(x * scale + shift, bounds))
        }
    }

    fn each<F: Scalar>(
        &self,
        x: ViewMut<'_, F>,
        threads: &Threads,
        work: impl Fn(f64, f64, f64) -> f64 + Sync,
    ) -> Result<(), PreprocessError> {
        check_features(self.scales.len(), x.nrows())?;
        let (shifts, scales) = (&self.shifts[..], &self.scales[..]);
        each_column(x, threads, &|column| {
            for (v, (&shift, &scale)) in column.iter_mut().zip(shifts.iter().zip(scales)) {
                *v = F::of(work(v.wide(), shift, scale));
            }
        });
        Ok(())
    }
}

/// A number, or the bound that it is beyond; NaN stays.
#[inline(always)]
fn cut(y: f64, [low, high]: [f64; 2]) -> f64 {
    y.clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    #[test]
    fn a_line_is_cut_at_its_bounds_and_keeps_what_is_missing() {
        let line = Affine { shifts: vec![1.0], scales: vec![2.0] };
        let apply = |work: &dyn Fn(ViewMut<'_, f64>)| {
            let mut x = from_rows(&[[-9.0], [1.5], [9.0], [f64::NAN]]);
            work(x.as_view_mut());
            assert!(x[3].is_nan());
            x.as_slice()[..3].to_vec()
        };
        let one = Threads::one();
        let divided = apply(&|x| line.divide(x, &one, Affine::FREE).unwrap());
        assert_eq!(divided, [-5.0, 0.25, 4.0]);
        let divided = apply(&|x| line.divide(x, &one, [-1.0, 2.0]).unwrap());
        assert_eq!(divided, [-1.0, 0.25, 2.0]);
        let multiplied = apply(&|x| line.multiply(x, &one, Affine::FREE).unwrap());
        assert_eq!(multiplied, [-17.0, 4.0, 19.0]);
        let multiplied = apply(&|x| line.multiply(x, &one, [-1.0, 5.0]).unwrap());
        assert_eq!(multiplied, [-1.0, 4.0, 5.0]);
    }
}
