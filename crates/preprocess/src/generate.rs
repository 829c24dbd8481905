//! Generated data sets for teaching and tests: each a function of its arguments and a seed.
//!
//! ```
//! use slalom_preprocess::generate;
//! let spirals = generate::two_spirals::<f32>(97, 0.0, 7);
//! assert_eq!((spirals.len(), spirals.features().len()), (194, 2));
//! assert_eq!(spirals, generate::two_spirals(97, 0.0, 7));
//! ```

use crate::normal::normal_quantile;
use crate::{DataSet, OwnedTargets};
use slalom_tensor::{Matrix, Purpose, Scalar, Stream, permutation, stream, uniform};
use std::f64::consts::PI;

/// Two spirals, one around the other, three turns each (Lang and Witbrock 1988): `samples` of each of the two classes,
/// with normal noise of deviation `noise` on both coordinates, which reach ±6.5.
pub fn two_spirals<F: Scalar>(samples: usize, noise: f64, seed: u64) -> DataSet<F> {
    planar(2, samples, noise, stream(seed, Purpose::Data, [1, 0]), &|class, i, _| {
        // the paper's 97 points a spiral, spread over as many as are wanted
        let i = 96.0 * i as f64 / samples.saturating_sub(1).max(1) as f64;
        let (angle, radius) = (i * PI / 16.0, 6.5 * (104.0 - i) / 104.0);
        let sign = if class == 0 { 1.0 } else { -1.0 };
        [sign * radius * libm::sin(angle), sign * radius * libm::cos(angle)]
    })
}

/// Two half moons that reach into each other, as scikit-learn's `make_moons`: `samples` of each
/// class, with normal noise of deviation `noise`.
pub fn moons<F: Scalar>(samples: usize, noise: f64, seed: u64) -> DataSet<F> {
    planar(2, samples, noise, stream(seed, Purpose::Data, [2, 0]), &|class, i, _| {
        let angle = PI * i as f64 / samples.saturating_sub(1).max(1) as f64;
        let (x, y) = (libm::cos(angle), libm::sin(angle));
        if class == 0 { [x, y] } else { [1.0 - x, 0.5 - y] }
    })
}

/// A circle of radius 1 around one of radius `factor`, as scikit-learn's `make_circles`: `samples`
/// of each class, with normal noise of deviation `noise`.
pub fn circles<F: Scalar>(samples: usize, factor: f64, noise: f64, seed: u64) -> DataSet<F> {
    planar(2, samples, noise, stream(seed, Purpose::Data, [3, 0]), &|class, i, _| {
        let angle = 2.0 * PI * i as f64 / samples.max(1) as f64;
        let radius = if class == 0 { 1.0 } else { factor };
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    })
}

/// Exclusive or: points spread evenly over [−1, 1]², of class 1 where the signs of the coordinates
/// differ; 2 · `samples` in all, half of each class, with normal noise of deviation `noise`.
pub fn xor<F: Scalar>(samples: usize, noise: f64, seed: u64) -> DataSet<F> {
    planar(2, samples, noise, stream(seed, Purpose::Data, [4, 0]), &|class, _, rng| {
        let [x, y, sign] =
            [uniform(rng), uniform(rng), if uniform(rng) < 0.5 { 1.0 } else { -1.0 }];
        [sign * x, if class == 0 { sign * y } else { -sign * y }]
    })
}

/// Normal clouds of deviation `spread` around centres drawn from [−10, 10] for each feature:
/// `samples` of each of `classes`.
pub fn blobs<F: Scalar>(
    samples: usize,
    features: usize,
    classes: usize,
    spread: f64,
    seed: u64,
) -> DataSet<F> {
    let mut rng = stream(seed, Purpose::Data, [5, 0]);
    let centres = Matrix::from_fn(features, classes, |_, _| 20.0 * uniform(&mut rng) - 10.0);
    let order = permutation(samples * classes, &mut rng);
    let class = |j: usize| order[j] % classes;
    let inputs = Matrix::from_fn(features, order.len(), |i, j| {
        F::of(centres[(i, class(j))] + spread * normal(&mut rng))
    });
    let indices = (0..order.len()).map(|j| class(j) as u32).collect();
    data(inputs, OwnedTargets::Classes { indices, names: numbered(classes) })
}

