//! The layers that a network file can name.

use slalom_tensor::Scalar;

use crate::{
    Activation, ActivityPenalty, AlphaDropout, BatchNorm, Concat, Dense, Dropout, Embedding,
    GaussianDropout, Layer, LayerError, LayerNorm, LogSoftmax, Prelu, Residual, Softmax,
};

/// A layer as plain, serialisable data: what a network is described by, and rebuilt from.
///
/// Every layer of this crate turns into one by `.into()`. Layers of your own are boxed
/// ([`Network::from_layers`](crate::Network::from_layers)) instead.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum LayerSpec {
    /// See [`Dense`].
    Dense(Dense),
    /// See [`Activation`].
    Activation(Activation),
    /// See [`Prelu`].
    Prelu(Prelu),
    /// See [`Softmax`].
    Softmax(Softmax),
    /// See [`LogSoftmax`].
    LogSoftmax(LogSoftmax),
    /// See [`Dropout`].
    Dropout(Dropout),
    /// See [`GaussianDropout`].
    GaussianDropout(GaussianDropout),
    /// See [`AlphaDropout`].
    AlphaDropout(AlphaDropout),
    /// See [`BatchNorm`].
    BatchNorm(BatchNorm),
    /// See [`LayerNorm`].
    LayerNorm(LayerNorm),
    /// See [`Embedding`].
    Embedding(Embedding),
    /// See [`ActivityPenalty`].
    ActivityPenalty(ActivityPenalty),
    /// See [`Residual`].
    Residual(Residual),
    /// See [`Concat`].
    Concat(Concat),
}

impl LayerSpec {
    /// The layer itself, for so many inputs; `layer` is the position that errors name.
    ///
    /// # Errors
    /// A layer that holds layers which do not fit.
    pub fn build<F: Scalar>(
        &self,
        inputs: usize,
        layer: usize,
    ) -> Result<Box<dyn Layer<F>>, LayerError> {
        Ok(match self.clone() {
            Self::Dense(spec) => Box::new(spec),
            Self::Activation(spec) => Box::new(spec),
            Self::Prelu(spec) => Box::new(spec),
            Self::Softmax(spec) => Box::new(spec),
            Self::LogSoftmax(spec) => Box::new(spec),
            Self::Dropout(spec) => Box::new(spec),
            Self::GaussianDropout(spec) => Box::new(spec),
            Self::AlphaDropout(spec) => Box::new(spec),
            Self::BatchNorm(spec) => Box::new(spec),
            Self::LayerNorm(spec) => Box::new(spec),
            Self::Embedding(spec) => Box::new(spec),
            Self::ActivityPenalty(spec) => Box::new(spec),
            Self::Residual(spec) => Box::new(spec.build(inputs, layer)?),
            Self::Concat(spec) => Box::new(spec.build(inputs, layer)?),
        })
    }
}

macro_rules! from_layers {
    ($($layer:ident)*) => {$(
        impl From<$layer> for LayerSpec {
            fn from(layer: $layer) -> Self {
                Self::$layer(layer)
            }
        }
    )*};
}

from_layers!(Dense Activation Prelu Softmax LogSoftmax Dropout GaussianDropout AlphaDropout BatchNorm);
from_layers!(LayerNorm Embedding ActivityPenalty Residual Concat);
