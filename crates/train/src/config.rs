//! How a run trains: everything but the network, the data and the number of threads.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use slalom_layers::Loss;
use slalom_optim::{Adam, Averaging, Clip, LearningRate, Plateau, Rule};
use slalom_regularize::{Constraint, GroupLasso, Penalty};

use crate::metrics::Metric;
use crate::{BlockConfig, TrainError};

/// How many samples make one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Batch {
    /// All of them: full-batch gradient descent.
    Full,
    /// So many, at least 1: a mini-batch; 1 is stochastic gradient descent. Never more than there
    /// are.
    Size(usize),
}

impl Batch {
    /// The batch size for so many samples.
    pub(crate) fn of(self, samples: usize) -> usize {
        match self {
            Self::Full => samples,
            Self::Size(size) => size.min(samples),
        }
    }
}

/// How a run trains. Two runs of one configuration on the same network, data and machine give the
/// same bits, resumed or not, on any number of threads.
///
/// | field | default | |
/// |---|---|---|
/// | `seed` | 0 | initial weights, order of samples, dropout |
/// | `batch` | 32 samples | full batch, stochastic or mini-batches |
/// | `shuffle` | true | a fresh order every epoch, f(seed, epoch) |
/// | `drop_last` | false | leave out a short last batch |
/// | `accumulate` | 1 | so many batches make one update |
/// | `rule` | Adam | how a gradient becomes a step |
/// | `rate` | 0.001 | learning rate, a function of the update |
/// | `plateau` | none | lower the rate when the loss stops falling |
/// | `clip` | none | bounds on the gradient |
/// | `penalty` | none | L1 and L2 on the weights (no biases), added to the gradient |
/// | `proximal` | false | L1 by proximal steps: exact zeros |
/// | `group_lasso` | none | whole units or inputs to 0, by proximal steps |
/// | `decay` | 0 | decoupled weight decay, times the learning rate |
/// | `constraint` | none | what each unit's weights are held to after every update |
/// | `blocks` | none | layers or blocks with a rate, penalties and constraint of their own |
/// | `averaging` | none | keep an average of the parameters beside them |
/// | `loss` | softmax cross-entropy | what training minimises |
/// | `keep_best` | true | remember the parameters of the epoch of least loss |
/// | `metrics` | none | measured on the validation samples after each epoch |
/// | `final_loss` | false | evaluate on the training samples after each epoch |
///
/// ```
/// use slalom_optim::Sgd;
/// use slalom_train::{Batch, Config};
/// let config = Config {
///     batch: Batch::Size(16),
///     rule: Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() }.into(),
///     rate: 0.1.into(),
///     ..Config::default()
/// };
/// assert!(config.shuffle);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Everything random is a function of it.
    pub seed: u64,
    /// How many samples make one update.
    pub batch: Batch,
    /// Whether each epoch has an order of its own. Full batches need none.
    pub shuffle: bool,
    /// Whether a short last batch is left out of the epoch.
    pub drop_last: bool,
    /// How many batches make one update, at least 1: its gradient is the mean over all of their
    /// samples, and the learning rate advances once. At the end of an epoch fewer may be left; they
    /// make an update of their own.
    pub accumulate: usize,
    /// The optimizer.
    pub rule: Rule,
    /// The learning rate, by the number of updates made.
    pub rate: LearningRate,
    /// Lowers the rate when the validation loss (the training loss where there are no validation
    /// samples) stops falling: a function of the history, so nothing is lost on resume.
    pub plateau: Option<Plateau>,
    /// Bounds on the gradient before the rule sees it.
    pub clip: Option<Clip>,
    /// Penalties on the weights; biases, scales and statistics are spared. Their value is part of
    /// the training loss, as in Keras.
    pub penalty: Penalty,
    /// Whether L1 moves weights by its proximal step after the rule, in place of its sub-gradient
    /// before it: weights become exactly 0, and stay there until the loss outweighs the penalty.
    /// L2, which is smooth, stays with the gradient.
    pub proximal: bool,
    /// Penalty on the norms of units or inputs, likewise by its proximal step, after that of L1.
    /// Both are steps of the learning rate (times the block's), whatever the rule makes of it.
    pub group_lasso: GroupLasso,
    /// Decoupled weight decay, likewise.
    pub decay: f64,
    /// What the weights are moved back to after every update, likewise: max-norm of each unit, say.
    pub constraint: Option<Constraint>,
    /// Blocks that are treated otherwise than by the five fields before this one.
    pub blocks: Vec<BlockConfig>,
    /// Which average of the parameters is kept: [`Run::use_average`](crate::Run::use_average).
    pub averaging: Option<Averaging>,
    /// What training minimises, with the penalties. Losses of an evaluation are without these.
    pub loss: Loss,
    /// Whether the parameters of the best epoch are kept, by validation loss, or by training loss
    /// where there are no validation samples.
    pub keep_best: bool,
    /// Measured over the whole validation set after each epoch.
    pub metrics: Vec<Metric>,
    /// Whether the training loss is evaluated once more after each epoch, with the parameters that
    /// it ended with ([`Epoch::final_loss`](crate::Epoch::final_loss)).
    pub final_loss: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            batch: Batch::Size(32),
            shuffle: true,
            drop_last: false,
            accumulate: 1,
            rule: Adam::default().into(),
            rate: 0.001.into(),
            plateau: None,
            clip: None,
            penalty: Penalty::default(),
            proximal: false,
            group_lasso: GroupLasso::default(),
            decay: 0.0,
            constraint: None,
            blocks: Vec::new(),
            averaging: None,
            loss: Loss::default(),
            keep_best: true,
            metrics: Vec::new(),
            final_loss: false,
        }
    }
}

