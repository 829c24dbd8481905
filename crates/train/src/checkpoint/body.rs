//! The only door to bincode: values to bytes and back.
//!
//! Integers have a fixed width, little-endian, so that a value has exactly one form. Reading is
//! bounded by the number of bytes that there are, and is called only on bytes whose checksum
//! holds. (bincode 2.0 is complete but no longer maintained: RUSTSEC-2025-0141. Nothing else in
//! the workspace names it.)

use bincode::config::{Configuration, Fixint, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::CheckpointError;

const PLAIN: Configuration<LittleEndian, Fixint> =
    bincode::config::standard().with_fixed_int_encoding();

/// A value as bytes.
pub(crate) fn encode<T: Serialize + ?Sized>(
    place: &str,
    value: &T,
) -> Result<Vec<u8>, CheckpointError> {
    bincode::serde::encode_to_vec(value, PLAIN).map_err(|e| CheckpointError::invalid(place, e))
}

/// The value that all of the bytes stand for.
pub(crate) fn decode<T: DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T, CheckpointError> {
    use bincode::serde::decode_from_slice as from;
    // bincode bounds what it allocates by a constant: the first of these that is long enough
    let decoded = match bytes.len() {
        n if n <= 0x400 => from(bytes, PLAIN.with_limit::<0x400>()),
        n if n <= 0x4000 => from(bytes, PLAIN.with_limit::<0x4000>()),
        n if n <= 0x4_0000 => from(bytes, PLAIN.with_limit::<0x4_0000>()),
        n if n <= 0x40_0000 => from(bytes, PLAIN.with_limit::<0x40_0000>()),
        n if n <= 0x400_0000 => from(bytes, PLAIN.with_limit::<0x400_0000>()),
        n if n <= 0x4000_0000 => from(bytes, PLAIN.with_limit::<0x4000_0000>()),
        length => {
            return Err(CheckpointError::invalid(place, format!("{length} bytes are too many")));
        }
    };
    match decoded {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok((_, read)) => Err(CheckpointError::invalid(
            place,
            format!("{} bytes, of which the value takes {read}", bytes.len()),
        )),
        Err(error) => Err(CheckpointError::invalid(place, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back() {
        let value = (7_u64, Some(-0.5_f64), vec![String::from("a"), String::new()], 'x');
        let bytes = encode("here", &value).unwrap();
        assert_eq!(decode::<(u64, Option<f64>, Vec<String>, char)>("here", &bytes).unwrap(), value);
    }

    #[test]
    fn refuses_what_is_too_short_too_long_or_lies_about_a_length() {
        let bytes = encode("here", &vec![1.0_f64, 2.0]).unwrap();
        for end in 0..bytes.len() {
            assert!(decode::<Vec<f64>>("here", &bytes[..end]).is_err());
        }
        let error = decode::<Vec<f64>>("here", &[&bytes[..], &[0]].concat()).unwrap_err();
        assert_eq!(error.to_string(), "here is not valid: 25 bytes, of which the value takes 24");
        let mut lie = bytes;
        lie[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(decode::<Vec<f64>>("here", &lie).is_err());
        assert!(decode::<String>("here", &lie).is_err());
    }

    #[test]
    fn longer_values_pass_every_limit() {
        for length in [0x3f8, 0x400, 0x4000, 0x4_0001] {
            let text = "x".repeat(length);
            let bytes = encode("here", &text).unwrap();
            assert_eq!(decode::<String>("here", &bytes).unwrap(), text);
        }
    }
}
