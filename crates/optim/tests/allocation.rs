//! A step allocates nothing: counted by the allocator, for every rule, clipping and way to step.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use slalom_optim::{Adam, Block, Clip, Optimizer, RmsProp, Rule, Sgd};

struct Counting;

thread_local! {
    /// Of this thread alone: the test runner's own thread allocates when it likes.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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

/// Two blocks, long enough for several chunks and for `run` to be called.
const LENGTHS: [usize; 2] = [70_000, 7];

#[test]
fn steps_allocate_nothing() {
    let mut rules = Rule::all();
    rules.extend([
        Sgd { momentum: 0.9, ..Sgd::default() }.into(),
        RmsProp { momentum: 0.9, centered: true, ..RmsProp::default() }.into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
    ]);
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0_u8; 9]));
    assert_eq!(ALLOCATIONS.get() - before, 1, "the counter counts");
    let [first, second] = LENGTHS;
    let len = first + second;
    let grads: Vec<f32> = (0..len).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut params = vec![0.5_f32; len];
    let whole = [Clip::GlobalNorm(1.0), Clip::PNorm { bound: 1.0, p: 1.0, margin: 0.0 }];
    let clips = [None, Some(whole[0]), Some(whole[1]), Some(Clip::BlockNorm(1.0))];
    for (rule, clip) in rules.iter().flat_map(|rule| clips.map(|clip| (rule, clip))) {
        let blocks = vec![
            Block { l1: 1e-4, ..Block::new("weight", 0..first) },
            Block { exempt: true, ..Block::new("bias", first..len) },
        ];
        let mut opt = Optimizer::new(rule.clone(), blocks, clip).unwrap();
        let before = ALLOCATIONS.get();
        for _ in 0..2 {
            opt.step(0.01, &mut params, &grads).unwrap();
            let run = |tasks: usize, work: &(dyn Fn(usize) + Sync)| (0..tasks).for_each(work);
            opt.step_with(0.01, &mut params, &grads, &run).unwrap();
            opt.sweep_with(0.01, &mut params, &grads, &run).unwrap();
            if clip.is_none_or(|clip| !whole.contains(&clip)) {
                let mut pass = opt.begin(0.01).unwrap();
                let (weight, bias) = params.split_at_mut(first);
                pass.block(1, bias, &grads[first..]).unwrap();
                pass.block(0, weight, &grads[..first]).unwrap();
            }
        }
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(allocations, 0, "{} with {clip:?}", rule.name());
    }
}
