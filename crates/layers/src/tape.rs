//! The tape: the numbers of one pass, made once and used for every batch.

use slalom_tensor::{Scalar, View, ViewMut};

use crate::network::Late;

/// Outputs, their derivatives and all that lies between, for up to so many samples.
///
/// Made by [`Network::tape`](crate::Network::tape); one run owns one. Nothing is allocated after
/// that.
#[derive(Clone, Debug)]
pub struct Tape<F: Scalar> {
    pub(crate) outputs: usize,
    pub(crate) capacity: usize,
    /// Samples of the pass under way.
    pub(crate) samples: usize,
    pub(crate) y: Vec<F>,
    pub(crate) dy: Vec<F>,
    pub(crate) cache: Vec<F>,
    /// The products of the last backward pass that were left for later, and room for them.
    pub(crate) late: Vec<Late>,
    pub(crate) panels: Vec<F>,
}

impl<F: Scalar> Tape<F> {
    /// The network's outputs of the last forward pass, *outputs × samples*.
    pub fn outputs(&self) -> View<'_, F> {
        View::from_slice(&self.y[..self.outputs * self.samples], self.outputs, self.samples)
    }

    /// The outputs, and where a loss writes its derivative by them.
    pub fn ends(&mut self) -> (View<'_, F>, ViewMut<'_, F>) {
        let length = self.outputs * self.samples;
        (
            View::from_slice(&self.y[..length], self.outputs, self.samples),
            ViewMut::from_slice(&mut self.dy[..length], self.outputs, self.samples),
        )
    }

    /// For how many samples there is room.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}
