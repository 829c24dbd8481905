//! NumPy's NPZ: a zip archive of one array a block.

use slalom_layers::Network;
use slalom_tensor::Scalar;

use super::{Tensor, WeightsError, check_slab, npy, shape, slab, zip};

/// The network's weights as the bytes of an NPZ file: `numpy.load(path)["0.weight"]`.
///
/// # Errors
/// A slab of another length than the network's, or of 4 GiB.
pub fn to_npz<F: Scalar>(network: &Network<F>, params: &[F]) -> Result<Vec<u8>, WeightsError> {
    check_slab(network, params)?;
    let entries: Vec<(String, Vec<u8>)> = (network.blocks().iter())
        .map(|block| {
            let mut bytes: Vec<u8> = bytemuck::cast_slice(&params[block.range.clone()]).to_vec();
            crate::checkpoint::to_little_endian::<F>(&mut bytes);
            let array = npy::encode(&shape(block), size_of::<F>(), &bytes);
            (format!("{}.npy", block.name), array)
        })
        .collect();
    zip::encode(&entries).map_err(format)
}

/// The network's slab from the bytes of an NPZ file that `numpy.savez` wrote.
///
/// # Errors
/// Bytes that are no such file, or a compressed one; arrays that are missing, unknown, of another
/// shape or of anything but floats; a number that is not the same in the network's scalar type, or
/// not finite.
pub fn from_npz<F: Scalar>(network: &Network<F>, file: &[u8]) -> Result<Vec<F>, WeightsError> {
    let tensors = zip::decode(file).map_err(format)?.into_iter().map(|(entry, bytes)| {
        let name = entry.strip_suffix(".npy").unwrap_or(&entry).to_string();
        let within = |reason: String| format(format!("{entry}: {reason}"));
        let header = npy::header(bytes).map_err(within)?;
        let numbers = npy::numbers(&header, bytes).map_err(within)?;
        let npy::Header { columns_first, shape, .. } = header;
        Ok(Tensor { name, shape, columns_first, numbers })
    });
    slab(network, &tensors.collect::<Result<Vec<_>, WeightsError>>()?)
}

fn format(reason: String) -> WeightsError {
    WeightsError::Format { format: "NPZ", reason }
}
