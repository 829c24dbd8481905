//! Building a network: layers in their places, blocks with their names, what is frozen.

use std::ops::Range;

use slalom_tensor::Scalar;

use super::{Block, Network, Stage};
use crate::{Kind, Layer, LayerError, LayerSpec, Parameter};

/// The most layers that a network may have.
pub const MOST_LAYERS: usize = 1000;

impl<F: Scalar> Network<F> {
    /// A network for so many input features, from the descriptions of its layers.
    ///
    /// # Errors
    /// No layers, a width of 0, a field out of its range, more parameters than fit: the error names
    /// the layer by its position.
    pub fn new(
        inputs: usize,
        layers: impl IntoIterator<Item = LayerSpec>,
    ) -> Result<Self, LayerError> {
        let mut network = Self::empty(inputs)?;
        let mut specs = Vec::new();
        for spec in layers {
            network.push(spec.build(network.outputs(), network.stages.len())?)?;
            specs.push(spec);
        }
        network.specs = Some(specs);
        network.complete()
    }

    /// The same from boxed layers, for layers that are not of this crate. Such a network has no
    /// [`spec`](Network::spec), so a file cannot rebuild it.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn from_layers(inputs: usize, layers: Vec<Box<dyn Layer<F>>>) -> Result<Self, LayerError> {
        let mut network = Self::empty(inputs)?;
        layers.into_iter().try_for_each(|layer| network.push(layer))?;
        network.complete()
    }

    /// The network with a layer (`"2"`), a nested layer (`"2.0"`) or a block (`"2.weight"`) frozen:
    /// training leaves its parameters as they are, and nothing is computed for it alone.
    ///
    /// # Errors
    /// A name that no block has or begins with.
    pub fn freeze(mut self, name: &str) -> Result<Self, LayerError> {
        let mut found = false;
        for block in self.blocks.iter_mut().filter(|block| block.within(name)) {
            block.frozen = true;
            found = true;
        }
        if !found {
            return Err(self.no_block(name));
        }
        for stage in &mut self.stages {
            let mut own = self.blocks.iter().filter(|b| within(&b.range, &stage.range));
            stage.learns = own.any(|block| !block.frozen && block.kind != Kind::Statistic);
        }
        self.frozen.push(name.into());
        Ok(self)
    }

    fn empty(inputs: usize) -> Result<Self, LayerError> {
        if inputs == 0 {
            return Err(LayerError::Width { layer: 0, field: "inputs" });
        }
        Ok(Self {
            inputs,
            stages: Vec::new(),
            specs: None,
            parameters: Vec::new(),
            blocks: Vec::new(),
            frozen: Vec::new(),
        })
    }

    fn complete(self) -> Result<Self, LayerError> {
        if self.stages.is_empty() { Err(LayerError::NoLayers) } else { Ok(self) }
    }

    /// Appends a layer and its blocks.
    fn push(&mut self, layer: Box<dyn Layer<F>>) -> Result<(), LayerError> {
        let (index, inputs, start) = (self.stages.len(), self.outputs(), self.len());
        if index == MOST_LAYERS {
            return Err(LayerError::TooManyLayers);
        }
        let outputs = layer.outputs(inputs, index)?;
        let overflow = || LayerError::Overflow { layer: index, inputs, outputs };
        let most = isize::MAX as usize / size_of::<F>();
        inputs.checked_mul(outputs).filter(|&n| n <= most).ok_or_else(overflow)?;
        for parameter in layer.parameters(inputs) {
            let (rows, columns) = parameter.shape;
            let begin = self.len();
            let end = rows.checked_mul(columns).and_then(|n| n.checked_add(begin));
            let end = end.filter(|&end| end <= most).ok_or_else(overflow)?;
            let parameter = Parameter { name: format!("{index}.{}", parameter.name), ..parameter };
            self.blocks.push(Block {
                name: parameter.name.clone(),
                kind: parameter.kind,
                shape: parameter.shape,
                range: begin..end,
                frozen: false,
            });
            self.parameters.push(parameter);
        }
        let range = start..self.len();
        let mut own = self.blocks.iter().filter(|block| within(&block.range, &range));
        let learns = own.any(|block| block.kind != Kind::Statistic);
        let position = self.span();
        self.stages.push(Stage { layer, inputs, outputs, range, position, learns });
        Ok(())
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !inner.is_empty()
}
