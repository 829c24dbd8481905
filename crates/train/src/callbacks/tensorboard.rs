//! Event files for TensorBoard.
//!
//! A file is a row of records, each *length (u64), masked CRC-32C of the length, bytes, masked
//! CRC-32C of the bytes*, little-endian. The bytes are an `Event` in protocol-buffer form:
//!
//! ```text
//! Event   { wall_time: double = 1, step: int64 = 2, file_version: string = 3, summary: Summary = 5 }
//! Summary { value: Value = 1, … }      Value { tag: string = 1, simple_value: float = 2 }
//! ```
//!
//! Reference: tensorflow `core/lib/io/record_writer.cc`, `core/util/event.proto`.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use slalom_tensor::Scalar;

use super::{Callback, Event};
use crate::checksum::crc32c;
use crate::{Epoch, Run, TrainError};

/// Writes the history as TensorBoard's scalars, one step an epoch: `loss/train`, `loss/final`,
/// `loss/valid`, `metric/…`, `rate`, `norm/gradient`, `norm/weight`.
///
/// TensorBoard finds files whose names hold `tfevents`: `events.out.tfevents.1700000000.name`.
///
/// ```
/// use slalom_train::TensorBoard;
/// let log = TensorBoard::new(Vec::new())?;
/// assert!(log.into_inner().windows(12).any(|w| w == b"brain.Event:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard<W> {
    out: W,
}

impl<W: Write> TensorBoard<W> {
    /// A log on this writer; writes the file's first record.
    ///
    /// # Errors
    /// The writer's.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut event = wall_time();
        put_bytes(&mut event, 3, b"brain.Event:2");
        out.write_all(&record(&event))?;
        Ok(Self { out })
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn write(&mut self, epoch: &Epoch) -> io::Result<()> {
        let mut summary = Vec::new();
        for (tag, value) in scalars(epoch) {
            let mut scalar = Vec::new();
            put_bytes(&mut scalar, 1, tag.as_bytes());
            scalar.push(2 << 3 | 5); // 4 bytes
            scalar.extend((value as f32).to_le_bytes());
            put_bytes(&mut summary, 1, &scalar);
        }
        let mut event = wall_time();
        event.push(2 << 3); // a varint
        put_varint(&mut event, epoch.epoch);
        put_bytes(&mut event, 5, &summary);
        self.out.write_all(&record(&event))?;
        self.out.flush()
    }
}

impl<F: Scalar, W: Write> Callback<F> for TensorBoard<W> {
    fn on(&mut self, _run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        if let Event::Epoch(epoch) = event {
            self.write(epoch).map_err(TrainError::Log)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn scalars(epoch: &Epoch) -> Vec<(String, f64)> {
    let plain = [
        ("loss/train", Some(epoch.train_loss)),
        ("loss/final", epoch.final_loss),
        ("loss/valid", epoch.valid_loss),
        ("rate", Some(epoch.rate)),
        ("norm/gradient", Some(epoch.gradient_norm)),
        ("norm/weight", Some(epoch.weight_norm)),
    ];
    let plain = plain.into_iter().filter_map(|(tag, value)| Some((tag.to_string(), value?)));
    plain
        .chain(epoch.metrics.iter().map(|(name, value)| (format!("metric/{name}"), *value)))
        .collect()
}

/// An event that has only the time.
fn wall_time() -> Vec<u8> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64());
    let mut event = vec![1 << 3 | 1]; // 8 bytes
    event.extend(seconds.to_le_bytes());
    event
}

/// A field of bytes, text or a message.
fn put_bytes(to: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    to.push(field << 3 | 2);
    put_varint(to, bytes.len() as u64);
    to.extend(bytes);
}

/// Seven bits a byte, lowest first.
fn put_varint(to: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), bytes, &masked(bytes)].concat()
}

/// The CRC-32C, rotated and shifted: a checksum over bytes that hold checksums would be weak.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_sevens_of_bits() {
        let varint = |value| {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            bytes
        };
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [127]);
        assert_eq!(varint(300), [0b1010_1100, 0b10]);
        assert_eq!(varint(u64::MAX).len(), 10);
    }

    /// The records of a file, each with checksums that hold.
    fn records(mut file: &[u8]) -> Vec<&[u8]> {
        let mut records = Vec::new();
        while let Some((length, rest)) = file.split_first_chunk::<8>() {
            let (check, rest) = rest.split_at(4);
            assert_eq!(check, masked(length));
            let (bytes, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
            let (check, rest) = rest.split_at(4);
            assert_eq!(check, masked(bytes));
            records.push(bytes);
            file = rest;
        }
        records
    }

    #[test]
    fn an_epoch_is_an_event_of_its_number_with_a_scalar_a_measure() {
        let mut board = TensorBoard::new(Vec::new()).unwrap();
        let metrics = vec![("accuracy".into(), 0.75)];
        let epoch = Epoch { epoch: 300, train_loss: 0.5, rate: 2.0, metrics, ..Epoch::default() };
        board.write(&epoch).unwrap();
        let file = board.into_inner();
        let [version, event] = records(&file)[..] else { panic!("two records") };
        for event in [version, event] {
            assert_eq!(event[0], 0x09, "field 1, eight bytes");
            let seconds = f64::from_le_bytes(std::array::from_fn(|i| event[1 + i]));
            assert!(seconds > 1.7e9, "{seconds} since 1970");
        }
        assert_eq!(&version[9..], b"\x1a\x0dbrain.Event:2");
        let scalar = |tag: &[u8], value: f32| {
            let value = [&[0x0a, tag.len() as u8], tag, &[0x15], &value.to_le_bytes()].concat();
            [&[0x0a, value.len() as u8], &value[..]].concat()
        };
        let summary = [
            scalar(b"loss/train", 0.5),
            scalar(b"rate", 2.0),
            scalar(b"norm/gradient", 0.0),
            scalar(b"norm/weight", 0.0),
            scalar(b"metric/accuracy", 0.75),
        ]
        .concat();
        let wanted = [&[0x10, 0xac, 0x02, 0x2a, summary.len() as u8], &summary[..]].concat();
        assert_eq!(&event[9..], wanted);
        // as TensorFlow computes it
        assert_eq!(masked(b"123456789"), 0xc78a_b0e5_u32.to_le_bytes());
    }

    #[test]
    fn a_record_is_length_and_bytes_each_with_its_checksum() {
        let found = record(b"abc");
        assert_eq!(found.len(), 8 + 4 + 3 + 4);
        assert_eq!(found[..8], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(found[12..15], *b"abc");
        assert_eq!(found[8..12], masked(&found[..8]));
    }
}
