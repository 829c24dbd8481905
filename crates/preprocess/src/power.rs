//! The Yeo–Johnson power transformation: each feature as near to a normal distribution as one
//! power can bring it.
//!
//! > y = ((x + 1)^λ − 1) / λ for x ≥ 0 (ln(x + 1) at λ = 0),
//! > y = −((1 − x)^(2−λ) − 1) / (2 − λ) for x < 0 (−ln(1 − x) at λ = 2)
//!
//! Yeo and Johnson 2000, "A new family of power transformations to improve normality or symmetry",
//! Biometrika 87. λ is that of the greatest likelihood, −n/2 · ln σ²(y) + (λ − 1) Σ sign(x) ln(|x| + 1),
//! found by Brent's method step for step as in scikit-learn 1.9 (`PowerTransformer`) and summed as
//! NumPy sums; then the result is standardised unless that is switched off. NaN is ignored and
//! passed through; a constant feature has λ = 1, which leaves it as it is.
//!
//! λ has scikit-learn's bits where NumPy takes ln(x + 1) and eˣ − 1 from the same C library. With
//! AVX-512 it brings its own, a tenth of whose results differ in the last bit, and the likelihood is
//! so flat that this moves λ by some 1e-8, and by 0.7 for nine numbers of 1000 ± 30, whose variance
//! drowns in rounding at the powers tried: scikit-learn differs by as much from itself on two
//! processors. With λ given, the values agree to 1e-12.

use crate::brent::minimum;
use crate::columns::{check_features, each_column};
use crate::pairwise::{mean_and_variance, sum};
use crate::rows::each_row;
use crate::{Fit, FittedStandard, PreprocessError, Standard, Transform};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar, Threads, View, ViewMut};

/// Makes each feature as normal as one power can.
///
/// ```
/// use slalom_preprocess::{Fit, Power, Transform};
/// use slalom_tensor::Matrix;
/// let mut x = Matrix::from_fn(1, 100, |_, j| (j as f64 / 20.0).exp());
/// let power = Power::default().fit(x.as_view())?;
/// power.transform(x.as_view_mut())?;
/// assert!(x[50].abs() < 0.05); // the median is near the mean now
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Power {
    /// Whether the result is scaled to mean 0 and deviation 1; yes by default.
    pub standardize: bool,
}

impl Default for Power {
    fn default() -> Self {
        Self { standardize: true }
    }
}

impl Fit for Power {
    type Fitted = FittedPower;

    fn fit_with<F: Scalar>(
        &self,
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<FittedPower, PreprocessError> {
        let standardize = self.standardize;
        let seen = each_row(x, threads, &|row| {
            let lambda = most_likely(row);
            let mut powers: Vec<f64> = row.iter().map(|v| forward(v.wide(), lambda)).collect();
            // values beyond what f64 holds are cut, so that the moments stay finite
            powers.iter_mut().for_each(|y| *y = y.clamp(-f64::MAX, f64::MAX));
            let n = powers.len();
            let powers = Matrix::from_vec(1, n, powers);
            Ok((lambda, Standard::default().fit(powers.as_view())?))
        })?;
        let seen = seen.into_iter().collect::<Result<Vec<_>, PreprocessError>>()?;
        let (lambdas, scalers): (Vec<f64>, Vec<FittedStandard>) = seen.into_iter().unzip();
        let standard = scalers.into_iter().reduce(|mut all, more| {
            all.append(more);
            all
        });
        Ok(FittedPower { lambdas, standard: standard.filter(|_| standardize) })
    }
}

/// A power transformation that knows the powers of its training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedPower {
    lambdas: Vec<f64>,
    standard: Option<FittedStandard>,
}

impl FittedPower {
    /// The power λ of each feature.
    pub fn lambdas(&self) -> &[f64] {
        &self.lambdas
    }

    /// Takes over the features of another fit with the same configuration, behind its own.
    pub(crate) fn append(&mut self, more: Self) {
        self.lambdas.extend(more.lambdas);
        if let (Some(standard), Some(more)) = (&mut self.standard, more.standard) {
            standard.append(more);
        }
    }
}

impl Transform for FittedPower {
    fn features(&self) -> usize {
        self.lambdas.len()
    }

