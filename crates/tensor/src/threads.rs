//! The threads that share the work of one step.
//!
//! Work comes as numbered tasks whose number and borders depend on the work alone; which thread
//! runs a task changes nothing in its result. The calling thread works too, so `Threads::new(2)`
//! starts one worker. Nothing is allocated when tasks are run.
//!
//! Between jobs a worker spins for some microseconds, because a step of a small network is a chain
//! of jobs that take less than waking a thread does; then it sleeps. A job never waits for a worker
//! that is not there yet: whoever is there takes the tasks, and a worker that comes late finds the
//! gate shut.

use crate::aside::Aside;
use crate::{Scalar, ViewMut};
use nalgebra::{Const, Dyn, ViewStorageMut};
use std::any::Any;
use std::cell::UnsafeCell;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A handle to a fixed set of threads; clones share them, and they end with the last handle.
///
/// ```
/// use slalom_tensor::Threads;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let total = AtomicUsize::new(0);
/// Threads::new(2).unwrap().run(10, &|task| {
///     total.fetch_add(task, Ordering::Relaxed);
/// });
/// assert_eq!(total.into_inner(), 45);
/// ```
#[derive(Clone, Debug)]
pub struct Threads {
    pool: Option<Arc<Pool>>,
}

impl Threads {
    /// The calling thread alone.
    pub fn one() -> Self {
        Self { pool: None }
    }

