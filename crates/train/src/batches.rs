//! Batches: which samples an update sees, gathered into one contiguous place.

use slalom_tensor::{
    Largest, Purpose, Samples, Scalar, Targets, Threads, View, prefetch_far, shuffle, stream,
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

/// The order of an epoch, and room for a batch and the inputs of the next one. Nothing is allocated
/// after the first two batches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches<F> {
    /// The order, and what it was made of: how many samples, and the key where it is shuffled.
    order: Vec<usize>,
    made_of: Option<(usize, Key)>,
    inputs: Inputs<F>,
    next: Inputs<F>,
    others: Others<F>,
}

/// Inputs of a batch, one sample after the other.
#[derive(Clone, Debug, Default)]
struct Inputs<F> {
    numbers: Vec<F>,
    /// Their largest magnitude, if it was looked for.
    largest: Option<f64>,
    /// Whose they are, if they were gathered before they were asked for: where in the order, and its
    /// key.
    ahead: Option<(Key, (usize, usize))>,
}

/// What else belongs to a batch.
#[derive(Clone, Debug, Default)]
struct Others<F> {
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
        range: (usize, usize),
        threads: &Threads,
    ) -> Result<BatchView<'a, F>, TrainError> {
        self.with(source, key, (range, None), threads, Ok)
    }

    /// Calls `work` with the samples of a range of the order that the key gives. Meanwhile the inputs of
    /// the next range are gathered by threads that would wait, where they are enough to be worth it.
    /// They are used if the next call asks for them, so the source must still have the same numbers:
    /// otherwise call [`forget`](Batches::forget).
    pub(crate) fn with<'a, R>(
        &'a mut self,
        source: &'a impl Source<F>,
        key: Key,
        (range, next): ((usize, usize), Option<(usize, usize)>),
        threads: &Threads,
        work: impl FnOnce(BatchView<'a, F>) -> Result<R, TrainError>,
    ) -> Result<R, TrainError> {
        let (targets, weights) = (source.targets(), source.weights());
        let (start, count) = range;
        if key.is_none()
            && let Some((inputs, targets)) = source.range(start, count)
        {
            let weights = weights.map(|weights| &weights[start..start + count]);
            return work(BatchView { inputs, targets, weights, largest: None });
        }
        self.put_in_order(targets.len(), key);
        let Self { order, inputs, next: ahead, others, .. } = self;
        let chosen = |(start, count): (usize, usize)| &order[start..start + count];
        let (features, all) = (source.features(), source.range(0, targets.len()));
        if ahead.ahead.take() == Some((key, range)) {
            std::mem::swap(inputs, ahead);
        } else {
            match all {
                Some((all, _)) => inputs.gather(all, chosen(range), threads),
                None => {
                    inputs.numbers.resize(features * count, F::zero());
                    inputs.largest = None;
                    source.gather(chosen(range), &mut inputs.numbers)?;
                }
            }
        }
        let batch = others.batch(inputs.view(features, count), (targets, weights), chosen(range));
        let batch = BatchView { largest: inputs.largest, ..batch };
        match all.zip(next) {
            Some(((all, _), next)) if threads.count() > 1 && features * next.1 >= PIECE => {
                let result = ahead.gather_beside(all, chosen(next), threads, || work(batch));
                ahead.ahead = Some((key, next));
                result
            }
            _ => work(batch),
        }
    }

    /// Forgets what was gathered ahead.
    pub(crate) fn forget(&mut self) {
        self.next.ahead = None;
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

impl<F: Scalar> Others<F> {
    /// A batch of these inputs, with targets and weights of the chosen samples.
    fn batch<'a>(
        &'a mut self,
        inputs: View<'a, F>,
        (targets, weights): (Targets<'_, F>, Option<&[F]>),
        chosen: &[usize],
    ) -> BatchView<'a, F> {
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
                Targets::Values(View::from_slice(&self.values, values.nrows(), chosen.len()))
            }
        };
        let weights = weights.map(|weights| {
            self.weights.clear();
            self.weights.extend(chosen.iter().map(|&j| weights[j]));
            &self.weights[..]
        });
        BatchView { inputs, targets, weights, largest: None }
    }
}

/// Numbers that one task copies: below it, threads cost more than they give.
const PIECE: usize = 1 << 13;
/// The same where it is done beside other work, which should not wait for it.
const SHORT: usize = 1 << 11;

impl<F: Scalar> Inputs<F> {
    fn view(&self, features: usize, count: usize) -> View<'_, F> {
        View::from_slice(&self.numbers, features, count)
    }

    /// Copies the chosen columns one after the other. Of many numbers the largest magnitude is found
    /// while they are in the near cache.
    fn gather(&mut self, all: View<'_, F>, chosen: &[usize], threads: &Threads) {
        let rows = all.nrows().max(1); // an empty input has no pieces: nothing to copy
        let length = all.nrows() * chosen.len();
        let tasks = if length < 2 * PIECE { 1 } else { (length / PIECE).next_multiple_of(2) };
        let found = (length >= PIECE).then(Largest::default);
        self.numbers.resize(length, F::zero());
        let width = rows * chosen.len().div_ceil(tasks);
        threads.pieces(&mut self.numbers, width, &copy(all, chosen, found.as_ref()));
        self.largest = found.map(|found| found.get());
    }

    /// The same beside other work, which is called and whose result is given.
    fn gather_beside<R>(
        &mut self,
        all: View<'_, F>,
        chosen: &[usize],
        threads: &Threads,
        work: impl FnOnce() -> R,
    ) -> R {
        let (rows, found) = (all.nrows(), Largest::default());
        self.numbers.resize(rows * chosen.len(), F::zero());
        let (width, copy) = (rows * SHORT.div_ceil(rows), copy(all, chosen, Some(&found)));
        let result = threads.pieces_beside(&mut self.numbers, width, &copy, work);
        self.largest = Some(found.get());
        result
    }
}

/// Copies a piece of the chosen columns, from the number on that is its first, and looks at it.
fn copy<F: Scalar>(
    all: View<'_, F>,
    chosen: &[usize],
    found: Option<&Largest>,
) -> impl Fn(usize, &mut [F]) + Sync {
    let rows = all.nrows().max(1);
    move |first, to| {
        let columns = chosen[first / rows..].iter().map(|&j| all.column(j));
        // the columns lie anywhere: one is asked for while those before it are copied, for the next piece, too
        let mut next = columns.clone();
        let mut ask = || next.next().into_iter().for_each(|next| prefetch_far(next.as_slice()));
        (0..ASKED).for_each(|_| ask());
        for (to, column) in to.chunks_exact_mut(rows).zip(columns) {
            ask();
            copy_column(column.as_slice(), to);
        }
        if let Some(found) = found {
            found.look(View::from_slice(to, to.len(), 1));
        }
    }
}

/// Columns that are asked for beforehand.
const ASKED: usize = 4;

/// Copies a column. A short one takes longer to call a function for than to copy.
#[inline(always)]
fn copy_column<F: Scalar>(from: &[F], to: &mut [F]) {
    if to.len() > SHORT_COLUMN {
        return to.copy_from_slice(from);
    }
    let (from, from_rest) = from.as_chunks::<4>();
    let (to, to_rest) = to.as_chunks_mut::<4>();
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    for (i, to) in to_rest.iter_mut().enumerate() {
        *to = from_rest[i];
    }
}

/// Numbers of such a column.
const SHORT_COLUMN: usize = 32;

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
            let mut inputs = Inputs::default();
            inputs.gather(x.as_view(), &order[..count], &threads);
            inputs.largest
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
