//! The standard normal distribution: its cumulative probability and its quantiles.

/// The probability that a standard normal number is at most `x`.
pub(crate) fn normal_cumulative(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The number that a standard normal one stays below with probability `p`; ∓∞ at 0 and 1, NaN
/// outside.
///
/// Rational approximations of the Cephes library (Moshier 1989, "Methods and programs for
/// mathematical functions"), which scipy and so scikit-learn take too.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    if p.is_nan() || tail <= 0.0 {
        return if tail == 0.0 { f64::INFINITY.copysign(p - 0.5) } else { f64::NAN };
    }
    // e^−2
    if tail > 0.135_335_283_236_612_7 {
        let y = p - 0.5;
        let square = y * y;
        let root_of_2_pi = 2.506_628_274_631_000_7;
        return (y + y * (square * ratio(square, &CENTRE))) * root_of_2_pi;
    }
    let x = (-2.0 * libm::log(tail)).sqrt();
    let inverse = 1.0 / x;
    let correction = inverse * ratio(inverse, if x < 8.0 { &TAIL } else { &FAR });
    (x - libm::log(x) / x - correction).copysign(p - 0.5)
}

/// A ratio of two polynomials by Horner's rule, the highest power first.
fn ratio(x: f64, [above, below]: &[[f64; 9]; 2]) -> f64 {
    let polynomial = |c: &[f64; 9]| c.iter().fold(0.0, |sum, c| sum * x + c);
    polynomial(above) / polynomial(below)
}

const CENTRE: [[f64; 9]; 2] = [
    [
        0.0,
        0.0,
        0.0,
        0.0,
        -59.963_350_101_410_79,
        98.001_075_418_599_97,
        -56.676_285_746_907_03,
        13.931_260_938_727_968,
        -1.239_165_838_673_812_5,
    ],
    [
        1.0,
        1.954_488_583_381_417_6,
        4.676_279_128_988_815,
        86.360_242_139_089_05,
        -225.462_687_854_119_37,
        200.260_212_380_060_66,
        -82.037_225_616_833_34,
        15.905_622_512_621_17,
        -1.183_316_211_213_3,
    ],
];

const TAIL: [[f64; 9]; 2] = [
    [
        4.055_448_923_059_624_5,
        31.525_109_459_989_388,
        57.162_819_224_642_13,
        44.080_507_389_320_08,
        14.684_956_192_885_803,
        2.186_633_068_507_902_5,
        -0.140_256_079_171_354_5,
        -0.035_042_462_682_784_82,
        -0.000_857_456_785_154_685_4,
    ],
    [
        1.0,
        15.779_988_325_646_675,
        45.390_763_512_887_92,
        41.317_203_825_467_2,
        15.042_538_569_290_75,
        2.504_649_462_083_094,
        -0.142_182_922_854_787_79,
        -0.038_080_640_769_157_83,
        -0.000_933_259_480_895_457_4,
    ],
];

const FAR: [[f64; 9]; 2] = [
    [
        3.237_748_917_769_460_3,
        6.915_228_890_689_842,
        3.938_810_252_924_744_4,
        1.333_034_608_158_075_5,
        0.201_485_389_549_179_08,
        0.012_371_663_481_782_003,
        0.000_301_581_553_508_235_43,
        2.658_069_746_867_375_5e-6,
        6.239_745_391_849_833e-9,
    ],
    [
        1.0,
        6.024_270_393_647_42,
        3.679_835_638_561_608_7,
        1.377_020_994_890_813_2,
        0.216_236_993_594_496_63,
        0.013_420_400_608_854_318,
        0.000_328_014_464_682_127_74,
        2.892_478_647_453_806_8e-6,
        6.790_194_080_099_813e-9,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: `scipy.special.ndtri`.
    const KNOWN: [(f64, f64); 6] = [
        (0.5, 0.0),
        (0.75, 0.674_489_750_196_081_7),
        (0.975, 1.959_963_984_540_054),
        (1e-7, -5.199_337_582_192_816_5),
        (1e-20, -9.262_340_089_798_409),
        (1e-300, -37.047_096_299_361_2),
    ];

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, x) in KNOWN {
            let found = normal_quantile(p);
            assert!((found - x).abs() <= 4e-16 * x.abs().max(1.0) * 4.0, "{p}: {found}, not {x}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(1.5).is_nan() && normal_quantile(-0.1).is_nan());
    }

    #[test]
    fn each_undoes_the_other() {
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            assert!((normal_cumulative(normal_quantile(p)) - p).abs() < 1e-15, "{p}");
        }
        assert_eq!(normal_cumulative(0.0), 0.5);
    }
}
