//! The network: layers in a row over one slab of parameters; itself a layer.

use std::ops::Range;

use slalom_tensor::{Matrix, Purpose, Scalar, Threads, View, stream};

use crate::{Backward, Forward, Kind, Layer, LayerError, LayerSpec, Mode, Parameter, Pass, Tape};

/// A named part of the slab.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Block {
    /// Position of the layer and name of the parameter: `0.weight`, `0.bias`, `2.weight`, …
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Rows and columns; stored column by column.
    pub shape: (usize, usize),
    /// Where it stands in the slab.
    pub range: Range<usize>,
}

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
}

/// A layer in its place.
#[derive(Debug)]
struct Stage<F: Scalar> {
    layer: Box<dyn Layer<F>>,
    inputs: usize,
    outputs: usize,
    range: Range<usize>,
    position: u64,
}

/// Samples that a prediction takes through the network at a time.
const PREDICT: usize = 256;

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
        let specs: Vec<LayerSpec> = layers.into_iter().collect();
        let layers = specs.iter().map(LayerSpec::build).collect();
        Ok(Self { specs: Some(specs), ..Self::from_layers(inputs, layers)? })
    }

    /// The same from boxed layers, for layers that are not of this crate. Such a network has no
    /// [`specs`](Network::specs), so a file cannot rebuild it.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn from_layers(inputs: usize, layers: Vec<Box<dyn Layer<F>>>) -> Result<Self, LayerError> {
        if layers.is_empty() {
            return Err(LayerError::NoLayers);
        }
        if inputs == 0 {
            return Err(LayerError::Width { layer: 0, field: "inputs" });
        }
        let mut network = Self {
            inputs,
            stages: Vec::new(),
            specs: None,
            parameters: Vec::new(),
            blocks: Vec::new(),
        };
        let (mut width, mut end, mut position) = (inputs, 0_usize, 0);
        for (index, layer) in layers.into_iter().enumerate() {
            let outputs = layer.outputs(width, index)?;
            let overflow = || LayerError::Overflow { layer: index, inputs: width, outputs };
            width.checked_mul(outputs).ok_or_else(overflow)?;
            let start = end;
            for parameter in layer.parameters(width) {
                let (rows, columns) = parameter.shape;
                let begin = end;
                end = rows
                    .checked_mul(columns)
                    .and_then(|n| n.checked_add(end))
                    .ok_or_else(overflow)?;
                network.blocks.push(Block {
                    name: format!("{index}.{}", parameter.name),
                    kind: parameter.kind,
                    shape: parameter.shape,
                    range: begin..end,
                });
                network.parameters.push(parameter);
            }
            if end > isize::MAX as usize / size_of::<F>() {
                return Err(overflow());
            }
            let span = layer.span();
            network.stages.push(Stage {
                layer,
                inputs: width,
                outputs,
                range: start..end,
                position,
            });
            position += span;
            width = outputs;
        }
        Ok(network)
    }

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

    /// The descriptions of the layers, unless the network was made of boxed ones.
    pub fn specs(&self) -> Option<&[LayerSpec]> {
        self.specs.as_deref()
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
        assert_eq!((params.len(), grads.len()), (self.len(), self.len()), "parameters, gradients");
        assert_eq!(x.shape(), (self.inputs, tape.samples), "samples of the forward pass");
        let length = tape.outputs * tape.samples;
        let (y, dy) = (&tape.y[..length], &mut tape.dy[..length]);
        let cache = &mut tape.cache[..self.cache(self.inputs, x.ncols())];
        Layer::backward(self, Backward { params, x, y, dy, dx: None, grads, cache }, pass);
    }

    /// Brings running statistics up to date after a training step.
    pub fn settle(&self, params: &mut [F], tape: &Tape<F>) {
        let cache = &tape.cache[..self.cache(self.inputs, tape.samples)];
        Layer::settle(self, params, self.inputs, tape.samples, cache);
    }

    /// The network's outputs for each sample, *outputs × samples*.
    ///
    /// # Errors
    /// A slab or samples of another size than the network's.
    pub fn predict(
        &self,
        params: &[F],
        x: View<'_, F>,
        threads: &Threads,
    ) -> Result<Matrix<F>, LayerError> {
        self.check(params, x.nrows())?;
        let mut outputs = Matrix::zeros(self.outputs(), x.ncols());
        let mut tape = self.tape(x.ncols().min(PREDICT));
        let pass = Pass { mode: Mode::Predict, layer: 0, threads };
        for start in (0..x.ncols()).step_by(PREDICT) {
            let count = PREDICT.min(x.ncols() - start);
            self.forward(params, x.columns(start, count), &mut tape, &pass);
            outputs.columns_mut(start, count).copy_from(&tape.outputs());
        }
        Ok(outputs)
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

    /// The widest activation, in numbers for one sample.
    fn widest(&self) -> usize {
        self.stages.iter().map(|stage| stage.outputs).max().unwrap_or(0)
    }

    /// Whether the derivative by a stage's inputs is needed: an earlier stage learns.
    fn learns_before(&self, index: usize) -> bool {
        self.stages[index].range.start > 0
    }

    /// Splits a stage's numbers off the cache: its outputs (none for the last one, whose outputs
    /// are the network's own), its cache, and the rest for the later stages.
    fn split<'c>(
        &self,
        index: usize,
        samples: usize,
        cache: &'c mut [F],
    ) -> (&'c mut [F], &'c mut [F], &'c mut [F]) {
        let stage = &self.stages[index];
        let (y, rest) = cache.split_at_mut(self.kept(index, samples));
        let (own, rest) = rest.split_at_mut(stage.layer.cache(stage.inputs, samples));
        (y, own, rest)
    }

    /// How many outputs of a stage are kept in the cache.
    fn kept(&self, index: usize, samples: usize) -> usize {
        if index + 1 == self.stages.len() { 0 } else { self.stages[index].outputs * samples }
    }

    /// The backward pass from the last stage to this one: takes the stages' numbers off the cache
    /// on the way in, computes on the way out. `delta` receives the derivative by this stage's
    /// inputs (for the first stage, `at.dx` does), `scratch` that of the next one.
    fn unwind(
        &self,
        index: usize,
        mut at: Backward<'_, F>,
        delta: &mut [F],
        scratch: &mut [F],
        pass: &Pass<'_>,
    ) {
        let stage = &self.stages[index];
        let samples = at.x.ncols();
        let (y, cache, rest) = self.split(index, samples, at.cache);
        let (grads, later) = at.grads.split_at_mut(stage.range.len());
        let last = index + 1 == self.stages.len();
        if !last {
            let x = View::from_slice(y, stage.outputs, samples);
            let (dy, dx) = (&mut *at.dy, at.dx.as_deref_mut());
            let at = Backward { params: at.params, x, y: at.y, dy, dx, grads: later, cache: rest };
            self.unwind(index + 1, at, scratch, delta, pass);
        }
        let wanted = self.learns_before(index) || at.dx.is_some();
        let dx = match index {
            0 => at.dx,
            _ => wanted.then_some(&mut delta[..stage.inputs * samples]),
        };
        if dx.is_none() && stage.range.is_empty() {
            return; // nobody wants anything of this stage
        }
        let (y, dy) = match last {
            true => (at.y, at.dy),
            false => (&*y, &mut scratch[..stage.outputs * samples]),
        };
        let params = &at.params[stage.range.clone()];
        let at = Backward { params, x: at.x, y, dy, dx, grads, cache };
        stage.layer.backward(at, &stage.pass(pass));
    }
}