    /// The calling thread and `count - 1` workers.
    ///
    /// # Errors
    /// The system's error when a thread cannot be started; `InvalidInput` for a count of 0.
    pub fn new(count: usize) -> std::io::Result<Self> {
        match count {
            0 => Err(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "threads is 0: it must be at least 1",
            )),
            1 => Ok(Self::one()),
            _ => Ok(Self { pool: Some(Arc::new(Pool::start(count - 1)?)) }),
        }
    }

    /// How many threads work, the calling one included.
    pub fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.workers.len() + 1)
    }

    /// The tasks that a thread begins with.
    pub(crate) fn own(&self, seat: usize, tasks: usize) -> Range<usize> {
        own(seat, tasks, self.count())
    }

    /// Runs `work(0)`, `work(1)`, … `work(tasks - 1)`, each once, and returns when all are done.
    ///
    /// Called from within a task, or while another thread uses the same handle, it runs all of them
    /// on the calling thread.
    ///
    /// # Panics
    /// With the panic of a task, after those under way have ended; the threads stay usable.
    pub fn run(&self, tasks: usize, work: &(dyn Fn(usize) + Sync)) {
        self.run_seated(tasks, &|task, _| work(task));
    }

    /// Cuts the items into pieces of `length` (the last may be shorter) and gives each, with the
    /// index of its first item, to `work`.
    ///
    /// ```
    /// let mut squares = [0; 10];
    /// let threads = slalom_tensor::Threads::new(2).unwrap();
    /// threads.pieces(&mut squares, 4, &|first, piece| {
    ///     for (i, square) in piece.iter_mut().enumerate() {
    ///         *square = (first + i).pow(2);
    ///     }
    /// });
    /// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
    /// ```
    ///
    /// # Panics
    /// If `length` is 0, and as [`run`](Threads::run).
    pub fn pieces<T: Send>(
        &self,
        items: &mut [T],
        length: usize,
        work: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let count = items.len().div_ceil(length);
        self.run(count, &piece(items, length, work));
    }

    /// Calls `main` on this thread, and gives what it gives. Meanwhile whoever has to wait in the jobs of
    /// `main`, or has none, goes over the items as in [`pieces`](Threads::pieces); what is left then, this
    /// thread does in the end. Short pieces are best: a job's own tasks wait for one.
    ///
    /// ```
    /// let (mut next, threads) = ([0; 100], slalom_tensor::Threads::new(2).unwrap());
    /// let now = threads.pieces_beside(&mut next, 8, &|_, piece| piece.fill(1), || {
    ///     threads.run(10, &|_| {});
    ///     5
    /// });
    /// assert_eq!((now, next), (5, [1; 100]));
    /// ```
    ///
    /// # Panics
    /// If `length` is 0, and with the panic of `main` or of a piece, after those under way have ended.
    pub fn pieces_beside<T: Send, R>(
        &self,
        items: &mut [T],
        length: usize,
        work: &(dyn Fn(usize, &mut [T]) + Sync),
        main: impl FnOnce() -> R,
    ) -> R {
        let count = items.len().div_ceil(length);
        let work = piece(items, length, work);
        match &self.pool {
            Some(pool) if count > 0 => pool.shared.aside.run(count, &work, main),
            _ => {
                let result = main();
                (0..count).for_each(work);
                result
            }
        }
    }

    /// Cuts two slices of the same length into pieces of `length` (the last may be shorter) and gives
    /// each pair, with the index of its first items, to `work`.
    ///
    /// ```
    /// let (mut even, mut odd) = ([0; 5], [0; 5]);
    /// let threads = slalom_tensor::Threads::new(2).unwrap();
    /// threads.pairs(&mut even, &mut odd, 2, &|first, even, odd| {
    ///     for (i, (even, odd)) in even.iter_mut().zip(odd).enumerate() {
    ///         (*even, *odd) = (2 * (first + i), 2 * (first + i) + 1);
    ///     }
    /// });
    /// assert_eq!((even, odd), ([0, 2, 4, 6, 8], [1, 3, 5, 7, 9]));
    /// ```
    ///
    /// # Panics
    /// If the lengths differ or `length` is 0, and as [`run`](Threads::run).
    pub fn pairs<T: Send, W: Fn(usize, &mut [T], &mut [T]) + Sync>(
        &self,
        a: &mut [T],
        b: &mut [T],
        length: usize,
        work: &W,
    ) {
        assert_eq!(a.len(), b.len(), "items of the two slices");
        let b = &Items(b.as_mut_ptr());
        self.pieces(a, length, &|first, a| {
            // SAFETY: the slices are equally long, so that the piece is inside `b` too, and each task
            // has a piece of its own of what this function borrows until all are done.
            let b = unsafe { std::slice::from_raw_parts_mut(b.0.add(first), a.len()) };
            work(first, a, b);
        });
    }

    /// Cuts a matrix into parts of `width` columns (the last may be narrower) and gives each, with the
    /// index of its first column, to `work`.
    ///
    /// ```
    /// use slalom_tensor::{Matrix, Threads};
    /// let mut x = Matrix::<f64>::zeros(2, 5);
    /// Threads::new(2).unwrap().columns(x.rows_mut(1, 1), 2, &|first, mut part| {
    ///     part.fill(first as f64);
    /// });
    /// assert_eq!(x.row(1).iter().copied().collect::<Vec<_>>(), [0.0, 0.0, 2.0, 2.0, 4.0]);
    /// assert!(x.row(0).iter().all(|&v| v == 0.0));
    /// ```
    ///
    /// # Panics
    /// If `width` is 0, and as [`run`](Threads::run).
    pub fn columns<F: Scalar>(
        &self,
        mut x: ViewMut<'_, F>,
        width: usize,
        work: &(dyn Fn(usize, ViewMut<'_, F>) + Sync),
    ) {
        let ((rows, columns), (_, step)) = (x.shape(), x.strides());
        let items = &Items(x.as_mut_ptr());
        self.run(columns.div_ceil(width), &|task| {
            let first = task * width;
            let shape = (Dyn(rows), Dyn(width.min(columns - first)));
            // SAFETY: the columns are inside the matrix, and each task has columns of its own of
            // what this function borrows until all are done.
            let part = unsafe {
                let at = items.0.add(first * step);
                ViewStorageMut::from_raw_parts(at, shape, (Const::<1>, Dyn(step)))
            };
            work(first, ViewMut::from_data(part));
        });
    }

    /// The same with something for each thread to write to: a task is given that of the thread that
    /// runs it.
    ///
    /// ```
    /// let threads = slalom_tensor::Threads::new(2).unwrap();
    /// let mut sums = [0; 2];
    /// threads.run_with(&mut sums, 10, &|task, sum| *sum += task);
    /// assert_eq!(sums.iter().sum::<usize>(), 45);
    /// ```
    ///
    /// # Panics
    /// If there are fewer rooms than threads, and as [`run`](Threads::run).
    pub fn run_with<T: Send>(
        &self,
        rooms: &mut [T],
        tasks: usize,
        work: &(dyn Fn(usize, &mut T) + Sync),
    ) {
        assert!(rooms.len() >= self.count(), "{} rooms, {} threads", rooms.len(), self.count());
        let rooms = Items(rooms.as_mut_ptr());
        let rooms = &rooms;
        self.run_seated(tasks, &|task, seat| {
            // SAFETY: the seat is below the count of threads, and two tasks with the same seat never
            // run at the same time.
            work(task, unsafe { &mut *rooms.0.add(seat) });
        });
    }

    /// The same with the seat of the thread that runs the task, below [`Threads::count`]: tasks
    /// with different seats may run at the same time, tasks with the same never.
    pub(crate) fn run_seated(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        match &self.pool {
            Some(pool) if tasks > 1 => pool.run(tasks, work),
            _ => (0..tasks).for_each(|task| work(task, 0)),
        }
    }
}

/// Items that tasks share piece by piece.
struct Items<T>(*mut T);
// SAFETY: each task takes items that no other takes, so one thread at a time has each of them.
unsafe impl<T: Send> Sync for Items<T> {}

/// Gives the piece of a task to `work`, with the index of its first item.
fn piece<T: Send>(
    items: &mut [T],
    length: usize,
    work: &(dyn Fn(usize, &mut [T]) + Sync),
) -> impl Fn(usize) + Sync {
    let (count, items) = (items.len(), Items(items.as_mut_ptr()));
    move |task| {
        let (first, items) = (task * length, &items);
        // SAFETY: `first` is inside the items, and each task has a piece of its own of what is
        // borrowed until all are done.
        let piece = unsafe {
            std::slice::from_raw_parts_mut(items.0.add(first), length.min(count - first))
        };
        work(first, piece);
    }
}

#[derive(Debug)]
struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What the calling thread and the workers see.
struct Shared {
    gate: Gate,
    /// One for each thread, the calling one first.
    seats: Vec<Seat>,
    /// Spins before a worker goes to sleep; 0 where there are more threads than processors.
    spins: u32,
    stop: AtomicBool,
    panicked: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    busy: Busy,
    aside: Aside,
}

/// Everything that changes hands when a job begins, on one cache line: between processors a line
/// takes longer than many a task.
#[repr(align(128))]
struct Gate {
    /// The number of the job, whether it still takes workers in, and how many are inside, so that
    /// one atomic operation answers them all.
    state: AtomicU64,
    /// Written before the gate opens, read by whoever got in.
    job: UnsafeCell<Option<Job>>,
}

/// Set while a job is under way: one at a time.
#[repr(align(128))]
struct Busy(AtomicBool);

// SAFETY: `job` is written only by the thread that set `busy`, while the gate is shut and nobody is
// inside; workers read it only between entering and leaving through the gate.
unsafe impl Sync for Gate {}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} threads", self.seats.len())
    }
}

