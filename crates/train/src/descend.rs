//! From the gradient to the parameters in one pass over the slab.

use slalom_layers::Gradient;
use slalom_optim::{Chunks, OptimError, Optimizer, Slab};
use slalom_tensor::{Scalar, Threads};

/// What one thread computes a part of the gradient in.
pub(crate) type Room<F> = Slab<F>;

/// The turn of a gradient: no slot has it.
pub(crate) const GRADIENT: usize = 5;

/// Makes the optimizer's step with a gradient that is computed chunk by chunk, each right before it
/// is used; gives the gradient's norm. `None`, and nothing done, where the whole gradient has to be
/// seen first: for clipping by norms, for rules that scale by norms, and where the gradient may not
/// be finite. What is known of the inputs' magnitude comes with the gradient.
///
/// # Errors
/// As [`Optimizer::begin_chunks`].
pub(crate) fn by_chunks<F: Scalar>(
    (gradient, of_inputs): (&Gradient<'_, F>, Option<f64>),
    optimizer: &mut Optimizer<F>,
    rate: f64,
    params: &mut [F],
    rooms: &mut Vec<Room<F>>,
    threads: &Threads,
) -> Result<Option<f64>, OptimError> {
    let chunks = optimizer.takes_chunks() && gradient.is_late();
    if !chunks || !is_tame::<F>(gradient.bound(of_inputs)) {
        return Ok(None);
    }
    let step = optimizer.begin_chunks(rate, params)?;
    let count = step.count();
    // the last chunk comes first: the calling thread computes the small layers, which it has
    let last = count.saturating_sub(1);
    let own = own(last, gradient.samples());
    let length = (0..count).map(|chunk| step.range(chunk).len()).max().unwrap_or(0) * own;
    if rooms.first().is_none_or(|room| room.len() < length) {
        rooms.clear();
        rooms.resize_with(threads.count(), || Slab::zeros_at(GRADIENT, length));
    }
    threads.run_with(rooms, last.div_ceil(own).max(1), &|task, room| {
        if task == 0 {
            update(gradient, &step, last..count, room);
        }
        update(gradient, &step, task * own..last.min((task + 1) * own), room);
    });
    Ok(Some(step.finish()?.norm))
}

/// How many of so many chunks make a task, for a batch of so many samples.
fn own(count: usize, samples: usize) -> usize {
    if samples == 1 {
        // memory alone takes time: what a thread updates it finds in its own cache, if it gets the same
        // chunks each time, and those whose weights it multiplied
        let tasks = (count / LEAST).next_multiple_of(2).clamp(1, 2 * TASKS);
        return (count / tasks).max(1);
    }
    // powers of two, so that columns which are as long come in whole tiles
    (count / TASKS).next_power_of_two().min(MOST * (samples / BATCH).clamp(1, MOST))
}

/// How many tasks there are at least, where there are as many chunks.
const TASKS: usize = 32;
/// The most chunks of a task: enough columns of a tall matrix at a time, few enough that the second
/// cache holds what is asked for ahead, too.
const MOST: usize = 4;
/// Samples of a batch from which on tasks are longer: the product then takes longer than the memory, and
/// goes over all of dZ for each task.
const BATCH: usize = 128;
/// Chunks of a task for a single sample, at least.
const LEAST: usize = 8;

/// Whether numbers of at most this magnitude have squares whose sums over a few are finite.
fn is_tame<F: Scalar>(bound: f64) -> bool {
    bound < F::max_value().wide().sqrt() / 16.0
}

/// Updates neighbouring chunks.
fn update<F: Scalar>(
    gradient: &Gradient<'_, F>,
    step: &Chunks<'_, F>,
    mut chunks: std::ops::Range<usize>,
    room: &mut [F],
) {
    while let Some(first) = chunks.clone().next() {
        let range = step.range(first);
        if let Some((a, b, at)) = gradient.outer(range) {
            step.update_outer(first, a, b, at);
            chunks.start += 1;
            continue;
        }
        // as many as follow each other without a gap
        let start = step.range(chunks.start).start;
        let mut end = start;
        let joined = |chunk: &usize| {
            let range = step.range(*chunk);
            let joins = range.start == end;
            end = if joins { range.end } else { end };
            joins
        };
        let joined = chunks.clone().take_while(joined).count();
        let part = &mut room[..end - start];
        // memory brings parameters and slots while the gradient is computed
        let places = step.places(start..end);
        let used = places.iter().take_while(|place| !place.is_empty()).count();
        gradient.write(start..end, part, &places[..used]);
        for chunk in chunks.by_ref().take(joined) {
            let range = step.range(chunk);
            step.update(chunk, &part[range.start - start..range.end - start]);
        }
    }
}
