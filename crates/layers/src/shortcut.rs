//! Layers around layers: shortcuts that add or append the inputs.

use slalom_tensor::{Scalar, View};

use crate::{Backward, Forward, Layer, LayerError, LayerSpec, Network, Parameter, Pass};

/// A residual shortcut: `y = x + f(x)`, where f is a row of layers as wide at its end as at its
/// beginning.
///
/// ```
/// use slalom_layers::{Activation, Dense, Network, Residual};
/// let f = vec![Dense::new(16, Activation::Relu).into(), Dense::linear(4).into()];
/// let layers = [Residual { layers: f }.into(), Dense::linear(3).into()];
/// let network = Network::<f64>::new(4, layers)?;
/// assert_eq!(network.block("0.1.weight")?.shape, (4, 16));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: He et al. 2016, "Deep residual learning for image recognition".
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Residual {
    /// The layers of f, at least one.
    pub layers: Vec<LayerSpec>,
}

/// A concatenating shortcut: `y = [x; f(x)]`, the inputs first.
///
/// One inside the next gives Proben1's "all shortcut connections", where each layer sees the
/// outputs of all before it:
///
/// ```
/// use slalom_layers::{Activation, Concat, Dense, Network};
/// let hidden = |units| Concat { layers: vec![Dense::new(units, Activation::Tanh).into()] };
/// let layers = [hidden(16).into(), hidden(8).into(), Dense::linear(3).into()];
/// let network = Network::<f64>::new(4, layers)?;
/// assert_eq!(network.block("2.weight")?.shape, (3, 4 + 16 + 8));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: Prechelt 1994, "Proben1"; Huang et al. 2017, "Densely connected convolutional
/// networks".
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Concat {
    /// The layers of f, at least one.
    pub layers: Vec<LayerSpec>,
}

impl Residual {
    pub(crate) fn build<F: Scalar>(
        &self,
        inputs: usize,
        layer: usize,
    ) -> Result<Shortcut<F>, LayerError> {
        let shortcut = Shortcut::new(&self.layers, Join::Add, inputs, layer)?;
        match shortcut.inner.outputs() {
            outputs if outputs == inputs => Ok(shortcut),
            outputs => Err(LayerError::Residual { layer, inputs, outputs }),
        }
    }
}

impl Concat {
    pub(crate) fn build<F: Scalar>(
        &self,
        inputs: usize,
        layer: usize,
    ) -> Result<Shortcut<F>, LayerError> {
        Shortcut::new(&self.layers, Join::Append, inputs, layer)
    }
}

/// A row of layers f, and how its outputs meet its inputs.
#[derive(Debug)]
pub(crate) struct Shortcut<F: Scalar> {
    inner: Network<F>,
    join: Join,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    /// x + f(x)
    Add,
    /// [x; f(x)]
    Append,
}

impl<F: Scalar> Shortcut<F> {
    fn new(
        layers: &[LayerSpec],
        join: Join,
        inputs: usize,
        layer: usize,
    ) -> Result<Self, LayerError> {
        let inner = Network::new(inputs, layers.iter().cloned())
            .map_err(|source| LayerError::Inside { layer, source: Box::new(source) })?;
        Ok(Self { inner, join })
    }

    /// Outputs above those of f.
    fn above(&self) -> usize {
        match self.join {
            Join::Add => 0,
            Join::Append => self.inner.inputs(),
        }
    }

    fn rows(&self) -> usize {
        self.above() + self.inner.outputs()
    }
}

impl<F: Scalar> Layer<F> for Shortcut<F> {
    fn name(&self) -> &'static str {
        match self.join {
            Join::Add => "residual",
            Join::Append => "concat",
        }
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        let overflow = LayerError::Overflow { layer, inputs, outputs: self.inner.outputs() };
        self.above().checked_add(self.inner.outputs()).ok_or(overflow)
    }

    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        self.inner.parameters(inputs)
    }

    /// The outputs of f, the derivative by them, and f's own cache.
    fn cache(&self, inputs: usize, samples: usize) -> usize {
        2 * self.inner.outputs() * samples + self.inner.cache(inputs, samples)
    }

    fn span(&self) -> u64 {
        self.inner.span()
    }

    fn check(&self, x: View<'_, F>) -> Result<(), LayerError> {
        Layer::check(&self.inner, x)
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let outputs = self.inner.outputs();
        let (fx, rest) = at.cache.split_at_mut(outputs * at.x.ncols());
        let cache = &mut rest[fx.len()..];
        let inner = Forward { params: at.params, x: at.x, y: &mut *fx, cache };
        Layer::forward(&self.inner, inner, pass);
        let columns = at.x.column_iter().zip(fx.chunks_exact(outputs));
        for ((x, fx), y) in columns.zip(at.y.chunks_exact_mut(self.rows())) {
            match self.join {
                Join::Add => {
                    let sums = x.as_slice().iter().zip(fx).map(|(&x, &fx)| x + fx);
                    y.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum);
                }
                Join::Append => {
                    let (above, below) = y.split_at_mut(x.len());
                    above.copy_from_slice(x.as_slice());
                    below.copy_from_slice(fx);
                }
            }
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        let (inputs, samples) = at.x.shape();
        let outputs = self.inner.outputs();
        let (fx, rest) = at.cache.split_at_mut(outputs * samples);
        let (dfx, cache) = rest.split_at_mut(outputs * samples);
        let (rows, above) = (self.rows(), self.above());
        for (dfx, dy) in dfx.chunks_exact_mut(outputs).zip(at.dy.chunks_exact(rows)) {
            dfx.copy_from_slice(&dy[above..]);
        }
        let mut dx = at.dx;
        let inner = Backward {
            params: at.params,
            x: at.x,
            y: fx,
            dy: dfx,
            dx: dx.as_deref_mut(),
            grads: at.grads,
            cache,
            late: None,
        };
        Layer::backward(&self.inner, inner, pass);
        let Some(dx) = dx else { return };
        for (dx, dy) in dx.chunks_exact_mut(inputs).zip(at.dy.chunks_exact(rows)) {
            dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy);
        }
    }

    fn settle(&self, params: &mut [F], inputs: usize, samples: usize, cache: &[F]) {
        let cache = &cache[2 * self.inner.outputs() * samples..];
        Layer::settle(&self.inner, params, inputs, samples, cache);
    }

    fn penalty(&self, inputs: usize, samples: usize, _y: &[F], cache: &[F]) -> f64 {
        let (fx, rest) = cache.split_at(self.inner.outputs() * samples);
        Layer::penalty(&self.inner, inputs, samples, fx, &rest[fx.len()..])
    }
}
