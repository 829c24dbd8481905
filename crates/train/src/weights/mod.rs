//! Weights for other libraries, and from them: safetensors and NumPy's NPZ.
//!
//! A tensor is named as its block ([`Network::blocks`]): `0.weight`, `0.bias`, … A weight's shape is
//! *(outputs, inputs)*, as PyTorch's `Linear` has it, an embedding's table is *(categories, width)*,
//! as its `Embedding` has it; what has one column (biases, scales, statistics) is a vector. A network of the layers `Dense::linear`, `Activation`, `Dense::linear`
//! has the names of PyTorch's `Sequential(Linear, …, Linear)`, which loads the file as it is.
//!
//! ```
//! use slalom_layers::{Activation, Dense, Network};
//! use slalom_train::weights;
//! let layers = [Dense::linear(8).into(), Activation::Tanh.into(), Dense::linear(3).into()];
//! let network = Network::<f32>::new(4, layers)?;
//! let params = network.init(7);
//! let file = weights::to_safetensors(&network, &params)?;
//! assert_eq!(weights::from_safetensors(&network, &file)?, params);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading takes numbers of another width where every one of them stays the same, and refuses
//! everything else by name. The bytes go to a file through
//! [`write_file`](crate::checkpoint::write_file).

mod half;
pub(crate) mod npy;
mod npz;
mod safetensors;

pub use npz::{from_npz, to_npz};
pub use safetensors::{from_safetensors, to_safetensors};

use slalom_layers::{Block, Kind, Network};
use slalom_tensor::Scalar;

use crate::checkpoint::to_little_endian;

/// Why weights cannot be exchanged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes are no such file, or a damaged one.
    #[error("not a readable {format} file: {reason}")]
    Format {
        /// The format wanted.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The file's tensors are not those of the network.
    #[error("the file's tensors are not the network's: missing {missing:?}, unknown {unknown:?}")]
    Names {
        /// Blocks without a tensor.
        missing: Vec<String>,
        /// Tensors without a block.
        unknown: Vec<String>,
    },
    /// A tensor of another shape than its block.
    #[error("tensor {name:?} has the shape {found:?}, the network wants {wanted:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The block's.
        wanted: Vec<usize>,
    },
    /// A tensor of numbers that are never converted.
    #[error("tensor {name:?} holds {found} numbers, only floating-point weights are read")]
    Type {
        /// The tensor.
        name: String,
        /// The type of its numbers.
        found: String,
    },
    /// A number that is not the same in the network's scalar type, or not finite.
    #[error("tensor {name:?}, number {index} is {value}: it is no finite {scalar}")]
    Number {
        /// The tensor.
        name: String,
        /// Which number, from 0, in the file's order.
        index: usize,
        /// The number.
        value: f64,
        /// The network's scalar type.
        scalar: &'static str,
    },
    /// A slab of another length than the network's.
    #[error("the network has {wanted} parameters, the slab has {found}")]
    Slab {
        /// The network's parameters.
        wanted: usize,
        /// Numbers in the slab.
        found: usize,
    },
}

/// A tensor of a file.
#[derive(Debug)]
struct Tensor<'a> {
    name: String,
    shape: Vec<usize>,
    /// Whether the last index is the slow one.
    columns_first: bool,
    numbers: Numbers<'a>,
}

/// Little-endian floating-point numbers.
#[derive(Clone, Copy, Debug)]
enum Numbers<'a> {
    F16(&'a [u8]),
    Bf16(&'a [u8]),
    F32(&'a [u8]),
    F64(&'a [u8]),
}

impl Numbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::F16(bytes) | Self::Bf16(bytes) => bytes.len() / 2,
            Self::F32(bytes) => bytes.len() / 4,
            Self::F64(bytes) => bytes.len() / 8,
        }
    }

    fn at(self, i: usize) -> f64 {
        fn bytes<const N: usize>(all: &[u8], i: usize) -> [u8; N] {
            std::array::from_fn(|k| all[N * i + k])
        }
        match self {
            Self::F16(all) => half::widen(u16::from_le_bytes(bytes(all, i))),
            Self::Bf16(all) => {
                f32::from_bits(u32::from(u16::from_le_bytes(bytes(all, i))) << 16).into()
            }
            Self::F32(all) => f32::from_le_bytes(bytes(all, i)).into(),
            Self::F64(all) => f64::from_le_bytes(bytes(all, i)),
        }
    }
}

