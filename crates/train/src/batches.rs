//! Batches: which samples an update sees, gathered into one contiguous place.

use slalom_tensor::{Purpose, Samples, Scalar, Targets, View, shuffle, stream};

/// One batch: inputs, targets and weights of some samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchView<'a, F: Scalar> {
    pub(crate) inputs: View<'a, F>,
    pub(crate) targets: Targets<'a, F>,
    pub(crate) weights: Option<&'a [F]>,
}

/// The samples `start..start + count` as they stand, without a copy.
pub(crate) fn in_order<'a, F: Scalar>(
    samples: &'a Samples<'_, F>,
    start: usize,
    count: usize,
) -> BatchView<'a, F> {
    BatchView {
        inputs: samples.inputs_range(start, count),
        targets: samples.targets_range(start, count),
        weights: samples.weights().map(|weights| &weights[start..start + count]),
    }
}

/// The order of an epoch, and room for one batch. Nothing is allocated after the first batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches<F> {
    /// The order, and the epoch that it belongs to.
    order: Vec<usize>,
    epoch: Option<u64>,
    inputs: Vec<F>,
    classes: Vec<u32>,
    values: Vec<F>,
    weights: Vec<F>,
}

impl<F: Scalar> Batches<F> {
    /// The samples `start..start + count` of the epoch's order: f(seed, epoch).
    pub(crate) fn shuffled<'a>(
        &'a mut self,
        samples: &Samples<'a, F>,
        (seed, epoch): (u64, u64),
        (start, count): (usize, usize),
    ) -> BatchView<'a, F> {
        if self.epoch != Some(epoch) || self.order.len() != samples.len() {
            self.order.clear();
            self.order.extend(0..samples.len());
            shuffle(&mut self.order, &mut stream(seed, Purpose::Shuffle, [epoch, 0]));
            self.epoch = Some(epoch);
        }
        self.gather(samples, start, count)
    }

    fn gather<'a>(
        &'a mut self,
        samples: &Samples<'a, F>,
        start: usize,
        count: usize,
    ) -> BatchView<'a, F> {
        let chosen = &self.order[start..start + count];
        let features = samples.features();
        columns(&mut self.inputs, samples.inputs(), chosen);
        let targets = match samples.targets() {
            Targets::Classes(classes) => {
                self.classes.clear();
                self.classes.extend(chosen.iter().map(|&j| classes[j]));
                Targets::Classes(&self.classes)
            }
            Targets::Values(values) => {
                columns(&mut self.values, values, chosen);
                Targets::Values(View::from_slice(&self.values, values.nrows(), count))
            }
        };
        let weights = samples.weights().map(|weights| {
            self.weights.clear();
            self.weights.extend(chosen.iter().map(|&j| weights[j]));
            &self.weights[..]
        });
        BatchView { inputs: View::from_slice(&self.inputs, features, count), targets, weights }
    }
}

/// Copies the chosen columns one after the other.
fn columns<F: Scalar>(to: &mut Vec<F>, from: View<'_, F>, chosen: &[usize]) {
    to.clear();
    for &j in chosen {
        to.extend_from_slice(from.column(j).as_slice());
    }
}
