//! A layer of one's own: the sine of every input, with a frequency that is learned.
//! `tests/gradients.rs` runs this file and checks the gradient.
use slalom_layers::*;
use slalom_tensor::{Scalar, Threads, from_rows};

#[derive(Debug)]
pub(crate) struct Sine;

impl<F: Scalar> Layer<F> for Sine {
    fn name(&self) -> &'static str {
        "sine"
    }
    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        Ok(inputs)
    }
    fn parameters(&self, _inputs: usize) -> Vec<Parameter> {
        vec![Parameter::new("frequency", Kind::Scale, (1, 1), Init::Constant(1.0))]
    }
    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        at.y.iter_mut().zip(at.x.iter()).for_each(|(y, &x)| *y = (at.params[0] * x).sin());
    }
    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let frequency = at.params[0];
        at.dy.iter_mut().zip(at.x.iter()).for_each(|(d, &x)| *d *= (frequency * x).cos());
        at.grads[0] = at.dy.iter().zip(at.x.iter()).map(|(&d, &x)| d * x).sum();
        if let Some(dx) = at.dx {
            dx.iter_mut().zip(at.dy).for_each(|(dx, &mut d)| *dx = frequency * d);
        }
    }
}

pub(crate) fn main() -> Result<(), LayerError> {
    let layers: Vec<Box<dyn Layer<f64>>> = vec![Box::new(Dense::linear(8)), Box::new(Sine)];
    let network = Network::from_layers(2, layers)?;
    let x = from_rows(&[[0.5, -1.0], [2.0, 0.0]]);
    let y = network.predict(&network.init(1), x.as_view(), &Threads::one())?;
    println!("{}\n{y}", network.summary());
    Ok(())
}
