//! Large pages for what is long.

/// Bytes from which on at least one large page lies inside, wherever it begins.
#[cfg(target_os = "linux")]
const LONG: usize = 4 << 20;

/// Asks the system to back room that nobody has written to yet with large pages, and goes on without
/// them where it has none: numbers that are read column by column lie on as many pages as there are
/// columns, and the processor remembers the places of few.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_large<F>(room: &Vec<F>) {
    let start = room.as_ptr().addr();
    let end = start + room.capacity() * size_of::<F>();
    if end - start < LONG {
        return;
    }
    // SAFETY: sysconf reads a number of the system's.
    let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return };
    let (first, last) = (start.next_multiple_of(page), end / page * page);
    let at = std::ptr::with_exposed_provenance_mut(first);
    // SAFETY: the pages lie inside the room, and the advice changes none of their bytes.
    let _ = unsafe { libc::madvise(at, last - first, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for_large<F>(_: &Vec<F>) {}

#[cfg(test)]
mod tests {
    use crate::Slab;

    #[test]
    fn long_slabs_are_what_short_ones_are() {
        for len in [0, 1, 1 << 20, (1 << 20) + 17, 3 << 20] {
            let mut slab = Slab::<f32>::zeros(len);
            assert!(slab.len() == len && slab.iter().all(|&v| v == 0.0));
            slab.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 251) as f32);
            let copy = slab.clone();
            drop(slab);
            assert!(copy.iter().enumerate().all(|(i, &v)| v == (i % 251) as f32));
        }
    }
}
