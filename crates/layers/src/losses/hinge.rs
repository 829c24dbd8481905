//! Hinge losses: right by a margin is enough.

use slalom_tensor::Scalar;

use super::{PerSample, Target};

/// Hinge loss, for values or for classes:
///
/// | targets | loss of a sample | mean |
/// |---|---|---|
/// | values −1 or 1 | Σᵢ max(0, margin − tᵢ·yᵢ) | over outputs and samples |
/// | class c of k | Σ_{i ≠ c} max(0, margin − y_c + yᵢ) / k | over samples |
///
/// | field | default | |
/// |---|---|---|
/// | `margin` | 1 | above 0 |
/// | `squared` | false | squares each max(0, …) |
///
/// With values it is Keras's `Hinge` (and `SquaredHinge`), which takes 0 for −1 besides; with
/// classes PyTorch's `multi_margin_loss` with p 1 or 2.
///
/// ```
/// use slalom_layers::{Hinge, Loss};
/// Loss::from(Hinge { squared: true, ..Default::default() }).validate(3).unwrap();
/// ```
///
/// Reference: Weston and Watkins 1999, "Support vector machines for multi-class pattern recognition".
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Hinge {
    /// By how much an output has to be right, finite and above 0.
    pub margin: f64,
    /// Whether what is missing is squared.
    pub squared: bool,
}

impl Default for Hinge {
    fn default() -> Self {
        Self { margin: 1.0, squared: false }
    }
}

impl PerSample for Hinge {
    fn sample<F: Scalar>(&self, y: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        if self.squared {
            self.each(y, target, dy, |missing| (missing * missing, missing + missing))
        } else {
            self.each(y, target, dy, |missing| (missing, F::one()))
        }
    }

    fn share<F: Scalar>(&self, outputs: usize, target: Target<'_, F>) -> f64 {
        match target {
            Target::Class(_) => 1.0,
            Target::Values(_) => outputs as f64,
        }
    }
}

impl Hinge {
    /// `loss` gives loss and slope of what is missing, where it is above 0.
    fn each<F: Scalar>(
        &self,
        y: &[F],
        target: Target<'_, F>,
        dy: Option<&mut [F]>,
        loss: impl Fn(F) -> (F, F),
    ) -> f64 {
        let margin = F::of(self.margin);
        let none = (F::zero(), F::zero());
        let hinge = |missing: F| if missing > F::zero() { loss(missing) } else { none };
        match target {
            Target::Values(t) => {
                if let Some(dy) = dy {
                    for (d, (&y, &t)) in dy.iter_mut().zip(y.iter().zip(t)) {
                        *d = -t * hinge(margin - t * y).1;
                    }
                }
                y.iter().zip(t).map(|(&y, &t)| hinge(margin - t * y).0.wide()).sum()
            }
            Target::Class(class) => {
                let k = F::of(y.len() as f64);
                let at = |i: usize| if i == class { none } else { hinge(margin - y[class] + y[i]) };
                if let Some(dy) = dy {
                    let mut all = F::zero();
                    for (i, d) in dy.iter_mut().enumerate() {
                        *d = at(i).1 / k;
                        all += *d;
                    }
                    dy[class] = -all;
                }
                (0..y.len()).map(|i| (at(i).0 / k).wide()).sum()
            }
        }
    }
}
