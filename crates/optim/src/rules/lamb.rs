//! LAMB: Adam with a rate for each block from the norms of its parameters and step.

use serde::{Deserialize, Serialize};

use crate::error::{check_eps, check_factor};
use crate::float::narrow;
use crate::rules::adam::Moments;
use crate::rules::{At, Direction, Kernel, Method, Trust, Visit};
use crate::{Float, OptimError};

/// LAMB: Adam whose step, decay included, is scaled in each block by ‖θ‖/‖step‖.
///
/// ```text
/// u = m̂ / (√(v̂ + ε_root) + ε) + λ·θ          m̂, v̂ as in Adam, λ the block's decay
/// θ ← θ − η·u·‖θ‖/‖u‖            the factor is 1 where one of the norms is 0
/// ```
///
/// PyTorch has none; Keras's ε is 1e-7. Differs from optax: not at all; its weight decay is the
/// block's `decay`. Like optax it scales every block; with `skip_exempt` exempt blocks are not
/// scaled.
///
/// ```
/// use slalom_optim::{Block, Lamb, Optimizer};
/// let mut opt = Optimizer::<f64>::new(Lamb::default(), vec![Block::new("w", 0..2)], None)?;
/// let mut w = [3.0, 4.0];
/// opt.step(0.1, &mut w, &[0.0, 10.0])?;
/// assert!((w[1] - 3.5).abs() < 1e-9); // ‖θ‖ = 5, a unit step
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: You et al., *Large batch optimization for deep learning: training BERT in 76 minutes*,
/// ICLR 2020.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lamb {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε, at least 0, outside the root (default 1e-6).
    pub eps: f64,
    /// Inside the root, at least 0 (default 0); one of the two must be above 0.
    pub eps_root: f64,
    /// Exempt blocks are not scaled (default false).
    pub skip_exempt: bool,
}

impl Default for Lamb {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-6, eps_root: 0.0, skip_exempt: false }
    }
}

impl Method for Lamb {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Lamb", "beta1", self.beta1)?;
        check_factor("Lamb", "beta2", self.beta2)?;
        check_eps("Lamb", self.eps, self.eps_root)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "variance"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn trust(&self) -> Option<Trust> {
        Some(Trust { coefficient: 1.0, eps: 0.0, skip_exempt: self.skip_exempt })
    }

    fn decays_itself(&self) -> bool {
        true
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (t, beta1) = (at.step as f64, at.momentum);
        let moments = Moments {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(1.0 / (1.0 - beta1.powf(t))),
            of_g: F::zero(),
            of_v: narrow(1.0 / (1.0 - self.beta2.powf(t))),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        };
        let (decay, rate) = (narrow(at.decay), narrow(at.rate * at.trust));
        visitor.update_by_norm(Update { moments, decay, rate });
    }
}

/// The averages move when the direction is measured; the step then makes it again from them, which
/// costs less than keeping it.
#[derive(Clone, Copy)]
struct Update<F> {
    moments: Moments<F>,
    decay: F,
    rate: F,
}

impl<F: Float> Direction<F, 2> for Update<F> {
    #[inline(always)]
    fn direction(&self, p: F, g: F, slots: [F; 2]) -> (F, [F; 2]) {
        let [m, v] = self.moments.averages(g, slots);
        (self.moments.step(m, g, v) + self.decay * p, [m, v])
    }
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        (p - self.rate * (self.moments.step(m, g, v) + self.decay * p), [m, v])
    }
}
