//! IDX, the format of MNIST and its kin: a magic number, the dimensions, the numbers.
//!
//! The magic is two zero bytes, a type code (0x08 u8, 0x09 i8, 0x0B i16, 0x0C i32, 0x0D f32,
//! 0x0E f64) and the number of dimensions; each dimension is a big-endian u32, and so are the
//! numbers that follow. Files may be gzip, told by their first bytes.

use super::source::{Source, looks_like};
use crate::{DataSet, Fault, Limits, OwnedTargets, PreprocessError};
use slalom_tensor::{Matrix, Scalar};
use std::io::Read;
use std::path::Path;

/// The most dimensions that an IDX file here may have.
const DIMENSIONS: u8 = 4;

/// The content of an IDX file: its first dimension counts the samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx<F: Scalar> {
    /// The length of each dimension, samples first.
    pub shape: Vec<usize>,
    /// One column a sample: the product of the other dimensions many numbers, or one.
    pub numbers: Matrix<F>,
}

impl<F: Scalar> Idx<F> {
    /// Reads from anything that gives bytes; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`read_idx`].
    pub fn from_reader(
        reader: impl Read,
        name: &str,
        limits: &Limits,
    ) -> Result<Self, PreprocessError> {
        parse(&mut Source::new(reader, name, limits)?)
    }
}

/// Reads an IDX file, plain or gzip; integers keep their value.
///
/// ```no_run
/// use slalom_preprocess::{Limits, read_idx};
/// let images = read_idx::<f32>("mnist/t10k-images-idx3-ubyte.gz".as_ref(), &Limits::default())?;
/// assert_eq!(images.shape, [10_000, 28, 28]);
/// assert_eq!(images.numbers.shape(), (784, 10_000));
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
///
/// # Errors
/// The system's errors; another magic; dimensions that are over a limit or more than the bytes that
/// follow; bytes left over; damaged compression.
pub fn read_idx<F: Scalar>(path: &Path, limits: &Limits) -> Result<Idx<F>, PreprocessError> {
    parse(&mut Source::open(path, limits)?)
}

/// A data set from a file of images and a file of labels, with `classes` classes named by their
/// number.
///
/// Pixels keep their value (0 to 255 as a rule): scale them with
/// [`MinMax`](crate::MinMax) or divide by 255.
///
/// # Errors
/// As [`read_idx`]; labels that are not one integer from 0 to below `classes` for each image.
pub fn idx_data_set<F: Scalar>(
    images: &Path,
    labels: &Path,
    classes: usize,
    limits: &Limits,
) -> Result<DataSet<F>, PreprocessError> {
    let inputs = read_idx::<F>(images, limits)?.numbers;
    let found = read_idx::<f64>(labels, limits)?;
    if found.shape.len() != 1 {
        let what = format!("labels have {} dimensions, they must have 1", found.shape.len());
        return Err(PreprocessError::file(labels, Fault::Header { what }));
    }
    if found.numbers.ncols() != inputs.ncols() {
        let what = format!(
            "{} labels for the {} images of {}",
            found.numbers.ncols(),
            inputs.ncols(),
            images.display()
        );
        return Err(PreprocessError::file(labels, Fault::Header { what }));
    }
    let good = |&value: &f64| value >= 0.0 && value < classes as f64 && value.fract() == 0.0;
    if let Some(sample) = found.numbers.iter().position(|value| !good(value)) {
        let value = found.numbers[sample];
        return Err(PreprocessError::file(labels, Fault::Label { sample, value, classes }));
    }
    let indices = found.numbers.iter().map(|&value| value as u32).collect();
    let names = (0..classes).map(|class| class.to_string()).collect();
    DataSet::new(inputs, OwnedTargets::Classes { indices, names })
}

