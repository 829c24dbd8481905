//! The table of a network's layers.

use std::fmt;

use slalom_tensor::Scalar;

use super::Network;
use crate::Kind;

/// A network's layers, shapes and numbers of parameters; `Display` gives the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// A row for each layer.
    pub rows: Vec<SummaryRow>,
    /// All numbers in the slab.
    pub parameters: usize,
    /// Those that training moves: neither frozen nor statistics.
    pub trainable: usize,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SummaryRow {
    /// The layer's kind: `dense`, `dropout`, …
    pub layer: String,
    /// Its inputs.
    pub inputs: usize,
    /// Its outputs.
    pub outputs: usize,
    /// Its numbers in the slab.
    pub parameters: usize,
}

impl<F: Scalar> Network<F> {
    /// The table of the layers.
    ///
    /// ```
    /// use slalom_layers::{Activation, Dense, Network};
    /// let layers = [Dense::new(16, Activation::Relu).into(), Dense::linear(3).into()];
    /// let network = Network::<f32>::new(4, layers)?.freeze("0")?;
    /// assert_eq!(
    ///     network.summary().to_string(),
    ///     "layer    inputs  outputs  parameters\n\
    ///      0 dense       4       16          80\n\
    ///      1 dense      16        3          51\n\
    ///      131 parameters, 51 trainable"
    /// );
    /// # Ok::<(), slalom_layers::LayerError>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let row = |stage: &super::Stage<F>| SummaryRow {
            layer: stage.layer.name().into(),
            inputs: stage.inputs,
            outputs: stage.outputs,
            parameters: stage.range.len(),
        };
        let moved = |b: &&super::Block| !b.frozen && b.kind != Kind::Statistic;
        Summary {
            rows: self.stages.iter().map(row).collect(),
            parameters: self.len(),
            trainable: self.blocks.iter().filter(moved).map(|b| b.range.len()).sum(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> =
            self.rows.iter().enumerate().map(|(i, row)| format!("{i} {}", row.layer)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        writeln!(f, "{:width$}  inputs  outputs  parameters", "layer")?;
        for (name, row) in names.iter().zip(&self.rows) {
            let SummaryRow { inputs, outputs, parameters, .. } = row;
            writeln!(f, "{name:width$}  {inputs:>6}  {outputs:>7}  {parameters:>10}")?;
        }
        write!(f, "{} parameters, {} trainable", self.parameters, self.trainable)
    }
}
