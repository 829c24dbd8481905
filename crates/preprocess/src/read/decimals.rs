//! Columns of decimal numbers, converted many at a time.
//!
//! Where the fields end is found first ([`Fields`]). Then each column is converted in batches: of
//! every field the sign, the length and the 16 bytes before its end are gathered, and digits become
//! a number by the same steps in every place of a batch, without a branch, so that the compiler
//! makes vectors of them. What is no plain decimal of at most 15 digits is left to the caller. The
//! digits as a whole number and the power of ten are exact in f64, so one division rounds right
//! (Clinger 1990, "How to read floating point numbers accurately").

use super::fields::{Fields, all};
use slalom_tensor::vectorize;

/// Numbers that are converted together.
const BATCH: usize = 64;

/// The columns of a piece of whole lines that hold `width` numbers each; nothing if they do not.
/// What a field that is no plain decimal stands for is asked of `other`.
pub(super) fn columns(
    piece: &[u8],
    separator: u8,
    width: usize,
    other: &dyn Fn(&[u8]) -> Option<f64>,
) -> Option<Vec<Vec<f64>>> {
    let fields = Fields::find(piece, separator, width)?;
    let mut columns = Vec::with_capacity(width);
    for column in 0..width {
        columns.push(numbers(&fields, column, other)?);
    }
    Some(columns)
}

/// The numbers of a column.
fn numbers(
    fields: &Fields<'_>,
    column: usize,
    other: &dyn Fn(&[u8]) -> Option<f64>,
) -> Option<Vec<f64>> {
    let rows = fields.rows();
    let mut numbers = Vec::with_capacity(rows);
    let mut batch = Batch::new();
    for first in (0..rows).step_by(BATCH) {
        let count = BATCH.min(rows - first);
        let place = |i| (first + i) * fields.width + column;
        for i in 0..count {
            let (start, end) = fields.borders(place(i));
            batch.gather(i, fields.piece, start, end);
        }
        batch.convert();
        for (i, number) in batch.numbers[..count].iter_mut().enumerate() {
            if number.is_nan() {
                let (start, end) = fields.borders(place(i));
                *number = other(&fields.piece[start..end])?;
            }
        }
        numbers.extend_from_slice(&batch.numbers[..count]);
    }
    Some(numbers)
}

/// The top bit of each byte above 9.
#[inline(always)]
fn above_nine(word: u64) -> u64 {
    (((word & all(0x7f)) + all(0x76)) | word) & all(0x80)
}

/// Fields that are converted together.
struct Batch {
    /// The 16 bytes before the end of each: the first eight, the last eight.
    texts: [[u64; BATCH]; 2],
    /// How long each is, without a minus sign.
    lengths: [u64; BATCH],
    /// The sign bit of each.
    signs: [u64; BATCH],
    numbers: [f64; BATCH],
}

impl Batch {
    fn new() -> Self {
        let none = [0; BATCH];
        Self { texts: [none; 2], lengths: none, signs: none, numbers: [0.0; BATCH] }
    }

    /// Takes the field from `start` to `end`; none is near the start of the piece.
    #[inline(always)]
    fn gather(&mut self, i: usize, piece: &[u8], start: usize, end: usize) {
        let Some(window) = piece[..end].last_chunk::<16>() else {
            self.lengths[i] = 0;
            return;
        };
        let [a, b, c, d, e, f, g, h, last @ ..] = *window;
        self.texts[0][i] = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        self.texts[1][i] = u64::from_le_bytes(last);
        let minus = u64::from(piece.get(start).is_some_and(|&b| b == b'-'));
        self.lengths[i] = ((end - start) as u64).wrapping_sub(minus);
        self.signs[i] = minus << 63;
    }

    fn convert(&mut self) {
        let [early, late] = &self.texts;
        vectorize(
            #[inline(always)]
            || {
                for (i, number) in self.numbers.iter_mut().enumerate() {
                    let size = decimal(early[i], late[i], self.lengths[i]);
                    *number = f64::from_bits(size.to_bits() | self.signs[i]);
                }
            },
        );
    }
}

/// The number whose last `length` characters are those of `late`, and of `early` before them; NaN
/// unless these are 1 to 15 characters, digits but for one point at most.
#[inline(always)]
fn decimal(early: u64, late: u64, length: u64) -> f64 {
    // what belongs to the field, as values of digits; zeros before it
    let (in_late, in_early) = (length.min(8), length.saturating_sub(8).min(7));
    let late = (late ^ all(b'0')) & u64::MAX.wrapping_shl(64_u32.wrapping_sub(8 * in_late as u32));
    let early = (early ^ all(b'0')) & (u64::MAX << 1).wrapping_shl(63 - 8 * in_early as u32);
    // the point: the only byte that is no digit
    let (late_marks, early_marks) = (above_nine(late), above_nine(early));
    let (late_point, early_point) = (late_marks != 0, early_marks != 0);
    let several = |marks: u64| marks & marks.wrapping_sub(1);
    let byte = |marks: u64| (marks << 1).wrapping_sub(marks >> 7);
    let other = |word: u64, marks: u64| word & byte(marks) ^ byte(marks) & all(b'.' ^ b'0');
    let wrong = several(late_marks) | several(early_marks);
    let wrong = wrong | other(late, late_marks) | other(early, early_marks);
    // the digits before it move into its place
    let before = |marks: u64| if marks == 0 { 0 } else { (marks >> 7).wrapping_sub(1) };
    let late_before = before(late_marks);
    let early_before = if late_point { u64::MAX } else { before(early_marks) };
    let carried = if late_point { early >> 56 } else { 0 };
    let after = |marks: u64, before: u64| !(before | byte(marks));
    let digits = late & after(late_marks, late_before) | (late & late_before) << 8 | carried;
    let more = early & after(early_marks, early_before) | (early & early_before) << 8;
    // a 1 in the place of the point is the power of ten to divide by
    let power = eight_digits((late_marks | early_marks) >> 7);
    let power = match (early_point, late_point) {
        (true, _) => power.wrapping_mul(100_000_000),
        (_, true) => power,
        _ => 1,
    };
    let whole = eight_digits(more).wrapping_mul(100_000_000).wrapping_add(eight_digits(digits));
    let good = (wrong == 0)
        & !(late_point & early_point)
        & (length.wrapping_sub(1) < 15)
        & !((length == 1) & late_point);
    let number = whole as i64 as f64 / power as i64 as f64;
    if good { number } else { f64::NAN }
}

