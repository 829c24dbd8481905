//! Embedding: a learned vector for each category of a column.

use slalom_tensor::{Scalar, View};

use crate::{Backward, Forward, Init, Kind, Layer, LayerError, Parameter, Pass};

/// Embedding of categorical columns: some inputs are category codes 0, 1, 2 …, and each is replaced
/// by a learned vector; the others pass.
///
/// The outputs are the inputs that pass, in their order, then the vectors in the order of the
/// tables. The layer stands first in a network: [`Layer::check`] names the first code that is no
/// whole number below `categories`, and prediction asks it.
///
/// PyTorch's `Embedding` and Keras's take a matrix of codes only, and begin with N(0, 1) and
/// U(±0.05); here a table's `init` says.
///
/// ```
/// use slalom_layers::{Dense, Embedding, EmbeddingTable, Network};
/// // 5 features; the second is one of 7 colours, the fourth one of 3 sizes
/// let embedding = Embedding {
///     tables: vec![EmbeddingTable::new(1, 7, 3), EmbeddingTable::new(3, 3, 2)],
/// };
/// let network = Network::<f64>::new(5, [embedding.into(), Dense::linear(2).into()])?;
/// assert_eq!(network.block("0.table0")?.shape, (3, 7));
/// assert_eq!(network.block("1.weight")?.shape, (2, 3 + 3 + 2));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Guo and Berkhahn 2016, "Entity embeddings of categorical variables".
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Embedding {
    /// A table for each categorical column, at least one, no column twice.
    pub tables: Vec<EmbeddingTable>,
}

/// The vectors of one categorical column.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EmbeddingTable {
    /// Which input holds the codes, from 0.
    pub column: usize,
    /// How many categories there are, at least 1.
    pub categories: usize,
    /// How long the vectors are, at least 1.
    pub width: usize,
    /// How they begin.
    pub init: Init,
}

impl EmbeddingTable {
    /// Vectors that begin with U(±0.05).
    pub fn new(column: usize, categories: usize, width: usize) -> Self {
        Self { column, categories, width, init: Init::Uniform { bound: 0.05 } }
    }

    fn length(&self) -> usize {
        self.categories * self.width
    }

    /// The category that an input stands for, if it is one.
    fn category<F: Scalar>(&self, code: F) -> Option<usize> {
        let code = code.wide();
        let valid = code >= 0.0 && code < self.categories as f64 && code.fract() == 0.0;
        valid.then_some(code as usize)
    }
}

impl Embedding {
    /// Inputs that are no codes, in order.
    fn passing(&self, inputs: usize) -> impl Iterator<Item = usize> + '_ {
        (0..inputs).filter(|&i| self.tables.iter().all(|table| table.column != i))
    }
}

impl<F: Scalar> Layer<F> for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        if self.tables.is_empty() {
            return Err(LayerError::Width { layer, field: "tables" });
        }
        let mut outputs = inputs;
        for (i, table) in self.tables.iter().enumerate() {
            let column = table.column;
            if column >= inputs || self.tables[..i].iter().any(|other| other.column == column) {
                return Err(LayerError::Column { layer, column, inputs });
            }
            if table.categories == 0 {
                return Err(LayerError::Width { layer, field: "categories" });
            }
            if table.width == 0 {
                return Err(LayerError::Width { layer, field: "width" });
            }
            table.init.validate(layer)?;
            let overflow = || LayerError::Overflow { layer, inputs, outputs: table.width };
            outputs = (outputs - 1).checked_add(table.width).ok_or_else(overflow)?;
        }
        Ok(outputs)
    }

    fn parameters(&self, _inputs: usize) -> Vec<Parameter> {
        let block = |(i, table): (usize, &EmbeddingTable)| {
            let shape = (table.width, table.categories);
            Parameter::new(&format!("table{i}"), Kind::Weight, shape, table.init)
        };
        self.tables.iter().enumerate().map(block).collect()
    }

    fn check(&self, x: View<'_, F>) -> Result<(), LayerError> {
        for (sample, x) in x.column_iter().enumerate() {
            for table in &self.tables {
                let code = x[table.column];
                if table.category(code).is_none() {
                    let EmbeddingTable { column: feature, categories, .. } = *table;
                    let value = code.wide();
                    return Err(LayerError::Category { sample, feature, value, categories });
                }
            }
        }
        Ok(())
    }

    /// # Panics
    /// If a code is no category: [`Layer::check`] tells beforehand.
    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        if let Err(error) = self.check(at.x) {
            panic!("{error}");
        }
        let (inputs, samples) = at.x.shape();
        let rows = at.y.len() / samples.max(1);
        for (x, y) in at.x.column_iter().zip(at.y.chunks_exact_mut(rows)) {
            let mut to = 0;
            for from in self.passing(inputs) {
                y[to] = x[from];
                to += 1;
            }
            let mut params = at.params;
            for table in &self.tables {
                let (vectors, rest) = params.split_at(table.length());
                let start = table.category(x[table.column]).unwrap_or(0) * table.width;
                y[to..to + table.width].copy_from_slice(&vectors[start..start + table.width]);
                (params, to) = (rest, to + table.width);
            }
        }
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let (inputs, samples) = at.x.shape();
        let rows = at.y.len() / samples.max(1);
        at.grads.fill(F::zero());
        let mut dx = at.dx;
        if let Some(dx) = dx.as_deref_mut() {
            dx.fill(F::zero()); // a code has no slope
        }
        for (j, (x, dy)) in at.x.column_iter().zip(at.dy.chunks_exact(rows)).enumerate() {
            let mut from = 0;
            for to in self.passing(inputs) {
                if let Some(dx) = dx.as_deref_mut() {
                    dx[j * inputs + to] = dy[from];
                }
                from += 1;
            }
            let mut grads = &mut *at.grads;
            for table in &self.tables {
                let (vectors, rest) = grads.split_at_mut(table.length());
                let start = table.category(x[table.column]).unwrap_or(0) * table.width;
                let vector = &mut vectors[start..start + table.width];
                vector.iter_mut().zip(&dy[from..]).for_each(|(g, &d)| *g += d);
                (grads, from) = (rest, from + table.width);
            }
        }
    }
}
