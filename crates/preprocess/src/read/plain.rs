//! Records without quotes, split where they stand: the way of most files and of all that are fast.
//!
//! The file is taken in blocks of whole lines. Where every column holds numbers, a block is cut into
//! pieces, and each piece is parsed on its own, fields found on the way; a piece that holds anything
//! else goes row by row, as all others do. The first block with a quote, or with a carriage return
//! that is no end of line, ends this: what is left goes to the csv crate.

use super::rows::{Bad, Rows, finite};
use super::source::Source;
use crate::columns::in_order;
use crate::{Fault, PreprocessError};
use memchr::{memchr, memchr_iter, memrchr};
use slalom_tensor::Threads;
use std::io::Read;

/// Bytes of one block.
const BLOCK: usize = 4 << 20;

/// Bytes of one piece of a block.
const PIECE: usize = 1 << 18;

/// Takes records until the end (nothing is left) or until a block is not plain, which is given back;
/// `lines` counts those taken.
pub(super) fn take_while_plain<R: Read>(
    source: &mut Source<R>,
    separator: u8,
    trim: bool,
    lines: &mut u64,
    rows: &mut Rows<'_>,
    threads: &Threads,
) -> Result<Option<Vec<u8>>, PreprocessError> {
    let mut block = Vec::new();
    let mut wanted = BLOCK;
    let mut first = true;
    loop {
        let missing = (wanted - block.len()) as u64;
        let read = source.by_ref().take(missing).read_to_end(&mut block);
        let read = read.map_err(|error| source.read_error(error))?;
        let ended = (read as u64) < missing;
        if first && block.starts_with(b"\xef\xbb\xbf") {
            block.drain(..3);
        }
        first = false;
        let end = match memrchr(b'\n', &block) {
            _ if ended => block.len(),
            Some(last) => last + 1,
            None => {
                check_record(source, block.len() as u64, *lines + 1)?;
                wanted *= 2;
                continue;
            }
        };
        if !is_plain(&block[..end]) {
            return Ok(Some(block));
        }
        let taken = take_block(&block[..end], separator, trim, lines, rows, threads);
        taken.map_err(|error| error.of(source))?;
        if ended {
            return Ok(None);
        }
        block.drain(..end);
        wanted = BLOCK.max(block.len() + 1);
    }
}

/// Checks the length of a record that has not ended yet.
fn check_record<R: Read>(source: &Source<R>, found: u64, line: u64) -> Result<(), PreprocessError> {
    let limit = source.limits().record;
    if found <= limit {
        return Ok(());
    }
    let what = format!(
        "the row that starts on line {line} is {found} or more, over the limit of {limit}: raise \
         Limits::record if the file is to be trusted"
    );
    Err(source.error(Fault::Table { what }))
}

/// Whether there are no quotes, and no carriage returns but those before a line feed.
fn is_plain(block: &[u8]) -> bool {
    memchr(b'"', block).is_none()
        && memchr_iter(b'\r', block).all(|i| block.get(i + 1) == Some(&b'\n'))
}

/// Takes the lines of a block.
fn take_block(
    mut block: &[u8],
    separator: u8,
    trim: bool,
    lines: &mut u64,
    rows: &mut Rows<'_>,
    threads: &Threads,
) -> Result<(), Bad> {
    // the first rows say what the columns hold
    while rows.all_numbers().is_none() && !block.is_empty() {
        let (piece, rest) = cut(block, PIECE.min(1 << 12));
        take_lines(piece, separator, lines, rows)?;
        block = rest;
    }
    let Some(width) = rows.all_numbers() else { return Ok(()) };
    let mut pieces = Vec::new();
    while !block.is_empty() {
        let (piece, rest) = cut(block, PIECE);
        pieces.push(piece);
        block = rest;
    }
    let parsed =
        in_order(pieces.len(), threads, &|i| Numbers::parse(pieces[i], width, separator, trim));
    for (piece, numbers) in pieces.into_iter().zip(parsed) {
        match numbers {
            Some(numbers) => {
                *lines += numbers.lines;
                rows.take_numbers(numbers.rows, &numbers.columns);
            }
            None => take_lines(piece, separator, lines, rows)?,
        }
    }
    Ok(())
}

