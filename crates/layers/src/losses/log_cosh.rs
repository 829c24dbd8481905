//! The logarithm of the hyperbolic cosine.

use std::f64::consts::LN_2;

use slalom_tensor::Scalar;

use super::PerOutput;

/// Squared near 0, absolute far out, smooth throughout; the mean over outputs and samples. With
/// d = y − t:
///
/// ```text
/// loss = ln cosh d = |d| + ln(1 + e^(−2|d|)) − ln 2,   slope = tanh d
/// ```
///
/// Same as Keras's `LogCosh`; PyTorch has none.
///
/// ```
/// use slalom_layers::{LogCosh, Loss};
/// assert_eq!(Loss::from(LogCosh {}).name(), "log-cosh");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogCosh {}

impl PerOutput for LogCosh {
    #[inline(always)]
    fn output<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let d = y - t;
        let a = d.abs();
        (a + ((F::of(-2.0) * a).exp().ln_1p() - F::of(LN_2)), d.tanh())
    }
}
