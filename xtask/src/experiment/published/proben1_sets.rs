//! Proben1's problems: what is published of them, and their files.

use anyhow::Result;
use slalom::layers::Activation;
use slalom::preprocess::{DataSet, Limits, OwnedTargets, Parts, one_hot, read_proben1};
use slalom::tensor::Matrix;

use crate::data::file;

/// Published mean and deviation.
pub(super) type Known = Option<(f64, f64)>;

/// A problem: what is known of its first variant.
pub(super) struct Problem {
    pub(super) name: &'static str,
    /// Training, validation and test error of linear networks, and classification error.
    pub(super) linear: [Known; 4],
    pub(super) hidden: &'static [usize],
    pub(super) output: Activation,
    /// Test error of the perceptron, classification error, total epochs.
    pub(super) perceptron: [Known; 3],
}

const fn k(mean: f64, sd: f64) -> Known {
    Some((mean, sd))
}

/// A linear output.
pub(super) const L: Activation = Activation::Identity;

#[rustfmt::skip]
pub(super) const PROBLEMS: &[Problem] = &[
    Problem { name: "cancer", linear: [k(4.25, 0.00), k(2.91, 0.01), k(3.52, 0.04), k(2.93, 0.18)],
        hidden: &[4, 2], output: L, perceptron: [k(1.32, 0.13), k(1.38, 0.49), k(116.0, 123.0)] },
    Problem { name: "card", linear: [k(9.82, 0.01), k(8.89, 0.11), k(10.61, 0.11), k(13.37, 0.67)],
        hidden: &[32], output: L, perceptron: [k(10.35, 0.29), k(14.05, 1.03), k(30.0, 7.0)] },
    Problem { name: "diabetes", linear: [k(15.39, 0.01), k(16.30, 0.04), k(17.22, 0.06), k(25.83, 0.56)],
        hidden: &[32], output: L, perceptron: [k(16.99, 0.91), k(24.10, 1.91), k(201.0, 119.0)] },
    Problem { name: "gene", linear: [k(8.42, 0.00), k(9.58, 0.01), k(9.92, 0.01), k(13.64, 0.10)],
        hidden: &[4, 2], output: L, perceptron: [k(8.66, 1.28), k(16.67, 3.75), k(124.0, 58.0)] },
    Problem { name: "glass", linear: [k(8.83, 0.01), k(9.70, 0.04), k(9.98, 0.10), k(46.04, 2.21)],
        hidden: &[16, 8], output: L, perceptron: [k(9.24, 0.32), k(32.70, 5.34), k(71.0, 31.0)] },
    Problem { name: "heart", linear: [k(11.19, 0.01), k(13.28, 0.06), k(14.29, 0.05), k(20.65, 0.31)],
        hidden: &[32], output: L, perceptron: [k(14.19, 0.64), k(19.72, 0.96), k(57.0, 15.0)] },
    Problem { name: "heartc", linear: [k(10.17, 0.01), k(9.65, 0.03), k(16.12, 0.04), k(19.73, 0.56)],
        hidden: &[16, 8], output: L, perceptron: [k(16.99, 0.77), k(20.82, 1.47), k(38.0, 10.0)] },
    Problem { name: "horse", linear: [k(11.31, 0.16), k(15.53, 0.29), k(12.93, 0.38), k(26.70, 1.87)],
        hidden: &[16, 8], output: L, perceptron: [k(13.32, 0.48), k(29.19, 2.62), k(19.0, 3.0)] },
    Problem { name: "mushroom", linear: [None; 4],
        hidden: &[4, 2], output: L, perceptron: [None; 3] },
    Problem { name: "soybean", linear: [k(0.65, 0.00), k(0.98, 0.00), k(1.16, 0.00), k(9.47, 0.51)],
        hidden: &[16, 8], output: L, perceptron: [k(2.10, 0.07), k(29.40, 2.50), k(219.0, 112.0)] },
    Problem { name: "thyroid", linear: [k(3.76, 0.00), k(3.78, 0.01), k(3.84, 0.01), k(6.56, 0.00)],
        hidden: &[16, 8], output: L, perceptron: [k(1.28, 0.12), k(2.38, 0.35), k(377.0, 308.0)] },
    Problem { name: "building", linear: [k(0.21, 0.01), k(0.92, 0.06), k(0.78, 0.02), None],
        hidden: &[16], output: L, perceptron: [k(1.36, 0.63), None, k(307.0, 544.0)] },
    Problem { name: "flare", linear: [k(0.37, 0.00), k(0.34, 0.01), k(0.52, 0.01), None],
        hidden: &[32], output: Activation::Sigmoid, perceptron: [k(0.54, 0.01), None, k(48.0, 20.0)] },
    Problem { name: "hearta", linear: [k(3.82, 0.00), k(4.42, 0.03), k(4.47, 0.06), None],
        hidden: &[32], output: L, perceptron: [k(4.55, 0.41), None, k(47.0, 18.0)] },
    Problem { name: "heartac", linear: [k(4.05, 0.00), k(4.70, 0.02), k(2.69, 0.02), None],
        hidden: &[2], output: L, perceptron: [k(2.47, 0.38), None, k(42.0, 22.0)] },
];

/// A data set: training, validation and test samples.
pub(super) struct Set {
    pub(super) parts: [Part; 3],
    /// Whether the outputs are classes, one-hot.
    pub(super) classes: bool,
}

/// Inputs and outputs (*numbers × samples*).
pub(super) struct Part {
    pub(super) x: Matrix<f64>,
    pub(super) y: Matrix<f64>,
}

impl Set {
    /// Reads a `.dt` file, plain or gzip.
    pub(super) fn read(name: &str) -> Result<Self> {
        let plain = format!("proben1/{name}.dt");
        let path = file(&(plain.clone() + ".gz")).or_else(|_| file(&plain))?;
        let mut classes = false;
        let mut part = |data: DataSet<f64>| -> Result<Part> {
            let (x, targets, _) = data.into_parts();
            let y = match targets {
                OwnedTargets::Values { values, .. } => values,
                OwnedTargets::Classes { indices, names } => {
                    classes = true;
                    one_hot(&indices, names.len())?
                }
            };
            Ok(Part { x, y })
        };
        let Parts { train, valid, test } = read_proben1(&path, &Limits::default())?;
        let parts = [part(train)?, part(valid)?, part(test)?];
        Ok(Self { parts, classes })
    }
}
