//! The activity penalty, as a layer that passes its inputs.

use slalom_regularize::ActivityPenalty;
use slalom_tensor::Scalar;

use crate::layer::copy_columns;
use crate::{Backward, Forward, Layer, LayerError, Mode, Pass};

/// Passes its inputs, and while training adds the penalty's gradient on the way back: the layer
/// before is drawn towards small or sparse outputs.
///
/// [`Network::penalty`](crate::Network::penalty) is the penalty's value, which runs add to the
/// training loss. As in Keras's `ActivityRegularization` the strengths are per sample, for a loss
/// that is a mean over samples.
impl<F: Scalar> Layer<F> for ActivityPenalty {
    fn name(&self) -> &'static str {
        "activity penalty"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        self.validate().map_err(|e| LayerError::Field {
            layer,
            field: e.field,
            value: e.value,
            bound: e.bound,
        })?;
        Ok(inputs)
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        let Some(dx) = at.dx else { return };
        dx.copy_from_slice(at.dy);
        if let Mode::Train { .. } = pass.mode {
            self.add_gradient(at.y, at.x.ncols(), dx);
        }
    }

    fn penalty(&self, _inputs: usize, samples: usize, y: &[F], _cache: &[F]) -> f64 {
        self.value(y, samples)
    }
}
