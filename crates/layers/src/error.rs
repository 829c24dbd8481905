//! What can be wrong with a network's description or with the data that it is given.

use crate::MOST_LAYERS;

/// Why a network cannot be built, or cannot take this data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// A network needs at least one layer.
    #[error("the network has no layers: give it at least 1")]
    NoLayers,
    /// More layers than [`MOST_LAYERS`](crate::MOST_LAYERS).
    #[error("the network has too many layers: give it at most {MOST_LAYERS}")]
    TooManyLayers,
    /// What is wrong inside a layer that holds layers.
    #[error("in layer {layer}: {source}")]
    Inside {
        /// Position of the outer layer, from 0.
        layer: usize,
        /// What is wrong.
        source: Box<LayerError>,
    },
    /// A name that no block has.
    #[error("there is no block \"{name}\": the blocks are {}", .blocks.join(", "))]
    Block {
        /// The name.
        name: String,
        /// The names that there are.
        blocks: Vec<String>,
    },
    /// A residual shortcut around layers that change the width.
    #[error("layer {layer} adds {outputs} outputs to {inputs} inputs: both must be as many")]
    Residual {
        /// Position of the layer, from 0.
        layer: usize,
        /// Its inputs.
        inputs: usize,
        /// The outputs of the layers inside.
        outputs: usize,
    },
    /// A column to embed that there is not, or twice.
    #[error("layer {layer} embeds column {column}: it must be one of {inputs} inputs, and once")]
    Column {
        /// Position of the layer, from 0.
        layer: usize,
        /// The column.
        column: usize,
        /// The layer's inputs.
        inputs: usize,
    },
    /// A category code that is no whole number in range.
    #[error(
        "feature {feature} of sample {sample} is {value}: it must be a category from 0 to {}",
        .categories - 1
    )]
    Category {
        /// Which sample, from 0.
        sample: usize,
        /// Which feature, from 0.
        feature: usize,
        /// The value found.
        value: f64,
        /// How many categories there are.
        categories: usize,
    },
    /// A width of 0.
    #[error("{field} of layer {layer} is 0: it must be at least 1")]
    Width {
        /// Position of the layer, from 0.
        layer: usize,
        /// Which field.
        field: &'static str,
    },
    /// A field of a layer that is out of its range.
    #[error("{field} of layer {layer} is {value}: it must be {bound}")]
    Field {
        /// Position of the layer, from 0.
        layer: usize,
        /// Which field.
        field: &'static str,
        /// What it was.
        value: f64,
        /// What it must be.
        bound: &'static str,
    },
    /// More parameters than an address space holds.
    #[error(
        "the number of parameters overflows at layer {layer}: {inputs} inputs, {outputs} outputs"
    )]
    Overflow {
        /// Position of the layer, from 0.
        layer: usize,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
    },
    /// Samples of another width than the network's inputs.
    #[error("the network takes {wanted} features, the samples have {found}")]
    Features {
        /// The network's inputs.
        wanted: usize,
        /// Features of the samples.
        found: usize,
    },
    /// A slab of another length than the network's parameters.
    #[error("the network has {wanted} parameters, the slab has {found} numbers")]
    Slab {
        /// The network's parameters.
        wanted: usize,
        /// Numbers in the slab.
        found: usize,
    },
    /// Targets of another height than the network's outputs; nothing is ever broadcast.
    #[error("the network has {outputs} outputs, the targets have {targets} rows")]
    TargetShape {
        /// The network's outputs.
        outputs: usize,
        /// Rows of the targets.
        targets: usize,
    },
    /// A class index that is not below the number of outputs.
    #[error(
        "the class of sample {sample} is {class}: with {outputs} outputs it must be below {outputs}"
    )]
    Class {
        /// Which sample, from 0.
        sample: usize,
        /// Its class.
        class: u32,
        /// The network's outputs.
        outputs: usize,
    },
    /// A target that the loss has no meaning for.
    #[error(
        "the target of sample {sample}, output {output} is {value}: {loss} needs it to be {bound}"
    )]
    TargetRange {
        /// The loss.
        loss: &'static str,
        /// Which sample, from 0.
        sample: usize,
        /// Which output, from 0.
        output: usize,
        /// The value found.
        value: f64,
        /// What it must be.
        bound: &'static str,
    },
    /// A field of a loss that is out of its range.
    #[error("{field} of {loss} is {value}: it must be {bound}")]
    Loss {
        /// The loss.
        loss: &'static str,
        /// Which field.
        field: &'static str,
        /// What it was.
        value: f64,
        /// What it must be.
        bound: &'static str,
    },
    /// Weights of a loss that are not one for each output.
    #[error("{loss} has {found} {field} for {outputs} outputs")]
    LossWeights {
        /// The loss.
        loss: &'static str,
        /// Which field.
        field: &'static str,
        /// The network's outputs.
        outputs: usize,
        /// How many weights there are.
        found: usize,
    },
    /// A loss that cannot take this kind of targets.
    #[error("{loss} needs targets as {wanted}")]
    TargetKind {
        /// The loss.
        loss: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
}

/// An error unless `holds`.
pub(crate) fn require(
    holds: bool,
    layer: usize,
    field: &'static str,
    value: f64,
    bound: &'static str,
) -> Result<(), LayerError> {
    if holds { Ok(()) } else { Err(LayerError::Field { layer, field, value, bound }) }
}
