//! Preprocessing against scikit-learn: every case of `preprocessing.json` and of further options, f64
//! within 1e-12.
//!
//! A name or an option that is not known here fails: nothing is skipped.

use serde_json::{Map, Value};
use slalom_preprocess::{
    Drop, Fill, Fit, FittedMaxAbs, FittedMinMax, FittedScaler, FittedStandard, Frequency, Impute,
    ImputeText, Labels, MaxAbs, MinMax, Normalize, OneHot, Ordinal, Power, PreprocessError,
    Quantile, Robust, Scaler, Shape, Standard, Text, Transform, Unknown, Unseen,
};
use slalom_tensor::Matrix;
use slalom_tests::golden::{assert_close, cases, number, numbers, text};

const TOLERANCE: f64 = 1e-12;

/// λ depends on the processor in scikit-learn too, and with it these values by up to 1e-6:
/// `golden_power.rs` tells why, and holds to 1e-12 what can be.
const TOLERANCE_POWER: f64 = 1e-6;

#[test]
fn golden_preprocessing() {
    let cases = [cases("preprocessing.json"), cases("options/preprocessing.json")].concat();
    for (i, case) in cases.iter().enumerate() {
        let name = text(&case["name"]);
        let place = format!("case {i} ({name}, {})", case["options"]);
        assert!(
            text(&case["source"]).starts_with("scikit-learn"),
            "{place}: made by something else"
        );
        let mut options = Options::of(case);
        if name.starts_with("one_hot") {
            let encoder = one_hot(&mut options);
            options.none_left(&place);
            check_one_hot(&place, case, &encoder);
        } else if name.starts_with("ordinal") {
            let encoder = ordinal(&mut options);
            options.none_left(&place);
            check_ordinal(&place, case, &encoder);
        } else if name.starts_with("label") {
            options.none_left(&place);
            check_labels(&place, case);
        } else if name.contains("imputer") && holds_text(&case["fit"]) {
            let impute = impute_text(&mut options);
            options.none_left(&place);
            check_impute_text(&place, case, &impute);
        } else {
            let indicators = options.flag("add_indicator").unwrap_or(false);
            let case = &marked(case, &mut options);
            let scaler = scaler(name, &mut options);
            options.none_left(&place);
            check_scaler(&place, case, scaler, indicators);
        }
    }
}

#[test]
#[should_panic(expected = "unknown preprocessing \"mystery\"")]
fn golden_unknown_name_fails() {
    scaler("mystery", &mut Options(Map::new()));
}

#[test]
#[should_panic(expected = "unknown options {\"mystery\":1}")]
fn golden_unknown_option_fails() {
    let mut options =
        Options::of(&serde_json::json!({"options": {"mystery": 1, "with_std": true}}));
    scaler("standard", &mut options);
    options.none_left("here");
}