fn parse<F: Scalar, R: Read>(source: &mut Source<R>) -> Result<Idx<F>, PreprocessError> {
    let mut magic = [0; 4];
    source.exactly(&mut magic, "the magic number")?;
    let [0, 0, code, dimensions] = magic else {
        let found = looks_like(&magic);
        return Err(source.error(Fault::Magic { wanted: "an IDX file", found }));
    };
    let header = |what: String| Fault::Header { what };
    let (size, convert) = numbers::<F>(code).ok_or_else(|| {
        source.error(header(format!(
            "the type code is {code:#04x}, it must be 08, 09, 0b, 0c, 0d or 0e"
        )))
    })?;
    if !(1..=DIMENSIONS).contains(&dimensions) {
        let what = format!("{dimensions} dimensions, there must be 1 to {DIMENSIONS}");
        return Err(source.error(header(what)));
    }
    let mut lengths = [0; 4 * DIMENSIONS as usize];
    let lengths = &mut lengths[..4 * usize::from(dimensions)];
    source.exactly(lengths, "the dimensions")?;
    let shape: Vec<usize> = lengths.chunks_exact(4).map(|b| big(b) as usize).collect();
    let product = |lengths: &[usize]| {
        lengths.iter().try_fold(1_usize, |product, &length| product.checked_mul(length))
    };
    let overflows = || header(format!("the product of the dimensions {shape:?} overflows"));
    let rows = product(&shape[1..]).ok_or_else(|| source.error(overflows()))?;
    let count = product(&shape).ok_or_else(|| source.error(overflows()))?;
    let bytes = (count as u64).checked_mul(size as u64).ok_or_else(|| source.error(overflows()))?;
    let mut numbers = Vec::new();
    source.in_steps(bytes, "the numbers", &mut |part| {
        numbers.extend(part.chunks_exact(size).map(convert));
        if numbers.len() >= count / 2 {
            numbers.reserve_exact(count - numbers.len());
        }
    })?;
    source.end()?;
    if let Some(i) = numbers.iter().position(|number| number.is_infinite()) {
        let what = format!("number {i} is infinite or too large for {}", F::NAME);
        return Err(source.error(header(what)));
    }
    Ok(Idx { numbers: Matrix::from_vec(rows, shape[0], numbers), shape })
}

type Convert<F> = fn(&[u8]) -> F;

/// The bytes of one number of a type code, and how it is read.
fn numbers<F: Scalar>(code: u8) -> Option<(usize, Convert<F>)> {
    Some(match code {
        0x08 => (1, |b| F::of(f64::from(b[0]))),
        0x09 => (1, |b| F::of(f64::from(b[0] as i8))),
        0x0b => (2, |b| F::of(f64::from(big(b) as i16))),
        0x0c => (4, |b| F::of(f64::from(big(b) as i32))),
        0x0d => (4, |b| F::of(f64::from(f32::from_bits(big(b) as u32)))),
        0x0e => (8, |b| F::of(f64::from_bits(big(b)))),
        _ => return None,
    })
}

