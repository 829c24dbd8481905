//! A training step allocates nothing after the first batch: counted by the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use slalom::layers::ActivityPenalty;
use slalom::prelude::*;
use slalom::regularize::{Constraint, GroupLasso};
use slalom_tests::rings;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
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

/// One test, so that no other one allocates meanwhile.
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
        let mut run = Run::new(network, config, Threads::new(threads).unwrap()).unwrap();
        run.step(train).unwrap();
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        let mut steps = 0;
        while run.step(train).unwrap().is_some() {
            steps += 1;
        }
        let allocations = ALLOCATIONS.load(Ordering::SeqCst) - before;
        assert_eq!((steps, allocations), (6, 0), "{threads} threads");
    }
}