/// Friedman's first regression problem (Friedman 1991; Breiman 1996): `features` uniform on [0, 1],
/// at least 5 of them, of which five matter:
/// y = 10 sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄, with normal noise of deviation `noise`.
///
/// # Panics
/// With fewer than 5 features.
pub fn friedman1<F: Scalar>(samples: usize, features: usize, noise: f64, seed: u64) -> DataSet<F> {
    assert!(features >= 5, "friedman1 has {features} features, it needs 5");
    let mut rng = stream(seed, Purpose::Data, [6, 0]);
    let x = Matrix::from_fn(features, samples, |_, _| uniform(&mut rng));
    let mut value = |j: usize| {
        let x = x.column(j);
        10.0 * libm::sin(PI * x[0] * x[1])
            + 20.0 * (x[2] - 0.5) * (x[2] - 0.5)
            + 10.0 * x[3]
            + 5.0 * x[4]
            + noise * normal(&mut rng)
    };
    let values = Matrix::from_fn(1, samples, |_, j| F::of(value(j)));
    data(x.map(F::of), OwnedTargets::Values { values, names: vec!["y".to_string()] })
}

/// A linear problem whose features differ in size: feature i is normal with deviation
/// `condition`^(−i / (2 (features − 1))), so that the covariance has about that condition number;
/// y is the sum of the features, each divided by its deviation.
pub fn ill_conditioned<F: Scalar>(
    samples: usize,
    features: usize,
    condition: f64,
    seed: u64,
) -> DataSet<F> {
    let mut rng = stream(seed, Purpose::Data, [7, 0]);
    let last = features.saturating_sub(1).max(1) as f64;
    let sizes: Vec<f64> =
        (0..features).map(|i| libm::pow(condition, -0.5 * i as f64 / last)).collect();
    let z = Matrix::from_fn(features, samples, |_, _| normal(&mut rng));
    let values = Matrix::from_fn(1, samples, |_, j| F::of(z.column(j).sum()));
    let inputs = Matrix::from_fn(features, samples, |i, j| F::of(sizes[i] * z[(i, j)]));
    data(inputs, OwnedTargets::Values { values, names: vec!["y".to_string()] })
}

/// Points of the plane, so many of each class, noise added, in random order.
fn planar<F: Scalar>(
    classes: usize,
    samples: usize,
    noise: f64,
    mut rng: Stream,
    point: &dyn Fn(usize, usize, &mut Stream) -> [f64; 2],
) -> DataSet<F> {
    let order = permutation(classes * samples, &mut rng);
    let mut numbers = Vec::with_capacity(2 * order.len());
    for &k in &order {
        let point = point(k % classes, k / classes, &mut rng);
        numbers.extend(point.map(|v| F::of(v + noise * normal(&mut rng))));
    }
    let indices = order.iter().map(|k| (k % classes) as u32).collect();
    let inputs = Matrix::from_vec(2, order.len(), numbers);
    data(inputs, OwnedTargets::Classes { indices, names: numbered(classes) })
}

/// A data set that is consistent by construction.
fn data<F: Scalar>(inputs: Matrix<F>, targets: OwnedTargets<F>) -> DataSet<F> {
    DataSet::new(inputs, targets).expect("a generator makes as many targets as inputs")
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|i| i.to_string()).collect()
}