fn scaler(name: &str, options: &mut Options) -> Scaler {
    let named = |prefix: &str| name == prefix || name.starts_with(&format!("{prefix}_"));
    match name {
        _ if named("min_max") => Scaler::MinMax(MinMax {
            range: options.pair("feature_range").unwrap_or(MinMax::default().range),
            clip: options.flag("clip").unwrap_or(false),
        }),
        _ if named("standard") => Scaler::Standard(Standard {
            mean: options.flag("with_mean").unwrap_or(true),
            deviation: options.flag("with_std").unwrap_or(true),
        }),
        _ if named("max_abs") => {
            Scaler::MaxAbs(MaxAbs { clip: options.flag("clip").unwrap_or(false) })
        }
        _ if named("robust") => Scaler::Robust(Robust {
            center: options.flag("with_centering").unwrap_or(true),
            scale: options.flag("with_scaling").unwrap_or(true),
            quantiles: options.pair("quantile_range").unwrap_or(Robust::default().quantiles),
            unit_variance: options.flag("unit_variance").unwrap_or(false),
        }),
        _ if named("normalizer") => Scaler::Normalize(match options.word("norm").as_deref() {
            None | Some("l2") => Normalize::L2,
            Some("l1") => Normalize::L1,
            Some("max") => Normalize::Max,
            Some(other) => panic!("unknown norm {other:?}"),
        }),
        _ if named("power") || named("yeo_johnson") => {
            let method = options.word("method");
            assert!(method.is_none_or(|m| m == "yeo-johnson"), "only Yeo-Johnson is offered");
            Scaler::Power(Power { standardize: options.flag("standardize").unwrap_or(true) })
        }
        _ if named("quantile") => {
            let quantiles = options.count("n_quantiles").unwrap_or(1000);
            let shape = match options.word("output_distribution").as_deref() {
                None | Some("uniform") => Shape::Uniform,
                Some("normal") => Shape::Normal,
                Some(other) => panic!("unknown output_distribution {other:?}"),
            };
            // the first two are about samples that scikit-learn leaves out, the last about sparse ones
            for name in ["subsample", "random_state", "ignore_implicit_zeros"] {
                options.0.remove(name);
            }
            Scaler::Quantile(Quantile { quantiles, shape })
        }
        _ if named("imputer") || named("simple_imputer") => {
            let fill = options.0.remove("fill_value").filter(|fill| !fill.is_null());
            let fill = fill.map_or(0.0, |fill| number(&fill));
            let fill = match options.word("strategy").as_deref() {
                None | Some("mean") => Fill::Mean,
                Some("median") => Fill::Median,
                Some("most_frequent") => Fill::MostFrequent,
                Some("constant") => Fill::Constant(fill),
                Some(other) => panic!("unknown strategy {other:?}"),
            };
            let keep = options.flag("keep_empty_features").unwrap_or(false);
            Scaler::Impute(Impute { fill, empty: keep.then_some(0.0) })
        }
        _ => panic!("unknown preprocessing {name:?}"),
    }
}

/// The case with NaN in place of what its option `missing_values` declares: that is said where a
/// table is read ([`slalom_preprocess::Csv::missing`]).
fn marked(case: &Value, options: &mut Options) -> Value {
    let marker = options.0.remove("missing_values").filter(|value| !value.is_null());
    let Some(marker) = marker.filter(|value| value != "nan").map(|value| number(&value)) else {
        return case.clone();
    };
    let mut case = case.clone();
    for key in ["fit", "apply"] {
        let rows = case[key].as_array_mut().expect("rows").iter_mut();
        for value in rows.flat_map(|row| row.as_array_mut().expect("a row")) {
            if number(value) == marker {
                *value = "nan".into();
            }
        }
    }
    case
}

/// The features without any value in training, which scikit-learn leaves out unless told otherwise,
/// and which are an error here unless a number is given for them; the scaler with such a number.
fn left_out(place: &str, train: &Matrix<f64>, scaler: Scaler) -> (Vec<usize>, Scaler) {
    let Scaler::Impute(impute @ Impute { empty: None, .. }) = scaler else {
        return (Vec::new(), scaler);
    };
    let empty = |&i: &usize| train.row(i).iter().all(|v| v.is_nan());
    let left_out: Vec<usize> = (0..train.nrows()).filter(empty).collect();
    if !left_out.is_empty() && !matches!(impute.fill, Fill::Constant(_)) {
        let error = scaler.fit(train.as_view()).expect_err(place);
        assert!(matches!(error, PreprocessError::AllMissing { .. }), "{place}: {error}");
    }
    (left_out, Scaler::Impute(Impute { empty: Some(0.0), ..impute }))
}

