//! Softmax cross-entropy, from logits.

use slalom_tensor::Scalar;
use slalom_tensor::elementary::settled;

use super::{PerSample, Target};
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
        if self.class_weights.is_none() && self.label_smoothing == 0.0 && self.focal == 0.0 {
            plain(logits, target, dy)
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

    fn share<F: Scalar>(&self, _outputs: usize, target: Target<'_, F>) -> f64 {
        match (&self.class_weights, target) {
            (Some(weights), Target::Class(class)) => weights[class],
            _ => 1.0,
        }
    }
}

impl CrossEntropy {
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

/// Neither weights nor smoothing nor focus: the loss of nearly every classifier.
fn plain<F: Scalar>(logits: &[F], target: Target<'_, F>, mut dy: Option<&mut [F]>) -> f64 {
    let top = largest(logits);
    // what a class that is out of the question adds to a derivative must not slow down the products
    let exp = |&y: &F| settled((y - top).exp());
    let sum: F = match &mut dy {
        // kept where the derivative will be: exponentials cost more than all the rest
        Some(dy) => {
            dy.iter_mut().zip(logits).for_each(|(d, y)| *d = exp(y));
            dy.iter().copied().sum()
        }
        None => logits.iter().map(exp).sum(),
    };
    let log_sum = sum.ln();
    let log_softmax = |i: usize| (logits[i] - top) - log_sum;
    if let Some(dy) = dy {
        let scale = match target {
            Target::Class(_) => F::one(),
            Target::Values(t) => t.iter().copied().sum(),
        };
        dy.iter_mut().for_each(|d| *d = scale * (*d / sum));
        match target {
            Target::Class(class) => dy[class] -= F::one(),
            Target::Values(t) => dy.iter_mut().zip(t).for_each(|(d, &t)| *d -= t),
        }
    }
    match target {
        Target::Class(class) => -log_softmax(class).wide(),
        Target::Values(t) => {
            -t.iter().enumerate().map(|(i, t)| t.wide() * log_softmax(i).wide()).sum::<f64>()
        }
    }
}

/// The largest logit, and ln Σ and Σ of e^(y − largest).
pub(super) fn log_sum<F: Scalar>(logits: &[F]) -> (F, F, F) {
    let top = largest(logits);
    let sum: F = logits.iter().map(|&y| (y - top).exp()).sum();
    (top, sum.ln(), sum)
}
