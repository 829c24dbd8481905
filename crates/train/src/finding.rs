//! What a diagnosis finds, in words that say what to try.

use std::fmt;

/// Something that is wrong. `Display` says what to try.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// Units that are 0 for every sample, and so never learn.
    Dead {
        /// Which layer, from 0.
        layer: usize,
        /// Share of its units.
        share: f64,
    },
    /// Outputs at the bounds of the activation, where its derivative is nearly 0.
    Saturated {
        /// Which layer, from 0.
        layer: usize,
        /// Share of its outputs.
        share: f64,
    },
    /// A weight's gradient is far smaller than that of the last one.
    Vanishing {
        /// The block.
        block: String,
        /// Its root mean square over the last weight's.
        ratio: f64,
    },
    /// A weight's gradient is far larger than that of the last one.
    Exploding {
        /// The block.
        block: String,
        /// Its root mean square over the last weight's.
        ratio: f64,
    },
    /// One update changes the parameters by too much.
    RateTooHigh {
        /// The relative change.
        update: f64,
        /// The learning rate.
        rate: f64,
    },
    /// One update hardly changes the parameters.
    RateTooLow {
        /// The relative change.
        update: f64,
        /// The learning rate.
        rate: f64,
    },
    /// A feature is far from mean 0 and deviation 1.
    Unscaled {
        /// Which feature, from 0.
        feature: usize,
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead { layer, share } => write!(
                f,
                "{:.0} % of the units of layer {layer} are 0 for every sample: try a smaller \
                 learning rate, a leaky ReLU, or He initialisation",
                100.0 * share
            ),
            Self::Saturated { layer, share } => write!(
                f,
                "{:.0} % of the outputs of layer {layer} are at a bound of its activation: try \
                 scaled inputs, smaller initial weights, or ReLU",
                100.0 * share
            ),
            Self::Vanishing { block, ratio } => write!(
                f,
                "the gradient of block {block:?} is {ratio:.1e} of the last weight's: try ReLU, \
                 batch normalisation, or shortcuts"
            ),
            Self::Exploding { block, ratio } => write!(
                f,
                "the gradient of block {block:?} is {ratio:.1e} times the last weight's: try \
                 clipping, smaller initial weights, or batch normalisation"
            ),
            Self::RateTooHigh { update, rate } => write!(
                f,
                "one update changes the parameters by {:.1} %: the learning rate {rate:e} is too \
                 high, try a hundredth of it or a range test",
                100.0 * update
            ),
            Self::RateTooLow { update, rate } => write!(
                f,
                "one update changes the parameters by {update:.1e} of their size: the learning \
                 rate {rate:e} is too low, try a range test"
            ),
            Self::Unscaled { feature, mean, deviation } => write!(
                f,
                "feature {feature} has mean {mean} and deviation {deviation}: standardise \
                 the inputs",
                mean = Short(*mean),
                deviation = Short(*deviation)
            ),
        }
    }
}

/// A number in few digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            0.0 | 0.01..1e6 => write!(f, "{}", (1e3 * self.0).round() / 1e3),
            _ => write!(f, "{:.2e}", self.0),
        }
    }
}
