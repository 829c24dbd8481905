//! Work that threads do where they would wait otherwise, beside the jobs of the thread that called.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Tasks that lie ready, on a cache line of their own: whoever waits looks at it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Aside {
    /// Tasks that nobody has taken yet.
    left: AtomicUsize,
    /// Whether it takes threads in, and how many are inside.
    state: AtomicU64,
    /// Written before the gate opens, read by whoever got in.
    tasks: UnsafeCell<Option<Tasks>>,
    /// Set while there is work: of one thread at a time.
    busy: AtomicBool,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

#[derive(Clone, Copy)]
struct Tasks {
    count: usize,
    work: *const (dyn Fn(usize) + Sync),
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tasks", self.count)
    }
}

// SAFETY: `tasks` is written only by the thread that set `busy`, while the gate is shut and nobody is
// inside, and read only by those inside; the closure behind the pointer is `Sync`, and `run` keeps it
// alive until nobody is inside.
unsafe impl Sync for Aside {}
// SAFETY: the same.
unsafe impl Send for Aside {}

const OPEN: u64 = 1 << 63;

impl Aside {
    /// Calls `main`, and has `work(0)` to `work(count - 1)` called once each: meanwhile by whoever
    /// [`help`](Aside::help)s, the rest by this thread afterwards. Gives what `main` gives.
    ///
    /// # Panics
    /// With the panic of `main` or of a task, after all others have ended.
    pub(crate) fn run<R>(
        &self,
        count: usize,
        work: &(dyn Fn(usize) + Sync),
        main: impl FnOnce() -> R,
    ) -> R {
        if self.busy.swap(true, Ordering::Acquire) {
            let result = main();
            (0..count).for_each(work);
            return result;
        }
        // SAFETY: only the lifetime changes; the gate is shut below, and everybody has left, before
        // this function returns or unwinds.
        let work: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(work) };
        let tasks = Tasks { count, work };
        // SAFETY: the gate is shut and nobody is inside, and `busy` makes this the only writer.
        unsafe { *self.tasks.get() = Some(tasks) };
        self.left.store(count, Ordering::Relaxed);
        self.state.store(OPEN, Ordering::Release);
        let result = catch_unwind(AssertUnwindSafe(main));
        while self.work(tasks) {}
        let mut inside = self.state.fetch_and(!OPEN, Ordering::AcqRel) & !OPEN;
        while inside > 0 {
            std::hint::spin_loop();
            inside = self.state.load(Ordering::Acquire);
        }
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.busy.store(false, Ordering::Release);
        match (result, panic) {
            (Ok(result), None) => result,
            (Err(panic), _) | (_, Some(panic)) => resume_unwind(panic),
        }
    }

    /// Does one of the tasks; whether there was one left.
    #[inline]
    pub(crate) fn help(&self) -> bool {
        if self.left.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let state = self.state.load(Ordering::Relaxed);
        let entered = state & OPEN != 0
            && (self.state)
                .compare_exchange(state, state + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if !entered {
            return false;
        }
        // SAFETY: this thread is inside, so the tasks stand until it leaves.
        let done = unsafe { *self.tasks.get() }.is_some_and(|tasks| self.work(tasks));
        self.state.fetch_sub(1, Ordering::Release);
        done
    }

    /// Does the next of the tasks, if there is one left.
    fn work(&self, Tasks { count, work }: Tasks) -> bool {
        let Some(task) = self.take(count) else { return false };
        // SAFETY: whoever is here is inside or has opened the gate, so that the work stands.
        let done = catch_unwind(AssertUnwindSafe(|| unsafe { (*work)(task) }));
        if let Err(panic) = done {
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
        true
    }

    /// Takes the next of so many tasks, if there is one left.
    fn take(&self, count: usize) -> Option<usize> {
        let less = |left: usize| left.checked_sub(1);
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()?;
        Some(count - left)
    }
}
