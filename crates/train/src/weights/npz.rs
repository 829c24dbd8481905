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
    fn the_same_weights_are_the_same_bytes() {
        let (network, params) = network::<f32>();
        assert_eq!(to_npz(&network, &params).unwrap(), to_npz(&network, &params).unwrap());
    }
}