/// Cuts off whole lines of about so many bytes.
fn cut(block: &[u8], size: usize) -> (&[u8], &[u8]) {
    match block.get(size..).and_then(|rest| memchr(b'\n', rest)) {
        Some(end) => block.split_at(size + end + 1),
        None => (block, &[]),
    }
}

/// Takes lines one by one.
fn take_lines(
    piece: &[u8],
    separator: u8,
    lines: &mut u64,
    rows: &mut Rows<'_>,
) -> Result<(), Bad> {
    let mut rest = piece;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest);
        let line = &rest[..end.unwrap_or(rest.len())];
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
        *lines += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            rows.take(line.split(|&byte| byte == separator), *lines)?;
        }
    }
    Ok(())
}

/// Rows of nothing but numbers.
struct Numbers {
    columns: Vec<Vec<f64>>,
    rows: usize,
    lines: u64,
}

impl Numbers {
    /// Parses whole lines of `width` numbers each; nothing if there is anything else among them.
    fn parse(piece: &[u8], width: usize, separator: u8, trim: bool) -> Option<Self> {
        let guess = piece.len() / (8 * width) + 1;
        let columns = (0..width).map(|_| Vec::with_capacity(guess)).collect();
        let mut numbers = Self { columns, rows: 0, lines: 0 };
        let mut rest = piece;
        loop {
            rest = match rest {
                [] => return Some(numbers),
                [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => {
                    numbers.lines += 1;
                    rest = after;
                    continue;
                }
                _ => rest,
            };
            for (i, column) in numbers.columns.iter_mut().enumerate() {
                let start = if trim { skip_spaces(rest) } else { rest };
                let (number, taken) = match short_decimal(start) {
                    Some(short) => short,
                    None => fast_float2::parse_partial::<f64, _>(start).ok()?,
                };
                column.push(finite(number)?);
                rest = &start[taken..];
                if trim {
                    rest = skip_spaces(rest);
                }
                if i + 1 < width {
                    rest = rest.strip_prefix(&[separator])?;
                }
            }
            rest = match rest {
                [] => rest,
                [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => after,
                _ => return None,
            };
            numbers.rows += 1;
            numbers.lines += 1;
        }
    }
}

/// What follows after spaces and tabs.
fn skip_spaces(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(text.len());
    &text[end..]
}

/// A decimal number of at most 15 digits without exponent, and how many bytes it takes: its digits
/// and the power of ten are exact in f64, so one division rounds it right (Clinger 1990).
fn short_decimal(text: &[u8]) -> Option<(f64, usize)> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut digits, mut value, mut point) = (0, 0_u64, None);
    let mut end = start;
    while let Some(&byte) = text.get(end) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            (value, digits) = (value.wrapping_mul(10).wrapping_add(u64::from(digit)), digits + 1);
        } else if byte == b'.' && point.is_none() {
            point = Some(digits);
        } else if byte == b'e' || byte == b'E' {
            return None;
        } else {
            break;
        }
        end += 1;
    }
    if !(1..=15).contains(&digits) {
        return None;
    }
    let number = value as f64 / POWERS[digits - point.unwrap_or(digits)];
    Some((if negative { -number } else { number }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decimals_are_rounded_as_long_ones_are() {
        for text in
            ["0", "-0", "7", "-12.345678", ".5", "5.", "0.1", "123456789012345", "0.00000000000001"]
        {
            let (number, taken) = short_decimal(text.as_bytes()).unwrap();
            let wanted: f64 = text.parse().unwrap();
            assert_eq!((number.to_bits(), taken), (wanted.to_bits(), text.len()), "{text}");
        }
        assert_eq!(short_decimal(b"1.5,2"), Some((1.5, 3)));
        assert_eq!(short_decimal(b"1.5.2"), Some((1.5, 3)));
        for text in ["", "-", ".", "+1", "1e5", "1234567890123456", "inf", "x"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }
}
