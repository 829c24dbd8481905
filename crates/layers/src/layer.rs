//! The layer: a function of (plain configuration, parameters, activations).

use std::ops::Range;

use slalom_tensor::{Packed, Scalar, Threads, View, vectorize};

use crate::{Init, LayerError};

/// What a parameter block is, for whoever treats them differently: penalties and decay spare
/// everything but weights, the optimizer leaves statistics alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// Multiplies activations: the target of penalties, decay and constraints.
    Weight,
    /// Is added to activations.
    Bias,
    /// Rescales normalised activations.
    Scale,
    /// Not learned by gradients but followed by the layer itself (running means and variances).
    Statistic,
}

/// A block of numbers that a layer asks for.
///
/// ```
/// use slalom_layers::{Init, Kind, Parameter};
/// let bias = Parameter::new("bias", Kind::Bias, (16, 1), Init::Constant(0.0));
/// assert_eq!(bias.name, "bias");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name within the layer: `weight`, `bias`, …
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Rows and columns; stored column by column.
    pub shape: (usize, usize),
    /// How it begins.
    pub init: Init,
}

impl Parameter {
    /// A block of that name, kind, shape (rows, columns) and beginning.
    pub fn new(name: &str, kind: Kind, shape: (usize, usize), init: Init) -> Self {
        Self { name: name.into(), kind, shape, init }
    }
}

/// Whether the pass trains, and if so, which random numbers it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing random, running statistics.
    Predict,
    /// Dropout and noise on; every mask is f(seed, step, layer).
    Train {
        /// The run's seed.
        seed: u64,
        /// Counts the batches of the run, from 0.
        step: u64,
    },
}

/// What a pass through the network shares over all layers.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Training or prediction.
    pub mode: Mode,
    /// Position of the layer in depth-first order; networks count it up as they go.
    pub layer: u64,
    /// The threads that share the work.
    pub threads: &'a Threads,
}

/// What a layer reads and writes on the way forward.
#[derive(Debug)]
pub struct Forward<'a, F: Scalar> {
    /// The layer's own part of the slab.
    pub params: &'a [F],
    /// Inputs, *inputs × samples*.
    pub x: View<'a, F>,
    /// Outputs to write, *outputs × samples*, one sample after the other.
    pub y: &'a mut [F],
    /// [`Layer::cache`] numbers, kept until the backward pass.
    pub cache: &'a mut [F],
}

/// What a layer reads and writes on the way back.
#[derive(Debug)]
pub struct Backward<'a, F: Scalar> {
    /// The layer's own part of the slab.
    pub params: &'a [F],
    /// Inputs, as they were on the way forward.
    pub x: View<'a, F>,
    /// Outputs, as the layer wrote them.
    pub y: &'a [F],
    /// The loss's derivative by the outputs, laid out as they are; the layer may overwrite it.
    pub dy: &'a mut [F],
    /// Where to write the derivative by the inputs, *inputs × samples*, if anyone needs it.
    pub dx: Option<&'a mut [F]>,
    /// Where to write the derivative by the parameters: overwritten, not added to.
    pub grads: &'a mut [F],
    /// What the forward pass left there.
    pub cache: &'a mut [F],
    /// If it is there, leave out the derivative by the first block, for which someone computes the
    /// product later from what is written here. Asked of layers that say so ([`Layer::has_product`])
    /// alone.
    pub late: Option<LateProduct<'a, F>>,
}

/// What a layer leaves of a product dZ·Xᵀ for later, beside dZ in place of the derivative by its outputs.
#[derive(Debug)]
pub struct LateProduct<'a, F: Scalar> {
    /// Where to write dZ as the product reads it: what [`Outer::pack`](slalom_tensor::Outer::pack) fills.
    pub panels: &'a mut [F],
    /// Where to write what that gives.
    pub packed: &'a mut Packed,
}

/// A differentiable function from *inputs × samples* to *outputs × samples*.
///
/// A layer owns no numbers. It says what it needs ([`parameters`](Layer::parameters),
/// [`cache`](Layer::cache)), and computes on what it is handed. Three methods are required; a layer
/// without parameters needs nothing else.
pub trait Layer<F: Scalar>: std::fmt::Debug + Send + Sync {
    /// The layer's kind, as summaries and errors call it: `dense`, `dropout`, …
    fn name(&self) -> &'static str;

    /// How many outputs there are for so many inputs.
    ///
    /// # Errors
    /// A field out of its range, or a width that the layer cannot take; `layer` is the position to
    /// name in the error.
    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError>;

    /// Computes the outputs.
    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>);

    /// Computes the derivatives by inputs and parameters from the one by the outputs.
    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>);

    /// The parameter blocks, in the order in which they stand in the slab. None by default.
    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        let _ = inputs;
        Vec::new()
    }

    /// How many numbers the forward pass keeps for the backward pass. None by default.
    fn cache(&self, inputs: usize, samples: usize) -> usize {
        let _ = (inputs, samples);
        0
    }

    /// Whether the layer's first block is the *outputs × inputs* matrix W of a product Z = W·X whose
    /// derivative dZ·Xᵀ can be left for later ([`Backward::late`]). No by default.
    fn has_product(&self) -> bool {
        false
    }

    /// Whether the layer, as the first of a network, can take these inputs; the rest of a network is
    /// never asked. Yes by default.
    ///
    /// # Errors
    /// The first input that it cannot take.
    fn check(&self, x: View<'_, F>) -> Result<(), LayerError> {
        let _ = x;
        Ok(())
    }

    /// How many positions the layer takes in the depth-first count: more than one if it holds
    /// layers itself.
    fn span(&self) -> u64 {
        1
    }

    /// Brings the layer's statistics up to date after a training step, from what the forward pass
    /// left in the cache. Nothing by default.
    fn settle(&self, params: &mut [F], inputs: usize, samples: usize, cache: &[F]) {
        let _ = (params, inputs, samples, cache);
    }

    /// What the layer adds to the loss of the samples that it was trained on, from the outputs and
    /// the cache of the forward pass; its gradient is the backward pass's affair. 0 by default.
    fn penalty(&self, inputs: usize, samples: usize, y: &[F], cache: &[F]) -> f64 {
        let _ = (inputs, samples, y, cache);
        0.0
    }
}

/// Writes the columns of `x` one after the other.
pub(crate) fn copy_columns<F: Scalar>(x: View<'_, F>, y: &mut [F]) {
    for (column, y) in x.column_iter().zip(y.chunks_exact_mut(x.nrows())) {
        y.copy_from_slice(column.as_slice());
    }
}

/// Numbers of one task where work is element by element: below it, threads cost more than they give.
pub(crate) const PIECE: usize = 1 << 13;

/// Writes `x·factors`, element by element.
pub(crate) fn scale_columns<F: Scalar>(x: View<'_, F>, factors: &[F], y: &mut [F]) {
    let columns = x.column_iter().zip(factors.chunks_exact(x.nrows()));
    for ((x, factors), y) in columns.zip(y.chunks_exact_mut(x.nrows())) {
        product(x.as_slice(), factors, y);
    }
}

/// Writes `a·b`, element by element.
pub(crate) fn product<F: Scalar>(a: &[F], b: &[F], out: &mut [F]) {
    vectorize(
        #[inline(always)]
        || out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = a * b),
    );
}

/// Rows of a matrix that are summed side by side, with the sums on the stack.
pub(crate) const BLOCK: usize = 64;

/// The rows `0..rows` in blocks.
pub(crate) fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK).map(move |start| start..rows.min(start + BLOCK))
}
