//! Laws that hold for every scaler: the same checks, run over all of them.

use proptest::prelude::*;
use slalom_preprocess::{
    Fill, Fit, FittedScaler, Impute, MaxAbs, MinMax, Normalize, Power, Quantile, Robust, Scaler,
    Shape, Standard, Transform,
};
use slalom_tensor::{Matrix, Scalar, Threads};

/// Every scaler in every configuration that takes another path.
fn scalers() -> Vec<Scaler> {
    vec![
        Standard::default().into(),
        Standard { mean: false, deviation: true }.into(),
        Standard { mean: true, deviation: false }.into(),
        MinMax::default().into(),
        MinMax { range: [-1.0, 1.0], clip: false }.into(),
        MinMax { range: [-3.0, 2.0], clip: true }.into(),
        MaxAbs::default().into(),
        MaxAbs { clip: true }.into(),
        Robust::default().into(),
        Robust { quantiles: [10.0, 95.0], unit_variance: true, ..Robust::default() }.into(),
        Robust { center: false, ..Robust::default() }.into(),
        Robust { scale: false, ..Robust::default() }.into(),
        Normalize::L1.into(),
        Normalize::L2.into(),
        Normalize::Max.into(),
        Power::default().into(),
        Power { standardize: false }.into(),
        Quantile::default().into(),
        Quantile { quantiles: 7, shape: Shape::Normal }.into(),
        Impute::from(Fill::Mean).into(),
        Impute::from(Fill::Median).into(),
        Impute::from(Fill::MostFrequent).into(),
        Impute::from(Fill::Constant(-1.0)).into(),
    ]
}

fn has_inverse(scaler: &Scaler) -> bool {
    !matches!(scaler, Scaler::Normalize(_) | Scaler::Impute(_))
}

fn after<F: Scalar>(fitted: &FittedScaler, x: &Matrix<F>) -> Matrix<F> {
    let mut y = x.clone();
    fitted.transform(y.as_view_mut()).unwrap();
    y
}

fn bits<F: Scalar>(x: &Matrix<F>) -> Vec<u64> {
    x.iter().map(|v| v.wide().to_bits()).collect()
}

/// Whether a power of the fit is so far from 1 that numbers come to lie together.
fn presses(fitted: &FittedScaler, x: &Matrix<f64>) -> bool {
    let FittedScaler::Power(power) = fitted else { return false };
    let pressed = |(lambda, row): (&f64, &f64)| (lambda - 1.0).abs() * row.abs().ln_1p() > 12.0;
    x.column_iter().any(|sample| power.lambdas().iter().zip(sample.iter()).any(pressed))
}

/// Numbers of everyday and of strange sizes, one feature alike.
fn feature(samples: usize) -> impl Strategy<Value = Vec<f64>> {
    let exponent = prop_oneof![4 => -3..4_i32, 1 => -12..12_i32];
    let numbers = prop::collection::vec(-1.0..1.0_f64, samples);
    (exponent, numbers, -10.0..10.0_f64).prop_map(|(exponent, numbers, offset)| {
        let size = 10.0_f64.powi(exponent);
        numbers.into_iter().map(|v| size * (v + offset)).collect()
    })
}

fn matrix() -> impl Strategy<Value = Matrix<f64>> {
    (1..5_usize, prop_oneof![1..4_usize, 5..40_usize]).prop_flat_map(|(features, samples)| {
        prop::collection::vec(feature(samples), features)
            .prop_map(move |rows| Matrix::from_fn(rows.len(), samples, |i, j| rows[i][j]))
    })
}

/// Some of the numbers missing, but never a feature's first one.
fn with_gaps() -> impl Strategy<Value = Matrix<f64>> {
    matrix().prop_flat_map(|x| {
        prop::collection::vec(prop::bool::weighted(0.2), x.len()).prop_map(move |gaps| {
            let rows = x.nrows();
            let hole = |i, j| j > 0 && gaps[i + j * rows];
            Matrix::from_fn(rows, x.ncols(), |i, j| if hole(i, j) { f64::NAN } else { x[(i, j)] })
        })
    })
}

