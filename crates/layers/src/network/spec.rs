//! What a network is made of, as plain data: its description and the parts of its slab.

use std::ops::Range;

use slalom_tensor::Scalar;

use super::Network;
use crate::{Kind, LayerError, LayerSpec};

/// A named part of the slab.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Block {
    /// Position of the layer and name of the parameter: `0.weight`, `0.bias`, `2.weight`, …
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Rows and columns; stored column by column.
    pub shape: (usize, usize),
    /// Where it stands in the slab.
    pub range: Range<usize>,
    /// Whether training leaves it as it is ([`Network::freeze`]).
    pub frozen: bool,
}

impl Block {
    /// Whether a name is the block's own or that of a layer around it: `2.0.weight` is within
    /// `"2"`, `"2.0"` and `"2.0.weight"`.
    pub fn within(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Everything that a network is rebuilt from, as plain, serialisable data.
///
/// ```
/// use slalom_layers::{Dense, Network, NetworkSpec};
/// let layers = vec![Dense::linear(8).into(), Dense::linear(3).into()];
/// let spec = NetworkSpec { inputs: 4, layers, frozen: vec!["0".into()] };
/// let network: Network<f32> = spec.build()?;
/// assert_eq!(network.spec(), Some(spec));
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NetworkSpec {
    /// Input features, at least 1.
    pub inputs: usize,
    /// The layers, 1 to [`MOST_LAYERS`](crate::MOST_LAYERS).
    pub layers: Vec<LayerSpec>,
    /// What [`Network::freeze`] has frozen. Default none.
    #[serde(default)]
    pub frozen: Vec<String>,
}

impl NetworkSpec {
    /// The network itself.
    ///
    /// # Errors
    /// As [`Network::new`] and [`Network::freeze`].
    pub fn build<F: Scalar>(&self) -> Result<Network<F>, LayerError> {
        let network = Network::new(self.inputs, self.layers.iter().cloned())?;
        self.frozen.iter().try_fold(network, |network, name| network.freeze(name))
    }
}
