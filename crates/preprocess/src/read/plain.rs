//! Records without quotes, split where they stand: the way of most files and of all that are fast.
//!
//! The file is taken in blocks of whole lines. Where every column holds numbers, a block is cut into
//! pieces whose numbers are converted on any thread; a piece that holds anything else goes row by
//! row. A quote, or a carriage return that is no end of line, ends this: what is left, from the
//! start of its piece, goes to the csv crate.

use super::cell::number;
use super::csv::Csv;
use super::decimals;
use super::rows::{Bad, Rows, too_long};
use super::source::Source;
use crate::PreprocessError;
use crate::columns::in_order;
use memchr::{memchr, memchr_iter, memrchr};
use slalom_tensor::Threads;
use std::io::{ErrorKind, Read};

/// Bytes of one block, but for the first ones, which are smaller, and for longer lines.
const BLOCK: usize = 4 << 20;

/// Bytes of one piece of a block.
const PIECE: usize = 1 << 18;

/// Takes records of `start` and then of the source until the end (nothing is left) or until one that
/// is not plain, which is given back with what was read after it; `lines` counts those taken.
pub(super) fn take_while_plain<R: Read>(
    start: Vec<u8>,
    source: &mut Source<R>,
    separator: u8,
    lines: &mut u64,
    rows: &mut Rows<'_>,
    threads: &Threads,
) -> Result<Option<Vec<u8>>, PreprocessError> {
    let mut filled = start.len();
    let mut block = start;
    block.resize(PIECE, 0);
    loop {
        let ended = fill(source, &mut block, &mut filled)?;
        let end = match memrchr(b'\n', &block[..filled]) {
            _ if ended => filled,
            Some(last) => last + 1,
            None => {
                if filled as u64 > source.limits().record {
                    return Err(source.error(too_long(*lines + 1, source.limits())));
                }
                block.resize(2 * block.len(), 0);
                continue;
            }
        };
        let taken = take_block(&block[..end], separator, lines, rows, threads);
        let taken = taken.map_err(|error| error.of(source))?;
        if taken < end {
            block.truncate(filled);
            block.drain(..taken);
            return Ok(Some(block));
        }
        if ended {
            return Ok(None);
        }
        block.copy_within(end..filled, 0);
        filled -= end;
        // memory grows with what has arrived
        block.resize(block.len().max(BLOCK.min(2 * block.len())), 0);
    }
}

/// Reads until the block is full; whether the source has ended before.
fn fill<R: Read>(
    source: &mut Source<R>,
    block: &mut [u8],
    filled: &mut usize,
) -> Result<bool, PreprocessError> {
    while *filled < block.len() {
        match source.read(&mut block[*filled..]) {
            Ok(0) => return Ok(true),
            Ok(n) => *filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(source.read_error(error)),
        }
    }
    Ok(false)
}

/// Whether there are no quotes, and no carriage returns but those before a line feed.
fn is_plain(block: &[u8]) -> bool {
    memchr(b'"', block).is_none()
        && memchr_iter(b'\r', block).all(|i| block.get(i + 1) == Some(&b'\n'))
}

/// Takes the lines of a block, and says how many bytes of it: less than all if some are not plain.
fn take_block(
    block: &[u8],
    separator: u8,
    lines: &mut u64,
    rows: &mut Rows<'_>,
    threads: &Threads,
) -> Result<usize, Bad> {
    let mut rest = block;
    // the first rows say what the columns hold
    while rows.all_numbers().is_none() && !rest.is_empty() {
        let (piece, after) = cut(rest, PIECE.min(1 << 12));
        if !is_plain(piece) {
            return Ok(block.len() - rest.len());
        }
        take_lines(piece, separator, lines, rows)?;
        rest = after;
    }
    let Some(width) = rows.all_numbers() else { return Ok(block.len()) };
    let mut pieces = Vec::new();
    let mut taken = block.len() - rest.len();
    while !rest.is_empty() {
        let (piece, after) = cut(rest, PIECE);
        pieces.push(piece);
        rest = after;
    }
    let csv = rows.csv();
    let parsed = in_order(pieces.len(), threads, &|i| {
        decimals::columns(pieces[i], separator, width, &|field| other_number(csv, field))
    });
    for (piece, columns) in pieces.into_iter().zip(parsed) {
        match columns {
            Some(columns) => *lines += rows.take_numbers(&columns),
            None if is_plain(piece) => take_lines(piece, separator, lines, rows)?,
            None => return Ok(taken),
        }
        taken += piece.len();
    }
    Ok(taken)
}

/// A number in any form that rows may hold it, or a gap.
fn other_number(csv: &Csv, field: &[u8]) -> Option<f64> {
    if field.contains(&b'\r') || field.len() as u64 > csv.limits.field {
        return None;
    }
    let field = if csv.trim { field.trim_ascii() } else { field };
    number(field).or_else(|| csv.is_missing(field).then_some(f64::NAN))
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