    fn transform_with<F: Scalar>(
        &self,
        mut x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        each_column(x.as_view_mut(), threads, &|column| {
            for (v, &lambda) in column.iter_mut().zip(&self.lambdas) {
                *v = F::of(forward(v.wide(), lambda));
            }
        });
        self.standard.as_ref().map_or(Ok(()), |standard| standard.transform_with(x, threads))
    }

    fn inverse_with<F: Scalar>(
        &self,
        mut x: ViewMut<'_, F>,
        threads: &Threads,
    ) -> Result<(), PreprocessError> {
        check_features(self.features(), x.nrows())?;
        if let Some(standard) = &self.standard {
            standard.inverse_with(x.as_view_mut(), threads)?;
        }
        each_column(x, threads, &|column| {
            for (v, &lambda) in column.iter_mut().zip(&self.lambdas) {
                *v = F::of(backward(v.wide(), lambda));
            }
        });
        Ok(())
    }
}

/// y for x.
fn forward(x: f64, lambda: f64) -> f64 {
    if x < 0.0 { -grow(-x, 2.0 - lambda) } else { grow(x, lambda) }
}

/// x for y.
fn backward(y: f64, lambda: f64) -> f64 {
    if y < 0.0 { -shrink(-y, 2.0 - lambda) } else { shrink(y, lambda) }
}

/// y for ln(|x| + 1) with the sign of x.
fn power_of_log(log: f64, lambda: f64) -> f64 {
    if log < 0.0 { -raise(-log, 2.0 - lambda) } else { raise(log, lambda) }
}

/// ((x + 1)^λ − 1) / λ for x ≥ 0.
fn grow(x: f64, lambda: f64) -> f64 {
    if lambda == 1.0 { x } else { raise(x.ln_1p(), lambda) }
}

/// (e^(λ log) − 1) / λ.
fn raise(log: f64, lambda: f64) -> f64 {
    if lambda.abs() < f64::EPSILON { log } else { (lambda * log).exp_m1() / lambda }
}

/// The inverse of [`grow`], ∞ past the end of its range.
fn shrink(y: f64, lambda: f64) -> f64 {
    match lambda {
        _ if lambda == 1.0 => y,
        _ if lambda.abs() < f64::EPSILON => y.exp_m1(),
        _ if lambda * y <= -1.0 => f64::INFINITY,
        _ => ((lambda * y).ln_1p() / lambda).exp_m1(),
    }
}

/// The λ of the greatest likelihood.
fn most_likely<F: Scalar>(row: &[F]) -> f64 {
    let n = row.len() as f64;
    let mut powers: Vec<f64> = row.iter().map(|v| v.wide()).collect();
    // constant by the rule of `Standard`
    let [mean, variance] = mean_and_variance(&mut powers);
    let rounding = n * mean * f64::EPSILON;
    if variance <= rounding * rounding {
        return 1.0;
    }
    // ln(|x| + 1) with the sign of x: all that a power of x needs
    let logs: Vec<f64> = row.iter().map(|v| v.wide().abs().ln_1p().copysign(v.wide())).collect();
    let sum = sum(&logs);
    minimum(powers_in_range(row), &mut |lambda| {
        powers.iter_mut().zip(&logs).for_each(|(y, &log)| *y = power_of_log(log, lambda));
        let [_, variance] = mean_and_variance(&mut powers);
        if variance.is_normal() {
            0.5 * n * variance.ln() - (lambda - 1.0) * sum
        } else {
            f64::INFINITY
        }
    })
}

