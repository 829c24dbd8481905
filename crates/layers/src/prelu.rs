//! PReLU: a leaky ReLU that learns its slope.

use slalom_tensor::{Scalar, View};

use crate::error::require;
use crate::layer::{BLOCK, blocks, copy_columns};
use crate::{Backward, Forward, Init, Kind, Layer, LayerError, Parameter, Pass};

/// PReLU: `y = x` above 0, `slope·x` below, with one learned slope for each unit or one for all.
///
/// | field | default | |
/// |---|---|---|
/// | `init` | 0.25 | how the slopes begin (the paper's and PyTorch's; Keras begins at 0) |
/// | `shared` | false | one slope for all units (PyTorch's default) instead of one each (Keras's) |
///
/// Slopes are of kind [`Kind::Scale`]: penalties and decay spare them, as the paper says.
///
/// ```
/// use slalom_layers::{Dense, Network, Prelu};
/// let network = Network::<f64>::new(4, [Dense::linear(8).into(), Prelu::default().into()])?;
/// assert_eq!(network.block("1.slope")?.shape, (8, 1));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
///
/// Reference: He et al. 2015, "Delving deep into rectifiers".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Prelu {
    /// How the slopes begin, finite.
    pub init: f64,
    /// Whether there is one slope for all units.
    pub shared: bool,
}

impl Default for Prelu {
    fn default() -> Self {
        Self { init: 0.25, shared: false }
    }
}

impl Prelu {
    /// The slopes of some rows, the shared one repeated.
    fn slopes<F: Scalar>(&self, params: &[F], rows: std::ops::Range<usize>) -> [F; BLOCK] {
        let mut slopes = [params[0]; BLOCK];
        if !self.shared {
            slopes[..rows.len()].copy_from_slice(&params[rows]);
        }
        slopes
    }
}

impl<F: Scalar> Layer<F> for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn outputs(&self, inputs: usize, layer: usize) -> Result<usize, LayerError> {
        require(self.init.is_finite(), layer, "init", self.init, "finite")?;
        Ok(inputs)
    }

    fn parameters(&self, inputs: usize) -> Vec<Parameter> {
        let shape = (if self.shared { 1 } else { inputs }, 1);
        vec![Parameter::new("slope", Kind::Scale, shape, Init::Constant(self.init))]
    }

    fn forward(&self, at: Forward<'_, F>, _pass: &Pass<'_>) {
        copy_columns(at.x, at.y);
        let units = at.x.nrows();
        for rows in blocks(units) {
            let slopes = self.slopes(at.params, rows.clone());
            for column in at.y.chunks_exact_mut(units) {
                for (y, &slope) in column[rows.clone()].iter_mut().zip(&slopes) {
                    *y = if *y > F::zero() { *y } else { slope * *y };
                }
            }
        }
    }

    fn backward(&self, at: Backward<'_, F>, _pass: &Pass<'_>) {
        let units = at.x.nrows();
        let dy = View::from_slice(at.dy, units, at.x.ncols());
        if self.shared {
            at.grads.fill(F::zero());
        }
        for rows in blocks(units) {
            let mut sums = [0.0; BLOCK];
            for (x, dy) in at.x.column_iter().zip(dy.column_iter()) {
                let pairs = x.as_slice()[rows.clone()].iter().zip(&dy.as_slice()[rows.clone()]);
                for (sum, (&x, &dy)) in sums.iter_mut().zip(pairs) {
                    let below = if x > F::zero() { F::zero() } else { x };
                    *sum += (dy * below).wide();
                }
            }
            if self.shared {
                at.grads[0] += F::of(sums.iter().sum());
            } else {
                at.grads[rows].iter_mut().zip(sums).for_each(|(g, sum)| *g = F::of(sum));
            }
        }
        let Some(dx) = at.dx else { return };
        for rows in blocks(units) {
            let slopes = self.slopes(at.params, rows.clone());
            for (j, dx) in dx.chunks_exact_mut(units).enumerate() {
                let (x, dy) = (at.x.column(j), dy.column(j));
                let pairs = x.as_slice()[rows.clone()].iter().zip(&dy.as_slice()[rows.clone()]);
                for ((dx, (&x, &dy)), &slope) in dx[rows.clone()].iter_mut().zip(pairs).zip(&slopes)
                {
                    *dx = if x > F::zero() { dy } else { slope * dy };
                }
            }
        }
    }
}