fn check_scaler(place: &str, case: &Value, scaler: Scaler, indicators: bool) {
    let tolerance = if matches!(scaler, Scaler::Power(_)) { TOLERANCE_POWER } else { TOLERANCE };
    let (train, apply) = (matrix(&case["fit"]), matrix(&case["apply"]));
    let (left_out, scaler) = left_out(place, &train, scaler);
    let fitted = scaler.fit(train.as_view()).unwrap_or_else(|error| panic!("{place}: {error}"));
    let after = |fitted: &FittedScaler, x: &Matrix<f64>| {
        let mut y = x.clone();
        fitted.transform(y.as_view_mut()).unwrap_or_else(|error| panic!("{place}: {error}"));
        if let (FittedScaler::Impute(impute), true) = (fitted, indicators) {
            let below = impute.indicators(x.as_view()).unwrap();
            let height = y.nrows();
            y = y.resize_vertically(height + below.nrows(), 0.0);
            y.rows_mut(height, below.nrows()).copy_from(&below);
        }
        y.remove_rows_at(&left_out)
    };
    let transformed = after(&fitted, &apply);
    let mut checked = 0;
    let mut check = |key: &str, found: &Matrix<f64>| {
        if let Some(wanted) = case.get(key) {
            let place = format!("{place}, {key}");
            assert_close(&place, found.as_slice(), &numbers(wanted), tolerance);
            checked += 1;
        }
    };
    check("transformed", &transformed);
    check("transformed_fit", &after(&fitted, &train));
    if case.get("inverse").is_some() {
        let mut back = transformed.clone();
        fitted.inverse(back.as_view_mut()).unwrap_or_else(|error| panic!("{place}: {error}"));
        check("inverse", &back);
    }
    if case.get("transformed_after_partial_fit").is_some() {
        let halves = [train.columns(0, 4).into_owned(), train.columns(4, train.ncols() - 4).into()];
        let fitted = in_chunks(scaler, &halves).unwrap_or_else(|e| panic!("{place}: {e}"));
        check("transformed_after_partial_fit", &after(&fitted, &apply));
    }
    assert!(checked > 0, "{place}: nothing to compare");
}

/// The fit on the first chunk, then on the second.
fn in_chunks(
    scaler: Scaler,
    [first, second]: &[Matrix<f64>; 2],
) -> Result<FittedScaler, PreprocessError> {
    let mut fitted = scaler.fit(first.as_view())?;
    match &mut fitted {
        FittedScaler::Standard(fitted) => FittedStandard::partial_fit(fitted, second.as_view())?,
        FittedScaler::MinMax(fitted) => FittedMinMax::partial_fit(fitted, second.as_view())?,
        FittedScaler::MaxAbs(fitted) => FittedMaxAbs::partial_fit(fitted, second.as_view())?,
        other => panic!("no partial fit for {other:?}"),
    }
    Ok(fitted)
}

fn one_hot(options: &mut Options) -> OneHot {
    let unknown = match options.word("handle_unknown").as_deref() {
        None | Some("error") => Unknown::Error,
        Some("ignore") => Unknown::Zeros,
        Some("infrequent_if_exist" | "warn") => Unknown::Infrequent,
        Some(other) => panic!("unknown handle_unknown {other:?}"),
    };
    let drop = match options.0.remove("drop") {
        None | Some(Value::Null) => Drop::None,
        Some(Value::String(word)) if word == "first" => Drop::First,
        Some(Value::String(word)) if word == "if_binary" => Drop::IfBinary,
        Some(Value::Array(values)) => Drop::Values(values.iter().map(category).collect()),
        Some(other) => panic!("unknown drop {other}"),
    };
    let min_frequency = options.frequency();
    let max_categories = options.count("max_categories");
    options.0.remove("feature_name_combiner");
    OneHot { unknown, drop, min_frequency, max_categories, categories: categories(options) }
}

