//! The safetensors format, through its own crate.

use safetensors::tensor::{Dtype, TensorView, serialize};
use safetensors::{SafeTensors, View};
use slalom_layers::Network;
use slalom_tensor::Scalar;

use super::{Numbers, Tensor, WeightsError, bytes, check_slab, shape, slab};

/// The longest header that is read, in bytes.
const HEADER: u64 = 16 << 20;

/// The network's weights as the bytes of a safetensors file.
///
/// # Errors
/// A slab of another length than the network's.
pub fn to_safetensors<F: Scalar>(
    network: &Network<F>,
    params: &[F],
) -> Result<Vec<u8>, WeightsError> {
    check_slab(network, params)?;
    let dtype = if size_of::<F>() == 4 { Dtype::F32 } else { Dtype::F64 };
    let rows_first: Vec<Vec<u8>> =
        network.blocks().iter().map(|block| bytes(block, params)).collect();
    let views = network.blocks().iter().zip(&rows_first).map(|(block, bytes)| {
        let view = TensorView::new(dtype, shape(block), bytes).map_err(format)?;
        Ok((block.name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, WeightsError>>()?;
    serialize(views.iter().map(|(name, view)| (*name, view)), None).map_err(format)
}

/// The network's slab from the bytes of a safetensors file.
///
/// # Errors
/// Bytes that are no such file; tensors that are missing, unknown, of another shape or of whole
/// numbers; a number that is not the same in the network's scalar type, or not finite.
pub fn from_safetensors<F: Scalar>(
    network: &Network<F>,
    file: &[u8],
) -> Result<Vec<F>, WeightsError> {
    if file.is_empty() {
        return Err(format("it is empty"));
    }
    let length = file.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    if let Some(length) = length.filter(|length| *length > HEADER) {
        return Err(format(format!("its header has {length} bytes, the limit is {HEADER}")));
    }
    let file = SafeTensors::deserialize(file).map_err(format)?;
    let mut names = file.names();
    names.sort_unstable();
    let tensors = names.into_iter().map(|name| {
        let view = file.tensor(name).map_err(format)?;
        let numbers = match view.dtype() {
            Dtype::F16 => Numbers::F16(view.data()),
            Dtype::BF16 => Numbers::Bf16(view.data()),
            Dtype::F32 => Numbers::F32(view.data()),
            Dtype::F64 => Numbers::F64(view.data()),
            other => {
                return Err(WeightsError::Type { name: name.into(), found: format!("{other:?}") });
            }
        };
        let shape = View::shape(&view).to_vec();
        Ok(Tensor { name: name.into(), shape, columns_first: false, numbers })
    });
    slab(network, &tensors.collect::<Result<Vec<_>, _>>()?)
}

fn format(reason: impl ToString) -> WeightsError {
    WeightsError::Format { format: "safetensors", reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::tests::network;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn half_floats_are_read_exactly_and_whole_numbers_refused() {
        let network = Network::<f32>::new(1, [slalom_layers::Dense::linear(1).into()]).unwrap();
        let with = |dtype: &str, weight: &[u8]| {
            let end = weight.len();
            let header = format!(
                "{{\"0.weight\":{{\"dtype\":\"{dtype}\",\"shape\":[1,1],\"data_offsets\":[0,{end}]}},\
                 \"0.bias\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{end},{}]}}}}",
                end + 4
            );
            from_safetensors(&network, &file(&header, &[weight, &[0; 4]].concat()))
        };
        assert_eq!(with("F16", &[0, 0x3c]).unwrap(), [1.0, 0.0]);
        assert_eq!(with("BF16", &[0x80, 0x3f]).unwrap(), [1.0, 0.0]);
        assert_eq!(
            with("I64", &[0; 8]).unwrap_err().to_string(),
            "tensor \"0.weight\" holds I64 numbers, only floating-point weights are read"
        );
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let (network, _) = network::<f32>();
        let error = |file: &[u8]| from_safetensors(&network, file).unwrap_err().to_string();
        assert!(error(&u64::MAX.to_le_bytes()).contains("the limit is 16777216"));
        assert!(error(&1000_u64.to_le_bytes()).contains("not a readable safetensors file"));
        let tensor = |name: &str, shape: &str, from: u64, to: u64| {
            format!(
                "\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{from},{to}]}}"
            )
        };
        let headers = [
            vec![tensor("hole", "[1]", 4, 8)],
            vec![tensor("overlap", "[1]", 0, 4), tensor("it", "[2]", 0, 8)],
            vec![tensor("reversed", "[1]", 8, 4)],
            vec![tensor("beyond", "[2]", 4, 12)],
            vec![tensor("huge", "[4611686018427387904, 4611686018427387904]", 0, 8)],
            vec![tensor("long", "[3]", 0, 8)],
            vec![tensor("trailing", "[1]", 0, 4)],
        ];
        for header in headers {
            let error = error(&file(&format!("{{{}}}", header.join(",")), &[0; 8]));
            assert!(error.starts_with("not a readable safetensors file: "), "{error}");
        }
    }
}
