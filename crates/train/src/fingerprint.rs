//! One hash that two runs share if and only if they are the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{CheckpointError, body};

/// A BLAKE3 hash over everything that makes a run what it is; shown as 64 hexadecimal digits.
///
/// ```
/// use slalom_train::Fingerprint;
/// let a = Fingerprint::of(&[("weights", 1.0), ("bias", 2.0)])?;
/// assert_eq!(a, Fingerprint::of(&[("weights", 1.0), ("bias", 2.0)])?);
/// assert_ne!(a, Fingerprint::of(&[("weights", 1.0), ("bias", -2.0)])?);
/// assert_eq!(a.to_string().len(), 64);
/// # Ok::<(), slalom_train::checkpoint::CheckpointError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The hash of any value, through the form in which a checkpoint stores it.
    ///
    /// # Errors
    /// A value that cannot be serialised (a map of unknown length).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, CheckpointError> {
        Ok(Self(*blake3::hash(&body::encode("the fingerprint", value)?).as_bytes()))
    }

    /// The hash of named parts, each with its name and length: no two lists share it.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, bytes) in parts {
            for field in [name.as_bytes(), bytes] {
                hasher.update(&(field.len() as u64).to_le_bytes());
                hasher.update(field);
            }
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash =
            |parts: &[(&'static str, &'static [u8])]| Fingerprint::of_parts(parts.iter().copied());
        assert_ne!(hash(&[("a", b"bc")]), hash(&[("ab", b"c")]));
        assert_ne!(hash(&[("a", b"b")]), hash(&[("a", b""), ("b", b"")]));
        assert_eq!(hash(&[("a", b"b")]), hash(&[("a", b"b")]));
    }

    #[test]
    fn is_shown_as_hexadecimal() {
        let text = Fingerprint([0x0f; 32]).to_string();
        assert_eq!(text, "0f".repeat(32));
    }
}
