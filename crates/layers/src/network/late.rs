//! Gradients of large matrices, computed part by part where they are needed.
//!
//! The derivative by a dense layer's weights is dZ·Xᵀ: as large as the weights, while dZ and X are
//! small. An optimizer that goes once over the slab can have each part computed right before it
//! uses it, so that the gradient is neither written to memory nor read back.

use std::ops::Range;

use slalom_tensor::{Factor, Outer, Packed, Scalar, Threads, View, ViewMut, largest, multiply};

use super::Network;
use super::stages::Stage;
use crate::{LateProduct, Pass, Tape};

/// The smallest matrix whose gradient is left for later.
const LATE: usize = 1 << 12;
/// The same beside such a one: its product then has a thread that would wait.
const BESIDE: usize = 1 << 10;

/// A product of the last backward pass that was left for later.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    /// Its place in the slab.
    range: Range<usize>,
    /// Rows of dZ and of X.
    shape: (usize, usize),
    /// dZ and X on the tape; `None` where they are the network's own derivative and inputs.
    dz: Option<Range<usize>>,
    x: Option<Range<usize>>,
    /// dZ as the product reads it, on the tape.
    panels: Range<usize>,
    /// What was found on the way into the panels.
    packed: Packed,
}

/// The late products of the stages from one on, and room for their panels.
#[derive(Debug)]
pub(super) struct Lates<'a, F: Scalar> {
    pub(super) products: &'a mut [Late],
    pub(super) panels: &'a mut [F],
}

impl<'a, F: Scalar> Lates<'a, F> {
    /// Nothing is left for later.
    pub(super) fn none() -> Self {
        Self { products: &mut [], panels: &mut [] }
    }

    /// Takes the first one off, if there is one.
    pub(super) fn split_first(self) -> (Option<LateProduct<'a, F>>, Self) {
        let Some((first, products)) = self.products.split_first_mut() else {
            return (None, Self::none());
        };
        let (panels, rest) = self.panels.split_at_mut(first.panels.len());
        (Some(LateProduct { panels, packed: &mut first.packed }), Self { products, panels: rest })
    }
}

/// The gradient that [`Network::backward_late`] leaves: whole, though a part of it stands nowhere
/// yet.
///
/// ```
/// use slalom_layers::{Dense, Mode, Network, Pass};
/// use slalom_tensor::{Matrix, Threads};
/// let network = Network::<f32>::new(100, [Dense::linear(50).into()])?;
/// let (params, x) = (network.init(1), Matrix::from_element(100, 20, 0.5));
/// let (mut tape, mut slab) = (network.tape(20), vec![f32::NAN; params.len()]);
/// let threads = Threads::one();
/// let pass = Pass { mode: Mode::Predict, layer: 0, threads: &threads };
/// network.forward(&params, x.as_view(), &mut tape, &pass);
/// tape.ends().1.fill(0.1);
/// let gradient = network.backward_late(&params, x.as_view(), &mut tape, &mut slab, &pass);
/// let mut part = [0.0; 3];
/// gradient.write(4998..5001, &mut part, &[]); // the last two weights and the first bias
/// assert_eq!(part.map(|v| (v * 10.0).round()), [10.0, 10.0, 20.0]);
/// gradient.complete();
/// assert_eq!(slab[4998..5001], part);
/// # Ok::<(), slalom_layers::LayerError>(())
/// ```
#[derive(Debug)]
pub struct Gradient<'a, F: Scalar> {
    x: View<'a, F>,
    tape: &'a Tape<F>,
    slab: &'a mut [F],
    threads: &'a Threads,
}

impl<F: Scalar> Network<F> {
    /// [`backward`](Network::backward) without the products by which the weights of large dense
    /// layers get their gradient: [`Gradient`] computes them where they are asked for, and has the
    /// same bits. What stands in `slab` meanwhile is not the gradient.
    ///
    /// # Panics
    /// As [`backward`](Network::backward).
    pub fn backward_late<'a>(
        &self,
        params: &[F],
        x: View<'a, F>,
        tape: &'a mut Tape<F>,
        slab: &'a mut [F],
        pass: &Pass<'a>,
    ) -> Gradient<'a, F> {
        self.leave(tape);
        self.derive(params, x, tape, slab, pass);
        Gradient { x, tape, slab, threads: pass.threads }
    }

    /// Whether the stage's matrix is large enough to be left for later.
    pub(super) fn is_late(&self, index: usize) -> bool {
        let size = |stage: &Stage<F>| match stage.learns && stage.layer.has_product() {
            true => stage.inputs * stage.outputs,
            false => 0,
        };
        let own = size(&self.stages[index]);
        own >= LATE || (own >= BESIDE && self.stages.iter().any(|stage| size(stage) >= LATE))
    }

    /// How many numbers the panels of all late products take.
    pub(super) fn late_room(&self, samples: usize) -> usize {
        let stages = self.stages.iter().enumerate().filter(|&(index, _)| self.is_late(index));
        stages.map(|(_, stage)| Outer::<F>::room(stage.outputs, samples)).sum()
    }

    /// Notes on the tape which products the backward pass is to leave.
    fn leave(&self, tape: &mut Tape<F>) {
        tape.late.clear();
        let samples = tape.samples;
        let (mut cache, mut panels, mut x) = (0, 0, None);
        for (index, stage) in self.stages.iter().enumerate() {
            let kept = self.kept(index, samples);
            let y = cache..cache + kept;
            let dy = y.end..y.end + kept;
            cache = dy.end + stage.layer.cache(stage.inputs, samples);
            let x = x.replace(y);
            if self.is_late(index) {
                let shape = (stage.outputs, stage.inputs);
                let range = stage.range.start..stage.range.start + shape.0 * shape.1;
                let own = panels..panels + Outer::<F>::room(stage.outputs, samples);
                panels = own.end;
                let dz = (index + 1 < self.stages.len()).then_some(dy);
                tape.late.push(Late {
                    range,
                    shape,
                    dz,
                    x,
                    panels: own,
                    packed: Packed::default(),
                });
            }
        }
    }
}

