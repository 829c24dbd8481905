//! eˣ, ln x and their kin without tables or branches, so that loops over them become vectors.
//!
//! Everything is computed in f64 and rounded once at the end: an f32 result is the nearest number
//! or, rarely, its neighbour; an f64 result is within a few units in the last place. The bits are
//! the same with every instruction set, which a platform's own `exp` does not promise.
//!
//! ```
//! use slalom_tensor::elementary::{exp, tanh};
//! assert_eq!(exp(0.0_f32), 1.0);
//! assert!((tanh(0.5_f64) - 0.5_f64.tanh()).abs() < 1e-15);
//! ```

use std::f64::consts::FRAC_1_SQRT_2;

use crate::Scalar;

/// eˣ: 0 at −∞, ∞ from where it overflows, NaN of NaN.
#[inline(always)]
pub fn exp<F: Scalar>(x: F) -> F {
    let Scaled { p, low, high, .. } = reduce::<F>(x.wide());
    F::of((p * low + low) * high)
}

/// eˣ − 1, with all its digits also near 0.
#[inline(always)]
pub fn exp_m1<F: Scalar>(x: F) -> F {
    F::of(wide_exp_m1::<F>(x.wide()))
}

/// tanh x = (e²ˣ − 1)/(e²ˣ + 1)
#[inline(always)]
pub fn tanh<F: Scalar>(x: F) -> F {
    let x = x.wide();
    let size = x.abs();
    // 1 to the last bit from here on; a NaN passes the comparison
    let size = if size > 22.0 { 22.0 } else { size };
    let m = wide_exp_m1::<F>(2.0 * size);
    F::of((m / (m + 2.0)).copysign(x))
}

/// ln x: −∞ of 0, NaN of what is below, ∞ of ∞.
#[inline(always)]
pub fn ln<F: Scalar>(x: F) -> F {
    F::of(wide_ln::<F>(x.wide()))
}

/// `x`, and 0 in place of a number so small that products with it may be subnormal: below 2¹⁶ times the
/// least normal number (8e-34 for f32). Many processors take a hundred times as long for those.
///
/// ```
/// use slalom_tensor::elementary::settled;
/// assert_eq!([1e-30_f32, 1e-40, -1e-40].map(settled), [1e-30, 0.0, 0.0]);
/// ```
#[inline(always)]
pub fn settled<F: Scalar>(x: F) -> F {
    let least = F::min_positive_value() * F::of(65536.0);
    if x.abs() < least { F::zero() } else { x }
}

/// eˣ = (1 + p)·low·high with p = eʳ − 1, x = k·ln 2 + r and low·high = 2ᵏ, which need not be a
/// number by itself.
struct Scaled {
    p: f64,
    low: f64,
    high: f64,
    /// 1/high
    low_high: f64,
}

#[inline(always)]
fn wide_exp_m1<F: Scalar>(x: f64) -> f64 {
    let Scaled { p, low, high, low_high } = reduce::<F>(x);
    // low − 1/high is exact where it matters: both are powers of two
    (p * low + (low - low_high)) * high
}

/// Cody & Waite 1980, chapter 6: the multiple of ln 2 taken off in two steps, the first exact, and
/// the series of eʳ − 1 on what is left.
#[inline(always)]
fn reduce<F: Scalar>(x: f64) -> Scaled {
    // beyond these, eˣ is 0 or ∞ all the same; a NaN passes the comparisons
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let series = match size_of::<F>() {
        // the first term left out is below 2⁻⁵³ of the sum, and for f32 below 2⁻³⁰
        4 => series(&INVERSE_FACTORIALS[..7], r),
        _ => series(&INVERSE_FACTORIALS, r),
    };
    let bits = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(2 * 1023);
    let half = bits >> 1;
    let power = |exponent: u64| f64::from_bits(exponent << 52);
    let other = bits.wrapping_sub(half);
    Scaled {
        p: r + r * r * series,
        low: power(half),
        high: power(other),
        low_high: power((2 * 1023_u64).wrapping_sub(other)),
    }
}

/// ln x = k·ln 2 + 2·atanh s with x = 2ᵏ·m, m between √½ and √2, and s = (m − 1)/(m + 1).
#[inline(always)]
fn wide_ln<F: Scalar>(x: f64) -> f64 {
    // below the normal numbers there is no exponent to read
    let small = x < f64::MIN_POSITIVE;
    let (normal, shift) = if small { (x * TWO_54, -54.0) } else { (x, 0.0) };
    let above = normal.to_bits().wrapping_sub(FRAC_1_SQRT_2.to_bits()) & EXPONENT;
    let m = f64::from_bits(normal.to_bits().wrapping_sub(above));
    // the exponent in the lowest bits of a number whose other bits are known
    let k = f64::from_bits((above >> 52).wrapping_add(SHIFT.to_bits())) - SHIFT;
    let k = if k > 1024.0 { k - 4096.0 } else { k } + shift;
    let d = m - 1.0;
    let s = d / (m + 1.0);
    let z = s * s;
    let series = match size_of::<F>() {
        // the first term left out is below 2⁻⁵³ of the sum, and for f32 below 2⁻³⁴
        4 => series(&ODD_INVERSES[..6], z),
        _ => series(&ODD_INVERSES, z),
    };
    // 2·s = d − s·d, and d is exact
    let ln = k * LN_2_HIGH + (d - (s * (d - 2.0 * z * series) - k * LN_2_LOW));
    // a NaN fails both comparisons
    match x {
        _ if x == 0.0 => f64::NEG_INFINITY,
        _ if x > 0.0 && x < f64::INFINITY => ln,
        _ if x == f64::INFINITY => x,
        _ => f64::NAN,
    }
}

