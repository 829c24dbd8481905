//! The dense layer: `y = f(W·x + b)`, with the activation fused behind the product.

use slalom_tensor::{Factor, Outer, Scalar, View, ViewMut, multiply, multiply_then, row_sums};

use crate::layer::PIECE;
use crate::{Activation, Backward, Forward, Init, Kind, Layer, LayerError, Parameter, Pass};

/// A dense (fully connected) layer: `y = f(W·x + b)`.
///
/// | field | default | |
/// |---|---|---|
/// | `units` | – | outputs, at least 1 |
/// | `activation` | – | f |
/// | `bias` | true | whether there is a b; it begins at 0, or as `init` says |
/// | `init` | Glorot uniform | how W begins |
///
/// `W` is *units × inputs*, stored column by column: the bytes of a Keras kernel.
///
/// Differs from PyTorch: `Linear` draws weights and bias from U(±1/√inputs)
/// ([`Init::TorchLinear`]) and has no activation.
///
/// ```
/// use slalom_layers::{Activation, Dense, Init};
/// let hidden = Dense { init: Init::HeNormal, ..Dense::new(128, Activation::Relu) };
/// assert!(hidden.bias);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dense {
    /// How many outputs.
    pub units: usize,
    /// The function behind the product.
    pub activation: Activation,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weights begin.
    pub init: Init,
}

impl Dense {
    /// So many units with this activation, a bias and Glorot-uniform weights.
    pub fn new(units: usize, activation: Activation) -> Self {
        Self { units, activation, bias: true, init: Init::GlorotUniform }
    }

    /// So many units without an activation: the last layer in front of a loss.
    pub fn linear(units: usize) -> Self {
        Self::new(units, Activation::Identity)
    }
}

impl<F: Scalar> Layer<F> for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn outputs(&self, _inputs: usize, layer: usize) -> Result<usize, LayerError> {
        self.activation.validate(layer)?;
        self.init.validate(layer)?;
        match self.units {
            0 => Err(LayerError::Width { layer, field: "units" }),
            units => Ok(units),
        }
    }

    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        let shape = (self.units, inputs);
        let weight = Parameter::new("weight", Kind::Weight, shape, self.init);
        let init = self.init.of_bias(inputs);
        let bias = Parameter::new("bias", Kind::Bias, (self.units, 1), init);
        if self.bias { vec![weight, bias] } else { vec![weight] }
    }

    /// What goes into the activation, where its derivative is found from that.
    fn cache(&self, _inputs: usize, samples: usize) -> usize {
        if self.activation.needs_input() { self.units * samples } else { 0 }
    }

    fn has_product(&self) -> bool {
        true
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let (inputs, samples) = at.x.shape();
        let (weight, bias) = at.params.split_at(self.units * inputs);
        let weight = View::from_slice(weight, self.units, inputs);
        let y = ViewMut::from_slice(at.y, self.units, samples);
        let needs_input = self.activation.needs_input();
        let finish = |mut part: ViewMut<'_, F>, row: usize, _| {
            let fused = if needs_input { Activation::Identity } else { self.activation };
            match self.bias {
                true => fused.apply_biased(&bias[row..], part),
                false => part.column_iter_mut().for_each(|mut y| fused.apply(y.as_mut_slice())),
            }
        };
        multiply_then(Factor::Plain(weight), Factor::Plain(at.x), y, pass.threads, &finish);
        if needs_input {
            at.cache.copy_from_slice(at.y);
            pass.threads.pieces(at.y, PIECE, &|_, y| self.activation.apply(y));
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        let (inputs, samples) = at.x.shape();
        let (x, y) = (&*at.cache, at.y);
        pass.threads.pieces(at.dy, PIECE, &|first, dy| {
            let range = first..first + dy.len();
            let x = if self.activation.needs_input() { &x[range.clone()] } else { &[] };
            self.activation.chain(x, &y[range], dy);
        });
        let dz = View::from_slice(at.dy, self.units, samples);
        let (dweight, dbias) = at.grads.split_at_mut(self.units * inputs);
        let dbias = self.bias.then_some(dbias);
        if let Some(late) = at.late {
            *late.packed = Outer::pack((dz, at.x), late.panels, dbias, pass.threads);
        } else {
            let dweight = ViewMut::from_slice(dweight, self.units, inputs);
            multiply(Factor::Plain(dz), Factor::Transposed(at.x), dweight, pass.threads);
            if let Some(dbias) = dbias {
                row_sums(dz, dbias, pass.threads);
            }
        }
        if let Some(dx) = at.dx {
            let weight = View::from_slice(&at.params[..self.units * inputs], self.units, inputs);
            let dx = ViewMut::from_slice(dx, inputs, samples);
            multiply(Factor::Transposed(weight), Factor::Plain(dz), dx, pass.threads);
        }
    }
}
