//! What a run asks of each block of the network: rate, penalties, decay, constraint.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use slalom_layers::{Kind, Network};
use slalom_optim::Block;
use slalom_regularize::{Constraint, GroupLasso, Penalty};
use slalom_tensor::{Scalar, Threads};

use crate::{Config, TrainError};

/// What the blocks of one name are treated by, in place of the configuration's own fields.
///
/// | field | default | |
/// |---|---|---|
/// | `name` | – | a layer (`"2"`), a nested one (`"2.0"`), or a block (`"2.weight"`) |
/// | `rate` | 1 | multiplies the learning rate |
/// | `penalty`, `proximal`, `group_lasso`, `decay`, `constraint` | none | as in [`Config`] |
///
/// Biases, scales and shifts follow the rate alone, unless `name` is that of the block in full:
/// then they are held like weights.
///
/// ```
/// use slalom_regularize::Penalty;
/// use slalom_train::{BlockConfig, Config};
/// let config = Config {
///     penalty: Penalty { l1: 0.0, l2: 1e-4 },
///     // the first layer selects its inputs instead
///     blocks: vec![BlockConfig {
///         penalty: Penalty { l1: 1e-3, l2: 0.0 },
///         proximal: true,
///         ..BlockConfig::new("0")
///     }],
///     ..Config::default()
/// };
/// assert!(config.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockConfig {
    /// Which blocks. Of several that name a block, the last counts.
    pub name: String,
    /// Multiplies the learning rate; finite and at least 0.
    pub rate: f64,
    /// L1 and L2.
    pub penalty: Penalty,
    /// Whether L1 makes exact zeros.
    pub proximal: bool,
    /// Whole units or inputs to 0.
    pub group_lasso: GroupLasso,
    /// Decoupled weight decay.
    pub decay: f64,
    /// What the weights are moved back to after every update.
    pub constraint: Option<Constraint>,
}

impl BlockConfig {
    /// The blocks of that name, at the rate of the others and free of all else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            rate: 1.0,
            penalty: Penalty::default(),
            proximal: false,
            group_lasso: GroupLasso::default(),
            decay: 0.0,
            constraint: None,
        }
    }

    /// What the configuration asks of a block that no other names.
    fn of_the_rest(config: &Config) -> Self {
        Self {
            penalty: config.penalty,
            proximal: config.proximal,
            group_lasso: config.group_lasso,
            decay: config.decay,
            constraint: config.constraint,
            ..Self::new("")
        }
    }

    /// Whether every field is in its range.
    ///
    /// # Errors
    /// The field, its bound and its value.
    pub fn validate(&self) -> Result<(), TrainError> {
        for (field, value) in [("rate of a block", self.rate), ("decay", self.decay)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(TrainError::Field { field, value, bound: "finite and at least 0" });
            }
        }
        self.penalty.validate()?;
        self.group_lasso.validate()?;
        self.constraint.as_ref().map_or(Ok(()), Constraint::validate)?;
        Ok(())
    }
}

impl Config {
    /// What is asked of every block.
    fn of_blocks(&self) -> impl Iterator<Item = BlockConfig> {
        self.blocks.iter().cloned().chain([BlockConfig::of_the_rest(self)])
    }

    /// Checks what is asked of blocks.
    pub(crate) fn validate_blocks(&self) -> Result<(), TrainError> {
        self.of_blocks().try_for_each(|of| of.validate())
    }

    /// What is asked of a block, and whether that includes penalties, decay and constraint.
    fn of(&self, block: &slalom_layers::Block) -> (BlockConfig, bool) {
        let named = self.blocks.iter().rfind(|of| block.within(&of.name));
        let held = block.kind == Kind::Weight || named.is_some_and(|of| of.name == block.name);
        (named.cloned().unwrap_or_else(|| BlockConfig::of_the_rest(self)), held)
    }
}

