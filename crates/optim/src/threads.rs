//! Who runs the tasks of a step.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Slabs from this size on are worth handing to threads that wait: measured, two of them take half
/// the time of one from here on, and win little below 2¹⁵ (docs/performance.md).
pub(crate) const SHARED_FROM: usize = 1 << 16;

/// Slabs from this size on are worth starting threads, which takes some 130 µs: measured, it pays
/// between 2²⁰ and here.
const SCOPED_FROM: usize = 1 << 21;

/// Something that runs tasks: given their number and the work of one, it calls the work once for
/// each number below, on whatever threads, and returns when all are done.
pub type Run<'a> = dyn Fn(usize, &(dyn Fn(usize) + Sync)) + 'a;

/// All tasks on the calling thread.
pub(crate) fn alone(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..tasks).for_each(work);
}

/// Tasks of a slab of `len` numbers: on threads started for them where that is worth it.
pub(crate) fn started(len: usize) -> &'static Run<'static> {
    if len < SCOPED_FROM { &alone } else { &scoped }
}

/// All tasks on as many threads as the machine has, started for them.
fn scoped(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    let drain = || {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return;
            }
            work(task);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(tasks);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // where the system gives no thread, the others do its work
            let _ = std::thread::Builder::new().spawn_scoped(scope, drain);
        }
        drain();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    #[test]
    fn a_short_slab_stays_on_its_thread() {
        let here = std::thread::current().id();
        started(SCOPED_FROM - 1)(100, &|_| assert_eq!(std::thread::current().id(), here));
    }

    #[test]
    fn a_long_slab_is_shared() {
        if std::thread::available_parallelism().map_or(1, NonZero::get) == 1 {
            return println!("skipped: the machine has one thread");
        }
        // two tasks, neither of which ends before both have begun
        for len in [SCOPED_FROM, SCOPED_FROM + 1] {
            let (begun, both) = (Mutex::new(0), Condvar::new());
            started(len)(2, &|_| {
                let mut begun = begun.lock().unwrap();
                *begun += 1;
                both.notify_all();
                drop(both.wait_while(begun, |begun| *begun < 2).unwrap());
            });
        }
    }

    #[test]
    fn every_task_runs_once() {
        for tasks in [1, 2, 100] {
            let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            scoped(tasks, &|task| {
                counts[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }
}
