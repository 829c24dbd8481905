//! Loops over elements, compiled for the widest vectors that the processor has.

/// Runs `work` compiled for the best instruction set of this processor, so that the compiler turns
/// its loops into vectors of that width.
///
/// The numbers are the same with every instruction set: nothing is reordered or contracted (unless
/// `work` says `mul_add`). Write the closure with `#[inline(always)]`, and let it call only what is
/// inlined: code in functions of their own keeps the width of the baseline.
///
/// ```
/// let mut x = [1.0_f32, -2.0, 3.0];
/// slalom_tensor::vectorize(#[inline(always)] || x.iter_mut().for_each(|v| *v = v.max(0.0)));
/// assert_eq!(x, [1.0, 0.0, 3.0]);
/// ```
#[inline]
pub fn vectorize<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if crate::kernel::avx512() {
            // SAFETY: the processor has the instruction sets.
            return unsafe { x86::avx512(work) };
        }
        if crate::kernel::avx2() {
            // SAFETY: the processor has the instruction sets.
            return unsafe { x86::avx2(work) };
        }
    }
    work()
}

/// Asks the processor to bring the items into its caches, for whoever reads them soon. Changes
/// nothing else, and does nothing where there is no such instruction.
#[inline]
pub fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }, T>(items);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}

/// The same into the second cache alone, for items from far away: more of them can be under way at a time.
#[inline]
pub fn prefetch_far<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }, T>(items);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #[inline]
    pub(super) fn prefetch<const HINT: i32, T>(items: &[T]) {
        for at in (0..size_of_val(items)).step_by(64) {
            let line = items.as_ptr().cast::<i8>().wrapping_add(at);
            // SAFETY: every x86-64 processor has the instruction, and it reads nothing that is used.
            unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(line) };
        }
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    pub(super) unsafe fn avx512<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn avx2<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
}
