//! Values to bytes and back: through bincode, whose only door this is, and through JSON.
//!
//! Descriptions that may hold each other (networks, schedules) are JSON: its reader has a limit on
//! the depth, so that no file can exhaust the stack. Everything else is bincode's.
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

/// A description as JSON, which is sure to be read again.
pub(crate) fn encode_json<T: Serialize + DeserializeOwned>(
    place: &str,
    value: &T,
) -> Result<Vec<u8>, CheckpointError> {
    let json = serde_json::to_vec(value).map_err(|e| CheckpointError::invalid(place, e))?;
    // JSON has no infinity: it would be written as null
    decode_json::<T>(place, &json)?;
    Ok(json)
}

/// The description that all of the bytes stand for: they must be what would be written for it, so
/// that nothing in them is passed over.
pub(crate) fn decode_json<T: Serialize + DeserializeOwned>(
    place: &str,
    json: &[u8],
) -> Result<T, CheckpointError> {
    let value = serde_json::from_slice(json).map_err(|e| CheckpointError::invalid(place, e))?;
    let again = serde_json::to_vec(&value).map_err(|e| CheckpointError::invalid(place, e))?;
    match again == json {
        true => Ok(value),
        false => Err(CheckpointError::invalid(place, "it has fields of an unknown name or form")),
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
    fn json_keeps_every_bit_and_has_no_infinity_and_no_bottomless_depth() {
        let numbers =
            [0.1, 1.0 / 3.0, 5e-324, f64::MAX, -0.0, 0.1 + 0.2, 2.225_073_858_507_201e-308];
        let json = encode_json("here", &numbers.to_vec()).unwrap();
        let back: Vec<f64> = decode_json("here", &json).unwrap();
        assert!(back.iter().zip(&numbers).all(|(a, b)| a.to_bits() == b.to_bits()), "{back:?}");
        assert!(encode_json("here", &f64::INFINITY).is_err());
        assert!(decode_json::<f64>("here", b"0.50").is_err());
        let deep = "[".repeat(100_000);
        let error = decode_json::<serde_json::Value>("here", deep.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }

    #[test]
    fn longer_values_pass_every_limit() {
        for length in [0x3f8, 0x400, 0x4000, 0x4_0001, 0x40_0001, 0x400_0001] {
            let text = "x".repeat(length);
            let bytes = encode("here", &text).unwrap();
            assert!(decode::<String>("here", &bytes).unwrap() == text, "{length}");
        }
    }

    #[test]
    fn a_declared_length_is_bounded_by_sixteen_times_the_bytes_that_there_are() {
        for limit in [0x400, 0x4000, 0x4_0000, 0x40_0000] {
            for (there, declared) in [(limit, limit), (limit + 1, 16 * limit)] {
                let mut bytes = vec![b'x'; there];
                bytes[..8].copy_from_slice(&(declared as u64).to_le_bytes());
                let error = decode::<String>("here", &bytes).unwrap_err().to_string();
                assert!(error.contains("LimitExceeded"), "{there} {declared}: {error}");
            }
        }
    }
}
