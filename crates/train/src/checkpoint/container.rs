//! The frame around a checkpoint's sections.
//!
//! ```text
//! offset  bytes
//!      0      8  magic
//!      8      4  format version
//!     12      4  length h of the header
//!     16      8  length b of the body
//!     24      h  header: kind, scalar type, name and length of each section
//!   24+h      b  body: the sections, one after the other
//! 24+h+b     32  BLAKE3 over everything before it
//! ```
//!
//! All integers are little-endian. A file is read in this order: magic, version, lengths against
//! the limits and against the file's own length, checksum, and only then the contents.

use serde::{Deserialize, Serialize};

use super::foreign::looks_like;
use super::{Checkpoint, CheckpointError, Kind, Limits, body};

/// First bytes of every checkpoint: not text, and damaged by a change of line ends.
const MAGIC: [u8; 8] = *b"\x89SLALOM\n";
/// The version that is written, and the only one so far.
const VERSION: u32 = 1;
const PREFIX: usize = 24;
const HASH: usize = 32;
/// The longest name of a section, in bytes.
const NAME: usize = 256;

#[derive(Serialize, Deserialize)]
struct Header {
    kind: Kind,
    scalar: String,
    sections: Vec<(String, u64)>,
}

/// A checkpoint as the bytes of a file.
pub(super) fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>, CheckpointError> {
    let lengths =
        checkpoint.sections.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64));
    let header = Header {
        kind: checkpoint.kind,
        scalar: checkpoint.scalar.clone(),
        sections: lengths.collect(),
    };
    let header = body::encode("the header", &header)?;
    let length: usize = checkpoint.sections.iter().map(|(_, bytes)| bytes.len()).sum();
    let header_length = u32::try_from(header.len())
        .map_err(|_| CheckpointError::invalid("the header", "it is longer than 4 GiB"))?;

    let mut file = Vec::with_capacity(PREFIX + header.len() + length + HASH);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&header_length.to_le_bytes());
    file.extend_from_slice(&(length as u64).to_le_bytes());
    file.extend_from_slice(&header);
    for (_, bytes) in &checkpoint.sections {
        file.extend_from_slice(bytes);
    }
    let hash = blake3::hash(&file);
    file.extend_from_slice(hash.as_bytes());
    Ok(file)
}

/// The checkpoint in the bytes of a file.
pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Checkpoint, CheckpointError> {
    let (header, body) = open(file, limits)?;
    let header: Header = body::decode("the header", header)?;
    check(&header, body.len() as u64, limits)?;
    let mut rest = body;
    let mut sections = Vec::with_capacity(header.sections.len());
    for (name, length) in header.sections {
        // fits: `check` compared the sum of all lengths with the body's
        let (bytes, after) = rest.split_at(length as usize);
        sections.push((name, bytes.to_vec()));
        rest = after;
    }
    Ok(Checkpoint { kind: header.kind, scalar: header.scalar, sections })
}

/// Header and body, once everything that can be checked without understanding them holds.
fn open<'a>(file: &'a [u8], limits: &Limits) -> Result<(&'a [u8], &'a [u8]), CheckpointError> {
    let found = file.len() as u64;
    let known = file.len().min(MAGIC.len());
    if file.is_empty() {
        return Err(CheckpointError::Empty);
    }
    if file[..known] != MAGIC[..known] {
        return Err(CheckpointError::WrongMagic { looks_like: looks_like(file) });
    }
    if file.len() < PREFIX + HASH {
        return Err(CheckpointError::Truncated { found, expected: (PREFIX + HASH) as u64 });
    }
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| file[at + i]));
    let version = word(8);
    if version != VERSION {
        return Err(CheckpointError::Version { found: version, oldest: VERSION, newest: VERSION });
    }
    let header = u64::from(word(12));
    if header > limits.header {
        return Err(CheckpointError::Limit {
            what: "the header's length in bytes",
            found: header,
            limit: limits.header,
            field: "header",
        });
    }
    let body = u64::from_le_bytes(std::array::from_fn(|i| file[16 + i]));
    let expected = body.saturating_add(header).saturating_add((PREFIX + HASH) as u64);
    if found < expected {
        return Err(CheckpointError::Truncated { found, expected });
    }
    if found > expected {
        return Err(CheckpointError::TrailingBytes { found, expected });
    }
    let (content, hash) = file.split_at(file.len() - HASH);
    if blake3::hash(content) != blake3::Hash::from_bytes(std::array::from_fn(|i| hash[i])) {
        return Err(CheckpointError::Damaged);
    }
    Ok(content[PREFIX..].split_at(header as usize))
}

