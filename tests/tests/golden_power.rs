//! The power transformation against scikit-learn: its λ, and what follows from λ.
//!
//! λ is where a search along a flat likelihood stops, and the last bit of one logarithm decides where.
//! It is held to 1e-12 where NumPy took its logarithms from the C library; with AVX-512 NumPy brings
//! its own, and scikit-learn does not agree with itself to better than some 1e-8. With λ given, the
//! values agree to 1e-12 everywhere.

use serde_json::{Value, json};
use slalom_preprocess::{Fit, FittedPower, Power, Transform};
use slalom_tensor::Matrix;
use slalom_tests::golden::{assert_close, cases, number, numbers, text};

const TOLERANCE: f64 = 1e-12;

#[test]
fn golden_powers_are_found() {
    let from_the_library = |case: &Value| text(&case["numpy"]).ends_with("without AVX-512");
    let cases: Vec<_> = powers().into_iter().filter(|(_, case)| from_the_library(case)).collect();
    assert!(!cases.is_empty(), "no case to compare");
    if !cfg!(target_env = "gnu") {
        println!("skipped: the golden logarithms are those of the GNU library");
        return;
    }
    for (place, case) in cases {
        let power = Power { standardize: case.get("means").is_some() };
        let mut x = matrix(&case["fit"]);
        let fitted = power.fit(x.as_view()).expect(&place);
        assert_close(&place, fitted.lambdas(), &numbers(&case["lambdas"]), TOLERANCE);
        fitted.transform(x.as_view_mut()).expect(&place);
        assert_close(&place, x.as_slice(), &numbers(&case["transformed_fit"]), TOLERANCE);
    }
}

#[test]
fn golden_values_follow_from_the_power() {
    for (place, case) in powers() {
        let given = given(&case);
        let check = |key: &str, found: &Matrix<f64>| {
            let place = format!("{place}, {key}");
            assert_close(&place, found.as_slice(), &numbers(&case[key]), TOLERANCE);
        };
        let [mut train, mut apply] = ["fit", "apply"].map(|key| matrix(&case[key]));
        given.transform(train.as_view_mut()).expect(&place);
        check("transformed_fit", &train);
        given.transform(apply.as_view_mut()).expect(&place);
        check("transformed", &apply);
        given.inverse(apply.as_view_mut()).expect(&place);
        check("inverse", &apply);
    }
}

/// The cases, each with its λ and where it comes from.
fn powers() -> Vec<(String, Value)> {
    let cases = cases("options/power.json").into_iter().enumerate();
    cases.map(|(i, case)| (format!("case {i} ({})", case["numpy"]), case)).collect()
}

/// The fitted type with scikit-learn's λ, means and scales.
fn given(case: &Value) -> FittedPower {
    let standard = case.get("means").map(|means| {
        let moments = numbers(means).into_iter().zip(numbers(&case["scales"])).map(
            |(mean, scale)| json!({"count": 1.0, "mean": mean, "squares": scale * scale, "unit": 1.0}),
        );
        json!({"config": {}, "seen": moments.collect::<Vec<_>>()})
    });
    let lambdas = &case["lambdas"];
    serde_json::from_value(json!({"lambdas": lambdas, "standard": standard}))
        .expect("a fitted type")
}

/// Rows of numbers as a matrix whose columns they are.
fn matrix(rows: &Value) -> Matrix<f64> {
    let rows = rows.as_array().expect("rows");
    let values = rows.iter().flat_map(|row| row.as_array().expect("a row")).map(number);
    let values: Vec<f64> = values.collect();
    Matrix::from_vec(values.len() / rows.len(), rows.len(), values)
}
