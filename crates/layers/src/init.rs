//! How parameters begin: each block from a random stream of its own.

use rand_distr::{Distribution, StandardNormal};
use slalom_tensor::{Matrix, Scalar, Stream, permutation, uniform};

use crate::LayerError;
use crate::error::require;

/// How a block begins.
///
/// `fan_in` is the block's columns (inputs), `fan_out` its rows (outputs).
///
/// | | distribution | reference |
/// |---|---|---|
/// | `GlorotUniform` | U(±√(6/(fan_in + fan_out))) | Glorot & Bengio 2010, eq. 16; Keras's default |
/// | `GlorotNormal` | N(0, 2/(fan_in + fan_out)) | the same |
/// | `HeUniform` | U(±√(6/fan_in)) | He et al. 2015, eq. 10 |
/// | `HeNormal` | N(0, 2/fan_in) | the same |
/// | `LecunUniform` | U(±√(3/fan_in)) | LeCun et al. 1998, eq. 16 |
/// | `LecunNormal` | N(0, 1/fan_in) | the same |
/// | `TorchLinear` | U(±1/√fan_in), the bias too | PyTorch's `Linear` |
/// | `Orthogonal` | gain times rows or columns that are orthonormal | Saxe et al. 2014 |
/// | `TruncatedNormal` | N(0, deviation²) within two deviations | Keras's `truncated_normal` |
/// | `Sparse` | `connections` per unit from N(0, deviation²), the rest 0 | Sutskever et al. 2013 |
/// | `Uniform`, `Normal`, `Constant` | as they say | |
///
/// Glorot suits tanh and sigmoid, He ReLU and its kin, LeCun SELU. Keras's normal variants are
/// truncated at two deviations; these, like PyTorch's, are not.
///
/// ```
/// use slalom_layers::{Activation, Dense, Init};
/// let layer = Dense { init: Init::HeNormal, ..Dense::new(64, Activation::Relu) };
/// # assert_eq!(layer.init, Init::HeNormal);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Init {
    /// U(±√(6/(fan_in + fan_out)))
    #[default]
    GlorotUniform,
    /// N(0, 2/(fan_in + fan_out))
    GlorotNormal,
    /// U(±√(6/fan_in))
    HeUniform,
    /// N(0, 2/fan_in)
    HeNormal,
    /// U(±√(3/fan_in))
    LecunUniform,
    /// N(0, 1/fan_in)
    LecunNormal,
    /// U(±1/√fan_in), for a dense layer's bias too.
    TorchLinear,
    /// Orthonormal rows or columns, whichever are fewer, uniform among all such.
    Orthogonal {
        /// What they are multiplied by, finite; 1 by default, √2 for ReLU.
        gain: f64,
    },
    /// N(0, deviation²), drawn again where outside two deviations.
    TruncatedNormal {
        /// Finite and at least 0; Keras's default is 0.05.
        deviation: f64,
    },
    /// So many weights of each unit from N(0, deviation²), the rest 0.
    Sparse {
        /// Inputs that each unit begins connected with, all if there are fewer; 15 in the paper.
        connections: usize,
        /// Finite and at least 0; 1 in the paper.
        deviation: f64,
    },
    /// U(±bound)
    Uniform {
        /// Finite and at least 0.
        bound: f64,
    },
    /// N(0, deviation²)
    Normal {
        /// Finite and at least 0.
        deviation: f64,
    },
    /// This value everywhere.
    Constant(f64),
}

impl Init {
    /// Checks the parameters; `layer` is the position that the error names.
    ///
    /// # Errors
    /// The first field outside its range.
    pub fn validate(self, layer: usize) -> Result<(), LayerError> {
        let at_least_0 = |field, value: f64| {
            require(value.is_finite() && value >= 0.0, layer, field, value, "finite and at least 0")
        };
        match self {
            Self::Orthogonal { gain } => require(gain.is_finite(), layer, "gain", gain, "finite"),
            Self::TruncatedNormal { deviation } | Self::Normal { deviation } => {
                at_least_0("deviation", deviation)
            }
            Self::Sparse { connections, deviation } => {
                let count = connections as f64;
                require(connections > 0, layer, "connections", count, "at least 1")?;
                at_least_0("deviation", deviation)
            }
            Self::Uniform { bound } => at_least_0("bound", bound),
            Self::Constant(value) => require(value.is_finite(), layer, "constant", value, "finite"),
            _ => Ok(()),
        }
    }