/// Between which λ twenty times the greatest number still stays within half of the exponents of
/// f64, so that its variance can be computed.
fn powers_in_range<F: Scalar>(row: &[F]) -> [f64; 2] {
    let largest = row.iter().fold(0.0_f64, |largest, v| largest.max(v.wide().abs()));
    let log = (20.0 * largest).min(f64::MAX).ln_1p();
    let epsilon = f64::EPSILON.ln();
    let low = (f64::MIN_POSITIVE.ln() - epsilon) / 2.0 / log;
    let high = (f64::MAX.ln() + epsilon) / 2.0 / log;
    let negative = row.iter().filter(|v| v.wide() < 0.0).count();
    match negative {
        0 => [low, high],
        n if n == row.len() => [2.0 - high, 2.0 - low],
        _ => [low.max(2.0 - high), high.min(2.0 - low)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::from_rows;

    /// scikit-learn 1.9.1, scipy 1.17.1, NumPy without AVX-512: `PowerTransformer().fit(...).lambdas_`.
    const KNOWN: [(&[f64], f64); 3] = [
        (&[1.0, 2.0, 3.0, 4.0, 5.0, 60.0], -0.694_797_079_435_839_2),
        (&[-3.0, -1.0, 0.0, 0.5, 2.0, 7.0, 9.0], 0.648_262_520_997_327_3),
        (&[-50.0, -2.0, -1.0, -0.5, 0.1, 0.2], 2.626_506_937_554_905_3),
    ];

    #[test]
    fn powers_are_those_of_scikit_learn() {
        for (values, lambda) in KNOWN {
            let x = Matrix::from_row_slice(1, values.len(), values);
            let found = Power::default().fit(x.as_view()).unwrap().lambdas()[0];
            // other libraries round logarithms in their own way
            let near = if cfg!(target_env = "gnu") { 1e-12 } else { 1e-7 };
            assert!((found - lambda).abs() < near, "{found}, not {lambda}");
        }
    }

    #[test]
    fn both_branches_undo_themselves_at_every_power() {
        for lambda in [-1.5, 0.0, 0.5, 1.0, 2.0, 3.0] {
            for x in [-20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0] {
                let back = backward(forward(x, lambda), lambda);
                assert!((back - x).abs() <= 1e-12 * x.abs().max(1.0), "{lambda} {x} {back}");
            }
        }
        assert_eq!(forward(3.0, 0.0), 4.0_f64.ln());
        assert_eq!(forward(-3.0, 2.0), -(4.0_f64.ln()));
        assert!((forward(3.0, 0.5) - 2.0).abs() < 1e-15);
        assert!((forward(-3.0, 0.5) + 14.0 / 3.0).abs() < 1e-14);
        assert_eq!(shrink(3.0, -0.5), f64::INFINITY);
    }

    #[test]
    fn constant_features_stay() {
        let mut x = from_rows(&[[7.0], [7.0], [f64::NAN]]);
        let power = Power { standardize: false }.fit(x.as_view()).unwrap();
        assert_eq!(power.lambdas(), [1.0]);
        power.transform(x.as_view_mut()).unwrap();
        assert_eq!(x.as_slice()[..2], [7.0, 7.0]);
    }

    #[test]
    fn powers_stay_where_the_variance_can_be_computed() {
        // scipy 1.17.1, the bounds of `yeojohnson_normmax`
        let known: [(&[f64], [f64; 2]); 4] = [
            (&[1.0, 2.0, 50.0], [-48.659_475_304_881_86, 48.759_804_119_943_47]),
            (&[0.0, 5.0], [-72.842_384_363_488_66, 72.992_574_846_712_34]),
            (&[-1.0, -30.0], [-50.647_422_316_725_155, 54.539_094_287_266_87]),
            (&[-1.0, 0.5, 7.0], [-66.071_504_218_078_15, 68.071_504_218_078_15]),
        ];
        for (row, wanted) in known {
            let found = powers_in_range(row);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
            assert!(found.iter().zip(&wanted).all(near), "{found:?}, not {wanted:?}");
        }
    }

    #[test]
    fn what_is_within_rounding_is_constant() {
        let constant = |row: &[f64]| most_likely(row) == 1.0;
        let row = |last: f64| [[1e8; 99].as_slice(), &[1e8 + last]].concat();
        assert!(constant(&row(1e-6)) && !constant(&row(1e-3)));
        assert!(constant(&[7.0; 5]) && constant(&[0.0; 5]) && !constant(&[0.0, 1.0]));
        assert!(!constant(&[1e-9, 2e-9]) && !constant(&[-1.0, 1.0, 3.0]));
    }

    #[test]
    fn the_power_1_changes_no_bit() {
        assert!((1..100).map(|i| f64::from(i) * 0.37).all(|x| shrink(x, 1.0) == x));
    }
}
