//! Who runs the tasks of a step.

/// Something that runs tasks: given their number and the work of one, it calls the work once for
/// each number below, on whatever threads, and returns when all are done.
pub type Run<'a> = dyn Fn(usize, &(dyn Fn(usize) + Sync)) + 'a;

/// All tasks on the calling thread.
pub(crate) fn alone(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..tasks).for_each(work);
}