impl<F: Scalar> Gradient<'_, F> {
    /// How many samples it is the sum over.
    pub fn samples(&self) -> usize {
        self.x.ncols()
    }

    /// What no number of the gradient exceeds in magnitude, nor any sum that it is computed from;
    /// not finite where that cannot be said. Whoever has looked for the largest magnitude of the
    /// network's inputs already (NaN where one is not finite) hands it over.
    ///
    /// ```text
    /// |Σ dz·x| ≤ samples · max|dz| · max|x|
    /// ```
    pub fn bound(&self, of_inputs: Option<f64>) -> f64 {
        let mut bound = 0.0_f64;
        // once NaN, always NaN
        let larger = |a: f64, b: f64| if b <= a || a.is_nan() { a } else { b };
        let mut at_most = |found| bound = larger(bound, found);
        let mut end = 0;
        for late in &self.tape.late {
            let (dz, x) = self.tape.sides(late, self.x);
            let of_dz = late.packed.largest.unwrap_or_else(|| largest(dz, self.threads));
            let known = of_inputs.filter(|_| late.x.is_none());
            let of_x = known.unwrap_or_else(|| largest(x, self.threads));
            at_most(x.ncols() as f64 * of_dz * of_x);
            at_most(self.largest_of_slab(end..late.range.start));
            end = late.range.end;
        }
        at_most(self.largest_of_slab(end..self.slab.len()));
        bound
    }

    /// Writes a range of the gradient, in the slab's order. Meanwhile the processor is asked for what
    /// stands in the slices, for whoever reads that next: nothing else is done with them.
    ///
    /// # Panics
    /// If the range is not inside the slab, or `out` not as long as it.
    pub fn write(&self, range: Range<usize>, out: &mut [F], next: &[*const [F]]) {
        assert_eq!(out.len(), range.len(), "numbers of the range");
        let (mut at, mut rest) = (range.start, out);
        let first = self.tape.late.partition_point(|late| late.range.end <= at);
        for late in &self.tape.late[first..] {
            if late.range.start >= range.end {
                break;
            }
            let (own, end) = (late.range.start.max(at), late.range.end.min(range.end));
            let (before, behind) = std::mem::take(&mut rest).split_at_mut(own - at);
            before.copy_from_slice(&self.slab[at..own]);
            let (part, behind) = behind.split_at_mut(end - own);
            let of = late.range.start;
            self.tape.outer(late, self.x).write(own - of..end - of, part, next);
            (at, rest) = (end, behind);
        }
        rest.copy_from_slice(&self.slab[at..range.end]);
    }

    /// The vectors a and b of whose outer product the range is a part, and where it begins there,
    /// counted column by column: where the gradient is that of one sample, and the range all of one
    /// matrix.
    pub fn outer(&self, range: Range<usize>) -> Option<(&[F], &[F], usize)> {
        let first = self.tape.late.partition_point(|late| late.range.end <= range.start);
        let late = self.tape.late.get(first)?;
        let inside = late.range.start <= range.start && range.end <= late.range.end;
        (inside && self.tape.samples == 1).then(|| {
            let (dz, x) = self.tape.kept(late);
            let inputs = || self.x.column(0).data.into_slice();
            (dz, x.unwrap_or_else(inputs), range.start - late.range.start)
        })
    }

    /// Computes what is left, so that the whole gradient stands in the slab.
    pub fn complete(self) {
        let Self { x, tape, slab, threads } = self;
        for late in &tape.late {
            let (dz, x) = tape.sides(late, x);
            let own = ViewMut::from_slice(&mut slab[late.range.clone()], dz.nrows(), x.nrows());
            multiply(Factor::Plain(dz), Factor::Transposed(x), own, threads);
        }
    }

    /// Whether anything is left to compute.
    pub fn is_late(&self) -> bool {
        !self.tape.late.is_empty()
    }

    fn largest_of_slab(&self, range: Range<usize>) -> f64 {
        let length = range.len();
        largest(View::from_slice(&self.slab[range], length, 1), self.threads)
    }
}

impl<F: Scalar> Tape<F> {
    /// dZ and X of a late product, where `x` are the network's inputs.
    fn sides<'a>(&'a self, late: &Late, x: View<'a, F>) -> (View<'a, F>, View<'a, F>) {
        let (rows, columns) = late.shape;
        let (dz, own) = self.kept(late);
        let own = own.map(|own| View::from_slice(own, columns, self.samples));
        (View::from_slice(dz, rows, self.samples), own.unwrap_or(x))
    }

    /// dZ of a late product, and X where it is not the network's inputs.
    fn kept(&self, late: &Late) -> (&[F], Option<&[F]>) {
        let length = late.shape.0 * self.samples;
        let dz = late.dz.clone().map_or_else(|| &self.dy[..length], |dz| &self.cache[dz]);
        (dz, late.x.clone().map(|x| &self.cache[x]))
    }

    fn outer<'a>(&'a self, late: &Late, x: View<'a, F>) -> Outer<'a, F> {
        Outer::new(self.sides(late, x), &self.panels[late.panels.clone()], late.packed)
    }
}
