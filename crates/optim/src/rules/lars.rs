//! LARS: momentum with a rate for each block from the norms of its parameters and gradient.

use serde::{Deserialize, Serialize};

use crate::error::{check, check_factor, check_not_negative, check_positive};
use crate::float::narrow;
use crate::rules::{At, Direction, Kernel, Method, Trust, Visit};
use crate::{Float, OptimError};

/// LARS: momentum whose rate is scaled in each block by ‖θ‖/‖g‖.
///
/// ```text
/// r = c·‖θ‖/(‖g‖ + ε)            r = 1 where one of the norms is 0; g holds the block's l2·θ
/// b ← μ·b + η·r·g
/// θ ← θ − b                      Nesterov: θ ← θ − (η·r·g + μ·b)
/// ```
///
/// PyTorch and Keras have none. Differs from optax: not at all; its weight decay is the block's
/// `l2`. Like optax it scales every block; the paper leaves biases and normalisation out, as
/// `skip_exempt` does with exempt blocks.
///
/// ```
/// use slalom_optim::{Block, Lars, Optimizer};
/// let rule = Lars { trust_coefficient: 0.5, ..Lars::default() };
/// let mut opt = Optimizer::<f64>::new(rule, vec![Block::new("w", 0..2)], None)?;
/// let mut w = [3.0, 4.0];
/// opt.step(0.1, &mut w, &[0.0, 10.0])?;
/// assert!((w[1] - (4.0 - 0.1 * 0.5 * 5.0)).abs() < 1e-15); // ‖θ‖ = 5, a unit gradient
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
///
/// Reference: You, Gitman, Ginsburg, *Large batch training of convolutional networks*, 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lars {
    /// μ in `[0, 1)` (default 0.9).
    pub momentum: f64,
    /// Nesterov's form, which needs a momentum above 0 (default false).
    pub nesterov: bool,
    /// c above 0 (default 0.001).
    pub trust_coefficient: f64,
    /// ε, at least 0 (default 0).
    pub eps: f64,
    /// Exempt blocks take r = 1 (default false).
    pub skip_exempt: bool,
}

impl Default for Lars {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            nesterov: false,
            trust_coefficient: 0.001,
            eps: 0.0,
            skip_exempt: false,
        }
    }
}

impl Method for Lars {
    fn validate(&self) -> Result<(), OptimError> {
        check_factor("Lars", "momentum", self.momentum)?;
        let holds = self.momentum > 0.0 || !self.nesterov;
        check("Lars", "momentum", self.momentum, holds, "above 0 with nesterov")?;
        check_positive("Lars", "trust_coefficient", self.trust_coefficient)?;
        check_not_negative("Lars", "eps", self.eps)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["velocity"]
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    fn trust(&self) -> Option<Trust> {
        let (coefficient, eps) = (self.trust_coefficient, self.eps);
        Some(Trust { coefficient, eps, skip_exempt: self.skip_exempt })
    }

    fn visit<F: Float>(&self, at: At, visitor: impl Visit<F>) {
        let (of_u, of_b) = if self.nesterov { (1.0, at.momentum) } else { (0.0, 1.0) };
        let kernel = Update {
            mu: narrow(at.momentum),
            rate: narrow(at.rate * at.trust),
            of_u: narrow(of_u),
            of_b: narrow(of_b),
        };
        visitor.update_by_norm(kernel);
    }
}

#[derive(Clone, Copy)]
struct Update<F> {
    mu: F,
    rate: F,
    of_u: F,
    of_b: F,
}

impl<F: Float> Direction<F, 1> for Update<F> {
    #[inline(always)]
    fn direction(&self, _p: F, g: F, slots: [F; 1]) -> (F, [F; 1]) {
        (g, slots)
    }
}

impl<F: Float> Kernel<F, 1> for Update<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        let u = self.rate * g;
        let b = self.mu * b + u;
        (p - (self.of_u * u + self.of_b * b), [b])
    }
}