    /// Fills a block of `shape` (rows, columns), column by column.
    pub fn fill<F: Scalar>(self, shape: (usize, usize), block: &mut [F], rng: &mut Stream) {
        let (fan_out, fan_in) = (shape.0 as f64, shape.1 as f64);
        match self {
            Self::GlorotUniform => even((6.0 / (fan_in + fan_out)).sqrt(), block, rng),
            Self::GlorotNormal => normal((2.0 / (fan_in + fan_out)).sqrt(), block, rng),
            Self::HeUniform => even((6.0 / fan_in).sqrt(), block, rng),
            Self::HeNormal => normal((2.0 / fan_in).sqrt(), block, rng),
            Self::LecunUniform => even((3.0 / fan_in).sqrt(), block, rng),
            Self::LecunNormal => normal((1.0 / fan_in).sqrt(), block, rng),
            Self::TorchLinear => even((1.0 / fan_in).sqrt(), block, rng),
            Self::Orthogonal { gain } => orthogonal(gain, shape, block, rng),
            Self::TruncatedNormal { deviation } => truncated(deviation, block, rng),
            Self::Sparse { connections, deviation } => {
                sparse(connections, deviation, shape, block, rng);
            }
            Self::Uniform { bound } => even(bound, block, rng),
            Self::Normal { deviation } => normal(deviation, block, rng),
            Self::Constant(value) => block.fill(F::of(value)),
        }
    }

    /// How the bias begins where the weights begin like this: at 0, but for PyTorch's default.
    pub(crate) fn of_bias(self, inputs: usize) -> Self {
        match self {
            Self::TorchLinear => Self::Uniform { bound: (1.0 / inputs as f64).sqrt() },
            _ => Self::Constant(0.0),
        }
    }
}

/// U(±bound)
fn even<F: Scalar>(bound: f64, block: &mut [F], rng: &mut Stream) {
    block.fill_with(|| F::of(bound * (2.0 * uniform(rng) - 1.0)));
}

/// N(0, deviation²)
fn normal<F: Scalar>(deviation: f64, block: &mut [F], rng: &mut Stream) {
    block.fill_with(|| {
        let z: f64 = StandardNormal.sample(rng);
        F::of(deviation * z)
    });
}

/// N(0, deviation²) within two deviations
fn truncated<F: Scalar>(deviation: f64, block: &mut [F], rng: &mut Stream) {
    block.fill_with(|| {
        loop {
            let z: f64 = StandardNormal.sample(rng);
            if z.abs() <= 2.0 {
                return F::of(deviation * z);
            }
        }
    });
}

/// The Q of a normal matrix. nalgebra's R has no negative number on its diagonal, and that makes Q
/// uniform (Mezzadri 2007).
fn orthogonal<F: Scalar>(gain: f64, shape: (usize, usize), block: &mut [F], rng: &mut Stream) {
    let (long, short) = (shape.0.max(shape.1), shape.0.min(shape.1));
    let mut numbers = vec![0.0; long * short];
    normal(1.0, &mut numbers, rng);
    let q = Matrix::<f64>::from_vec(long, short, numbers).qr().q() * gain;
    let q = if shape.0 < shape.1 { q.transpose() } else { q };
    block.iter_mut().zip(q.as_slice()).for_each(|(w, &q)| *w = F::of(q));
}

