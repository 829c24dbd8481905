//! Batches: which samples an update sees, gathered into one contiguous place.

use slalom_tensor::{Purpose, Samples, Scalar, Targets, Threads, View, prefetch, shuffle, stream};

use crate::{Source, TrainError};

/// One batch: inputs, targets and weights of some samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchView<'a, F: Scalar> {
    pub(crate) inputs: View<'a, F>,
    pub(crate) targets: Targets<'a, F>,
    pub(crate) weights: Option<&'a [F]>,
}

impl<'a, F: Scalar> From<&'a Samples<'_, F>> for BatchView<'a, F> {
    fn from(samples: &'a Samples<'_, F>) -> Self {
        let (inputs, targets) = (samples.inputs(), samples.targets());
        Self { inputs, targets, weights: samples.weights() }
    }
}

/// The order of an epoch, and room for one batch. Nothing is allocated after the first batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches<F> {
    /// The order, and what it was made of: (seed, epoch) where it is shuffled.
    order: Vec<usize>,
    made_of: Option<(u64, u64)>,
    inputs: Vec<F>,
    classes: Vec<u32>,
    values: Vec<F>,
    weights: Vec<F>,
}

impl<F: Scalar> Batches<F> {
    /// The samples `start..start + count` of the order that the key (seed, epoch) gives, or of
    /// their own order where there is no key.
    pub(crate) fn get<'a>(
        &'a mut self,
        source: &'a impl Source<F>,
        key: Option<(u64, u64)>,
        (start, count): (usize, usize),
        threads: &Threads,
    ) -> Result<BatchView<'a, F>, TrainError> {
        let (targets, weights) = (source.targets(), source.weights());
        if key.is_none()
            && let Some((inputs, targets)) = source.range(start, count)
        {
            let weights = weights.map(|weights| &weights[start..start + count]);
            return Ok(BatchView { inputs, targets, weights });
        }
        self.put_in_order(targets.len(), key);
        let chosen = &self.order[start..start + count];
        let features = source.features();
        self.inputs.resize(features * count, F::zero());
        match source.range(0, targets.len()) {
            Some((all, _)) => columns(&mut self.inputs, all, chosen, threads),
            None => source.gather(chosen, &mut self.inputs)?,
        }
        let targets = match targets {
            Targets::Classes(classes) => {
                self.classes.clear();
                self.classes.extend(chosen.iter().map(|&j| classes[j]));
                Targets::Classes(&self.classes)
            }
            Targets::Values(values) => {
                self.values.clear();
                for &j in chosen {
                    self.values.extend_from_slice(values.column(j).as_slice());
                }
                Targets::Values(View::from_slice(&self.values, values.nrows(), count))
            }
        };
        let weights = weights.map(|weights| {
            self.weights.clear();
            self.weights.extend(chosen.iter().map(|&j| weights[j]));
            &self.weights[..]
        });
        Ok(BatchView { inputs: View::from_slice(&self.inputs, features, count), targets, weights })
    }

    fn put_in_order(&mut self, samples: usize, key: Option<(u64, u64)>) {
        if self.made_of == key && self.order.len() == samples {
            return;
        }
        self.order.clear();
        self.order.extend(0..samples);
        if let Some((seed, epoch)) = key {
            shuffle(&mut self.order, &mut stream(seed, Purpose::Shuffle, [epoch, 0]));
        }
        self.made_of = key;
    }
}

/// Numbers that one task copies: below it, threads cost more than they give.
const PIECE: usize = 1 << 13;

/// Copies the chosen columns one after the other.
fn columns<F: Scalar>(to: &mut [F], from: View<'_, F>, chosen: &[usize], threads: &Threads) {
    let rows = from.nrows().max(1); // an empty input has no pieces: nothing to copy
    threads.pieces(to, rows * PIECE.div_ceil(rows), &|first, to| {
        let chosen = &chosen[first / rows..];
        for (i, to) in to.chunks_exact_mut(rows).enumerate() {
            // the columns lie anywhere: ask for the next one while this one is copied
            if let Some(&next) = chosen.get(i + 1) {
                prefetch(from.column(next).as_slice());
            }
            to.copy_from_slice(from.column(chosen[i]).as_slice());
        }
    });
}
