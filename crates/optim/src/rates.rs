//! What goes into a step besides numbers, and what comes out.

/// The learning rate of a step and, where a schedule moves it, the momentum.
///
/// ```
/// use slalom_optim::{Block, Optimizer, Rates, Sgd};
/// let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
/// let mut opt = Optimizer::<f64>::new(sgd, vec![Block::new("w", 0..1)], None)?;
/// opt.step(0.1, &mut [1.0], &[1.0])?; // momentum 0.9
/// opt.step(Rates { lr: 0.1, momentum: Some(0.5) }, &mut [1.0], &[1.0])?;
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The learning rate: at least 0 and finite. At 0 parameters stay while the state moves on.
    pub lr: f64,
    /// Stands in for the rule's momentum (of the Adam family: β₁) in this step; in `[0, 1)`.
    pub momentum: Option<f64>,
}

impl From<f64> for Rates {
    fn from(lr: f64) -> Self {
        Self { lr, momentum: None }
    }
}

/// What is known of a step that was made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The Euclidean norm of the gradient of all blocks that are not frozen, before clipping and
    /// without penalties.
    pub norm: f64,
}