/// A big-endian number of any width.
fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    /// An IDX file of the given type code, dimensions and bytes.
    fn idx(code: u8, shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, code, shape.len() as u8];
        shape.iter().for_each(|length| file.extend(length.to_be_bytes()));
        file.extend(bytes);
        file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Idx<f32>, String> {
        Idx::from_reader(bytes, "it", &Limits::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_type_keeps_its_value() {
        let values = |code, bytes: &[u8], n| {
            read(&idx(code, &[n], bytes)).unwrap().numbers.data.as_vec().clone()
        };
        assert_eq!(values(0x08, &[0, 7, 255], 3), [0.0, 7.0, 255.0]);
        assert_eq!(values(0x09, &[0, 7, 255], 3), [0.0, 7.0, -1.0]);
        assert_eq!(values(0x0b, &[0x01, 0x02, 0xff, 0xfe], 2), [258.0, -2.0]);
        assert_eq!(values(0x0c, &(-3_i32).to_be_bytes(), 1), [-3.0]);
        assert_eq!(values(0x0d, &0.25_f32.to_be_bytes(), 1), [0.25]);
        assert_eq!(values(0x0e, &(-0.5_f64).to_be_bytes(), 1), [-0.5]);
    }

    #[test]
    fn images_are_columns() {
        let file = idx(0x08, &[2, 3, 1], &[1, 2, 3, 4, 5, 6]);
        let images = read(&file).unwrap();
        assert_eq!((images.shape.as_slice(), images.numbers.shape()), (&[2, 3, 1][..], (3, 2)));
        assert_eq!(images.numbers.column(1).as_slice(), [4.0, 5.0, 6.0]);
        assert_eq!(read(&gzip(&file)).unwrap(), images);
    }

    #[test]
    fn gzip_members_are_one_content() {
        let file = idx(0x08, &[4], &[1, 2, 3, 4]);
        let members = [gzip(&file[..5]), gzip(&file[5..])].concat();
        assert_eq!(read(&members), read(&file));
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused_before_anything_is_allocated() {
        let error = read(&idx(0x08, &[u32::MAX, u32::MAX, u32::MAX], &[0; 64])).unwrap_err();
        assert!(error.contains("overflows"), "{error}");
        let error = read(&idx(0x0e, &[u32::MAX, 28, 28], &[0; 4096])).unwrap_err();
        assert!(error.contains("over the limit of 4294967296: raise Limits::bytes"), "{error}");
        let error = read(&idx(0x08, &[60_000, 28, 28], &[0; 100])).unwrap_err();
        assert_eq!(error, "it: truncated at byte 116 of 47040016 (the numbers)");
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(read(b"").unwrap_err(), "it: the file is empty");
        let error = read(b"\x89PNG\r\n\x1a\n").unwrap_err();
        assert!(error.contains("not an IDX file") && error.contains("a PNG image"), "{error}");
        let error = read(b"a,b\n1,2\n").unwrap_err();
        assert!(error.contains("looks like text"), "{error}");
        assert!(read(&idx(0x0a, &[1], &[0])).unwrap_err().contains("type code is 0x0a"));
        assert!(read(&[0, 0, 8, 0]).unwrap_err().contains("0 dimensions"));
        assert!(read(&[0, 0, 8, 5]).unwrap_err().contains("5 dimensions"));
        let error = read(&idx(0x08, &[2], &[1, 2, 3])).unwrap_err();
        assert!(error.contains("1 or more bytes follow after the 10"), "{error}");
        let error = read(&idx(0x0e, &[1], &1e39_f64.to_be_bytes())).unwrap_err();
        assert!(error.contains("number 0 is infinite or too large for f32"), "{error}");
    }

    #[test]
    fn no_cut_and_no_changed_byte_does_harm() {
        let file = idx(0x08, &[5, 2, 2], &(0..20).collect::<Vec<u8>>());
        for file in [file.clone(), gzip(&file)] {
            for length in 0..file.len() {
                assert!(read(&file[..length]).is_err(), "cut at {length}");
            }
            for at in 0..file.len() {
                for byte in [0, 0xff, file[at] ^ 0x80, file[at].wrapping_add(1)] {
                    let mut bad = file.clone();
                    bad[at] = byte;
                    if let Ok(idx) = read(&bad) {
                        assert_eq!(idx.shape.iter().product::<usize>(), idx.numbers.len());
                    }
                }
            }
        }
    }

    #[test]
    fn damaged_compression_is_told() {
        let good = gzip(&idx(0x08, &[100], &[7; 100]));
        for at in [good.len() - 8, good.len() - 4] {
            let mut bad = good.clone();
            bad[at] ^= 1; // the checksum, the length
            let error = read(&bad).unwrap_err();
            assert!(error.contains("compressed data is damaged"), "{error}");
        }
    }

    #[test]
    fn images_and_labels_must_fit() {
        let folder = std::env::temp_dir().join(format!("slalom-idx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let images = write("images", &idx(0x08, &[3, 2], &[1, 2, 3, 4, 5, 6]));
        let data = |labels: &[u8]| {
            let labels = write("labels", labels);
            idx_data_set::<f64>(&images, &labels, 10, &Limits::default())
                .map_err(|error| error.to_string())
        };
        let good = data(&idx(0x08, &[3], &[9, 0, 4])).unwrap();
        assert_eq!(good.targets().view(), slalom_tensor::Targets::Classes(&[9, 0, 4]));
        let error = data(&idx(0x08, &[2], &[9, 0])).unwrap_err();
        assert!(error.contains("2 labels for the 3 images of"), "{error}");
        let error = data(&idx(0x08, &[3], &[9, 200, 4])).unwrap_err();
        assert!(error.ends_with("label 1 is 200: there are only 10 classes"), "{error}");
        let error = data(&idx(0x08, &[3, 1], &[9, 0, 4])).unwrap_err();
        assert!(error.contains("labels have 2 dimensions"), "{error}");
        let error = read_idx::<f32>(&folder, &Limits::default()).unwrap_err().to_string();
        assert!(error.ends_with("this is a folder, not a file"), "{error}");
        let error = read_idx::<f32>(&folder.join("none"), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("none: No such file"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
