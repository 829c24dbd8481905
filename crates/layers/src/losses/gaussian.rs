//! The normal distribution's negative log-likelihood, with a variance that is learned too.

use std::f64::consts::TAU;

use slalom_tensor::Scalar;

use super::{PerSample, Target};

/// Negative log-likelihood of targets under N(μ, σ²), the mean over targets and samples. Of the 2k
/// outputs the first k are the means μ, the other k the logarithms s of the variances:
///
/// ```text
/// loss = ½·(s + (t − μ)²·e⁻ˢ),   slopes (μ − t)·e⁻ˢ and ½·(1 − (t − μ)²·e⁻ˢ)
/// ```
///
/// | field | default | |
/// |---|---|---|
/// | `full` | false | adds ½·ln 2π |
///
/// Targets: values (*k × samples*). PyTorch's `gaussian_nll_loss` takes the variance itself, floored
/// at 1e-6; Keras has none.
///
/// ```
/// use slalom_layers::{Dense, GaussianLikelihood, Loss};
/// let last = Dense::linear(2); // one mean, one logarithm of a variance
/// Loss::from(GaussianLikelihood::default()).validate(last.units).unwrap();
/// ```
///
/// Reference: Nix and Weigend 1994, "Estimating the mean and variance of the target probability
/// distribution".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct GaussianLikelihood {
    /// Whether the constant ½·ln 2π is added.
    pub full: bool,
}

impl PerSample for GaussianLikelihood {
    fn sample<F: Scalar>(&self, outputs: &[F], target: Target<'_, F>, dy: Option<&mut [F]>) -> f64 {
        let (means, logs) = outputs.split_at(outputs.len() / 2);
        let triples = means.iter().zip(logs).zip(target.values());
        let half = F::of(0.5);
        if let Some(dy) = dy {
            let (by_mean, by_log) = dy.split_at_mut(means.len());
            let slopes = by_mean.iter_mut().zip(by_log);
            for ((by_mean, by_log), ((&mean, &log), &t)) in slopes.zip(triples.clone()) {
                let (d, precision) = (mean - t, (-log).exp());
                *by_mean = d * precision;
                *by_log = half * (F::one() - d * d * precision);
            }
        }
        let constant = if self.full { 0.5 * TAU.ln() } else { 0.0 };
        let loss = |((&mean, &log), &t): ((&F, &F), &F)| {
            let d = mean - t;
            (half * (log + d * d * (-log).exp())).wide() + constant
        };
        triples.map(loss).sum()
    }

    fn share<F: Scalar>(&self, outputs: usize, _target: Target<'_, F>) -> f64 {
        (outputs / 2) as f64
    }
}
