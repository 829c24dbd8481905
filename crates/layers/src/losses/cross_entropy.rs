//! Softmax cross-entropy, from logits.

use slalom_tensor::elementary::{exp, ln, settled};
use slalom_tensor::{Scalar, View, ViewMut, vectorize};

use super::{PerSample, TOGETHER, Target, one_by_one};
use crate::softmax::largest;

/// Softmax cross-entropy of one sample, computed from the logits y, so that no logit is too large:
///
/// ```text
/// p = softmax(y),   t′ = (1 − ε)·t + ε/k,   loss = −Σ wᵢ·t′ᵢ·(1 − pᵢ)^γ·ln pᵢ
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `class_weights` | 1 each | w; the mean divides by Σ w of the samples' classes |
/// | `label_smoothing` | 0 | ε, Szegedy et al. 2016 |
/// | `focal` | 0 | γ, Lin et al. 2017 (2 there) |
///
/// Targets: class indices, or a probability for each class (*classes × samples*); for these the mean
/// divides by the number of samples. The derivative of the plain loss is softmax(y)·Σt − t.
///
/// Same as PyTorch's `cross_entropy` and Keras's `from_logits=True`; the network's last layer has
/// no activation.
///
/// ```
/// use slalom_layers::{CrossEntropy, Loss};
/// let smooth: Loss = CrossEntropy { label_smoothing: 0.1, ..Default::default() }.into();
/// smooth.validate(10).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct CrossEntropy {
    /// A weight for each class, finite and at least 0.
    pub class_weights: Option<Vec<f64>>,
    /// How much of each target is spread evenly over all classes, in 0..=1.
    pub label_smoothing: f64,
    /// The exponent that turns the loss to samples that are still wrong, finite and at least 0.
    pub focal: f64,
}

impl PerSample for CrossEntropy {
    fn sample<F: Scalar>(&self, logits: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        if self.is_plain() {
            plain_sample(logits, target, dy)
        } else if self.focal == 0.0 {
            self.general(logits, target, dy, |_, _| (1.0, 0.0))
        } else {
            let gamma = self.focal;
            self.general(logits, target, dy, |p, log_p| {
                // q = 1 − p; where it is 0, so is ln p, and the limit of both factors is 0
                let q = (-log_p.exp_m1()).max(f64::MIN_POSITIVE);
                let factor = q.powf(gamma);
                (factor, gamma * factor * p * (log_p / q))
            })
        }
    }

    fn samples<'t, F: Scalar>(
        &self,
        logits: View<'_, F>,
        target: impl Fn(usize) -> Target<'t, F>,
        losses: &mut [f64],
        dy: Option<ViewMut<'_, F>>,
    ) {
        if self.is_plain() && (1..=ROOM).contains(&logits.nrows()) {
            plain(logits, target, losses, dy);
        } else {
            one_by_one(self, logits, target, losses, dy);
        }
    }

    fn share<F: Scalar>(&self, _outputs: usize, target: Target<'_, F>) -> f64 {
        match (&self.class_weights, target) {
            (Some(weights), Target::Class(class)) => weights[class],
            _ => 1.0,
        }
    }
}

impl CrossEntropy {
    fn is_plain(&self) -> bool {
        self.class_weights.is_none() && self.label_smoothing == 0.0 && self.focal == 0.0
    }

    /// `focus` gives (1 − p)^γ and p·ln p times its derivative by −p, of p and ln p.
    fn general<F: Scalar>(
        &self,
        logits: &[F],
        target: Target<'_, F>,
        dy: Option<&mut [F]>,
        focus: impl Fn(f64, f64) -> (f64, f64),
    ) -> f64 {
        let (top, log_sum, _) = log_sum(logits);
        let even = self.label_smoothing / logits.len() as f64;
        let at = |i: usize| {
            let t = match target {
                Target::Class(class) => f64::from(u8::from(i == class)),
                Target::Values(t) => t[i].wide(),
            };
            let weight = self.class_weights.as_ref().map_or(1.0, |weights| weights[i]);
            let log_p = ((logits[i] - top) - log_sum).wide();
            (weight * ((1.0 - self.label_smoothing) * t + even), log_p.exp(), log_p)
        };
        if let Some(dy) = dy {
            // by ln pᵢ first, then through the softmax
            let by_log = |i: usize| {
                let (coefficient, p, log_p) = at(i);
                let (factor, bend) = focus(p, log_p);
                (coefficient * (bend - factor), p)
            };
            let sum: f64 = (0..logits.len()).map(|i| by_log(i).0).sum();
            for (i, d) in dy.iter_mut().enumerate() {
                let (own, p) = by_log(i);
                *d = settled(F::of(own - p * sum));
            }
        }
        let loss = |i: usize| {
            let (coefficient, p, log_p) = at(i);
            coefficient * focus(p, log_p).0 * log_p
        };
        -(0..logits.len()).map(loss).sum::<f64>()
    }
}