/// The network's blocks as the optimizer sees them: penalties and decay on weights alone,
/// statistics left to their layers.
pub(crate) fn blocks<F: Scalar>(network: &Network<F>, config: &Config) -> Vec<Block> {
    let seen = |block: &slalom_layers::Block| {
        let (of, held) = config.of(block);
        let (l1, proximal) = match of.proximal {
            true => (0.0, of.penalty.l1),
            false => (of.penalty.l1, 0.0),
        };
        Block {
            rate: of.rate,
            l1,
            l2: of.penalty.l2,
            decay: of.decay,
            proximal,
            exempt: !held,
            frozen: block.frozen || block.kind == Kind::Statistic,
            ..Block::new(block.name.clone(), block.range.clone())
        }
    };
    network.blocks().iter().map(seen).collect()
}

/// What is held beside the optimizer's own pass over the parameters: the penalties' value, group
/// lasso and constraints, for every block that learns and is not exempt.
#[derive(Debug)]
pub(crate) struct Weights {
    groups: Vec<Group>,
    /// Parts of the slab with an L1 or L2 penalty, and room for the value of each.
    parts: Vec<(Range<usize>, Penalty)>,
    values: Vec<f64>,
}

/// A block whose units or inputs are treated as wholes.
#[derive(Debug)]
struct Group {
    range: Range<usize>,
    units: usize,
    rate: f64,
    lasso: GroupLasso,
    constraint: Option<Constraint>,
}

/// Numbers that are summed by one task, and tasks that a thread is woken for.
const PART: usize = 1 << 12;
const TASK: usize = 8;

impl Weights {
    /// # Errors
    /// A name in the configuration that no block has or begins with.
    pub(crate) fn new<F: Scalar>(
        network: &Network<F>,
        config: &Config,
    ) -> Result<Self, TrainError> {
        for BlockConfig { name, .. } in &config.blocks {
            if !network.blocks().iter().any(|block| block.within(name)) {
                network.block(name)?; // the error that lists the names
            }
        }
        let (mut groups, mut parts) = (Vec::new(), Vec::new());
        for block in network.blocks() {
            let (of, held) = config.of(block);
            if !held || block.frozen || block.kind == Kind::Statistic {
                continue;
            }
            let range = block.range.clone();
            if of.penalty != Penalty::default() {
                let starts = range.clone().step_by(PART);
                let part = |start| (start..range.end.min(start + PART), of.penalty);
                parts.extend(starts.map(part));
            }
            if of.group_lasso.strength > 0.0 || of.constraint.is_some() {
                let (units, rate) = (block.shape.0, of.rate);
                let (lasso, constraint) = (of.group_lasso, of.constraint);
                groups.push(Group { range, units, rate, lasso, constraint });
            }
        }
        Ok(Self { groups, values: vec![0.0; parts.len()], parts })
    }

    /// What the penalties add to the loss.
    pub(crate) fn penalty<F: Scalar>(&mut self, params: &[F], threads: &Threads) -> f64 {
        let parts = &self.parts;
        threads.pieces(&mut self.values, TASK, &|first, values| {
            for (value, (range, penalty)) in values.iter_mut().zip(&parts[first..]) {
                *value = penalty.value(&params[range.clone()]);
            }
        });
        let lasso = |of: &Group| of.lasso.value(of.units, &params[of.range.clone()]);
        self.values.iter().copied().chain(self.groups.iter().map(lasso)).fold(0.0, |a, b| a + b)
    }

    /// Group lasso's proximal step after an update at this learning rate, then the constraints.
    pub(crate) fn hold<F: Scalar>(&self, rate: f64, params: &mut [F]) {
        for of in &self.groups {
            let weights = &mut params[of.range.clone()];
            if of.lasso.strength > 0.0 {
                of.lasso.proximal(rate * of.rate, of.units, weights);
            }
            if let Some(constraint) = &of.constraint {
                constraint.apply(of.units, weights);
            }
        }
    }
}