/// A standard normal number by inversion: value-stable, as it calls no function of the platform.
fn normal(rng: &mut Stream) -> f64 {
    // never 0, where the quantile is infinite
    normal_quantile(uniform(rng) + 0.5 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::Targets;

    fn classes(data: &DataSet<f64>) -> Vec<u32> {
        match data.targets().view() {
            Targets::Classes(classes) => classes.to_vec(),
            Targets::Values(_) => panic!("classes are wanted"),
        }
    }

    /// Whether a rule tells the class of every sample.
    fn obeys(data: &DataSet<f64>, rule: impl Fn(f64, f64) -> u32) -> bool {
        let x = data.inputs();
        classes(data).iter().enumerate().all(|(j, &class)| rule(x[(0, j)], x[(1, j)]) == class)
    }

    #[test]
    fn classes_lie_where_they_should() {
        let data = xor(100, 0.0, 1);
        assert!(obeys(&data, |x, y| u32::from(x * y < 0.0)));
        assert!(data.inputs().iter().all(|v: &f64| v.abs() <= 1.0));
        let data = circles(50, 0.5, 0.0, 1);
        assert!(obeys(&data, |x, y| u32::from(x.hypot(y) < 0.75)));
        let data = moons(50, 0.0, 1);
        assert!(obeys(&data, |x, y| u32::from((x.hypot(y) - 1.0).abs() > 1e-9)));
        let data = two_spirals(97, 0.0, 1);
        assert!(obeys(&data, |x, y| {
            // 16 points a half turn: the angle tells how far along, up to whole turns
            let along =
                |x: f64, y: f64| (104.0 - x.hypot(y) / 6.5 * 104.0) * PI / 16.0 - x.atan2(y);
            let turns = along(x, y) / (2.0 * PI);
            u32::from((turns - turns.round()).abs() > 1e-6)
        }));
        for data in [xor(30, 0.1, 2), moons(30, 0.1, 2), blobs(20, 3, 3, 1.0, 2)] {
            let counts =
                crate::class_counts(&classes(&data), data.targets().names().len()).unwrap();
            assert!(counts.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }

    #[test]
    fn noise_has_its_deviation() {
        let data: DataSet<f64> = blobs(20_000, 1, 1, 2.0, 3);
        let x = data.inputs();
        let mean = x.mean();
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64;
        assert!((variance - 4.0).abs() < 0.15, "{variance}");
    }

    #[test]
    fn regressions_follow_their_formula() {
        let data: DataSet<f64> = friedman1(50, 7, 0.0, 4);
        let Targets::Values(y) = data.targets().view() else { panic!("values are wanted") };
        for (x, y) in data.inputs().column_iter().zip(y.iter()) {
            let wanted = 10.0 * (PI * x[0] * x[1]).sin()
                + 20.0 * (x[2] - 0.5).powi(2)
                + 10.0 * x[3]
                + 5.0 * x[4];
            assert!((y - wanted).abs() < 1e-12);
        }
        let data: DataSet<f64> = ill_conditioned(5000, 3, 1e4, 4);
        let x = data.inputs();
        let deviation = |i: usize| (x.row(i).norm_squared() / 5000.0).sqrt();
        assert!((deviation(0) / deviation(2) - 100.0).abs() < 5.0);
        assert!((deviation(0) / deviation(1) - 10.0).abs() < 0.5);
    }

    #[test]
    fn values_are_stable() {
        let data: DataSet<f64> = moons(5, 0.1, 1);
        assert_eq!(data.inputs().column(0).as_slice(), PINNED);
        assert_ne!(data, moons(5, 0.1, 2));
    }

    const PINNED: [f64; 2] = [0.140_410_772_422_142_14, 0.537_805_730_951_838_1];

    #[test]
    #[should_panic(expected = "friedman1 has 4 features, it needs 5")]
    fn too_few_features_for_friedman() {
        friedman1::<f64>(1, 4, 0.0, 0);
    }

    /// Without noise, in the order of their class.
    fn points(data: &DataSet<f64>, class: u32) -> Vec<[f64; 2]> {
        let (x, classes) = (data.inputs(), classes(data));
        let of = |&j: &usize| classes[j] == class;
        let mut points: Vec<_> =
            (0..data.len()).filter(of).map(|j| [x[(0, j)], x[(1, j)]]).collect();
        points.sort_by(|a, b| a.partial_cmp(b).unwrap());
        points
    }

    fn assert_points(found: Vec<[f64; 2]>, wanted: &[[f64; 2]]) {
        let near = |(a, b): (&[f64; 2], &[f64; 2])| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-12;
        assert_eq!(found.len(), wanted.len());
        assert!(found.iter().zip(wanted).all(near), "{found:?}, not {wanted:?}");
    }

    #[test]
    fn points_lie_on_their_curves() {
        // scikit-learn: make_moons(10), make_circles(8, factor=0.5), without noise
        let root = 0.5_f64.sqrt();
        let moon = [[-1.0, 0.0], [-root, root], [0.0, 1.0], [root, root], [1.0, 0.0]];
        assert_points(points(&moons(5, 0.0, 1), 0), &moon);
        let moon = [
            [0.0, 0.5],
            [1.0 - root, 0.5 - root],
            [1.0, -0.5],
            [1.0 + root, 0.5 - root],
            [2.0, 0.5],
        ];
        assert_points(points(&moons(5, 0.0, 1), 1), &moon);
        let ring = circles(3, 0.5, 0.0, 1);
        let h = 0.75_f64.sqrt();
        assert_points(points(&ring, 0), &[[-0.5, -h], [-0.5, h], [1.0, 0.0]]);
        assert_points(points(&ring, 1), &[[-0.25, -0.5 * h], [-0.25, 0.5 * h], [0.5, 0.0]]);
        // every 48th of the 97 points: radius 6.5, 3.5 and 0.5 at angles 0, 3π and 6π
        let spiral = two_spirals(3, 0.0, 1);
        let mut found = points(&spiral, 0);
        found.sort_by(|a, b| a[1].total_cmp(&b[1]));
        assert_points(found, &[[0.0, -3.5], [0.0, 0.5], [0.0, 6.5]]);
        let outer = two_spirals::<f64>(97, 0.0, 1);
        let radius = |j: usize| outer.inputs().column(j).norm();
        let mut radii: Vec<f64> = (0..194).map(radius).collect();
        radii.sort_by(f64::total_cmp);
        assert!((radii[0] - 0.5).abs() < 1e-12 && (radii[193] - 6.5).abs() < 1e-12);
        assert!((radii[2] - 0.5625).abs() < 1e-12);
    }

    #[test]
    fn values_of_every_generator_are_stable() {
        let sets: [DataSet<f64>; 6] = [
            two_spirals(9, 0.1, 1),
            circles(9, 0.5, 0.1, 1),
            xor(9, 0.1, 1),
            blobs(9, 2, 3, 0.5, 1),
            friedman1(9, 5, 1.0, 1),
            ill_conditioned(9, 2, 100.0, 1),
        ];
        let found = sets.each_ref().map(|data| [data.inputs()[(0, 3)], data.inputs()[(1, 3)]]);
        assert_eq!(found, STABLE);
        let Targets::Values(y) = sets[4].targets().view() else { panic!("values are wanted") };
        assert_eq!(y[3], STABLE_VALUE);
    }

    const STABLE: [[f64; 2]; 6] = [
        [-0.122_722_281_022_150_84, 6.401_713_768_103_277],
        [0.153_420_569_789_850_94, -0.466_119_638_591_882_8],
        [1.103_027_356_225_506_6, 0.032_916_347_501_218_385],
        [-2.879_391_038_909_288_3, -7.663_820_573_118_678],
        [0.987_881_058_079_696_5, 0.061_423_192_792_189_885],
        [-1.363_541_969_770_353, 0.096_627_105_021_103_04],
    ];
    const STABLE_VALUE: f64 = 4.219488349789167;
}
