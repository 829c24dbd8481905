//! A network as a layer: its layers in a row, each with its part of slab and cache.

use std::ops::Range;

use slalom_tensor::{Scalar, View};

use super::Network;
use super::late::Lates;
use crate::{Backward, Forward, Layer, LayerError, Parameter, Pass};

/// A layer in its place.
#[derive(Debug)]
pub(super) struct Stage<F: Scalar> {
    pub(super) layer: Box<dyn Layer<F>>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) range: Range<usize>,
    pub(super) position: u64,
    /// Whether any of its parameters follows the gradient.
    pub(super) learns: bool,
}

impl<F: Scalar> Network<F> {
    /// Splits a stage's numbers off the cache: its outputs and the derivative by them (none for the
    /// last one, whose outputs are the network's own), its cache, and the rest for the later stages.
    fn split<'c>(&self, index: usize, samples: usize, cache: &'c mut [F]) -> [&'c mut [F]; 4] {
        let stage = &self.stages[index];
        let kept = self.kept(index, samples);
        let (y, rest) = cache.split_at_mut(kept);
        let (dy, rest) = rest.split_at_mut(kept);
        let (own, rest) = rest.split_at_mut(stage.layer.cache(stage.inputs, samples));
        [y, dy, own, rest]
    }

    /// How many outputs of a stage are kept in the cache.
    pub(super) fn kept(&self, index: usize, samples: usize) -> usize {
        if index + 1 == self.stages.len() { 0 } else { self.stages[index].outputs * samples }
    }

    /// The backward pass from the last stage to this one: takes the stages' numbers off the cache
    /// on the way in, computes on the way out.
    pub(super) fn unwind(
        &self,
        index: usize,
        mut at: Backward<'_, F>,
        lates: Lates<'_, F>,
        pass: &Pass<'_>,
    ) {
        let stage = &self.stages[index];
        let (samples, dx) = (at.x.ncols(), at.dx.take());
        let [y, dy, cache, rest] = self.split(index, samples, at.cache);
        let (grads, later) = at.grads.split_at_mut(stage.range.len());
        let (late, lates) = match self.is_late(index) {
            true => lates.split_first(),
            false => (None, lates),
        };
        // an earlier stage learns, or whoever called wants dx
        let wanted = stage.learns || dx.is_some();
        let (y, dy) = if index + 1 == self.stages.len() {
            (at.y, at.dy)
        } else {
            let x = View::from_slice(y, stage.outputs, samples);
            let dx = wanted.then_some(&mut *dy);
            let at = Backward { x, dx, grads: later, cache: rest, ..at };
            self.unwind(index + 1, at, lates, pass);
            (&*y, dy)
        };
        if !wanted {
            grads.fill(F::zero());
            return;
        }
        let params = &at.params[stage.range.clone()];
        let at = Backward { params, x: at.x, y, dy, dx, grads, cache, late };
        stage.layer.backward(at, &stage.pass(pass));
    }
}

impl<F: Scalar> Stage<F> {
    /// The pass as this stage sees it.
    fn pass<'p>(&self, pass: &Pass<'p>) -> Pass<'p> {
        Pass { layer: pass.layer + self.position, ..*pass }
    }
}

impl<F: Scalar> Layer<F> for Network<F> {
    fn name(&self) -> &'static str {
        "network"
    }

    fn outputs(&self, inputs: usize, _layer: usize) -> Result<usize, LayerError> {
        match inputs == self.inputs {
            true => Ok(self.outputs()),
            false => Err(LayerError::Features { wanted: self.inputs, found: inputs }),
        }
    }

    fn parameters(&self, _inputs: usize) -> Vec<Parameter> {
        self.parameters.clone()
    }

    /// Each stage's outputs, the derivative by them, and its cache.
    fn cache(&self, _inputs: usize, samples: usize) -> usize {
        let stages = self.stages.iter().enumerate().map(|(index, stage)| {
            2 * self.kept(index, samples) + stage.layer.cache(stage.inputs, samples)
        });
        stages.sum()
    }

    fn check(&self, x: View<'_, F>) -> Result<(), LayerError> {
        self.check_inputs(x)
    }

    fn span(&self) -> u64 {
        self.stages.iter().map(|stage| stage.layer.span()).sum()
    }

    fn forward(&self, at: Forward<'_, F>, pass: &Pass<'_>) {
        let samples = at.x.ncols();
        let (mut x, mut output, mut rest) = (at.x, Some(at.y), at.cache);
        for (index, stage) in self.stages.iter().enumerate() {
            let [kept, _, cache, later] = self.split(index, samples, rest);
            rest = later;
            let last = index + 1 == self.stages.len();
            let y = output.take_if(|_| last).unwrap_or(kept);
            let params = &at.params[stage.range.clone()];
            stage.layer.forward(Forward { params, x, y: &mut *y, cache }, &stage.pass(pass));
            x = View::from_slice(y, stage.outputs, samples);
        }
    }

    fn backward(&self, at: Backward<'_, F>, pass: &Pass<'_>) {
        self.unwind(0, at, Lates::none(), pass);
    }

    fn settle(&self, params: &mut [F], _inputs: usize, samples: usize, cache: &[F]) {
        let mut rest = cache;
        for (index, stage) in self.stages.iter().enumerate() {
            let (own, later) = rest[2 * self.kept(index, samples)..]
                .split_at(stage.layer.cache(stage.inputs, samples));
            stage.layer.settle(&mut params[stage.range.clone()], stage.inputs, samples, own);
            rest = later;
        }
    }

    fn penalty(&self, _inputs: usize, samples: usize, y: &[F], cache: &[F]) -> f64 {
        let (mut sum, mut rest) = (0.0, cache);
        for (index, stage) in self.stages.iter().enumerate() {
            let (kept, later) = rest.split_at(2 * self.kept(index, samples));
            let kept = &kept[..kept.len() / 2];
            let (own, later) = later.split_at(stage.layer.cache(stage.inputs, samples));
            let y = if index + 1 == self.stages.len() { y } else { kept };
            sum += stage.layer.penalty(stage.inputs, samples, y, own);
            rest = later;
        }
        sum
    }
}
