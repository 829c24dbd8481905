//! NumPy's NPZ: a zip archive of one array a block.

use std::io::{Cursor, Read, Write};

use slalom_layers::Network;
use slalom_tensor::Scalar;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::{Tensor, WeightsError, bytes, check_slab, npy, shape, slab};

/// The network's weights as the bytes of an NPZ file: `numpy.load(path)["0.weight"]`.
///
/// # Errors
/// A slab of another length than the network's.
pub fn to_npz<F: Scalar>(network: &Network<F>, params: &[F]) -> Result<Vec<u8>, WeightsError> {
    check_slab(network, params)?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for block in network.blocks() {
        let array = npy::encode(&shape(block), size_of::<F>(), &bytes(block, params));
        // no time of day: the same weights are the same bytes
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(u32::try_from(array.len()).is_err());
        archive.start_file(format!("{}.npy", block.name), options).map_err(wrong)?;
        archive.write_all(&array).map_err(wrong)?;
    }
    Ok(archive.finish().map_err(wrong)?.into_inner())
}

/// The network's slab from the bytes of an NPZ file, as `numpy.savez` or `savez_compressed` wrote it.
///
/// # Errors
/// Bytes that are no such file, or a damaged one; arrays that are missing, unknown, of another shape
/// or of anything but floats, or larger than the network's; a number that is not the same in the
/// network's scalar type, or not finite.
pub fn from_npz<F: Scalar>(network: &Network<F>, file: &[u8]) -> Result<Vec<F>, WeightsError> {
    if file.is_empty() {
        return Err(wrong("it is empty"));
    }
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(wrong)?;
    if archive.has_duplicate_names() {
        return Err(wrong("two entries have one name"));
    }
    // whatever is declared, no more comes out than the network's weights can be
    let mut left = (8 * network.len() + npy::BEGINNING * network.blocks().len()) as u64;
    let mut entries = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(wrong)?;
        let name = entry.name().map_err(wrong)?.into_owned();
        let mut bytes = Vec::new();
        let read = entry.take(left + 1).read_to_end(&mut bytes);
        read.map_err(|error| wrong(format!("{name}: {error}")))?;
        left = (left.checked_sub(bytes.len() as u64))
            .ok_or_else(|| wrong(format!("{name} holds more than the network's weights can be")))?;
        entries.push((name, bytes));
    }
    let tensors = entries.iter().map(|(entry, bytes)| {
        let name = entry.strip_suffix(".npy").unwrap_or(entry).to_string();
        let within = |reason: String| wrong(format!("{entry}: {reason}"));
        let header = npy::header(bytes).map_err(within)?;
        let numbers = npy::numbers(&header, bytes).map_err(within)?;
        let npy::Header { columns_first, shape, .. } = header;
        Ok(Tensor { name, shape, columns_first, numbers })
    });
    slab(network, &tensors.collect::<Result<Vec<_>, WeightsError>>()?)
}

fn wrong(reason: impl ToString) -> WeightsError {
    WeightsError::Format { format: "NPZ", reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::tests::network;

    /// An archive of one entry, deflated.
    fn deflated(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn what_swells_beyond_the_network_is_refused() {
        let (network, _) = network::<f32>();
        let file = deflated("0.weight.npy", &vec![0; 64 << 20]);
        assert!(file.len() < 100_000, "it is small before it swells");
        let error = from_npz(&network, &file).unwrap_err().to_string();
        assert!(error.ends_with("0.weight.npy holds more than the network's weights can be"));
    }

    #[test]
    fn two_arrays_of_one_name_are_refused() {
        let (network, params) = network::<f32>();
        let mut file = to_npz(&network, &params).unwrap();
        let places = file.windows(8).enumerate().filter(|(_, bytes)| bytes == b"1.weight");
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        assert_eq!(places.len(), 2, "before the array and in the directory");
        places.iter().for_each(|&at| file[at] = b'0');
        let error = from_npz(&network, &file).unwrap_err().to_string();
        assert!(error.ends_with("two entries have one name"), "{error}");
    }

    #[test]
    fn a_changed_number_is_noticed() {
        let (network, params) = network::<f64>();
        let mut file = to_npz(&network, &params).unwrap();
        let one = 1.5_f64.to_le_bytes();
        let at = file.windows(8).position(|bytes| bytes == one).unwrap();
        file[at + 6] ^= 1;
        let error = from_npz(&network, &file).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{error}");
    }

    #[test]
    fn archives_of_the_64_bit_form_are_read() {
        let (network, params) = network::<f32>();
        let options = SimpleFileOptions::default().large_file(true);
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for block in network.blocks() {
            // as numpy.savez does, whatever the size
            archive.start_file(format!("{}.npy", block.name), options).unwrap();
            let array = npy::encode(&shape(block), 4, &bytes(block, &params));
            archive.write_all(&array).unwrap();
        }
        let small = archive.finish().unwrap().into_inner();
        assert_eq!(from_npz(&network, &small).unwrap(), params);

        // the end of the directory once more with 64-bit fields, which the short one points to
        let at = small.len() - 22;
        let field = |from: usize, to: usize| {
            let bytes = small[at + from..at + to].iter().rev();
            bytes.fold(0_u64, |n, &byte| n << 8 | u64::from(byte))
        };
        let (count, size, start) = (field(10, 12), field(12, 16), field(16, 20));
        let mut large = small[..at].to_vec();
        large.extend(b"PK\x06\x06");
        large.extend(44_u64.to_le_bytes());
        large.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        [count, count, size, start].iter().for_each(|n| large.extend(n.to_le_bytes()));
        large.extend(b"PK\x06\x07\0\0\0\0");
        large.extend((at as u64).to_le_bytes());
        large.extend(1_u32.to_le_bytes());
        large.extend(b"PK\x05\x06\0\0\0\0");
        large.extend([0xff; 12]);
        large.extend([0, 0]);
        assert_eq!(from_npz(&network, &large).unwrap(), params);
        for end in 0..large.len() {
            assert!(from_npz(&network, &large[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn the_same_weights_are_the_same_bytes() {
        let (network, params) = network::<f32>();
        assert_eq!(to_npz(&network, &params).unwrap(), to_npz(&network, &params).unwrap());
    }
}
