//! Stochastic gradient descent, with heavy-ball or Nesterov momentum.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_factor};
use crate::float::narrow;
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Stochastic gradient descent, with heavy-ball or Nesterov momentum.
///
/// ```text
/// b ← μ·b + (1 − τ)·g        b ← g at the first step
/// θ ← θ − η·b                Nesterov: θ ← θ − η·(g + μ·b)
/// ```
///
/// Differs from PyTorch: not at all. Keras and scikit-learn keep the learning rate inside the
/// velocity (`rate_inside`), which matters only when the rate changes: the old velocity then keeps
/// the old rate. Sutskever's look-ahead is the same trajectory seen from the other point.
///
/// ```
/// use slalom_optim::{Block, Optimizer, Sgd};
/// let nesterov = Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() };
/// let mut opt = Optimizer::<f64>::new(nesterov, vec![Block::new("w", 0..1)], None)?;
/// let mut w = [1.0];
/// opt.step(0.1, &mut w, &[1.0])?;
/// assert!((w[0] - 0.81).abs() < 1e-15); // 1 − 0.1·(1 + 0.9·1)
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Sutskever, Martens, Dahl, Hinton, *On the importance of initialization and momentum
/// in deep learning*, ICML 2013.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// μ in `[0, 1)` (default 0: no velocity is kept).
    pub momentum: f64,
    /// τ in `[0, 1)`: how much of the gradient is held back from the velocity after the first step
    /// (default 0; with Nesterov it must be 0).
    pub dampening: f64,
    /// Nesterov's form, which needs a momentum above 0 (default false).
    pub nesterov: bool,
    /// The velocity holds steps (`b ← μ·b + η·g`) instead of gradients (default false).
    pub rate_inside: bool,
}

impl Method for Sgd {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Sgd", "momentum", self.momentum)?;
        check_factor("Sgd", "dampening", self.dampening)?;
        if self.nesterov {
            let (momentum, dampening) = (self.momentum, self.dampening);
            check("Sgd", "momentum", momentum, momentum > 0.0, "above 0 with nesterov")?;
            check("Sgd", "dampening", dampening, dampening == 0.0, "0 with nesterov")?;
        }
        Ok(())
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum > 0.0 { &["velocity"] } else { &[] }
    }

    fn momentum(&self) -> Option<f64> {
        (self.momentum > 0.0).then_some(self.momentum)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        if self.momentum == 0.0 {
            return visitor.update(Plain { rate: narrow(at.rate) });
        }
        let held_back = if at.step == 1 { 0.0 } else { self.dampening };
        let (inside, outside) = if self.rate_inside { (at.rate, 1.0) } else { (1.0, at.rate) };
        let of_b = if self.nesterov { at.momentum } else { 1.0 };
        let ball = HeavyBall {
            mu: narrow(at.momentum),
            taken: narrow((1.0 - held_back) * inside),
            of_b: narrow(outside * of_b),
        };
        if self.nesterov {
            visitor.update(Nesterov { ball, of_g: narrow(outside * inside) });
        } else {
            visitor.update(ball);
        }
    }
}

#[derive(Clone, Copy)]
struct Plain<F> {
    rate: F,
}

impl<F: Float> Kernel<F, 0> for Plain<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, slots: [F; 0]) -> (F, [F; 0]) {
        (p - self.rate * g, slots)
    }
}

/// `b ← mu·b + taken·g`, `θ ← θ − of_b·b`.
#[derive(Clone, Copy)]
struct HeavyBall<F> {
    mu: F,
    taken: F,
    of_b: F,
}

impl<F: Float> HeavyBall<F> {
    #[inline(always)]
    fn rolled(&self, g: F, b: F) -> F {
        self.mu * b + self.taken * g
    }
}

impl<F: Float> Kernel<F, 1> for HeavyBall<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        let b = self.rolled(g, b);
        (p - self.of_b * b, [b])
    }
}

/// The same ball, `θ ← θ − (of_g·g + of_b·b)`.
#[derive(Clone, Copy)]
struct Nesterov<F> {
    ball: HeavyBall<F>,
    of_g: F,
}

impl<F: Float> Kernel<F, 1> for Nesterov<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        let b = self.ball.rolled(g, b);
        (p - (self.of_g * g + self.ball.of_b * b), [b])
    }
}
