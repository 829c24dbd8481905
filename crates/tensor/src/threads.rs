//! The threads that share the work of one step.
//!
//! Work comes as numbered tasks whose number and borders depend on the work alone; which thread
//! runs a task changes nothing in its result. The calling thread works too, so `Threads::new(2)`
//! starts one worker. Nothing is allocated when tasks are run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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

    /// Runs `work(0)`, `work(1)`, … `work(tasks - 1)`, each once, and returns when all are done.
    ///
    /// Called from within a task, or while another thread uses the same handle, it runs all of them
    /// on the calling thread.
    ///
    /// # Panics
    /// With the panic of a task, after the others have ended; the threads stay usable.
    pub fn run(&self, tasks: usize, work: &(dyn Fn(usize) + Sync)) {
        match &self.pool {
            Some(pool) if tasks > 1 => pool.run(tasks, work),
            _ => (0..tasks).for_each(work),
        }
    }
}

#[derive(Debug)]
struct Pool {
    shared: Arc<Shared>,
    /// Held while a job is under way: one at a time.
    turn: Mutex<()>,
    workers: Vec<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
    next: AtomicUsize,
}

#[derive(Debug)]
struct State {
    /// Counts the jobs, so that a worker takes part in each at most once.
    round: u64,
    job: Option<Job>,
    /// Workers inside the job.
    active: usize,
    panic: Option<Panic>,
    stop: bool,
}

struct Panic(Box<dyn Any + Send>);

impl std::fmt::Debug for Panic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Panic")
    }
}

#[derive(Clone, Copy)]
struct Job {
    tasks: usize,
    work: *const (dyn Fn(usize) + Sync),
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job of {} tasks", self.tasks)
    }
}

// SAFETY: the closure behind the pointer is `Sync`, and `Pool::run` keeps it alive until no worker
// is inside the job.
unsafe impl Send for Job {}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn start(workers: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { round: 0, job: None, active: 0, panic: None, stop: false }),
            wake: Condvar::new(),
            done: Condvar::new(),
            next: AtomicUsize::new(0),
        });
        let mut pool = Self { shared, turn: Mutex::new(()), workers: Vec::new() };
        for i in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(format!("slalom-{}", i + 1));
            pool.workers.push(thread.spawn(move || shared.serve())?);
        }
        Ok(pool)
    }

    fn run(&self, tasks: usize, work: &(dyn Fn(usize) + Sync)) {
        let Ok(_turn) = self.turn.try_lock() else {
            return (0..tasks).for_each(work);
        };
        // SAFETY: only the lifetime changes; the job is withdrawn below, and every worker has left
        // it, before this function returns or unwinds.
        let work: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(work) };
        let job = Job { tasks, work };
        self.shared.next.store(0, Ordering::Relaxed);
        {
            let mut state = lock(&self.shared.state);
            state.round += 1;
            state.job = Some(job);
        }
        self.shared.wake.notify_all();
        let mine = self.shared.take_part(job);
        let mut state = lock(&self.shared.state);
        state.job = None;
        while state.active > 0 {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let panic = mine.err().or(state.panic.take().map(|p| p.0));
        state.panic = None;
        drop(state);
        drop(_turn);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.shared.state).stop = true;
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// A worker's life: wait for a job, take part in it, again.
    fn serve(&self) {
        let mut seen = 0;
        let mut state = lock(&self.state);
        loop {
            if state.stop {
                return;
            }
            match state.job {
                Some(job) if state.round != seen => {
                    seen = state.round;
                    state.active += 1;
                    drop(state);
                    let result = self.take_part(job);
                    state = lock(&self.state);
                    state.active -= 1;
                    if let Err(panic) = result {
                        state.panic.get_or_insert(Panic(panic));
                    }
                    if state.active == 0 {
                        self.done.notify_one();
                    }
                }
                _ => state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Takes tasks until there are none left.
    fn take_part(&self, job: Job) -> std::thread::Result<()> {
        // SAFETY: whoever is here entered while the job stood in the state, so `Pool::run` waits.
        let work = unsafe { &*job.work };
        catch_unwind(AssertUnwindSafe(|| {
            loop {
                let task = self.next.fetch_add(1, Ordering::Relaxed);
                if task >= job.tasks {
                    return;
                }
                work(task);
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn no_threads_are_refused() {
        let error = Threads::new(0).unwrap_err();
        assert_eq!(error.to_string(), "threads is 0: it must be at least 1");
    }
}