/// `connections` weights in each row from N(0, deviation²), the rest 0
fn sparse<F: Scalar>(
    connections: usize,
    deviation: f64,
    (units, inputs): (usize, usize),
    block: &mut [F],
    rng: &mut Stream,
) {
    block.fill(F::zero());
    for unit in 0..units {
        for input in permutation(inputs, rng).into_iter().take(connections) {
            let z: f64 = StandardNormal.sample(rng);
            block[unit + input * units] = F::of(deviation * z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::{Purpose, stream};

    fn filled(init: Init, shape: (usize, usize)) -> Vec<f64> {
        let mut block = vec![9.0; shape.0 * shape.1];
        init.fill(shape, &mut block, &mut stream(5, Purpose::Init, [0, 0]));
        block
    }

    #[test]
    fn variances_and_bounds_are_those_of_the_papers() {
        let deviation = 0.3;
        for (init, variance, bound) in [
            (Init::GlorotUniform, 2.0 / 400.0, (6.0_f64 / 400.0).sqrt()),
            (Init::GlorotNormal, 2.0 / 400.0, f64::INFINITY),
            (Init::HeUniform, 2.0 / 100.0, (6.0_f64 / 100.0).sqrt()),
            (Init::HeNormal, 2.0 / 100.0, f64::INFINITY),
            (Init::LecunUniform, 1.0 / 100.0, (3.0_f64 / 100.0).sqrt()),
            (Init::LecunNormal, 1.0 / 100.0, f64::INFINITY),
            (Init::TorchLinear, 1.0 / 300.0, 0.1),
            (Init::Orthogonal { gain: 2.0 }, 4.0 / 300.0, f64::INFINITY),
            (Init::TruncatedNormal { deviation }, 0.773_741_3 * 0.09, 0.6),
            (Init::Sparse { connections: 20, deviation }, 0.2 * 0.09, f64::INFINITY),
            (Init::Uniform { bound: 0.6 }, 0.12, 0.6),
            (Init::Normal { deviation }, 0.09, f64::INFINITY),
        ] {
            init.validate(0).unwrap();
            let block = filled(init, (300, 100));
            let mean = block.iter().sum::<f64>() / 30_000.0;
            let found = block.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 30_000.0;
            assert!((found / variance - 1.0).abs() < 0.05, "{init:?}: {found} for {variance}");
            assert!(mean.abs() < 4.0 * (variance / 30_000.0).sqrt(), "{init:?}: {mean}");
            let largest = block.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
            assert!(largest <= bound, "{init:?}: {largest}");
            assert!(bound.is_infinite() || largest > 0.99 * bound, "{init:?}: {largest}");
        }
        assert!(filled(Init::Constant(0.5), (3, 2)).iter().all(|&w| w == 0.5));
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        for (rows, columns) in [(7, 4), (4, 7), (5, 5), (1, 3)] {
            let block = filled(Init::Orthogonal { gain: 1.5 }, (rows, columns));
            let w = Matrix::from_vec(rows, columns, block);
            let gram = if rows >= columns { w.transpose() * &w } else { &w * w.transpose() };
            let eye = Matrix::<f64>::identity(gram.nrows(), gram.ncols()) * 2.25;
            assert!((gram - eye).abs().max() < 1e-12);
        }
    }

    #[test]
    fn sparse_units_have_so_many_connections() {
        for (connections, expected) in [(3, 3), (15, 8)] {
            let block = filled(Init::Sparse { connections, deviation: 1.0 }, (5, 8));
            for unit in 0..5 {
                let connected = block.iter().skip(unit).step_by(5).filter(|&&w| w != 0.0).count();
                assert_eq!(connected, expected);
            }
        }
    }

    #[test]
    fn values_are_stable() {
        let first = |init| filled(init, (3, 2))[0];
        assert_eq!([first(Init::GlorotUniform), first(Init::HeNormal)], PINNED);
        // the first vector of three, as a column and as a row
        for shape in [(3, 3), (1, 3)] {
            let found = filled(Init::Orthogonal { gain: 1.0 }, shape);
            assert!(found.iter().zip(ORTHOGONAL).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        }
    }

    const PINNED: [f64; 2] = [0.47780377566360277, 0.7781476285414836];
    const ORTHOGONAL: [f64; 3] = [0.6388362945283403, 0.045707550336448896, 0.7679837294080787];

    #[test]
    fn parameters_out_of_range_are_named() {
        let refused = |init: Init| init.validate(3).unwrap_err().to_string();
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            for init in [
                Init::TruncatedNormal { deviation: bad },
                Init::Normal { deviation: bad },
                Init::Sparse { connections: 1, deviation: bad },
            ] {
                let text =
                    format!("deviation of layer 3 is {bad}: it must be finite and at least 0");
                assert_eq!(refused(init), text);
            }
            assert!(refused(Init::Uniform { bound: bad }).starts_with("bound of layer 3"));
        }
        assert!(
            refused(Init::Sparse { connections: 0, deviation: 1.0 }).starts_with("connections")
        );
        assert!(refused(Init::Orthogonal { gain: f64::NAN }).starts_with("gain"));
        assert!(refused(Init::Constant(f64::NAN)).starts_with("constant"));
    }
}
