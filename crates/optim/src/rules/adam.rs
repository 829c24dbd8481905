//! Adam and AMSGrad.

use serde::{Deserialize, Serialize};

use crate::error::{check_eps, check_factor};
use crate::float::{larger, narrow};
use crate::rules::{At, Kernel, Method, Visit};
use crate::{Float, OptimError};

/// Adam: steps by the mean of the gradient over the root of its mean square; with `amsgrad`, over
/// the largest so far.
///
/// ```text
/// m ← β₁·m + (1 − β₁)·g          m̂ = m / (1 − β₁ᵗ)
/// v ← β₂·v + (1 − β₂)·g²         v̂ = v / (1 − β₂ᵗ)
/// θ ← θ − η·m̂ / (√(v̂ + ε_root) + ε)
/// AMSGrad: v̂ from max(v so far)
/// ```
///
/// Differs from PyTorch: not at all with the defaults. Keras's and scikit-learn's ε is the paper's
/// ε̂, which is not bias-corrected (`eps_hat`); optax has `eps_root` inside the root, takes the
/// largest of the corrected v (`max_corrected`), lets AMSGrad go without corrections, as its paper
/// does (`correct_mean`, `correct_variance`), and offers `nesterov`.
///
/// ```
/// use slalom_optim::{Adam, Block, Optimizer};
/// let mut opt = Optimizer::<f64>::new(Adam::default(), vec![Block::new("w", 0..2)], None)?;
/// let mut w = [1.0, 1.0];
/// opt.step(0.1, &mut w, &[5.0, -1e-3])?;
/// assert!((w[0] - 0.9).abs() < 1e-5 && (w[1] - 1.1).abs() < 1e-5); // the first step is η·sign(g)
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: Kingma, Ba, *Adam: a method for stochastic optimization*, ICLR 2015; Reddi, Kale,
/// Kumar, *On the convergence of Adam and beyond*, ICLR 2018.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// β₁ in `[0, 1)` (default 0.9).
    pub beta1: f64,
    /// β₂ in `[0, 1)` (default 0.999).
    pub beta2: f64,
    /// ε, at least 0, outside the root (default 1e-8).
    pub eps: f64,
    /// Inside the root, at least 0 (default 0); one of the two must be above 0.
    pub eps_root: f64,
    /// ε is the paper's ε̂: it is divided by `√(1 − β₂ᵗ)` (default false).
    pub eps_hat: bool,
    /// Divide by the largest v so far (default false).
    pub amsgrad: bool,
    /// AMSGrad takes the largest v̂ instead of the largest v (default false).
    pub max_corrected: bool,
    /// `m̂ = β₁·m / (1 − β₁ᵗ⁺¹) + (1 − β₁)·g / (1 − β₁ᵗ)` (default false).
    pub nesterov: bool,
    /// Divide by `1 − β₁ᵗ` (default true); false takes it for 1 wherever it stands.
    pub correct_mean: bool,
    /// Divide by `1 − β₂ᵗ` (default true); false takes it for 1 wherever it stands.
    pub correct_variance: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            eps_root: 0.0,
            eps_hat: false,
            amsgrad: false,
            max_corrected: false,
            nesterov: false,
            correct_mean: true,
            correct_variance: true,
        }
    }
}

impl Method for Adam {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Adam", "beta1", self.beta1)?;
        check_factor("Adam", "beta2", self.beta2)?;
        check_eps("Adam", self.eps, self.eps_root)
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.amsgrad { &["mean", "variance", "largest"] } else { &["mean", "variance"] }
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let beta1 = at.momentum;
        let (of_m, of_g) = of_moments(beta1, at.step, self.nesterov, self.correct_mean);
        let correction2 = correction(self.beta2, at.step, self.correct_variance);
        let kernel = Moments {
            beta1: narrow(beta1),
            rest1: narrow(1.0 - beta1),
            beta2: narrow(self.beta2),
            rest2: narrow(1.0 - self.beta2),
            of_m: narrow(at.rate * of_m),
            of_g: narrow(at.rate * of_g),
            of_v: narrow(1.0 / correction2),
            root: narrow(self.eps_root),
            eps: narrow(if self.eps_hat { self.eps / correction2.sqrt() } else { self.eps }),
        };
        if !self.amsgrad {
            return visitor.update(kernel);
        }
        let before: F = if self.max_corrected { kernel.of_v } else { F::one() };
        let of_v = if self.max_corrected { F::one() } else { kernel.of_v };
        visitor.update(Largest { moments: Moments { of_v, ..kernel }, before });
    }
}

/// What m and g count for in the mean, corrected or not.
pub(super) fn of_moments(beta1: f64, step: u64, nesterov: bool, correct: bool) -> (f64, f64) {
    let now = correction(beta1, step, correct);
    if nesterov {
        (beta1 / correction(beta1, step + 1, correct), (1.0 - beta1) / now)
    } else {
        (1.0 / now, 0.0)
    }
}

/// 1 − βᵗ, or 1 where nothing is corrected.
fn correction(beta: f64, step: u64, correct: bool) -> f64 {
    if correct { 1.0 - beta.powf(step as f64) } else { 1.0 }
}

/// `θ ← θ − (of_m·m + of_g·g) / (√(of_v·v + root) + eps)`.
#[derive(Clone, Copy)]
pub(super) struct Moments<F> {
    pub(super) beta1: F,
    pub(super) rest1: F,
    pub(super) beta2: F,
    pub(super) rest2: F,
    pub(super) of_m: F,
    pub(super) of_g: F,
    pub(super) of_v: F,
    pub(super) root: F,
    pub(super) eps: F,
}

impl<F: Float> Moments<F> {
    /// m and v with this gradient in them.
    #[inline(always)]
    pub(super) fn averages(&self, g: F, [m, v]: [F; 2]) -> [F; 2] {
        [self.beta1 * m + self.rest1 * g, self.beta2 * v + self.rest2 * g * g]
    }

    /// The step against the gradient, for a denominator made from `v`.
    #[inline(always)]
    pub(super) fn step(&self, m: F, g: F, v: F) -> F {
        (self.of_m * m + self.of_g * g) / ((self.of_v * v + self.root).sqrt() + self.eps)
    }
}

impl<F: Float> Kernel<F, 2> for Moments<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, slots: [F; 2]) -> (F, [F; 2]) {
        let [m, v] = self.averages(g, slots);
        (p - self.step(m, g, v), [m, v])
    }
}

/// AMSGrad: the denominator from the largest `before·v` so far.
#[derive(Clone, Copy)]
struct Largest<F> {
    moments: Moments<F>,
    before: F,
}

impl<F: Float> Kernel<F, 3> for Largest<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v, largest]: [F; 3]) -> (F, [F; 3]) {
        let [m, v] = self.moments.averages(g, [m, v]);
        let largest = larger(largest, self.before * v);
        (p - self.moments.step(m, g, largest), [m, v, largest])
    }
}