impl Config {
    /// Whether every field is in its range.
    ///
    /// # Errors
    /// The field, its bound and its value.
    pub fn validate(&self) -> Result<(), TrainError> {
        if self.batch == Batch::Size(0) {
            let (field, bound) = ("batch size", "at least 1");
            return Err(TrainError::Field { field, value: 0.0, bound });
        }
        if self.accumulate == 0 {
            let (field, bound) = ("accumulate", "at least 1");
            return Err(TrainError::Field { field, value: 0.0, bound });
        }
        self.rule.validate()?;
        self.rate.validate()?;
        self.averaging.as_ref().map_or(Ok(()), Averaging::validate)?;
        self.plateau.as_ref().map_or(Ok(()), Plateau::validate)?;
        self.validate_blocks()
    }

    /// What differs between two configurations, a line a field: for whoever resumes a run and
    /// expects it to go on with settings of their own.
    ///
    /// ```
    /// use slalom_train::Config;
    /// let (here, there) = (Config::default(), Config { seed: 7, ..Config::default() });
    /// assert_eq!(here.differences(&there), ["seed: 0 here, 7 there"]);
    /// ```
    pub fn differences(&self, there: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |field: &str, here: &dyn Debug, there: &dyn Debug| {
            let (here, there) = (format!("{here:?}"), format!("{there:?}"));
            if here != there {
                lines.push(format!("{field}: {here} here, {there} there"));
            }
        };
        // taken apart whole: a field that is added and not compared does not compile
        let Self {
            seed,
            batch,
            shuffle,
            drop_last,
            accumulate,
            rule,
            rate,
            plateau,
            clip,
            penalty,
            proximal,
            group_lasso,
            decay,
            constraint,
            blocks,
            averaging,
            loss,
            keep_best,
            metrics,
            final_loss,
        } = self;
        compare("seed", seed, &there.seed);
        compare("batch", batch, &there.batch);
        compare("shuffle", shuffle, &there.shuffle);
        compare("drop_last", drop_last, &there.drop_last);
        compare("accumulate", accumulate, &there.accumulate);
        compare("rule", rule, &there.rule);
        compare("rate", rate, &there.rate);
        compare("plateau", plateau, &there.plateau);
        compare("clip", clip, &there.clip);
        compare("penalty", penalty, &there.penalty);
        compare("proximal", proximal, &there.proximal);
        compare("group_lasso", group_lasso, &there.group_lasso);
        compare("decay", decay, &there.decay);
        compare("constraint", constraint, &there.constraint);
        compare("blocks", blocks, &there.blocks);
        compare("averaging", averaging, &there.averaging);
        compare("loss", loss, &there.loss);
        compare("keep_best", keep_best, &there.keep_best);
        compare("metrics", metrics, &there.metrics);
        compare("final_loss", final_loss, &there.final_loss);
        lines
    }
}
