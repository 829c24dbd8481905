//! Files that hold a run or a model, whole or not at all.
//!
//! A [`Checkpoint`] is a list of named sections in a [frame](self#the-frame) with a checksum over
//! everything. What a section means is its writer's affair: a run stores its configuration,
//! network, slabs, optimizer state and history; a caller may add sections of their own, such as a
//! fitted preprocessing pipeline or class names.
//!
//! # The frame
//! Magic, format version, two lengths, header, body, BLAKE3 over all of it; the lengths must add
//! up to the file's own. Reading never allocates from a length that was not checked, and contents
//! are looked at only once the checksum holds. [`write_file`] is the one way by which this crate
//! writes a file.
//!
//! ```
//! use slalom_train::checkpoint::{Checkpoint, Kind};
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("digits.slalom");
//!
//! let mut checkpoint = Checkpoint::new::<f32>(Kind::Model);
//! checkpoint.put("classes", &vec!["cat", "dog"])?;
//! checkpoint.put_slab("weights", &[0.5_f32, -1.0]);
//! checkpoint.save(&path)?;
//!
//! let checkpoint = Checkpoint::load(&path)?;
//! assert_eq!(checkpoint.get::<Vec<String>>("classes")?, ["cat", "dog"]);
//! assert_eq!(checkpoint.slab::<f32>("weights")?, [0.5, -1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod body;
mod container;
mod disk;
mod error;
mod foreign;

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slalom_tensor::Scalar;

pub use disk::{Disk, SystemDisk, read_file, write_file};
pub use error::CheckpointError;

/// What a file is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A run that can be resumed: weights, optimizer state, history, configuration.
    Run,
    /// A model that predicts and cannot be resumed.
    Model,
    /// A search over settings that can go on.
    Search,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Model => "model",
            Self::Search => "search",
        })
    }
}

/// How much a file that is read may ask for. An error that comes from a limit names its field.
///
/// ```
/// use slalom_train::checkpoint::Limits;
/// let small = Limits { file: 1 << 20, ..Limits::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file; 4 GiB by default.
    pub file: u64,
    /// Bytes of the header; 64 MiB by default.
    pub header: u64,
    /// Sections; 10,000 by default.
    pub sections: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 4 << 30, header: 64 << 20, sections: 10_000 }
    }
}

/// A file's contents: what kind it is, its scalar type, and named sections of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    kind: Kind,
    scalar: String,
    sections: Vec<(String, Vec<u8>)>,
}

impl Checkpoint {
    /// A checkpoint without sections, for numbers of type `F`.
    pub fn new<F: Scalar>(kind: Kind) -> Self {
        Self { kind, scalar: F::NAME.into(), sections: Vec::new() }
    }

    /// What the file is good for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The scalar type of its slabs: `"f32"` or `"f64"`.
    pub fn scalar(&self) -> &str {
        &self.scalar
    }

    /// The sections' names, in the order they were put.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is a section of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }

