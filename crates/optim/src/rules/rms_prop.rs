//! RMSProp, centred or not, with momentum or without.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_eps, check_factor, check_not_negative};
use crate::float::{larger, narrow};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// RMSProp: gradients divided by the root of their mean square, or, centred, of their variance.
///
/// ```text
/// v ← α·v + (1 − α)·g²           centred: ḡ ← α·ḡ + (1 − α)·g,  v − max(ḡ², 0) for v below
/// u = g / (√(v + ε_root) + ε)
/// θ ← θ − η·u                    momentum: b ← μ·b + u,  θ ← θ − η·b
/// ```
///
/// Differs from PyTorch: a variance that rounding makes negative counts as 0 (there it gives NaN).
/// Keras and optax have α = 0.9, ε inside the root (`eps_root`) and the learning rate inside the
/// velocity (`rate_inside`); `initial`, `bias_correction` and `nesterov` are optax's.
///
/// ```
/// use slalom_optim::{Block, Optimizer, RmsProp};
/// let keras = RmsProp { alpha: 0.9, eps: 0.0, eps_root: 1e-7, ..RmsProp::default() };
/// let mut opt = Optimizer::<f64>::new(keras, vec![Block::new("w", 0..1)], None)?;
/// let mut w = [10.0];
/// opt.step(0.1, &mut w, &[10.0])?;
/// assert!((w[0] - 9.683772).abs() < 1e-6); // the value in Keras's own documentation
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Tieleman, Hinton, *Lecture 6.5: rmsprop*, Coursera 2012; centred: Graves, *Generating
/// sequences with recurrent neural networks*, 2013.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// α in `[0, 1)` (default 0.99).
    pub alpha: f64,
    /// ε, at least 0, outside the root (default 1e-8).
    pub eps: f64,
    /// Inside the root, at least 0 (default 0); one of the two must be above 0.
    pub eps_root: f64,
    /// Subtract the squared mean of the gradient (default false).
    pub centered: bool,
    /// μ in `[0, 1)` (default 0: no velocity is kept).
    pub momentum: f64,
    /// Step by `u + μ·b` instead of `b`, which needs a momentum above 0 (default false).
    pub nesterov: bool,
    /// The velocity holds steps instead of scaled gradients (default false).
    pub rate_inside: bool,
    /// v before the first step, at least 0 (default 0).
    pub initial: f64,
    /// Divide v and ḡ by `1 − αᵗ` (default false).
    pub bias_correction: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            eps: 1e-8,
            eps_root: 0.0,
            centered: false,
            momentum: 0.0,
            nesterov: false,
            rate_inside: false,
            initial: 0.0,
            bias_correction: false,
        }
    }
}

impl Method for RmsProp {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("RmsProp", "alpha", self.alpha)?;
        check_eps("RmsProp", self.eps, self.eps_root)?;
        check_factor("RmsProp", "momentum", self.momentum)?;
        let holds = self.momentum > 0.0 || !self.nesterov;
        check("RmsProp", "momentum", self.momentum, holds, "above 0 with nesterov")?;
        check_not_negative("RmsProp", "initial", self.initial)
    }

    fn slots(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["variance"],
            (true, false) => &["variance", "mean"],
            (false, true) => &["variance", "velocity"],
            (true, true) => &["variance", "mean", "velocity"],
        }
    }

    fn momentum(&self) -> Option<f64> {
        (self.momentum > 0.0).then_some(self.momentum)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let correction =
            if self.bias_correction { 1.0 - self.alpha.powf(at.step as f64) } else { 1.0 };
        let scaling = Scaling {
            alpha: narrow(self.alpha),
            rest: narrow(1.0 - self.alpha),
            start: narrow(self.alpha * at.start(self.initial)),
            corrected: narrow(1.0 / correction),
            root: narrow(self.eps_root),
            eps: narrow(self.eps),
        };
        let (inside, outside) = if self.rate_inside { (at.rate, 1.0) } else { (1.0, at.rate) };
        let (of_u, of_b) = if self.nesterov { (inside, at.momentum) } else { (0.0, 1.0) };
        let velocity = Velocity {
            mu: narrow(at.momentum),
            taken: narrow(inside),
            of_u: narrow(outside * of_u),
            of_b: narrow(outside * of_b),
        };
        let rate = narrow(at.rate);
        match (self.centered, self.momentum > 0.0) {
            (false, false) => visitor.update(Plain { scaling, rate }),
            (true, false) => visitor.update(Centered { scaling, rate }),
            (false, true) => visitor.update(Heavy { scaling, velocity }),
            (true, true) => visitor.update(HeavyCentered { scaling, velocity }),
        }
    }
}

/// From a gradient and its averages to `u`.
#[derive(Clone, Copy)]
struct Scaling<F> {
    alpha: F,
    rest: F,
    start: F,
    corrected: F,
    root: F,
    eps: F,
}

impl<F: Float> Scaling<F> {
    #[inline(always)]
    fn plain(&self, g: F, v: F) -> (F, F) {
        let v = self.start + self.alpha * v + self.rest * g * g;
        (g / ((self.corrected * v + self.root).sqrt() + self.eps), v)
    }

    #[inline(always)]
    fn centered(&self, g: F, v: F, mean: F) -> (F, F, F) {
        let v = self.start + self.alpha * v + self.rest * g * g;
        let mean = self.alpha * mean + self.rest * g;
        let center = self.corrected * mean;
        let variance = larger(self.corrected * v - center * center, F::zero());
        (g / ((variance + self.root).sqrt() + self.eps), v, mean)
    }
}

/// `θ ← θ − (of_u·u + of_b·b)`.
#[derive(Clone, Copy)]
struct Velocity<F> {
    mu: F,
    taken: F,
    of_u: F,
    of_b: F,
}

impl<F: Float> Velocity<F> {
    #[inline(always)]
    fn step(&self, u: F, b: F) -> (F, F) {
        let b = self.mu * b + self.taken * u;
        (self.of_u * u + self.of_b * b, b)
    }
}

#[derive(Clone, Copy)]
struct Plain<F> {
    scaling: Scaling<F>,
    rate: F,
}

impl<F: Float> Kernel<F, 1> for Plain<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v]: [F; 1]) -> (F, [F; 1]) {
        let (u, v) = self.scaling.plain(g, v);
        (p - self.rate * u, [v])
    }
}

#[derive(Clone, Copy)]
struct Centered<F> {
    scaling: Scaling<F>,
    rate: F,
}

impl<F: Float> Kernel<F, 2> for Centered<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, mean]: [F; 2]) -> (F, [F; 2]) {
        let (u, v, mean) = self.scaling.centered(g, v, mean);
        (p - self.rate * u, [v, mean])
    }
}

#[derive(Clone, Copy)]
struct Heavy<F> {
    scaling: Scaling<F>,
    velocity: Velocity<F>,
}

impl<F: Float> Kernel<F, 2> for Heavy<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, b]: [F; 2]) -> (F, [F; 2]) {
        let (u, v) = self.scaling.plain(g, v);
        let (step, b) = self.velocity.step(u, b);
        (p - step, [v, b])
    }
}

#[derive(Clone, Copy)]
struct HeavyCentered<F> {
    scaling: Scaling<F>,
    velocity: Velocity<F>,
}

impl<F: Float> Kernel<F, 3> for HeavyCentered<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, mean, b]: [F; 3]) -> (F, [F; 3]) {
        let (u, v, mean) = self.scaling.centered(g, v, mean);
        let (step, b) = self.velocity.step(u, b);
        (p - step, [v, mean, b])
    }
}
