//! Batches: which samples an update sees, gathered into one contiguous place.

use slalom_tensor::{
    Largest, Purpose, Samples, Scalar, Targets, Threads, View, prefetch, shuffle, stream,
};

use crate::{Source, TrainError};

/// One batch: inputs, targets and weights of some samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchView<'a, F: Scalar> {
    pub(crate) inputs: View<'a, F>,
    pub(crate) targets: Targets<'a, F>,
    pub(crate) weights: Option<&'a [F]>,
    /// The largest magnitude among the inputs, NaN where one is not finite, if it was looked for.
    pub(crate) largest: Option<f64>,
}

impl<'a, F: Scalar> From<&'a Samples<'_, F>> for BatchView<'a, F> {
    fn from(samples: &'a Samples<'_, F>) -> Self {
        let (inputs, targets) = (samples.inputs(), samples.targets());
        Self { inputs, targets, weights: samples.weights(), largest: None }
    }
}

/// What an order is drawn from, (seed, epoch); the samples' own order where there is none.
pub(crate) type Key = Option<(u64, u64)>;

/// The order of an epoch, and room for one batch. Nothing is allocated after the first batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches<F> {
    /// The order, and what it was made of: how many samples, and the key where it is shuffled.
    order: Vec<usize>,
    made_of: Option<(usize, Key)>,
    inputs: Vec<F>,
    classes: Vec<u32>,
    values: Vec<F>,
    weights: Vec<F>,
}

impl<F: Scalar> Batches<F> {
    /// The samples `start..start + count` of the order that the key gives.
    pub(crate) fn get<'a>(
        &'a mut self,
        source: &'a impl Source<F>,
        key: Key,
        (start, count): (usize, usize),
        threads: &Threads,
    ) -> Result<BatchView<'a, F>, TrainError> {
        let (targets, weights) = (source.targets(), source.weights());
        if key.is_none()
            && let Some((inputs, targets)) = source.range(start, count)
        {
            let weights = weights.map(|weights| &weights[start..start + count]);
            return Ok(BatchView { inputs, targets, weights, largest: None });
        }
        self.put_in_order(targets.len(), key);
        let chosen = &self.order[start..start + count];
        let features = source.features();
        self.inputs.resize(features * count, F::zero());
        let largest = match source.range(0, targets.len()) {
            Some((all, _)) => columns(&mut self.inputs, all, chosen, threads),
            None => source.gather(chosen, &mut self.inputs).map(|()| None)?,
        };
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
        let inputs = View::from_slice(&self.inputs, features, count);
        Ok(BatchView { inputs, targets, weights, largest })
    }

    fn put_in_order(&mut self, samples: usize, key: Key) {
        if self.made_of == Some((samples, key)) {
            return;
        }
        self.order.clear();
        self.order.extend(0..samples);
        if let Some((seed, epoch)) = key {
            shuffle(&mut self.order, &mut stream(seed, Purpose::Shuffle, [epoch, 0]));
        }
        self.made_of = Some((samples, key));
    }
}

/// Numbers that one task copies: below it, threads cost more than they give.
const PIECE: usize = 1 << 13;

