//! Resilient propagation: steps that depend on the sign of the gradient alone.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_positive};
use crate::float::{clamp_between, narrow, signed};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Rprop: each number has its own step size, which grows while the sign of its gradient stays and
/// shrinks when it turns. For whole batches: the gradient must not be noisy.
///
/// ```text
/// s = sign(g·g₋)                 g₋ the gradient before, Δ = η at the first step
/// Δ ← min(max(Δ·(η₊ if s > 0, η₋ if s < 0, 1 if s = 0), Δ_min), Δ_max)
/// g ← 0 if s < 0
/// θ ← θ − Δ·sign(g),  g₋ ← g
/// ```
///
/// The learning rate of the first step is the first step size; later ones are not read.
///
/// Differs from PyTorch: not at all (Rprop⁻ with a forgotten gradient after a turn); the sign is
/// taken of each gradient, so that their product cannot underflow. Differs from optax 0.2.8, which
/// moves by the step that the call before computed.
///
/// ```
/// use slalom_optim::{Block, Optimizer, Rprop};
/// let mut opt = Optimizer::<f64>::new(Rprop::default(), vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[5.0])?;
/// opt.step(0.1, &mut w, &[0.001])?;
/// assert!((w[0] - (1.0 - 0.1 - 0.12)).abs() < 1e-15);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Riedmiller, Braun, *A direct adaptive method for faster backpropagation learning: the
/// RPROP algorithm*, ICNN 1993.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rprop {
    /// η₋ above 0 and below 1 (default 0.5).
    pub shrink: f64,
    /// η₊ above 1 (default 1.2).
    pub grow: f64,
    /// Δ_min above 0 (default 1e-6).
    pub smallest: f64,
    /// Δ_max, at least Δ_min (default 50).
    pub largest: f64,
}

impl Default for Rprop {
    fn default() -> Self {
        Self { shrink: 0.5, grow: 1.2, smallest: 1e-6, largest: 50.0 }
    }
}

impl Method for Rprop {
    fn validate(&self) -> Result<(), OptimError> {
        let Self { shrink, grow, smallest, largest } = *self;
        check("Rprop", "shrink", shrink, 0.0 < shrink && shrink < 1.0, "above 0 and below 1")?;
        check("Rprop", "grow", grow, grow > 1.0 && grow.is_finite(), "above 1 and finite")?;
        check_positive("Rprop", "smallest", smallest)?;
        let holds = largest >= smallest && largest.is_finite();
        check("Rprop", "largest", largest, holds, "at least smallest and finite")
    }

    fn slots(&self) -> &'static [&'static str] {
        &["gradient", "size"]
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        visitor.update(Update {
            start: narrow(at.start(at.rate)),
            shrink: narrow(self.shrink),
            grow: narrow(self.grow),
            smallest: narrow(self.smallest),
            largest: narrow(self.largest),
        });
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    start: F,
    shrink: F,
    grow: F,
    smallest: F,
    largest: F,
}

impl<F: Float> Kernel<F, 2> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [before, size]: [F; 2]) -> (F, [F; 2]) {
        let turn = signed(g, signed(before, F::one()));
        let factor = if turn > F::zero() { self.grow } else { F::one() };
        let factor = if turn < F::zero() { self.shrink } else { factor };
        let g = if turn < F::zero() { F::zero() } else { g };
        let size = clamp_between((self.start + size) * factor, self.smallest, self.largest);
        (p - signed(g, size), [g, size])
    }
}