/// Numbers whose exponentials are computed at once.
const ROOM: usize = 256;

/// Neither weights nor smoothing nor focus: the loss of nearly every classifier, of some samples. The
/// exponentials and logarithms, which cost more than all the rest, of all samples at once.
fn plain<'t, F: Scalar>(
    logits: View<'_, F>,
    target: impl Fn(usize) -> Target<'t, F>,
    losses: &mut [f64],
    mut dy: Option<ViewMut<'_, F>>,
) {
    let rows = logits.nrows();
    let (mut tops, mut sums) = ([F::zero(); TOGETHER], [F::zero(); TOGETHER]);
    let mut room = [F::zero(); ROOM];
    for first in (0..losses.len()).step_by(ROOM / rows) {
        let samples = first..losses.len().min(first + ROOM / rows);
        let room = &mut room[..samples.len() * rows];
        for (j, powers) in samples.clone().zip(room.chunks_exact_mut(rows)) {
            let (y, column) = (logits.column(j), &mut tops[j]);
            *column = largest(y.as_slice());
            powers.iter_mut().zip(y.as_slice()).for_each(|(power, &y)| *power = y - *column);
        }
        exponentials(room);
        for (j, powers) in samples.zip(room.chunks_exact(rows)) {
            sums[j] = powers.iter().copied().sum();
            if let Some(dy) = &mut dy {
                let mut dy = dy.column_mut(j);
                dy.as_mut_slice().copy_from_slice(powers);
                slopes(sums[j], target(j), dy.as_mut_slice());
            }
        }
    }
    let mut logs = sums;
    vectorize(
        #[inline(always)]
        || logs[..losses.len()].iter_mut().for_each(|v| *v = ln(*v)),
    );
    for (j, loss) in losses.iter_mut().enumerate() {
        *loss = loss_of(logits.column(j).as_slice(), tops[j], logs[j], target(j));
    }
}

/// The same of one sample, with as many logits as there may be.
fn plain_sample<F: Scalar>(logits: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
    let top = largest(logits);
    let sum: F = match dy {
        Some(dy) => {
            dy.iter_mut().zip(logits).for_each(|(d, &y)| *d = y - top);
            exponentials(dy);
            let sum = dy.iter().copied().sum();
            slopes(sum, target, dy);
            sum
        }
        None => logits.iter().map(|&y| power(y - top)).sum(),
    };
    loss_of(logits, top, ln(sum), target)
}

/// eˣ; what a class that is out of the question adds to a derivative must not slow down the products.
#[inline(always)]
fn power<F: Scalar>(x: F) -> F {
    settled(exp(x))
}

fn exponentials<F: Scalar>(x: &mut [F]) {
    vectorize(
        #[inline(always)]
        || x.iter_mut().for_each(|x| *x = power(*x)),
    );
}

/// The derivative, in place of the exponentials whose sum this is.
fn slopes<F: Scalar>(sum: F, target: Target<'_, F>, dy: &mut [F]) {
    match target {
        Target::Class(class) => {
            dy.iter_mut().for_each(|d| *d /= sum);
            dy[class] -= F::one();
        }
        Target::Values(t) => {
            let all: F = t.iter().copied().sum();
            dy.iter_mut().zip(t).for_each(|(d, &t)| *d = all * (*d / sum) - t);
        }
    }
}

fn loss_of<F: Scalar>(logits: &[F], top: F, log_sum: F, target: Target<'_, F>) -> f64 {
    let log_softmax = |i: usize| ((logits[i] - top) - log_sum).wide();
    match target {
        Target::Class(class) => -log_softmax(class),
        Target::Values(t) => {
            -t.iter().enumerate().map(|(i, t)| t.wide() * log_softmax(i)).sum::<f64>()
        }
    }
}

/// The largest logit, and ln Σ and Σ of e^(y − largest).
pub(super) fn log_sum<F: Scalar>(logits: &[F]) -> (F, F, F) {
    let top = largest(logits);
    let sum: F = logits.iter().map(|&y| exp(y - top)).sum();
    (top, ln(sum), sum)
}
