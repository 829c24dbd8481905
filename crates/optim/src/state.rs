//! What an optimizer remembers between steps.

use serde::{Deserialize, Serialize};

use crate::Slab;

/// All that a rule remembers: what a checkpoint must hold so that a run goes on to the bit.
///
/// ```
/// use slalom_optim::{Adam, Block, Optimizer};
/// let blocks = vec![Block::new("w", 0..2)];
/// let mut opt = Optimizer::<f64>::new(Adam::default(), blocks.clone(), None)?;
/// let mut w = [1.0, 2.0];
/// opt.step(0.1, &mut w, &[0.5, -0.5])?;
/// let mut same = Optimizer::resume(Adam::default(), blocks, None, opt.state().clone())?;
/// let mut v = w;
/// opt.step(0.1, &mut w, &[0.25, 1.0])?;
/// same.step(0.1, &mut v, &[0.25, 1.0])?;
/// assert_eq!(w, v);
/// # Ok::<(), slalom_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "F: Clone + Deserialize<'de>"))]
pub struct State<F> {
    /// Steps made so far.
    pub step: u64,
    /// The product of the momentum factors so far, which NAdam corrects by; 1 for other rules.
    pub product: f64,
    /// What the rule keeps for each number, in the order of
    /// [`Rule::slots`](crate::Rule::slots); each as long as the slab, all zero before the first
    /// step.
    pub slots: Vec<Slab<F>>,
}
