//! Reading golden files: values that another program computed, in JSON.
//!
//! The folder is the one that the environment variable `SLALOM_GOLDEN` names, by default
//! `tests/golden`. Each file names the program and the version that made it. NaN and infinities
//! stand there as the strings `"nan"`, `"inf"` and `"-inf"`.

use std::path::PathBuf;

use serde_json::Value;

/// Where the golden files are.
pub fn folder() -> PathBuf {
    std::env::var_os("SLALOM_GOLDEN")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden"), PathBuf::from)
}

/// A golden file, whole.
///
/// # Panics
/// When it is missing or not JSON: a golden test that read nothing must fail.
pub fn read(name: &str) -> Value {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("golden file {}: {error}", path.display()));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("golden file {}: {error}", path.display()))
}

/// The list under `cases` of a golden file.
///
/// # Panics
/// As [`read`], and when there are no cases.
pub fn cases(name: &str) -> Vec<Value> {
    match read(name)["cases"].take() {
        Value::Array(cases) if !cases.is_empty() => cases,
        other => panic!("golden file {name}: no cases but {other}"),
    }
}

/// The text of a golden value.
///
/// # Panics
/// When it is no text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The number of a golden value.
///
/// # Panics
/// When it is no number and none of the three words.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().expect("every JSON number is an f64"),
        Value::String(word) if word == "nan" => f64::NAN,
        Value::String(word) if word == "inf" => f64::INFINITY,
        Value::String(word) if word == "-inf" => f64::NEG_INFINITY,
        other => panic!("not a number: {other}"),
    }
}

/// All numbers of nested lists, one after the other (row-major).
///
/// # Panics
/// When something within is no number.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        single => vec![number(single)],
    }
}

/// Whether `found` is within `tolerance` of `wanted`: relative, and absolute where `wanted` is
/// below 1 in size. NaN equals NaN, an infinity itself.
pub fn close(found: f64, wanted: f64, tolerance: f64) -> bool {
    if !(found.is_finite() && wanted.is_finite()) {
        return found == wanted || (found.is_nan() && wanted.is_nan());
    }
    (found - wanted).abs() <= tolerance * wanted.abs().max(1.0)
}

/// Fails with the place and both values where two lists differ by more than `tolerance`, as
/// [`close`] has it.
///
/// # Panics
/// When they differ, also in length.
#[track_caller]
pub fn assert_close(place: &str, found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{place}: lengths differ");
    for (index, (&found, &wanted)) in found.iter().zip(wanted).enumerate() {
        assert!(
            close(found, wanted, tolerance),
            "{place}, number {index}: found {found:e}, wanted {wanted:e}, apart by {:e}",
            (found - wanted).abs()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_is_relative_above_one_and_absolute_below() {
        assert!(close(1e6 + 1e-7, 1e6, 1e-12) && !close(1e6 + 1e-5, 1e6, 1e-12));
        assert!(close(1e-13, 0.0, 1e-12) && !close(1e-11, 0.0, 1e-12));
        assert!(close(f64::NAN, f64::NAN, 0.0) && !close(1.0, f64::NAN, 1e9));
        assert!(close(f64::INFINITY, f64::INFINITY, 0.0));
        assert!(!close(f64::INFINITY, 1.0, 1e9) && !close(1.0, f64::INFINITY, 1e-12));
    }

    #[test]
    fn words_are_numbers() {
        let value = serde_json::json!([[1, "nan"], ["inf", "-inf"]]);
        let found = numbers(&value);
        assert!(found[0] == 1.0 && found[1].is_nan());
        assert_eq!(found[2..], [f64::INFINITY, f64::NEG_INFINITY]);
    }
}
