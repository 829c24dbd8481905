//! The network: layers in a row over one slab of parameters; itself a layer.

mod build;
mod late;
mod predict;
mod spec;
mod stages;
mod summary;

use slalom_tensor::{Purpose, Scalar, View, stream};

use crate::{Backward, Forward, Layer, LayerError, LayerSpec, Parameter, Pass, Tape};

pub use build::MOST_LAYERS;
pub use late::Gradient;
pub(crate) use late::Late;
use late::Lates;
pub use spec::{Block, NetworkSpec};
use stages::Stage;
pub use summary::{Summary, SummaryRow};

/// Layers in a row.
///
/// A network holds no numbers: [`init`](Network::init) makes a slab of parameters, whose blocks are
/// named by [`blocks`](Network::blocks); passes read it, gradients have the same layout.
///
/// ```
/// use slalom_layers::{Activation, Dense, Network};
/// let network = Network::<f32>::new(4, [Dense::new(16, Activation::Relu).into(), Dense::linear(3).into()])?;
/// assert_eq!((network.inputs(), network.outputs(), network.len()), (4, 3, 4 * 16 + 16 + 16 * 3 + 3));
/// assert_eq!(network.blocks()[2].name, "1.weight");
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
#[derive(Debug)]
pub struct Network<F: Scalar> {
    inputs: usize,
    stages: Vec<Stage<F>>,
    specs: Option<Vec<LayerSpec>>,
    parameters: Vec<Parameter>,
    blocks: Vec<Block>,
    frozen: Vec<String>,
}

impl<F: Scalar> Network<F> {
    /// Input features.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs of the last layer.
    pub fn outputs(&self) -> usize {
        self.stages.last().map_or(self.inputs, |stage| stage.outputs)
    }