/// What a header must fulfil even if its checksum was made to hold.
fn check(header: &Header, body: u64, limits: &Limits) -> Result<(), CheckpointError> {
    let invalid = |reason: String| Err(CheckpointError::invalid("the header", reason));
    if !["f32", "f64"].contains(&header.scalar.as_str()) {
        return invalid(format!("unknown scalar type {:?}", header.scalar));
    }
    if header.sections.len() as u64 > limits.sections {
        return Err(CheckpointError::Limit {
            what: "the number of sections",
            found: header.sections.len() as u64,
            limit: limits.sections,
            field: "sections",
        });
    }
    let mut sum = 0_u64;
    let mut names = std::collections::BTreeSet::new();
    for (name, length) in &header.sections {
        if name.is_empty() || name.len() > NAME {
            return invalid(format!(
                "a section's name of {} bytes, 1 to {NAME} are allowed",
                name.len()
            ));
        }
        if !names.insert(name) {
            return invalid(format!("two sections named {name:?}"));
        }
        sum = sum.saturating_add(*length);
    }
    if sum != body {
        return invalid(format!("the sections have {sum} bytes, the body has {body}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Checkpoint {
        let mut checkpoint = Checkpoint::new::<f32>(Kind::Run);
        checkpoint.put("epoch", &7_u64).unwrap();
        checkpoint.put_slab("weights", &[1.5_f32, -2.0, 0.0]);
        checkpoint
    }

    /// Puts a checksum that holds at the end.
    fn rehash(file: &mut [u8]) {
        let at = file.len() - HASH;
        let hash = blake3::hash(&file[..at]);
        file[at..].copy_from_slice(hash.as_bytes());
    }

    fn refused(file: &[u8]) -> String {
        decode(file, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn bytes_are_stable() {
        let file = encode(&small()).unwrap();
        let hash = blake3::hash(&file).to_hex();
        assert_eq!(&hash[..16], PINNED, "the format changed: raise VERSION and keep a fixture");
    }

    const PINNED: &str = "08fe08c22dadc0fa";

    #[test]
    fn comes_back() {
        let file = encode(&small()).unwrap();
        assert_eq!(decode(&file, &Limits::default()).unwrap(), small());
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = encode(&small()).unwrap();
        for end in 0..file.len() {
            let error = refused(&file[..end]);
            assert!(error.contains("truncated") || error.contains("empty"), "{end}: {error}");
        }
        assert_eq!(refused(&file[..8]), "truncated: 8 bytes of 56");
    }

    #[test]
    fn every_flipped_bit_and_changed_byte_is_refused() {
        let file = encode(&small()).unwrap();
        for at in 0..file.len() {
            let flips = (0..8).map(|bit| file[at] ^ (1 << bit));
            for byte in flips.chain([0, 0xff, file[at].wrapping_add(1)]) {
                let mut bad = file.clone();
                bad[at] = byte;
                assert!(
                    byte == file[at] || decode(&bad, &Limits::default()).is_err(),
                    "{at}: {byte}"
                );
            }
        }
    }

    #[test]
    fn everything_appended_is_refused() {
        let file = encode(&small()).unwrap();
        for extra in [1, 2, 32, 64, file.len()] {
            let long: Vec<u8> = file.iter().cycle().take(file.len() + extra).copied().collect();
            assert!(refused(&long).contains("appended"));
        }
    }

    #[test]
    fn every_length_is_checked_before_it_is_used() {
        let file = encode(&small()).unwrap();
        let edges =
            [0, 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX];
        for edge in edges {
            for (at, width) in [(8, 4), (12, 4), (16, 8)] {
                let mut bad = file.clone();
                bad[at..at + width].copy_from_slice(&edge.to_le_bytes()[..width]);
                rehash(&mut bad);
                assert!(bad == file || decode(&bad, &Limits::default()).is_err(), "{at}: {edge}");
            }
        }
        let mut newer = file;
        newer[8] = 7;
        assert_eq!(
            refused(&newer),
            "written by a newer version of slalom: the format's version is 7, this one reads 1 to 1"
        );
    }

    #[test]
    fn with_the_checksum_made_to_hold_it_is_an_error_or_the_same_bytes_again() {
        let file = encode(&small()).unwrap();
        let mut read = 0;
        for at in 0..file.len() - HASH {
            for byte in [0, 1, 0x7f, 0x80, 0xff, file[at] ^ 1, file[at].wrapping_add(1)] {
                let mut bad = file.clone();
                bad[at] = byte;
                rehash(&mut bad);
                if let Ok(checkpoint) = decode(&bad, &Limits::default()) {
                    assert_eq!(encode(&checkpoint).unwrap(), bad, "{at}: {byte}");
                    read += 1;
                }
            }
        }
        assert!(read > 0, "the sections' own bytes may be anything");
    }

    #[test]
    fn headers_that_contradict_themselves_are_refused() {
        let with = |scalar: &str, sections: &[(&str, u64)]| {
            let sections = sections.iter().map(|(name, n)| (name.to_string(), *n)).collect();
            let header = Header { kind: Kind::Run, scalar: scalar.into(), sections };
            check(&header, 4, &Limits::default()).map_err(|e| e.to_string())
        };
        assert_eq!(with("f32", &[("a", 1), ("b", 3)]), Ok(()));
        type Case = (&'static str, &'static [(&'static str, u64)], &'static str);
        let cases: [Case; 5] = [
            ("f16", &[("a", 4)], "unknown scalar type"),
            ("f32", &[("a", 2), ("a", 2)], "two sections named \"a\""),
            ("f32", &[("", 4)], "name of 0 bytes"),
            ("f32", &[("a", 5)], "have 5 bytes, the body has 4"),
            ("f32", &[("a", u64::MAX), ("b", 5)], "the body has 4"),
        ];
        for (scalar, sections, message) in cases {
            let error = with(scalar, sections).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        assert!(with("f32", &[(&"x".repeat(257), 4)]).is_err());
        assert_eq!(with("f32", &[(&"x".repeat(256), 4)]), Ok(()));
    }

    #[test]
    fn limits_are_named_with_their_field() {
        let file = encode(&small()).unwrap();
        let header = u64::from(file[12]); // it is short
        for limit in [0, 10, header - 1] {
            let error = decode(&file, &Limits { header: limit, ..Limits::default() }).unwrap_err();
            assert!(error.to_string().contains("Limits::header"), "{error}");
        }
        decode(&file, &Limits { header, sections: 2, ..Limits::default() }).unwrap();
        let error = decode(&file, &Limits { sections: 1, ..Limits::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the number of sections is 2, the limit is 1 (Limits::sections)"
        );
    }

    #[test]
    fn the_shortest_file_has_no_header() {
        let mut file = [&MAGIC[..], &VERSION.to_le_bytes(), &[0; 12], &[0; HASH]].concat();
        rehash(&mut file);
        assert!(refused(&file).starts_with("the header is not valid"), "{}", refused(&file));
    }
}
