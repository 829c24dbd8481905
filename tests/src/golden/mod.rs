//! Reading golden files: values that another program computed, in JSON.
//!
//! The folder is the one that the environment variable `SLALOM_GOLDEN` names, by default
//! `tests/golden`; files of `options/` are always from there. Each case names the program and the
//! version that made it. NaN and infinities stand there as the strings `"nan"`, `"inf"`, `"-inf"`.

mod layers;
mod optimizers;
mod schedules;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

pub use layers::{activation, loss};
pub use optimizers::{optimizer, torch};
pub use schedules::{plateau, schedule};

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
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let path = if name.starts_with("options/") { own } else { folder() }.join(name);
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

/// The options of a case, each of which must be asked for once.
pub struct Options {
    /// The case's name.
    pub case: String,
    left: BTreeMap<String, Value>,
}

impl Options {
    /// The options of a case.
    ///
    /// # Panics
    /// When it has none.
    pub fn of(case: &Value) -> Self {
        let left = case["options"].as_object().expect("options").clone().into_iter().collect();
        Self { case: text(&case["name"]).into(), left }
    }

    /// The value of this name, unless it is absent or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Forgets options that say how a reference computes, not what.
    pub fn forget(&mut self, names: &[&str]) {
        names.iter().for_each(|name| drop(self.left.remove(*name)));
    }

    /// Whether the option of this name is given, as null: Python's None.
    pub fn none(&mut self, name: &str) -> bool {
        let none = self.left.get(name).is_some_and(Value::is_null);
        if none {
            self.left.remove(name);
        }
        none
    }

    /// The value of this name, which stays to be asked for again.
    ///
    /// # Panics
    /// When it is absent.
    pub fn seen(&self, name: &str) -> Value {
        self.left.get(name).unwrap_or_else(|| panic!("{}: no {name}", self.case)).clone()
    }

    /// The number of this name, or what the reference does without it.
    pub fn number(&mut self, name: &str, default: f64) -> f64 {
        self.take(name).map_or(default, |value| number(&value))
    }

    /// The number of this name.
    ///
    /// # Panics
    /// When it is absent.
    pub fn needed(&mut self, name: &str) -> f64 {
        let value = self.take(name);
        number(&value.unwrap_or_else(|| panic!("{}: no {name}", self.case)))
    }

    /// The two numbers of this name, or what the reference does without them.
    ///
    /// # Panics
    /// When they are not two numbers.
    pub fn pair(&mut self, name: &str, default: (f64, f64)) -> (f64, f64) {
        let Some(value) = self.take(name) else { return default };
        let [a, b] = numbers(&value)[..] else { panic!("{}: {name} is {value}", self.case) };
        (a, b)
    }

    /// The flag of this name, or what the reference does without it.
    ///
    /// # Panics
    /// When it is no flag.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        self.take(name).map_or(default, |value| value.as_bool().expect("a flag"))
    }

    /// Ends the reading.
    ///
    /// # Panics
    /// When an option was not asked for: what is not known here must not pass.
    pub fn finish(self) {
        assert!(self.left.is_empty(), "{}: unknown options {:?}", self.case, self.left);
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
    fn every_golden_test_is_called_so() {
        // `cargo test -p slalom-tests golden` would leave out any other, and say nothing
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with("golden_") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for test in text.split("#[test]").skip(1) {
                let name = test.split("fn ").nth(1).unwrap_or_default();
                assert!(name.starts_with("golden_"), "{}: fn {name:.40}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen} golden tests");
    }

    #[test]
    fn words_are_numbers() {
        let value = serde_json::json!([[1, "nan"], ["inf", "-inf"]]);
        let found = numbers(&value);
        assert!(found[0] == 1.0 && found[1].is_nan());
        assert_eq!(found[2..], [f64::INFINITY, f64::NEG_INFINITY]);
    }
}