    /// How many parameters there are: the length of the slab.
    #[allow(clippy::len_without_is_empty)] // a network without parameters is nothing special
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.range.end)
    }

    /// The parts of the slab, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block of that name.
    ///
    /// # Errors
    /// A name that no block has.
    pub fn block(&self, name: &str) -> Result<&Block, LayerError> {
        self.blocks.iter().find(|block| block.name == name).ok_or_else(|| self.no_block(name))
    }

    /// The error that lists the blocks.
    fn no_block(&self, name: &str) -> LayerError {
        let blocks = self.blocks.iter().map(|block| block.name.clone()).collect();
        LayerError::Block { name: name.into(), blocks }
    }

    /// The block of that name in a slab, of parameters or of gradients.
    ///
    /// ```
    /// use slalom_layers::{Dense, Network};
    /// let network = Network::<f64>::new(2, [Dense::linear(3).into()])?;
    /// let params = network.init(1);
    /// assert_eq!(network.part("0.weight", &params)?.shape(), (3, 2));
    /// # Ok::<(), slalom_layers::LayerError>(())
    /// ```
    ///
    /// # Errors
    /// A name that no block has, or a slab of another length than the network's.
    pub fn part<'s>(&self, name: &str, slab: &'s [F]) -> Result<View<'s, F>, LayerError> {
        if slab.len() != self.len() {
            return Err(LayerError::Slab { wanted: self.len(), found: slab.len() });
        }
        let Block { range, shape, .. } = self.block(name)?;
        Ok(View::from_slice(&slab[range.clone()], shape.0, shape.1))
    }

    /// The descriptions of the layers, unless the network was made of boxed ones.
    pub fn specs(&self) -> Option<&[LayerSpec]> {
        self.specs.as_deref()
    }

    /// Everything that the network is rebuilt from, unless it was made of boxed layers.
    pub fn spec(&self) -> Option<NetworkSpec> {
        let (inputs, frozen) = (self.inputs, self.frozen.clone());
        self.specs.clone().map(|layers| NetworkSpec { inputs, layers, frozen })
    }

    /// A slab of initial parameters: each block a function of the seed and its position.
    pub fn init(&self, seed: u64) -> Vec<F> {
        let mut params = vec![F::zero(); self.len()];
        for (index, (block, parameter)) in self.blocks.iter().zip(&self.parameters).enumerate() {
            let mut rng = stream(seed, Purpose::Init, [index as u64, 0]);
            parameter.init.fill(block.shape, &mut params[block.range.clone()], &mut rng);
        }
        params
    }

    /// Room for passes of up to so many samples.
    pub fn tape(&self, samples: usize) -> Tape<F> {
        let outputs = self.outputs();
        Tape {
            outputs,
            capacity: samples,
            samples: 0,
            y: vec![F::zero(); outputs * samples],
            dy: vec![F::zero(); outputs * samples],
            cache: vec![F::zero(); self.cache(self.inputs, samples)],
            late: Vec::with_capacity(self.stages.len()),
            panels: vec![F::zero(); self.late_room(samples)],
        }
    }

    /// Takes the samples through the network; the outputs stand on the tape.
    ///
    /// # Panics
    /// If slab, samples or tape are not of the network's size: check data with
    /// [`Network::check`].
    pub fn forward(&self, params: &[F], x: View<'_, F>, tape: &mut Tape<F>, pass: &Pass<'_>) {
        assert_eq!(params.len(), self.len(), "parameters");
        assert_eq!(x.nrows(), self.inputs, "features");
        assert!(x.ncols() <= tape.capacity, "{} samples on a tape of {}", x.ncols(), tape.capacity);
        tape.samples = x.ncols();
        let length = tape.outputs * tape.samples;
        let y = &mut tape.y[..length];
        let cache = &mut tape.cache[..self.cache(self.inputs, x.ncols())];
        Layer::forward(self, Forward { params, x, y, cache }, pass);
    }

    /// The gradient of the loss whose derivative stands on the tape ([`Tape::ends`]), by every
    /// parameter; `grads` is overwritten.
    ///
    /// # Panics
    /// If slabs or samples are not those of the forward pass.
    pub fn backward(
        &self,
        params: &[F],
        x: View<'_, F>,
        tape: &mut Tape<F>,
        grads: &mut [F],
        pass: &Pass<'_>,
    ) {
        tape.late.clear();
        self.derive(params, x, tape, grads, pass);
    }

    /// The backward pass, without the products that the tape says are left for later.
    fn derive(
        &self,
        params: &[F],
        x: View<'_, F>,
        tape: &mut Tape<F>,
        grads: &mut [F],
        pass: &Pass<'_>,
    ) {
        assert_eq!((params.len(), grads.len()), (self.len(), self.len()), "parameters, gradients");
        assert_eq!(x.shape(), (self.inputs, tape.samples), "samples of the forward pass");
        let length = tape.outputs * tape.samples;
        let (y, dy) = (&tape.y[..length], &mut tape.dy[..length]);
        let cache = &mut tape.cache[..self.cache(self.inputs, x.ncols())];
        let lates = Lates { products: &mut tape.late, panels: &mut tape.panels };
        let at = Backward { params, x, y, dy, dx: None, grads, cache, late: None };
        self.unwind(0, at, lates, pass);
    }

    /// Brings running statistics up to date after a training step.
    pub fn settle(&self, params: &mut [F], tape: &Tape<F>) {
        let cache = &tape.cache[..self.cache(self.inputs, tape.samples)];
        Layer::settle(self, params, self.inputs, tape.samples, cache);
    }

    /// What the layers of the last forward pass add to its loss: the value of the activity penalties.
    pub fn penalty(&self, tape: &Tape<F>) -> f64 {
        let y = &tape.y[..tape.outputs * tape.samples];
        let cache = &tape.cache[..self.cache(self.inputs, tape.samples)];
        Layer::penalty(self, self.inputs, tape.samples, y, cache)
    }

    /// Whether a slab and samples of so many features are the network's.
    ///
    /// # Errors
    /// The two sizes that differ.
    pub fn check(&self, params: &[F], features: usize) -> Result<(), LayerError> {
        if params.len() != self.len() {
            return Err(LayerError::Slab { wanted: self.len(), found: params.len() });
        }
        if features != self.inputs {
            return Err(LayerError::Features { wanted: self.inputs, found: features });
        }
        Ok(())
    }

    /// Whether the first layer can take these inputs (an embedding takes whole numbers only).
    ///
    /// # Errors
    /// The first input that it cannot take.
    pub fn check_inputs(&self, x: View<'_, F>) -> Result<(), LayerError> {
        self.stages[0].layer.check(x)
    }
}

#[cfg(test)]
mod tests;