/// Whether a block is an embedding's table, whose columns are the rows of a file's tensor.
fn is_table(block: &Block) -> bool {
    let name = block.name.rsplit('.').next().unwrap_or_default();
    name.strip_prefix("table").is_some_and(|number| number.parse::<usize>().is_ok())
}

/// The shape that a block has in a file.
fn shape(block: &Block) -> Vec<usize> {
    let (rows, columns) = block.shape;
    match columns == 1 && block.kind != Kind::Weight {
        true => vec![rows],
        false if is_table(block) => vec![columns, rows],
        false => vec![rows, columns],
    }
}

/// A block's numbers as the bytes of a tensor of its [`shape`], the last index fastest.
fn bytes<F: Scalar>(block: &Block, params: &[F]) -> Vec<u8> {
    let (rows, columns) = block.shape;
    let numbers = &params[block.range.clone()];
    let mut bytes: Vec<u8> = match is_table(block) {
        true => bytemuck::cast_slice(numbers).to_vec(),
        false => {
            let places = (0..rows).flat_map(|i| (0..columns).map(move |j| j * rows + i));
            let numbers: Vec<F> = places.map(|k| numbers[k]).collect();
            bytemuck::cast_slice(&numbers).to_vec()
        }
    };
    to_little_endian::<F>(&mut bytes);
    bytes
}

/// The slab's length is the network's.
fn check_slab<F: Scalar>(network: &Network<F>, params: &[F]) -> Result<(), WeightsError> {
    let (wanted, found) = (network.len(), params.len());
    if wanted == found { Ok(()) } else { Err(WeightsError::Slab { wanted, found }) }
}