impl<F: Scalar> Stage<F> {
    /// The pass as this stage sees it.
    fn pass<'p>(&self, pass: &Pass<'p>) -> Pass<'p> {
        Pass { layer: pass.layer + self.position, ..*pass }
    }
}

impl<F: Scalar> Layer<F> for Network<F> {
    fn name(&self) -> &'static str {
        "network"
    }

    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        match inputs == self.inputs {
            true => Ok(self.outputs()),
            false => Err(LayerError::Features { wanted: self.inputs, found: inputs }),
        }
    }

    fn parameters(&self, _inputs: usize) -> Vec<Parameter> {
        self.parameters.clone()
    }

    /// Two buffers for derivatives, then each stage's outputs and cache.
    fn cache(&self, _inputs: usize, samples: usize) -> usize {
        let stages = self.stages.iter().enumerate().map(|(index, stage)| {
            self.kept(index, samples) + stage.layer.cache(stage.inputs, samples)
        });
        2 * self.widest() * samples + stages.sum::<usize>()
    }

    fn span(&self) -> u64 {
        self.stages.iter().map(|stage| stage.layer.span()).sum()
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let samples = at.x.ncols();
        let (_, mut rest) = at.cache.split_at_mut(2 * self.widest() * samples);
        let (mut x, mut output) = (at.x, Some(at.y));
        for (index, stage) in self.stages.iter().enumerate() {
            let (kept, cache, later) = self.split(index, samples, rest);
            rest = later;
            let last = index + 1 == self.stages.len();
            let y = output.take_if(|_| last).unwrap_or(kept);
            let params = &at.params[stage.range.clone()];
            stage.layer.forward(Forward { params, x, y: &mut *y, cache }, &stage.pass(pass));
            x = View::from_slice(y, stage.outputs, samples);
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        let length = self.widest() * at.x.ncols();
        let (deltas, cache) = at.cache.split_at_mut(2 * length);
        let (delta, scratch) = deltas.split_at_mut(length);
        self.unwind(0, Backward { cache, ..at }, delta, scratch, pass);
    }

    fn settle(&self, params: &mut [F], _inputs: usize, samples: usize, cache: &[F]) {
        let mut rest = &cache[2 * self.widest() * samples..];
        for (index, stage) in self.stages.iter().enumerate() {
            let (own, later) = rest[self.kept(index, samples)..]
                .split_at(stage.layer.cache(stage.inputs, samples));
            stage.layer.settle(&mut params[stage.range.clone()], stage.inputs, samples, own);
            rest = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Dense, Loss};
    use slalom_tensor::Targets;

    #[test]
    fn descriptions_that_cannot_be_are_refused() {
        let network =
            |inputs, layers: Vec<LayerSpec>| Network::<f32>::new(inputs, layers).map(|_| ());
        assert_eq!(network(3, vec![]), Err(LayerError::NoLayers));
        assert_eq!(
            network(3, vec![Dense::linear(2).into(), Dense::linear(0).into()]),
            Err(LayerError::Width { layer: 1, field: "units" })
        );
        assert!(matches!(
            network(1 << 40, vec![Dense::linear(1 << 40).into()]),
            Err(LayerError::Overflow { layer: 0, .. })
        ));
    }

    #[test]
    fn a_slab_or_samples_of_another_size_are_refused() {
        let network = Network::<f32>::new(3, [Dense::linear(2).into()]).unwrap();
        let x = Matrix::zeros(4, 1);
        let error = network.predict(&network.init(0), x.as_view(), &Threads::one()).unwrap_err();
        assert_eq!(error.to_string(), "the network takes 3 features, the samples have 4");
        assert_eq!(network.check(&[0.0; 7], 3), Err(LayerError::Slab { wanted: 8, found: 7 }));
    }

    #[test]
    fn a_network_inside_a_network_computes_the_same() {
        let layers = || [Dense::new(5, Activation::Tanh), Dense::new(4, Activation::Sigmoid)];
        let inner = Network::<f64>::new(3, layers().map(LayerSpec::from)).unwrap();
        let nested: Vec<Box<dyn Layer<f64>>> = vec![Box::new(inner), Box::new(Dense::linear(2))];
        let nested = Network::from_layers(3, nested).unwrap();
        let [a, b] = layers();
        let flat = Network::new(3, [a, b, Dense::linear(2)].map(LayerSpec::from)).unwrap();
        assert_eq!(nested.len(), flat.len());
        let params = flat.init(1);
        let x = Matrix::from_fn(3, 6, |i, j| (i as f64 - j as f64) / 3.0);
        let gradient = |network: &Network<f64>| {
            let (mut tape, mut grads) = (network.tape(8), vec![0.0; network.len()]);
            let threads = Threads::one();
            let pass = Pass { mode: Mode::Predict, layer: 0, threads: &threads };
            network.forward(&params, x.as_view(), &mut tape, &pass);
            let (outputs, deltas) = tape.ends();
            let targets = Targets::Classes(&[0, 1, 0, 1, 1, 0]);
            let loss = Loss::default().evaluate(outputs, targets, None, Some(deltas));
            network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
            (loss, grads)
        };
        assert_eq!(gradient(&nested), gradient(&flat));
    }
}