/// Adding it to a number leaves the nearest whole number in the lowest bits: 1.5·2⁵².
const SHIFT: f64 = 6_755_399_441_055_744.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;
/// The bits of sign and exponent.
const EXPONENT: u64 = 0xfff << 52;
/// ln 2 with its lowest 32 bits zero, so that a whole number times it is exact, and the rest of ln 2.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1/3, 1/5, …
const ODD_INVERSES: [f64; 10] = {
    let mut inverse = [0.0; 10];
    let mut i = 0;
    while i < inverse.len() {
        inverse[i] = 1.0 / (2 * i + 3) as f64;
        i += 1;
    }
    inverse
};

/// Σ cᵢ·rⁱ by Horner's rule.
#[inline(always)]
fn series(coefficients: &[f64], r: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * r + c)
}

/// 1/2!, 1/3!, … 1/14!
const INVERSE_FACTORIALS: [f64; 13] = {
    let mut inverse = [0.0; 13];
    let (mut factorial, mut i) = (1.0, 0);
    while i < inverse.len() {
        factorial *= i as f64 + 2.0;
        inverse[i] = 1.0 / factorial;
        i += 1;
    }
    inverse
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of every size and both signs, where functions bend and where they end.
    fn numbers() -> impl Iterator<Item = f64> {
        let grid = (-30_000..30_000).map(|i| f64::from(i) * 0.025);
        let small = (0..400).map(|i| 10.0_f64.powf(f64::from(i) * -0.1));
        grid.chain(small.flat_map(|x| [x, -x]))
    }

    fn close(ours: f64, theirs: f64, bound: f64, x: f64) {
        let near = (ours - theirs).abs() <= bound * theirs.abs() + f64::from_bits(1);
        assert!(ours == theirs || near, "{ours:e} instead of {theirs:e} at {x}");
    }

    #[test]
    fn equal_the_platforms_functions() {
        for x in numbers() {
            close(exp(x), x.exp(), 5e-16, x);
            close(exp_m1(x), x.exp_m1(), 1e-15, x);
            close(tanh(x), x.tanh(), 1e-15, x);
            close(ln(x.abs()), x.abs().ln(), 4e-16, x);
            let (narrow, x) = (x as f32, f64::from(x as f32));
            assert!(near(exp(narrow), x.exp()), "exp {x}");
            assert!(near(exp_m1(narrow), x.exp_m1()), "exp_m1 {x}");
            assert!(near(tanh(narrow), x.tanh()), "tanh {x}");
            assert!(near(ln(narrow.abs()), x.abs().ln()), "ln {x}");
        }
    }

    /// Whether the number is within 0.51 of the place of the last bit.
    fn near(ours: f32, theirs: f64) -> bool {
        let nearest = theirs as f32;
        let gap = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
        ours == nearest || (f64::from(ours) - theirs).abs() <= 0.51 * gap
    }

    #[test]
    fn logarithms_of_every_exponent_are_right() {
        for k in -1074..1024 {
            for m in [1.0, 1.2, 1.414, 1.4143, 1.7, 1.999_999] {
                let x = m * 2.0_f64.powi(k / 2) * 2.0_f64.powi(k - k / 2);
                close(ln(x), x.ln(), 4e-16, x);
            }
        }
        // near 1, where the result is small
        for x in (1..60).flat_map(|i| [1.0 + 0.5_f64.powi(i), 1.0 - 0.5_f64.powi(i)]) {
            close(ln(x), x.ln(), 4e-16, x);
        }
    }

    #[test]
    fn ends_are_right() {
        let infinity = f64::INFINITY;
        assert_eq!([exp(-infinity), exp(infinity), exp(0.0)], [0.0, infinity, 1.0]);
        assert_eq!([exp(709.78), exp(709.79)], [709.78_f64.exp(), infinity]);
        assert_eq!(
            [ln(0.0), ln(-0.0), ln(infinity), ln(1.0)],
            [-infinity, -infinity, infinity, 0.0]
        );
        assert!([ln(-1.0), ln(-infinity), ln(f64::NAN)].iter().all(|y| y.is_nan()));
        assert_eq!([exp_m1(-infinity), exp_m1(infinity)], [-1.0, infinity]);
        assert_eq!([tanh(-infinity), tanh(infinity)], [-1.0, 1.0]);
        assert_eq!([exp(-800.0_f32), exp(800.0_f32), tanh(800.0_f32)], [0.0, f32::INFINITY, 1.0]);
        assert!(tanh(-0.0_f64).is_sign_negative() && exp_m1(0.0_f64) == 0.0);
        let nan = [exp(f64::NAN), exp_m1(f64::NAN), tanh(f64::NAN)];
        assert!(nan.iter().all(|y| y.is_nan()), "{nan:?}");
        // below the normal numbers, where a power of two is no number by itself
        assert_eq!(exp(-745.0), f64::from_bits(1));
    }
}