fn ordinal(options: &mut Options) -> Ordinal {
    let value = options.0.remove("unknown_value").filter(|value| !value.is_null());
    let unknown = match options.word("handle_unknown").as_deref() {
        None | Some("error") => Unseen::Error,
        Some("use_encoded_value") => match value.map(|value| number(&value)) {
            Some(value) if value.is_nan() => Unseen::Missing,
            Some(value) => Unseen::Number(value),
            None => panic!("no unknown_value"),
        },
        Some(other) => panic!("unknown handle_unknown {other:?}"),
    };
    let categories = categories(options)
        .map(|lists| lists.into_iter().map(|list| list.into_iter().flatten().collect()).collect());
    let missing = options.0.remove("encoded_missing_value").map(|v| number(&v));
    let missing = missing.filter(|missing| !missing.is_nan());
    let min_frequency = options.frequency();
    let max_categories = options.count("max_categories");
    Ordinal { categories, unknown, missing, min_frequency, max_categories }
}

fn impute_text(options: &mut Options) -> ImputeText {
    let marker = options.0.remove("missing_values").unwrap_or_default();
    assert!(marker.is_null() || marker == "nan", "unknown missing_values {marker}");
    let fill = options.0.remove("fill_value").filter(|fill| !fill.is_null());
    match options.word("strategy").as_deref() {
        Some("most_frequent") => ImputeText::MostFrequent,
        Some("constant") => {
            ImputeText::Constant(fill.map_or("missing_value".into(), |fill| text(&fill).into()))
        }
        other => panic!("unknown strategy {other:?} for text"),
    }
}

fn categories(options: &mut Options) -> Option<Vec<Vec<Option<String>>>> {
    match options.0.remove("categories")? {
        Value::String(word) if word == "auto" => None,
        Value::Array(lists) => Some(
            lists
                .iter()
                .map(|list| list.as_array().unwrap().iter().map(category).collect())
                .collect(),
        ),
        other => panic!("unknown categories {other}"),
    }
}

fn check_one_hot(place: &str, case: &Value, encoder: &OneHot) {
    let (train, apply) = (columns(&case["fit"]), columns(&case["apply"]));
    let names: Vec<String> = (0..train.len()).map(|i| format!("x{i}")).collect();
    let named: Vec<_> = names.iter().map(String::as_str).zip(&train).collect();
    let fitted = encoder.fit(&named).unwrap_or_else(|error| panic!("{place}: {error}"));
    if let Some(Value::Array(wanted)) = case.get("categories") {
        for (found, wanted) in fitted.categories().into_iter().zip(wanted) {
            let wanted: Vec<_> = wanted.as_array().unwrap().iter().map(category).collect();
            assert_eq!(found, wanted, "{place}");
        }
    }
    for (key, columns) in [("transformed_fit", &train), ("transformed", &apply)] {
        let columns: Vec<&Text> = columns.iter().collect();
        let x = fitted.transform::<f64>(&columns).unwrap_or_else(|e| panic!("{place}: {e}"));
        assert_close(&format!("{place}, {key}"), x.as_slice(), &numbers(&case[key]), TOLERANCE);
    }
}

fn check_ordinal(place: &str, case: &Value, encoder: &Ordinal) {
    // None is a category there, the last one; only NaN is missing
    let none = |rows: &Value| {
        let text = rows.to_string().replace("null", "\"\u{10ffff}\"");
        columns(&serde_json::from_str(&text).expect("rows"))
    };
    let (train, apply) = (none(&case["fit"]), none(&case["apply"]));
    let names: Vec<String> = (0..train.len()).map(|i| format!("x{i}")).collect();
    let named: Vec<_> = names.iter().map(String::as_str).zip(&train).collect();
    let fitted = encoder.fit(&named).unwrap_or_else(|error| panic!("{place}: {error}"));
    for (key, columns) in [("transformed_fit", &train), ("transformed", &apply)] {
        if key == "transformed_fit" && case.get(key).is_none() {
            continue;
        }
        let columns: Vec<&Text> = columns.iter().collect();
        let x = fitted.transform::<f64>(&columns).unwrap_or_else(|e| panic!("{place}: {e}"));
        assert_close(&format!("{place}, {key}"), x.as_slice(), &numbers(&case[key]), TOLERANCE);
    }
}

