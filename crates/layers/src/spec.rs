//! The layers that a network file can name.

use slalom_tensor::Scalar;

use crate::{Activation, Dense, Dropout, Layer};

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
    /// See [`Dropout`].
    Dropout(Dropout),
}

impl LayerSpec {
    /// The layer itself.
    pub fn build<F: Scalar>(&self) -> Box<dyn Layer<F>> {
        match self.clone() {
            Self::Dense(layer) => Box::new(layer),
            Self::Activation(layer) => Box::new(layer),
            Self::Dropout(layer) => Box::new(layer),
        }
    }
}

impl From<Dense> for LayerSpec {
    fn from(layer: Dense) -> Self {
        Self::Dense(layer)
    }
}

impl From<Activation> for LayerSpec {
    fn from(layer: Activation) -> Self {
        Self::Activation(layer)
    }
}

impl From<Dropout> for LayerSpec {
    fn from(layer: Dropout) -> Self {
        Self::Dropout(layer)
    }
}
