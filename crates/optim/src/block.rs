//! Blocks: the named parts of a slab, and what each asks of a step.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::check_not_negative;

/// A named range of the slab with its own learning-rate factor, penalties and decay (PyTorch: a
/// parameter group).
///
/// ```
/// use slalom_optim::Block;
/// let weights = Block { l2: 1e-4, ..Block::new("dense.weight", 0..12) };
/// let bias = Block { exempt: true, rate: 2.0, ..Block::new("dense.bias", 12..15) };
/// # assert!(weights.validate().is_ok() && bias.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// What errors call it.
    pub name: String,
    /// Its place in the slab.
    pub range: Range<usize>,
    /// Multiplies the learning rate (default 1).
    pub rate: f64,
    /// L1 penalty: `l1·sign(w)` joins the gradient, with `sign(0) = 0` (default 0).
    pub l1: f64,
    /// Coupled L2 penalty: `l2·w`, the gradient of `½·l2·w²`, joins the gradient before the rule
    /// sees it (default 0). This is PyTorch's `weight_decay`; Keras's `L2(λ)` is `l2 = 2λ`.
    pub l2: f64,
    /// Decoupled decay: `w ← w·(1 − rate·decay)` beside the rule's own step, where the rate is the
    /// learning rate of the step times the block's factor (default 0).
    pub decay: f64,
    /// Proximal L1: after the rule, `w ← sign(w)·max(|w| − rate·proximal, 0)`, which makes exact
    /// zeros where `l1` jitters around them (default 0).
    pub proximal: f64,
    /// Neither penalty nor decay touches this block, whatever the fields above and the rule say:
    /// for biases and normalisation (default false).
    pub exempt: bool,
    /// The block is not trained: parameters, state and gradient are not even read (default false).
    pub frozen: bool,
    /// The gradient is of something to be made large: its sign is turned (default false).
    pub maximize: bool,
}

impl Block {
    /// A block without penalties, trained at the learning rate of the step.
    pub fn new(name: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            name: name.into(),
            range,
            rate: 1.0,
            l1: 0.0,
            l2: 0.0,
            decay: 0.0,
            proximal: 0.0,
            exempt: false,
            frozen: false,
            maximize: false,
        }
    }

    /// Whether every number is within its bounds: at least 0 and finite.
    ///
    /// # Errors
    /// [`OptimError::Setting`] names the block and the field.
    pub fn validate(&self) -> Result<(), OptimError> {
        let owner = format!("block {:?}", self.name);
        check_not_negative(&owner, "rate", self.rate)?;
        check_not_negative(&owner, "l1", self.l1)?;
        check_not_negative(&owner, "l2", self.l2)?;
        check_not_negative(&owner, "decay", self.decay)?;
        check_not_negative(&owner, "proximal", self.proximal)?;
        if self.l1 > 0.0 && self.proximal > 0.0 {
            let conflict = "l1 and proximal are both above 0: choose one";
            return Err(OptimError::Conflict { owner, conflict });
        }
        self.check_decay(self.decay)
    }

    /// Refuses coupled beside decoupled decay, the block's own or the rule's.
    pub(crate) fn check_decay(&self, decay: f64) -> Result<(), OptimError> {
        if self.exempt || self.l2 == 0.0 || decay == 0.0 {
            return Ok(());
        }
        let owner = format!("block {:?}", self.name);
        let conflict = "l2 and the decay (its own or the rule's) are both above 0: choose one";
        Err(OptimError::Conflict { owner, conflict })
    }

    /// Whether one sweep can run over this block and `other` without seeing a border, when the rule
    /// decays by `decay` itself.
    pub(crate) fn alike(&self, other: &Self, decay: f64) -> bool {
        // to be exempt from nothing is no difference
        let exempt = |b: &Self| b.exempt && [b.l1, b.l2, b.decay, b.proximal, decay] != [0.0; 5];
        let plain =
            |b: &Self| Self { name: String::new(), range: 0..0, exempt: exempt(b), ..b.clone() };
        plain(self) == plain(other)
    }
}

/// Whether the blocks are valid, differ in name, and follow each other from 0; gives their length.
pub(crate) fn check_blocks(blocks: &[Block]) -> Result<usize, OptimError> {
    let mut names = std::collections::BTreeSet::new();
    let mut end = 0;
    for block in blocks {
        block.validate()?;
        if block.range.start != end || block.range.end <= end {
            return Err(OptimError::Blocks {
                name: block.name.clone(),
                start: block.range.start,
                end: block.range.end,
                wanted: end,
            });
        }
        if !names.insert(&block.name) {
            return Err(OptimError::Name { name: block.name.clone() });
        }
        end = block.range.end;
    }
    Ok(end)
}