/// The number of eight digits, the first in the lowest byte.
#[inline(always)]
fn eight_digits(digits: u64) -> u64 {
    // pairs, then fours, then all
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let second = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    first.wrapping_add(second) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refuse(_: &[u8]) -> Option<f64> {
        None
    }

    /// What one field is converted to, far from the start of its piece.
    fn convert(field: &str) -> Option<f64> {
        let text = format!("{:016},{field},\n", 0);
        let found = columns(text.as_bytes(), b',', 3, &|text| {
            (text != field.as_bytes()).then_some(f64::NAN)
        });
        found.map(|columns| columns[1][0])
    }

    #[test]
    fn plain_decimals_are_rounded_right() {
        for text in [
            "0",
            "-0",
            "7",
            "-12.345678",
            ".5",
            "5.",
            "-5.",
            "0.1",
            "123456789012345",
            "0.0000000000001",
            "12345678",
            "1234567.8",
            "12345678.9",
            "123456789",
            ".12345678",
            "12345.678901234",
            "99999999999999",
            "-999999999999999",
        ] {
            let wanted: f64 = text.parse().unwrap();
            assert_eq!(convert(text).map(f64::to_bits), Some(wanted.to_bits()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_caller() {
        for text in [
            "",
            "-",
            ".",
            "-.",
            "+1",
            "--1",
            "1e5",
            "1.2.3",
            "..",
            "1,",
            "1234567890123456",
            "inf",
            "x",
            "1 ",
            " 1",
            "1:",
            "/1",
            "1\u{80}",
            "12345678x12345",
            "1.23456789.0",
            "0x10",
            "0.00000000000001",
        ] {
            assert_eq!(convert(text), None, "{text:?}");
        }
    }

    #[test]
    fn lines_end_as_they_may() {
        for text in ["1,2\n3,4\n", "1,2\n3,4", "1,2\r\n3,4\r\n"] {
            let other = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
            let found = columns(text.as_bytes(), b',', 2, &other);
            assert_eq!(found, Some(vec![vec![1.0, 3.0], vec![2.0, 4.0]]), "{text:?}");
        }
        for text in [
            "1,2\n3\n",
            "1,2\n\n3,4\n",
            "1\n2,3,4\n",
            "1,2,3\n4\n",
            "1,2\n3,4,",
            "1,2\r",
            "1,2\n\n\n",
        ] {
            let other = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
            assert_eq!(columns(text.as_bytes(), b',', 2, &other), None, "{text:?}");
        }
        assert_eq!(columns(b"-\n", b'-', 2, &refuse), None);
    }

    #[test]
    fn long_pieces_are_read_whole() {
        let text: String = (0..400).map(|i| format!("{i},-{}.25,7\n", i * i)).collect();
        let found =
            columns(text.as_bytes(), b',', 3, &|text| std::str::from_utf8(text).ok()?.parse().ok());
        let column = |f: fn(f64) -> f64| (0..400).map(f64::from).map(f).collect::<Vec<_>>();
        assert_eq!(found, Some(vec![column(|i| i), column(|i| -i * i - 0.25), column(|_| 7.0)]));
    }

    proptest! {
        #[test]
        fn any_decimal_is_read_as_the_standard_library_does(
            fields in prop::collection::vec("-?[0-9]{0,9}(\\.[0-9]{0,9})?|[-+.e0-9x ]{0,20}", 2..200)
        ) {
            let width = 1 + fields.len() % 3;
            let fields = &fields[..fields.len() / width * width];
            let rows: Vec<String> = fields.chunks(width).map(|row| row.join(",")).collect();
            let text = rows.join("\n");
            let other = |text: &[u8]| Some(fast_float2::parse(text).unwrap_or(-1.0));
            let found = columns(text.as_bytes(), b',', width, &other);
            // an empty last line is no row
            prop_assume!(text.ends_with('\n') || text.is_empty() || found.is_some());
            for (i, column) in found.into_iter().flatten().enumerate() {
                for (row, number) in column.into_iter().enumerate() {
                    let field = &fields[row * width + i];
                    let wanted = other(field.as_bytes()).unwrap_or_default();
                    prop_assert_eq!(number.to_bits(), wanted.to_bits(), "{:?}", field);
                }
            }
        }
    }
}