/// Copies the chosen columns one after the other; of many numbers it gives the largest magnitude, found
/// while they are in the near cache.
fn columns<F: Scalar>(
    to: &mut [F],
    from: View<'_, F>,
    chosen: &[usize],
    threads: &Threads,
) -> Option<f64> {
    let rows = from.nrows().max(1); // an empty input has no pieces: nothing to copy
    let tasks = if to.len() < 2 * PIECE { 1 } else { (to.len() / PIECE).next_multiple_of(2) };
    let many = to.len() >= PIECE;
    let found = Largest::default();
    threads.pieces(to, rows * chosen.len().div_ceil(tasks), &|first, to| {
        let mut columns = chosen[first / rows..].iter().map(|&j| from.column(j)).peekable();
        for to in to.chunks_exact_mut(rows) {
            let column = columns.next().expect("a column a chunk");
            // the columns lie anywhere: ask for the next one while this one is copied
            if let Some(next) = columns.peek() {
                prefetch(next.as_slice());
            }
            to.copy_from_slice(column.as_slice());
        }
        if many {
            found.look(View::from_slice(to, to.len(), 1));
        }
    });
    many.then(|| found.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slalom_tensor::Matrix;

    /// Sample j is 3j, 3j + 1, 3j + 2; its values are j and -j, its weight j / 2.
    fn samples(count: usize) -> (Matrix<f64>, Matrix<f64>, Vec<u32>, Vec<f64>) {
        let x = Matrix::from_fn(3, count, |i, j| (3 * j + i) as f64);
        let y = Matrix::from_fn(2, count, |i, j| if i == 0 { j as f64 } else { -(j as f64) });
        let classes = (0..count as u32).collect();
        (x, y, classes, (0..count).map(|j| j as f64 / 2.0).collect())
    }

    /// Which samples a batch has, by all that it holds.
    fn held(batch: &BatchView<'_, f64>) -> Vec<usize> {
        let which = |j: usize| {
            let column = batch.inputs.column(j);
            assert!(column[1] == column[0] + 1.0 && column[2] == column[0] + 2.0);
            let sample = column[0] / 3.0;
            match batch.targets {
                Targets::Classes(classes) => assert_eq!(f64::from(classes[j]), sample),
                Targets::Values(values) => {
                    assert_eq!((values[(0, j)], values[(1, j)]), (sample, -sample));
                }
            }
            assert!(batch.weights.is_none_or(|weights| weights[j] == sample / 2.0));
            sample as usize
        };
        (0..batch.inputs.ncols()).map(which).collect()
    }

    #[test]
    fn a_batch_is_its_part_of_the_order_with_targets_and_weights() {
        let (x, y, classes, weights) = samples(4000);
        let of_classes = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
        let of_values = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
        let threads = Threads::new(2).unwrap();
        for source in [of_classes, of_values.weighted(&weights).unwrap()] {
            let mut batches = Batches::default();
            let mut get = |key, range| held(&batches.get(&source, key, range, &threads).unwrap());
            assert_eq!(get(None, (5, 3)), [5, 6, 7]);
            let mut order = get(Some((1, 2)), (0, 4000));
            // several tasks' worth of columns at once, and the same in small parts
            assert_eq!(get(Some((1, 2)), (3990, 10)), order[3990..]);
            assert_eq!(get(Some((1, 2)), (7, 2)), order[7..9]);
            assert_ne!(get(Some((1, 3)), (0, 4000)), order);
            assert_eq!(get(Some((1, 2)), (0, 4000)), order);
            order.sort_unstable();
            assert_eq!(order, (0..4000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_largest_of_many_is_found_on_the_way() {
        let (mut x, ..) = samples(9000);
        let (order, threads) = ((0..9000).rev().collect::<Vec<_>>(), Threads::new(2).unwrap());
        let largest = |x: &Matrix<f64>, count| {
            let mut to = vec![0.0; 3 * count];
            columns(&mut to, x.as_view(), &order[..count], &threads)
        };
        assert_eq!(largest(&x, 2000), None);
        assert_eq!(largest(&x, 9000), Some(26_999.0));
        x[(1, 77)] = -3e9;
        assert_eq!(largest(&x, 9000), Some(3e9));
        for bad in [f64::NAN, -f64::NAN, f64::NEG_INFINITY] {
            x[(2, 8000)] = bad;
            assert!(largest(&x, 9000).unwrap().is_nan());
        }
    }

    #[test]
    fn an_order_of_another_number_of_samples_is_made_anew() {
        let (x, _, classes, _) = samples(40);
        let first = |count: usize| {
            Samples::new(x.columns(0, count), Targets::Classes(&classes[..count])).unwrap()
        };
        let mut batches = Batches::default();
        for count in [20, 40, 10] {
            let key = Some((0, 0));
            let source = first(count);
            let mut found = held(&batches.get(&source, key, (0, count), &Threads::one()).unwrap());
            found.sort_unstable();
            assert_eq!(found, (0..count).collect::<Vec<_>>());
        }
    }
}