/// What belongs to one thread, on cache lines of its own.
#[repr(align(128))]
struct Seat {
    /// The job's number in the high half, the next of this thread's own tasks in the low one. A
    /// number of an earlier job means that none is taken yet, so that nobody has to set it.
    next: AtomicU64,
    asleep: Asleep,
}

/// On a line of its own, because the calling thread looks at it for every job.
#[repr(align(128))]
struct Asleep(AtomicBool);

#[derive(Clone, Copy)]
struct Job {
    tasks: usize,
    work: *const (dyn Fn(usize, usize) + Sync),
}

// SAFETY: the closure behind the pointer is `Sync`, and `Pool::run` keeps it alive until no worker
// is inside the job.
unsafe impl Send for Job {}

/// The gate: workers inside in the low half, then the bit that says it is open, then the job's
/// number.
const OPEN: u64 = 1 << 31;
const INSIDE: u64 = OPEN - 1;
const NUMBER: u64 = 1 << 32;

/// About 50 µs, longer than the stretches of a training step that one thread does alone.
const SPINS: u32 = 4000;

impl Pool {
    fn start(workers: usize) -> std::io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let shared = Arc::new(Shared {
            gate: Gate { state: AtomicU64::new(0), job: UnsafeCell::new(None) },
            busy: Busy(AtomicBool::new(false)),
            aside: Aside::default(),
            seats: (0..=workers)
                .map(|_| Seat { next: AtomicU64::new(0), asleep: Asleep(AtomicBool::new(false)) })
                .collect(),
            spins: if workers < processors { SPINS } else { 0 },
            stop: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let mut pool = Self { shared, workers: Vec::new() };
        let (up, ups) = std::sync::mpsc::channel();
        for seat in 1..=workers {
            let (shared, up) = (Arc::clone(&pool.shared), up.clone());
            let thread = std::thread::Builder::new().name(format!("slalom-{seat}"));
            pool.workers.push(thread.spawn(move || {
                let _ = up.send(());
                drop(up);
                shared.serve(seat);
            })?);
        }
        // a thread allocates while it comes up: not later, between two steps
        drop(up);
        ups.iter().take(workers).for_each(drop);
        Ok(pool)
    }

    fn run(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        let shared = &*self.shared;
        if shared.busy.0.swap(true, Ordering::Acquire) {
            return (0..tasks).for_each(|task| work(task, 0));
        }
        // SAFETY: only the lifetime changes; the gate is shut below, and every worker has left,
        // before this function returns or unwinds.
        let work: &'static (dyn Fn(usize, usize) + Sync) = unsafe { std::mem::transmute(work) };
        let job = Job { tasks, work };
        let gate = &shared.gate.state;
        // SAFETY: the gate is shut and nobody is inside, and `busy` makes this the only writer.
        unsafe { *shared.gate.job.get() = Some(job) };
        let number = (gate.load(Ordering::Relaxed) / NUMBER).wrapping_add(1) % NUMBER;
        gate.store((number * NUMBER) | OPEN, Ordering::SeqCst);
        for (worker, seat) in self.workers.iter().zip(&shared.seats[1..]) {
            if seat.asleep.0.load(Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
        shared.take_part(0, number, job);
        let mut inside = gate.fetch_and(!OPEN, Ordering::AcqRel) & INSIDE;
        let mut spins = 0;
        while inside > 0 {
            // a worker that lost its processor inside a task may take a while
            spins += 1;
            if shared.aside.help() {
                spins = 0;
            } else if spins < shared.spins {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
            inside = gate.load(Ordering::Acquire) & INSIDE;
        }
        let mut panic = None;
        if shared.panicked.load(Ordering::Relaxed) {
            shared.panicked.store(false, Ordering::Relaxed);
            panic = shared.panic().take();
        }
        shared.busy.0.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// A worker's life: wait for a job, take part in it, again.
    fn serve(&self, seat: usize) {
        let mut seen = 0;
        let mut spins = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let state = &self.gate.state;
            let gate = state.load(Ordering::Acquire);
            let number = gate / NUMBER;
            let entered = gate & OPEN != 0
                && number != seen
                && state
                    .compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok();
            if entered {
                // SAFETY: this worker is inside, so the job stands until it leaves.
                if let Some(job) = unsafe { *self.gate.job.get() } {
                    self.take_part(seat, number, job);
                }
                state.fetch_sub(1, Ordering::Release);
                (seen, spins) = (number, 0);
            } else if self.aside.help() {
                spins = 0;
            } else if spins < self.spins {
                spins += 1;
                std::hint::spin_loop();
            } else {
                self.sleep(seat, gate);
                spins = 0;
            }
        }
    }

    /// Sleeps until a job comes after the gate that was seen last.
    fn sleep(&self, seat: usize, gate: u64) {
        let asleep = &self.seats[seat].asleep.0;
        asleep.store(true, Ordering::SeqCst);
        // whoever opens the gate after this look finds the flag set and wakes this thread
        let now = self.gate.state.load(Ordering::SeqCst);
        if now / NUMBER == gate / NUMBER && !self.stop.load(Ordering::SeqCst) {
            std::thread::park();
        }
        asleep.store(false, Ordering::SeqCst);
    }

    /// Takes this thread's own tasks, then what the others have left. A panic is kept for the
    /// thread that called.
    fn take_part(&self, seat: usize, number: u64, job: Job) {
        // SAFETY: whoever is here entered through the gate or opened it, so `Pool::run` waits.
        let work = unsafe { &*job.work };
        let result = catch_unwind(AssertUnwindSafe(|| {
            let threads = self.seats.len();
            for owner in (seat..threads).chain(0..seat) {
                while let Some(task) = self.take(owner, number, job.tasks) {
                    work(task, seat);
                }
            }
        }));
        if let Err(panic) = result {
            self.panic().get_or_insert(panic);
            self.panicked.store(true, Ordering::Relaxed);
        }
    }

    /// Takes the next of the owner's tasks, if there is one left.
    fn take(&self, owner: usize, number: u64, tasks: usize) -> Option<usize> {
        let Range { start: first, end } = own(owner, tasks, self.seats.len());
        let next = &self.seats[owner].next;
        let mut found = next.load(Ordering::Relaxed);
        loop {
            let task = if found / NUMBER == number { (found % NUMBER) as usize } else { first };
            if task >= end {
                return None;
            }
            let taken = (number * NUMBER) | (task as u64 + 1);
            match next.compare_exchange_weak(found, taken, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(task),
                Err(other) => found = other,
            }
        }
    }

    fn panic(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.panic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks that a thread begins with: neighbours stay with one thread from one job to the next, and
/// so in its cache.
fn own(seat: usize, tasks: usize, threads: usize) -> Range<usize> {
    seat * tasks / threads..(seat + 1) * tasks / threads
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_task_runs_once() {
        for threads in [1, 2, 5] {
            let threads = Threads::new(threads).unwrap();
            for tasks in [0, 1, 2, 7, 1000] {
                let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                threads.run(tasks, &|task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_panic_comes_through_and_the_threads_stay_usable() {
        let threads = Threads::new(3).unwrap();
        for _ in 0..20 {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                threads.run(8, &|task| assert!(task != 5, "task five"));
            }))
            .unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"task five"));
        }
        let total = AtomicUsize::new(0);
        threads.run(8, &|task| {
            total.fetch_add(task, Ordering::Relaxed);
        });
        assert_eq!(total.into_inner(), 28);
    }

    #[test]
    fn a_run_inside_a_task_works() {
        let threads = Threads::new(2).unwrap();
        let total = AtomicUsize::new(0);
        threads.run(4, &|_| {
            threads.run(4, &|task| {
                total.fetch_add(task, Ordering::Relaxed);
            });
        });
        assert_eq!(total.into_inner(), 24);
    }

    #[test]
    fn pieces_beside_are_done_once_whatever_else_goes_on() {
        for count in [1, 2, 5] {
            let threads = Threads::new(count).unwrap();
            for length in [0, 1, 7, 1000] {
                let (mut items, mut inner) = (vec![0; length], vec![0; 50]);
                let add = |first: usize, piece: &mut [usize]| {
                    piece.iter_mut().enumerate().for_each(|(i, item)| *item += first + i);
                };
                let total = AtomicUsize::new(0);
                let found = threads.pieces_beside(&mut items, 3, &add, || {
                    for _ in 0..20 {
                        threads.run(8, &|task| {
                            total.fetch_add(task, Ordering::Relaxed);
                        });
                    }
                    // one within the other
                    threads.pieces_beside(&mut inner, 8, &add, || "done")
                });
                assert_eq!((found, total.into_inner()), ("done", 20 * 28));
                assert!(items.into_iter().eq(0..length));
                assert!(inner.into_iter().eq(0..50));
            }
        }
    }

    #[test]
    fn pieces_beside_are_done_while_the_caller_has_something_else() {
        let threads = Threads::new(2).unwrap();
        let (mut items, left) = ([0_u8; 3], AtomicUsize::new(3));
        let work = |_: usize, _: &mut [u8]| {
            left.fetch_sub(1, Ordering::SeqCst);
        };
        threads.pieces_beside(&mut items, 1, &work, || {
            // a worker that has gone to sleep comes back with the next job
            let more = |_: &usize| left.load(Ordering::SeqCst) > 0;
            (0..100_000).take_while(more).for_each(|_| {
                threads.run(2, &|_| std::thread::yield_now());
            });
            assert_eq!(left.load(Ordering::SeqCst), 0, "pieces left for the caller");
        });
    }

    #[test]
    fn a_panic_beside_comes_through_and_the_threads_stay_usable() {
        let threads = Threads::new(3).unwrap();
        for (of_piece, of_main) in [(true, false), (false, true), (true, true)] {
            for _ in 0..20 {
                let mut items = [0; 10];
                let work = |first: usize, _: &mut [i32]| assert!(!of_piece || first != 4, "four");
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    threads.pieces_beside(&mut items, 2, &work, || {
                        threads.run(4, &|_| {});
                        assert!(!of_main, "main");
                    });
                }))
                .unwrap_err();
                let message = panic.downcast_ref::<&str>().unwrap();
                assert!(of_piece && *message == "four" || of_main && *message == "main");
            }
        }
        let mut items = [0; 10];
        threads.pieces_beside(&mut items, 2, &|_, piece| piece.fill(1), || threads.run(4, &|_| {}));
        assert_eq!(items, [1; 10]);
    }

    #[test]
    fn no_threads_are_refused() {
        let error = Threads::new(0).unwrap_err();
        assert_eq!(error.to_string(), "threads is 0: it must be at least 1");
    }
}
