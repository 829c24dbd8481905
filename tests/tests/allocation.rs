//! A training step allocates nothing after the first batch: counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use slalom::layers::ActivityPenalty;
use slalom::prelude::*;
use slalom::regularize::{Constraint, GroupLasso};
use slalom_tests::rings;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is one of the run's: the test runner's own allocates when it likes.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // a thread that ends has nothing left to count
        if COUNTED.try_with(Cell::get).unwrap_or(false) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations there are on the run's threads meanwhile.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    work();
    ALLOCATIONS.load(Ordering::SeqCst) - before
}

/// Runs the work once on each of the threads: none can take a second task before all have one.
fn on_each(threads: &Threads, work: fn()) {
    let all = Barrier::new(threads.count());
    threads.run(threads.count(), &|_| {
        work();
        all.wait();
    });
}

/// One test, so that the counter is its own.
#[test]
fn steps_after_the_first_batch_allocate_nothing() {
    let train = rings(0..203);
    let train = train.samples();
    for threads in [1, 2] {
        let layers = [
            Dense::new(300, Activation::Relu).into(),
            Dropout::new(0.5).into(),
            ActivityPenalty { l1: 0.01, l2: 0.0 }.into(),
            Dense::new(200, Activation::Tanh).into(),
            Dense::linear(2).into(),
        ];
        let config = Config {
            clip: Some(Clip::GlobalNorm(1.0)),
            penalty: Penalty { l1: 1e-4, l2: 1e-4 },
            group_lasso: GroupLasso { strength: 1e-3, ..GroupLasso::default() },
            constraint: Some(Constraint::MaxNorm(2.0)),
            ..Config::default()
        };
        let network = Network::<f32>::new(2, layers).unwrap();
        let handle = Threads::new(threads).unwrap();
        on_each(&handle, || COUNTED.set(true));
        let seen = allocations(|| on_each(&handle, || drop(std::hint::black_box(vec![0_u8; 9]))));
        assert_eq!(seen, threads, "every thread of the run is counted");

        let mut run = Run::new(network, config, handle).unwrap();
        run.step(train).unwrap();
        let mut steps = 0;
        let allocations = allocations(|| {
            while run.step(train).unwrap().is_some() {
                steps += 1;
            }
        });
        assert_eq!((steps, allocations), (6, 0), "{threads} threads");
    }
}