fn check_labels(place: &str, case: &Value) {
    let labels = |rows: &Value| -> Vec<Option<String>> {
        rows.as_array().unwrap().iter().map(category).collect()
    };
    let text = |rows: &Value| labels(rows).iter().map(Option::as_deref).collect::<Text>();
    let fitted = Labels::fit("y", &text(&case["fit"])).unwrap_or_else(|e| panic!("{place}: {e}"));
    for (from, to) in [("fit", "transformed_fit"), ("apply", "transformed")] {
        if to == "transformed_fit" && case.get(to).is_none() {
            continue;
        }
        let found = fitted.encode(&text(&case[from])).unwrap_or_else(|e| panic!("{place}: {e}"));
        let found: Vec<f64> = found.into_iter().map(f64::from).collect();
        assert_close(&format!("{place}, {to}"), &found, &numbers(&case[to]), TOLERANCE);
    }
}

fn check_impute_text(place: &str, case: &Value, impute: &ImputeText) {
    let (train, mut apply) = (columns(&case["fit"]), columns(&case["apply"]));
    let wanted = columns(&case["transformed"]);
    for ((train, apply), wanted) in train.iter().zip(&mut apply).zip(&wanted) {
        impute.fit(train).unwrap_or_else(|e| panic!("{place}: {e}")).transform(apply);
        assert!(apply.iter().eq(wanted.iter()), "{place}: {apply:?}, not {wanted:?}");
    }
}

/// Whether rows hold categories, not numbers.
fn holds_text(rows: &Value) -> bool {
    let values = rows.as_array().into_iter().flatten().flat_map(|row| row.as_array().unwrap());
    values.filter_map(Value::as_str).any(|word| !["nan", "inf", "-inf"].contains(&word))
}

/// Rows of numbers as a matrix whose columns they are.
fn matrix(rows: &Value) -> Matrix<f64> {
    let rows = rows.as_array().unwrap();
    let numbers: Vec<f64> = rows.iter().flat_map(numbers).collect();
    Matrix::from_vec(numbers.len() / rows.len(), rows.len(), numbers)
}

/// Rows of categories as columns of text.
fn columns(rows: &Value) -> Vec<Text> {
    let mut columns: Vec<Text> = Vec::new();
    for row in rows.as_array().unwrap() {
        let row = row.as_array().unwrap();
        columns.resize_with(row.len(), Text::default);
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(category(value).as_deref());
        }
    }
    columns
}

/// A category: a text, a number by its text, or nothing.
fn category(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text == "nan" => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The options of a case, taken out one by one.
struct Options(Map<String, Value>);

impl Options {
    fn of(case: &Value) -> Self {
        Self(case["options"].as_object().expect("options are an object").clone())
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name).map(|v| v.as_bool().unwrap_or_else(|| panic!("{name} is {v}")))
    }

    fn word(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(|value| text(&value).to_string())
    }

    fn count(&mut self, name: &str) -> Option<usize> {
        let value = self.0.remove(name).filter(|value| !value.is_null())?;
        Some(value.as_u64().unwrap_or_else(|| panic!("{name} is {value}")) as usize)
    }

    fn frequency(&mut self) -> Option<Frequency> {
        let least = self.0.remove("min_frequency").filter(|value| !value.is_null())?;
        Some(match least.as_u64() {
            Some(count) => Frequency::Count(count as usize),
            None => Frequency::Share(number(&least)),
        })
    }

    fn pair(&mut self, name: &str) -> Option<[f64; 2]> {
        let pair = numbers(&self.0.remove(name)?);
        Some(pair.try_into().unwrap_or_else(|pair| panic!("{name} is {pair:?}")))
    }

    fn none_left(&mut self, place: &str) {
        // switches that change nothing about the numbers
        for name in ["copy", "sparse_output", "dtype"] {
            self.0.remove(name);
        }
        let left = Value::Object(std::mem::take(&mut self.0));
        assert_eq!(left, Value::Object(Map::new()), "{place}: unknown options {left}");
    }
}
