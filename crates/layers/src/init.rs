//! How parameters begin: each block from a random stream of its own.

use rand_distr::{Distribution, StandardNormal};
use slalom_tensor::{Scalar, Stream, uniform};

/// How a block begins.
///
/// `fan_in` is the block's columns (inputs), `fan_out` its rows (outputs).
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Init {
    /// U(±√(6/(fan_in + fan_out))); Glorot & Bengio 2010, eq. 16. Keras's default.
    #[default]
    GlorotUniform,
    /// N(0, 2/(fan_in + fan_out)); Glorot & Bengio 2010.
    GlorotNormal,
    /// U(±√(6/fan_in)); He et al. 2015, eq. 10.
    HeUniform,
    /// N(0, 2/fan_in); He et al. 2015, eq. 10.
    HeNormal,
    /// This value everywhere.
    Constant(f64),
}

impl Init {
    /// Fills a block of `shape` (rows, columns), column by column.
    pub fn fill<F: Scalar>(self, shape: (usize, usize), block: &mut [F], rng: &mut Stream) {
        let (fan_out, fan_in) = (shape.0 as f64, shape.1 as f64);
        match self {
            Self::GlorotUniform => even((6.0 / (fan_in + fan_out)).sqrt(), block, rng),
            Self::GlorotNormal => normal((2.0 / (fan_in + fan_out)).sqrt(), block, rng),
            Self::HeUniform => even((6.0 / fan_in).sqrt(), block, rng),
            Self::HeNormal => normal((2.0 / fan_in).sqrt(), block, rng),
            Self::Constant(value) => block.fill(F::of(value)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::{Purpose, stream};

    #[test]
    fn variances_are_those_of_the_papers() {
        let shape = (300, 100);
        for (init, variance) in [
            (Init::GlorotUniform, 2.0 / 400.0),
            (Init::GlorotNormal, 2.0 / 400.0),
            (Init::HeUniform, 2.0 / 100.0),
            (Init::HeNormal, 2.0 / 100.0),
        ] {
            let mut block = vec![0.0_f64; 30_000];
            init.fill(shape, &mut block, &mut stream(5, Purpose::Init, [0, 0]));
            let mean = block.iter().sum::<f64>() / 30_000.0;
            let found = block.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 30_000.0;
            assert!((found / variance - 1.0).abs() < 0.05, "{init:?}: {found} for {variance}");
        }
    }
}