/// The network's slab from a file's tensors, whose names are unique.
fn slab<F: Scalar>(network: &Network<F>, tensors: &[Tensor<'_>]) -> Result<Vec<F>, WeightsError> {
    let find = |block: &Block| tensors.iter().find(|tensor| tensor.name == block.name);
    let blocks = network.blocks();
    let missing: Vec<String> =
        blocks.iter().filter(|b| find(b).is_none()).map(|b| b.name.clone()).collect();
    let unknown: Vec<String> = (tensors.iter())
        .filter(|tensor| blocks.iter().all(|b| b.name != tensor.name))
        .map(|tensor| tensor.name.clone())
        .collect();
    if !(missing.is_empty() && unknown.is_empty()) {
        return Err(WeightsError::Names { missing, unknown });
    }
    let mut params = vec![F::zero(); network.len()];
    for (block, tensor) in blocks.iter().filter_map(|block| Some((block, find(block)?))) {
        fill(block, tensor, &mut params[block.range.clone()])?;
    }
    Ok(params)
}

fn fill<F: Scalar>(block: &Block, tensor: &Tensor<'_>, to: &mut [F]) -> Result<(), WeightsError> {
    let name = || tensor.name.clone();
    let wanted = shape(block);
    if tensor.shape != wanted || tensor.numbers.len() != to.len() {
        return Err(WeightsError::Shape { name: name(), found: tensor.shape.clone(), wanted });
    }
    let (rows, columns) = block.shape;
    for (k, number) in to.iter_mut().enumerate() {
        // a table's columns are the tensor's rows: its last index is fast where the slab's first is
        let index = match tensor.columns_first == is_table(block) {
            true => (k % rows) * columns + k / rows,
            false => k,
        };
        let value = tensor.numbers.at(index);
        *number = F::of(value);
        if !value.is_finite() || number.wide() != value {
            return Err(WeightsError::Number { name: name(), index, value, scalar: F::NAME });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_layers::{Activation, Dense};

    pub(super) fn network<F: Scalar>() -> (Network<F>, Vec<F>) {
        let layers = [Dense::new(3, Activation::Relu).into(), Dense::linear(1).into()];
        let network = Network::new(2, layers).unwrap();
        let params = (0..network.len()).map(|i| F::of(i as f64 - 3.5)).collect();
        (network, params)
    }

    #[test]
    fn both_formats_give_back_every_bit_also_in_the_wider_type() {
        let ((single, s), (double, d)) = (network::<f32>(), network::<f64>());
        let (file, zip) = (to_safetensors(&single, &s).unwrap(), to_npz(&single, &s).unwrap());
        assert_eq!(from_safetensors(&single, &file).unwrap(), s);
        assert_eq!(from_npz(&single, &zip).unwrap(), s);
        assert_eq!(from_safetensors(&double, &file).unwrap(), d);
        assert_eq!(from_npz(&double, &zip).unwrap(), d);
        let zip = to_npz(&double, &d).unwrap();
        assert_eq!(from_npz(&single, &zip).unwrap(), s);
    }

    #[test]
    fn a_number_that_changes_when_narrowed_is_refused() {
        let ((single, _), (double, mut d)) = (network::<f32>(), network::<f64>());
        for value in [0.1, 1e39] {
            d[1] = value;
            let file = to_safetensors(&double, &d).unwrap();
            let error = from_safetensors(&single, &file).unwrap_err();
            let name = "0.weight".into();
            // the slab's number 1 is row 1 of column 0: number 2 where rows follow each other
            assert_eq!(error, WeightsError::Number { name, index: 2, value, scalar: "f32" });
        }
        d[1] = f64::NAN;
        let file = to_npz(&double, &d).unwrap();
        assert!(from_npz(&double, &file).unwrap_err().to_string().contains("is NaN"));
    }

    #[test]
    fn other_tensors_than_the_networks_are_listed() {
        let (network, params) = network::<f32>();
        let other = Network::<f32>::new(2, [Dense { bias: false, ..Dense::linear(4) }.into()]);
        let other = other.unwrap();
        let file = to_safetensors(&network, &params).unwrap();
        assert_eq!(
            from_safetensors(&other, &file).unwrap_err().to_string(),
            "the file's tensors are not the network's: missing [], unknown [\"0.bias\", \
             \"1.bias\", \"1.weight\"]"
        );
        let file = to_npz(&other, &other.init(0)).unwrap();
        let error = from_npz(&network, &file).unwrap_err().to_string();
        assert!(error.contains("missing [\"0.bias\", \"1.weight\", \"1.bias\"]"), "{error}");
        let wide = Network::<f32>::new(3, [Dense::linear(2).into()]).unwrap();
        let tall = Network::<f32>::new(2, [Dense::linear(3).into()]).unwrap();
        let file = to_safetensors(&wide, &wide.init(0)).unwrap();
        let error = from_safetensors(&tall, &file).unwrap_err().to_string();
        assert!(error.contains("has the shape [2, 3], the network wants [3, 2]"), "{error}");
    }

    #[test]
    fn a_slab_of_another_length_is_refused() {
        let (network, params) = network::<f32>();
        let wrong = Err(WeightsError::Slab { wanted: 13, found: 12 });
        assert_eq!(to_npz(&network, &params[1..]), wrong);
        assert_eq!(to_safetensors(&network, &params[1..]), wrong);
    }

    #[test]
    fn damaged_files_are_errors_or_other_numbers_never_panics() {
        let (network, params) = network::<f32>();
        let (file, zip) =
            (to_safetensors(&network, &params).unwrap(), to_npz(&network, &params).unwrap());
        for empty in [from_safetensors(&network, b""), from_npz(&network, b"")] {
            assert!(empty.unwrap_err().to_string().ends_with("it is empty"));
        }
        for end in 0..file.len() {
            assert!(from_safetensors(&network, &file[..end]).is_err(), "cut at {end}");
        }
        for end in 0..zip.len() {
            assert!(from_npz(&network, &zip[..end]).is_err(), "cut at {end}");
        }
        for at in 0..file.len().max(zip.len()) {
            for change in [1, 0x80, 0xff] {
                let (mut a, mut b) = (file.clone(), zip.clone());
                if let Some(byte) = a.get_mut(at) {
                    *byte ^= change;
                    let _ = from_safetensors(&network, &a);
                }
                if let Some(byte) = b.get_mut(at) {
                    *byte ^= change;
                    let _ = from_npz(&network, &b);
                }
            }
        }
    }
}
