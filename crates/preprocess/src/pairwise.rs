//! Sums in NumPy's order, for results that must have NumPy's bits.

/// How many numbers are summed in one run.
const RUN: usize = 128;

/// Σ values, pairwise: halves are summed on their own until they are short, and short ones in eight
/// sums side by side. NumPy's `add.reduce` of contiguous f64, to the bit.
pub(crate) fn sum(values: &[f64]) -> f64 {
    if values.len() > RUN {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % 8);
        return sum(left) + sum(right);
    }
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, v)| *sum += v);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, v| sum + v)
}

/// The mean and the population variance, in two passes as in NumPy; the values are used up.
pub(crate) fn mean_and_variance(values: &mut [f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = sum(values) / n;
    values.iter_mut().for_each(|v| *v = (*v - mean) * (*v - mean));
    [mean, sum(values) / n]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 1/2, 1/3, …
    fn harmonic(n: u32) -> Vec<f64> {
        (1..=n).map(|i| 1.0 / f64::from(i)).collect()
    }

    #[test]
    fn sums_have_the_bits_of_numpy() {
        // NumPy 2.4.6, `np.sum` and `np.var`
        let known = [
            (3, 1.833_333_333_333_333_3, 0.080_246_913_580_246_92),
            (9, 2.828_968_253_968_253_7, 0.072_282_076_525_168_84),
            (128, 5.433_147_092_589_173, 0.010_988_547_931_180_478),
            (129, 5.440_899_030_573_669, 0.010_912_624_140_148_586),
            (300, 6.282_663_880_299_504, 0.005_033_444_660_405_187),
            (1000, 7.485_470_860_550_345, 0.001_587_902_292_677_411_8),
        ];
        for (n, wanted, variance) in known {
            let mut values = harmonic(n);
            assert_eq!(sum(&values), wanted, "{n}");
            assert_eq!(mean_and_variance(&mut values), [wanted / f64::from(n), variance], "{n}");
        }
        assert_eq!(sum(&[]), 0.0);
        // 128 numbers are still one run
        let squares: Vec<f64> = (1..=128).map(|i| 1.0 / f64::from(i * i)).collect();
        assert_eq!(sum(&squares), 1.637_152_004_954_462_3);
    }

    #[test]
    fn a_variance_beside_a_large_mean_keeps_its_digits() {
        let [_, found] = mean_and_variance(&mut [1e9 + 0.1, 1e9 + 1.3, 1e9 + 5.9]);
        assert!((found - 6.248_888_888).abs() < 1e-6, "{found}");
    }
}
