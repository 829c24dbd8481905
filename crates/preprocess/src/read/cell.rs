//! One field of a table of text: whether it is a number, and what it looks like if it is not.

/// What stands for a missing value in many files, whatever its case.
const MISSING: [&str; 10] = ["", "?", "-", ".", "na", "n/a", "#n/a", "<na>", "nan", "null"];

/// A finite decimal number.
pub(super) fn number(field: &[u8]) -> Option<f64> {
    fast_float2::parse(field).ok().filter(|number: &f64| number.is_finite())
}

/// Why a field is no number.
pub(super) fn not_a_number(field: &[u8]) -> &'static str {
    let text = std::str::from_utf8(field).unwrap_or_default();
    match fast_float2::parse::<f64, _>(field) {
        _ if looks_missing(text) => "is no number: declare it in `missing` if it stands for a gap",
        Ok(number) if number.is_infinite() => "is infinite or too large for f64",
        _ if looks_numeric(text) => "is no decimal number with a point",
        _ => "is no number",
    }
}

/// Why a text should not be taken as a category without the user's word.
pub(super) fn suspicious(text: &str) -> Option<&'static str> {
    if looks_missing(text) {
        Some("looks missing: declare it in `missing`, or declare the column in `kinds`")
    } else if looks_numeric(text) {
        Some(
            "looks like a number but is no decimal one with a point: if it is meant as text, \
              declare the column in `kinds`",
        )
    } else if text.contains('\0') {
        Some("holds a zero byte: is the file damaged? else declare the column in `kinds`")
    } else {
        None
    }
}

fn looks_missing(text: &str) -> bool {
    MISSING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Digits with commas or underscores, a hexadecimal number, doubled signs, infinities, overflow.
fn looks_numeric(text: &str) -> bool {
    if number(text.as_bytes()).is_some() {
        return false;
    }
    let digits = text.trim_start_matches(['+', '-']);
    let only = digits.bytes().all(|byte| byte.is_ascii_digit() || b",._eE".contains(&byte));
    let first = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    (first && only)
        || hexadecimal.is_some_and(|hex| u64::from_str_radix(hex, 16).is_ok())
        || fast_float2::parse::<f64, _>(text).is_ok()
}

/// A field as it stands in an error: quoted, control characters escaped, cut.
pub(super) fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(40) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