    /// Stores a value, in place of the section's earlier one if there is one.
    ///
    /// # Errors
    /// [`CheckpointError::Invalid`] if the value cannot be serialised (a map of unknown length).
    pub fn put<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), CheckpointError> {
        let bytes = body::encode(name, value)?;
        self.put_bytes(name, bytes);
        Ok(())
    }

    /// The value in a section.
    ///
    /// # Errors
    /// No such section, or bytes that are not exactly one value of this type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, CheckpointError> {
        body::decode(name, self.bytes(name)?)
    }

    /// Stores a description as JSON: anything that may hold others of its kind, to any depth.
    ///
    /// # Errors
    /// [`CheckpointError::Invalid`] if JSON cannot hold it (an infinite number).
    pub fn put_json<T: Serialize + DeserializeOwned>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), CheckpointError> {
        let json = body::encode_json(name, value)?;
        self.put_bytes(name, json);
        Ok(())
    }

    /// The description in a section.
    ///
    /// # Errors
    /// No such section; bytes that are not what [`put_json`](Self::put_json) writes for a value of
    /// this type, or are nested over 128 deep.
    pub fn get_json<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<T, CheckpointError> {
        body::decode_json(name, self.bytes(name)?)
    }

    /// Stores numbers as they are in memory, little-endian.
    pub fn put_slab<F: Scalar>(&mut self, name: &str, numbers: &[F]) {
        let mut bytes: Vec<u8> = bytemuck::cast_slice(numbers).to_vec();
        to_little_endian::<F>(&mut bytes);
        self.put_bytes(name, bytes);
    }

    /// The numbers in a section, every one of them finite.
    ///
    /// # Errors
    /// No such section, a file of another scalar type, a length that is no whole number of
    /// scalars, or a number that is NaN or infinite.
    pub fn slab<F: Scalar>(&self, name: &str) -> Result<Vec<F>, CheckpointError> {
        if self.scalar != F::NAME {
            return Err(CheckpointError::Scalar { found: self.scalar.clone(), wanted: F::NAME });
        }
        let bytes = self.bytes(name)?;
        let size = size_of::<F>();
        if bytes.len() % size != 0 {
            let reason = format!("{} bytes are no whole number of {}", bytes.len(), F::NAME);
            return Err(CheckpointError::invalid(name, reason));
        }
        let mut numbers = vec![F::zero(); bytes.len() / size];
        let memory = bytemuck::cast_slice_mut(&mut numbers);
        memory.copy_from_slice(bytes);
        to_little_endian::<F>(memory);
        match numbers.iter().position(|v| !v.is_finite()) {
            Some(index) => {
                let value = numbers[index].wide();
                Err(CheckpointError::NotFinite { name: name.into(), index, value })
            }
            None => Ok(numbers),
        }
    }

    /// Stores bytes as they are.
    pub fn put_bytes(&mut self, name: &str, bytes: Vec<u8>) {
        match self.sections.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = bytes,
            None => self.sections.push((name.into(), bytes)),
        }
    }

    /// The bytes of a section.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] lists the sections that there are.
    pub fn bytes(&self, name: &str) -> Result<&[u8], CheckpointError> {
        let section = self.sections.iter().find(|(n, _)| n == name);
        section.map(|(_, bytes)| bytes.as_slice()).ok_or_else(|| CheckpointError::Missing {
            name: name.into(),
            present: self.names().map(String::from).collect(),
        })
    }

    /// Refuses a file of another kind.
    ///
    /// # Errors
    /// [`CheckpointError::Kind`].
    pub fn expect(&self, wanted: Kind) -> Result<(), CheckpointError> {
        let found = self.kind;
        if found == wanted { Ok(()) } else { Err(CheckpointError::Kind { found, wanted }) }
    }

    /// Writes the file: afterwards it is there, whole and synced, or the old one is untouched.
    ///
    /// # Errors
    /// See [`write_file`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        self.save_on(&mut SystemDisk::default(), path.as_ref())
    }

    /// [`save`](Self::save) on a given disk.
    ///
    /// # Errors
    /// See [`write_file`].
    pub fn save_on(&self, disk: &mut dyn Disk, path: &Path) -> Result<(), CheckpointError> {
        write_file(disk, path, &self.to_bytes()?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The path, and why it could not be read or understood.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        Self::load_on(&mut SystemDisk::default(), path.as_ref(), &Limits::default())
    }

    /// [`load`](Self::load) from a given disk, with limits of the caller's.
    ///
    /// # Errors
    /// The path, and why it could not be read or understood.
    pub fn load_on(
        disk: &mut dyn Disk,
        path: &Path,
        limits: &Limits,
    ) -> Result<Self, CheckpointError> {
        let file = read_file(disk, path, limits.file)?;
        Self::from_bytes(&file, limits).map_err(|e| e.at(path))
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// A header of more than 4 GiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        container::encode(self)
    }

    /// The checkpoint in the bytes of a file.
    ///
    /// # Errors
    /// Anything that is not exactly what [`to_bytes`](Self::to_bytes) gives.
    pub fn from_bytes(file: &[u8], limits: &Limits) -> Result<Self, CheckpointError> {
        container::decode(file, limits)
    }
}

/// Turns the machine's byte order into the file's, and back.
pub(crate) fn to_little_endian<F: Scalar>(bytes: &mut [u8]) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size_of::<F>()).for_each(<[u8]>::reverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_put_twice_holds_the_later_value() {
        let mut checkpoint = Checkpoint::new::<f64>(Kind::Run);
        checkpoint.put("a", &1_u8).unwrap();
        checkpoint.put("b", &2_u8).unwrap();
        checkpoint.put("a", &3_u8).unwrap();
        assert_eq!(checkpoint.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(checkpoint.get::<u8>("a").unwrap(), 3);
        assert!(checkpoint.contains("b") && !checkpoint.contains("c"));
        assert_eq!(checkpoint.scalar(), "f64");
        let error = checkpoint.get::<u8>("c").unwrap_err();
        assert_eq!(error.to_string(), "no section \"c\"; there are [\"a\", \"b\"]");
    }

    #[test]
    fn slabs_are_little_endian_and_keep_every_bit() {
        let mut checkpoint = Checkpoint::new::<f32>(Kind::Run);
        let numbers = [1.0_f32, -0.0, f32::MIN_POSITIVE / 4.0, f32::MAX];
        checkpoint.put_slab("w", &numbers);
        assert_eq!(&checkpoint.bytes("w").unwrap()[..4], [0, 0, 0x80, 0x3f]);
        let back = checkpoint.slab::<f32>("w").unwrap();
        let bits = |numbers: &[f32]| numbers.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&numbers));
    }

    #[test]
    fn slabs_of_another_type_length_or_of_nan_are_refused() {
        let mut checkpoint = Checkpoint::new::<f32>(Kind::Model);
        checkpoint.put_slab("w", &[1.0_f32, f32::NAN]);
        checkpoint.put_bytes("odd", vec![0; 7]);
        let error = |e: Result<Vec<f32>, CheckpointError>| e.unwrap_err().to_string();
        assert_eq!(
            error(checkpoint.slab("w")),
            "section \"w\", number 1 is NaN: every number must be finite"
        );
        assert_eq!(
            error(checkpoint.slab("odd")),
            "odd is not valid: 7 bytes are no whole number of f32"
        );
        assert_eq!(
            checkpoint.slab::<f64>("w").unwrap_err().to_string(),
            "the file holds f32 numbers, f64 are wanted: load it as f32"
        );
        assert_eq!(
            checkpoint.expect(Kind::Run).unwrap_err().to_string(),
            "the file holds a model, a run is wanted"
        );
    }
}