proptest! {
    #[test]
    fn inverse_undoes_transform(x in with_gaps()) {
        for scaler in scalers().iter().filter(|scaler| has_inverse(scaler)) {
            let fitted = scaler.fit(x.as_view()).unwrap();
            if presses(&fitted, &x) {
                continue;
            }
            let mut back = after(&fitted, &x);
            fitted.inverse(back.as_view_mut()).unwrap();
            for (i, row) in x.row_iter().enumerate() {
                let size = row.iter().filter(|v| !v.is_nan()).fold(1.0_f64, |m, v| m.max(v.abs()));
                let tolerance = match scaler {
                    Scaler::Power(_) => 1e-6,
                    // seven quantiles and a cut at both ends are not the numbers themselves
                    Scaler::Quantile(q) if q.shape == Shape::Normal => 1e-5,
                    _ => 1e-11,
                };
                for (a, b) in row.iter().zip(back.row(i).iter()) {
                    let same = (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * size;
                    prop_assert!(same, "{scaler:?}: {a} came back as {b}");
                }
            }
        }
    }

    #[test]
    fn chunks_give_what_one_fit_gives(x in with_gaps(), cut in 0.0..1.0_f64) {
        prop_assume!(x.ncols() > 1);
        let cut = 1 + (cut * (x.ncols() - 1) as f64) as usize;
        let (first, second) = (x.columns(0, cut), x.columns(cut, x.ncols() - cut));
        prop_assume!(second.ncols() > 0);
        for scaler in scalers() {
            let mut fitted = scaler.fit(first).unwrap();
            match &mut fitted {
                FittedScaler::Standard(fitted) => fitted.partial_fit(second).unwrap(),
                FittedScaler::MinMax(fitted) => fitted.partial_fit(second).unwrap(),
                FittedScaler::MaxAbs(fitted) => fitted.partial_fit(second).unwrap(),
                _ => continue,
            }
            let whole = scaler.fit(x.as_view()).unwrap();
            if !matches!(scaler, Scaler::Standard(_)) {
                prop_assert_eq!(&fitted, &whole);
            }
            for (a, b) in after(&fitted, &x).iter().zip(after(&whole, &x).iter()) {
                let same = (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * b.abs().max(1.0);
                prop_assert!(same, "{scaler:?}: {a} and {b}");
            }
        }
    }

    #[test]
    fn a_sample_is_transformed_whatever_stands_beside_it(x in with_gaps(), pick in any::<prop::sample::Index>()) {
        let j = pick.index(x.ncols());
        for scaler in scalers() {
            let fitted = scaler.fit(x.as_view()).unwrap();
            let alone = after(&fitted, &x.columns(j, 1).into_owned());
            prop_assert_eq!(bits(&alone), bits(&after(&fitted, &x).columns(j, 1).into_owned()));
        }
    }

    #[test]
    fn what_is_missing_stays_missing_and_nothing_else_becomes_so(x in with_gaps()) {
        for scaler in scalers() {
            let fitted = scaler.fit(x.as_view()).unwrap();
            let y = after(&fitted, &x);
            for (v, w) in x.iter().zip(y.iter()) {
                let filled = matches!(scaler, Scaler::Impute(_));
                prop_assert_eq!(w.is_nan(), v.is_nan() && !filled, "{:?}: {} became {}", &scaler, v, w);
                prop_assert!(!w.is_infinite());
            }
        }
    }

    #[test]
    fn saved_and_loaded_it_does_the_same(x in with_gaps()) {
        for scaler in scalers() {
            let json = serde_json::to_string(&scaler).unwrap();
            prop_assert_eq!(serde_json::from_str::<Scaler>(&json).unwrap(), scaler);
            let fitted = scaler.fit(x.as_view()).unwrap();
            let json = serde_json::to_string(&fitted).unwrap();
            let loaded: FittedScaler = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(bits(&after(&loaded, &x)), bits(&after(&fitted, &x)));
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let threads = Threads::new(3).unwrap();
    // more than one task for each thread, and gaps
    let x = Matrix::from_fn(5, 60_000, |i, j| {
        let v = ((j * 7919 + i * 104_729) % 10_007) as f32 / 17.0 - 200.0;
        if (i + j) % 97 == 0 { f32::NAN } else { v }
    });
    for scaler in scalers() {
        let fitted = scaler.fit(x.as_view()).unwrap();
        assert_eq!(scaler.fit_with(x.as_view(), &threads).unwrap(), fitted, "{scaler:?}");
        let (mut one, mut three) = (x.clone(), x.clone());
        fitted.transform(one.as_view_mut()).unwrap();
        fitted.transform_with(three.as_view_mut(), &threads).unwrap();
        assert_eq!(bits(&one), bits(&three), "{scaler:?}");
        if has_inverse(&scaler) {
            fitted.inverse(one.as_view_mut()).unwrap();
            fitted.inverse_with(three.as_view_mut(), &threads).unwrap();
            assert_eq!(bits(&one), bits(&three), "{scaler:?}");
        }
    }
}

#[test]
fn strange_numbers_give_finite_ones() {
    let strange: [&[f64]; 9] = [
        &[7.0, 7.0, 7.0],
        &[0.0, 0.0, 0.0],
        &[42.0],
        &[1e300, -1e300, 5e299],
        &[1e-300, -1e-300, 3e-300],
        &[1.7e308, -1.7e308, 0.0],
        &[1e15, 1e15 + 0.125, 1e15 + 0.25],
        &[1e308, 1e308, 1e308],
        &[f64::MIN_POSITIVE, 0.0, f64::MAX],
    ];
    for values in strange {
        let x = Matrix::from_row_slice(1, values.len(), values);
        for scaler in scalers() {
            let fitted = scaler.fit(x.as_view()).unwrap();
            let y = after(&fitted, &x);
            // only a power may leave the range of numbers, of numbers at its end
            let power = matches!(scaler, Scaler::Power(_));
            let good = |v: &f64| v.is_finite() || (power && !v.is_nan());
            assert!(y.iter().all(good), "{scaler:?} made {y} of {values:?}");
        }
    }
}

#[test]
fn constant_features_become_zero_where_the_mean_is_taken_off() {
    for value in [7.0_f64, 1e15, 1e300, -0.1] {
        let x = Matrix::from_element(1, 100, value);
        for scaler in [Scaler::from(Standard::default()), Robust::default().into()] {
            let y = after(&scaler.fit(x.as_view()).unwrap(), &x);
            // the rounding of the mean is not blown up
            assert!(y.iter().all(|v| v.abs() <= value.abs() * 1e-13), "{scaler:?}: {y}");
        }
    }
}

#[test]
fn without_a_mean_standard_is_x_over_deviation() {
    let x = Matrix::from_row_slice(1, 4, &[1.0, 2.0, 3.0, 6.0]);
    let y = after(
        &Scaler::from(Standard { mean: false, deviation: true }).fit(x.as_view()).unwrap(),
        &x,
    );
    assert_eq!(y, x.map(|v| v / 3.5_f64.sqrt()));
}

#[test]
fn f32_features_far_from_zero_keep_their_deviation() {
    // 2¹⁰ apart by 2⁻¹³: sums in f32 would lose it
    let x = Matrix::from_fn(1, 50_000, |_, j| 1024.0_f32 + (j % 2) as f32 / 8192.0);
    let fitted = Standard::default().fit(x.as_view()).unwrap();
    assert!((fitted.deviations()[0] * 16_384.0 - 1.0).abs() < 1e-6);
    let y = after(&FittedScaler::Standard(fitted), &x);
    assert!(y.iter().all(|v| (v.abs() - 1.0).abs() < 1e-6));
    // f32 cannot tell 1e7 from 1e7 + 1e-3: constant
    let x = Matrix::from_fn(1, 50_000, |_, j| 1e7_f32 + (j % 5) as f32 * 1e-3);
    let y = after(&Scaler::from(Standard::default()).fit(x.as_view()).unwrap(), &x);
    assert!(y.iter().all(|&v| v == 0.0));
}

#[test]
fn what_cannot_be_fitted_is_refused_by_all() {
    let none = Matrix::<f64>::zeros(3, 0);
    let infinite = Matrix::from_row_slice(1, 3, &[1.0, f64::NEG_INFINITY, 2.0]);
    let missing = Matrix::from_row_slice(2, 2, &[1.0, 2.0, f64::NAN, f64::NAN]);
    for scaler in scalers() {
        let error = scaler.fit(none.as_view()).unwrap_err().to_string();
        assert!(error.contains("at least 1, found 0"), "{scaler:?}: {error}");
        let error = scaler.fit(infinite.as_view()).unwrap_err().to_string();
        assert!(error.starts_with("sample 1, feature 0 is -inf"), "{scaler:?}: {error}");
        match (scaler, scaler.fit(missing.as_view())) {
            (
                Scaler::Normalize(_) | Scaler::Impute(Impute { fill: Fill::Constant(_), .. }),
                fitted,
            ) => drop(fitted.unwrap()),
            (_, fitted) => {
                let error = fitted.unwrap_err().to_string();
                assert!(error.starts_with("every value of feature 1 is missing"), "{error}");
            }
        }
    }
}

#[test]
fn another_number_of_features_is_refused_and_nothing_changed() {
    let x = Matrix::from_fn(2, 5, |i, j| (i * j) as f64 + 1.0);
    let wide = Matrix::from_fn(3, 4, |i, j| (i + j) as f64);
    for scaler in scalers() {
        let fitted = scaler.fit(x.as_view()).unwrap();
        let mut y = wide.clone();
        let error = fitted.transform(y.as_view_mut()).unwrap_err().to_string();
        assert_eq!(error, "features (rows of the matrix): expected 2, found 3", "{scaler:?}");
        assert!(fitted.inverse(y.as_view_mut()).is_err());
        assert_eq!(y, wide);
        assert!(fitted.feature_names_out(&["a".to_string()]).is_err());
        let names = ["a", "b"].map(String::from);
        assert_eq!(fitted.feature_names_out(&names).unwrap(), names);
        let inverse = fitted.inverse(y.rows_mut(0, 2)).map_err(|error| error.to_string());
        assert_eq!(inverse.is_ok(), has_inverse(&scaler), "{scaler:?}");
        assert!(inverse.is_ok() || inverse.unwrap_err().ends_with("has no inverse"));
    }
}

#[test]
fn rows_of_a_larger_matrix_are_transformed_in_place() {
    let x = Matrix::from_fn(4, 9, |i, j| ((3 * i + 5 * j) % 7) as f64 + 0.5 * i as f64);
    for scaler in scalers() {
        let part = x.rows(1, 2).into_owned();
        let fitted = scaler.fit(x.rows(1, 2)).unwrap();
        assert_eq!(fitted, scaler.fit(part.as_view()).unwrap(), "{scaler:?}");
        let mut y = x.clone();
        fitted.transform(y.rows_mut(1, 2)).unwrap();
        assert_eq!(y.rows(1, 2), after(&fitted, &part));
        assert_eq!((y.row(0), y.row(3)), (x.row(0), x.row(3)));
    }
}
