//! The product kernel: packed panels and register tiles for AVX-512 and AVX2, found at run time.
//!
//! Where the processor has neither instruction set, products go through the `gemm` crate.

mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod lanes;
mod portable;
mod sparse;

pub(crate) use ahead::Ahead;
pub(crate) use block::Block;
pub(crate) use sparse::{Entries, HEIGHT};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{avx2, avx512};

/// One factor of a product in memory: its first element and the distances between rows and columns.
#[derive(Clone, Copy)]
pub(crate) struct Side<F> {
    pub(crate) at: *const F,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<F> Side<F> {
    /// The same side from this row and column on.
    ///
    /// # Safety
    /// The element must be inside the matrix.
    pub(crate) unsafe fn after(self, row: usize, column: usize) -> Self {
        // SAFETY: the caller's.
        Self { at: unsafe { self.at.add(row * self.row + column * self.column) }, ..self }
    }
}

/// Columns of a panel of the right side: a multiple of every tile's.
pub(crate) const COLUMNS: usize = 8;

/// The functions of one instruction set for one scalar type.
pub struct Kernel<F> {
    /// Rows of a register: blocks start at multiples of it.
    pub(crate) width: usize,
    /// Rows of the largest tile.
    pub(crate) rows: usize,
    /// Whether it reads panels.
    pub(crate) packs: bool,
    /// Steps into the depth from which on panels of the left side are filled at next to no cost, by the
    /// tiles that read it first.
    pub(crate) fills: usize,
    /// Computes a block, and asks for what comes next meanwhile.
    pub(crate) block: unsafe fn(&Block<F>, Ahead),
    /// Collects the entries of so many columns of the right side.
    pub(crate) collect: unsafe fn(Side<F>, usize, Entries<F>),
    /// Computes a block from the entries of its right side, or what is its transpose.
    pub(crate) sparse: unsafe fn(&Block<F>, Entries<F>, bool, Ahead),
    /// Copies the left side of a block into its panels, of up to so many registers of rows.
    pub(crate) pack_rows: unsafe fn(&Block<F>, usize),
    /// Copies so many rows and columns of the right side into panels of [`COLUMNS`] columns.
    pub(crate) pack_columns: unsafe fn(Side<F>, usize, usize, *mut F),
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::lanes::Lanes;
    use super::lanes::x86::{F32x8, F32x16, F64x4, F64x8};
    use super::{Ahead, Block, Entries, Kernel, Side, block, sparse};
    use std::sync::LazyLock;

    /// One entry point for each instruction set and scalar: the generic code, compiled for it.
    macro_rules! kernel {
        ($kernel:ident, $entry:ident, $pack:ident, $columns:ident, $collect:ident, $sparse:ident, $lanes:ty, $scalar:ty, $features:literal) => {
            pub(super) static $kernel: Kernel<$scalar> = Kernel {
                width: <$lanes as Lanes>::WIDTH,
                rows: <$lanes as Lanes>::TILE.0 * <$lanes as Lanes>::WIDTH,
                packs: true,
                fills: <$lanes as Lanes>::FILLS,
                block: $entry,
                collect: $collect,
                sparse: $sparse,
                pack_rows: $pack,
                pack_columns: $columns,
            };

            #[target_feature(enable = $features)]
            unsafe fn $entry(x: &Block<$scalar>, ahead: Ahead) {
                // SAFETY: the caller's, and this function has the instruction set.
                unsafe { block::block::<$lanes>(x, ahead) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $collect(b: Side<$scalar>, n: usize, to: Entries<$scalar>) {
                // SAFETY: the caller's, and this function has the instruction set.
                unsafe { sparse::collect::<$lanes>(b, n, to) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $sparse(
                x: &Block<$scalar>,
                entries: Entries<$scalar>,
                turned: bool,
                ahead: Ahead,
            ) {
                // SAFETY: the caller's, and this function has the instruction set.
                unsafe { sparse::block::<$lanes>(x, entries, turned, ahead) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $pack(x: &Block<$scalar>, tallest: usize) {
                // SAFETY: the caller's, and this function has the instruction set.
                unsafe { block::pack::<$lanes>(x, tallest) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $columns(b: Side<$scalar>, k: usize, n: usize, to: *mut $scalar) {
                // SAFETY: the caller's, and this function has the instruction set.
                unsafe { block::pack_columns::<$lanes>(b, k, n, to) }
            }
        };
    }

    kernel!(
        AVX512_F32,
        avx512_f32,
        pack_avx512_f32,
        columns_avx512_f32,
        collect_avx512_f32,
        sparse_avx512_f32,
        F32x16,
        f32,
        "avx512f,avx512vl,avx512bw,avx512dq,fma"
    );
    kernel!(
        AVX512_F64,
        avx512_f64,
        pack_avx512_f64,
        columns_avx512_f64,
        collect_avx512_f64,
        sparse_avx512_f64,
        F64x8,
        f64,
        "avx512f,avx512vl,avx512bw,avx512dq,fma"
    );
    kernel!(
        AVX2_F32,
        avx2_f32,
        pack_avx2_f32,
        columns_avx2_f32,
        collect_avx2_f32,
        sparse_avx2_f32,
        F32x8,
        f32,
        "avx2,fma"
    );
    kernel!(
        AVX2_F64,
        avx2_f64,
        pack_avx2_f64,
        columns_avx2_f64,
        collect_avx2_f64,
        sparse_avx2_f64,
        F64x4,
        f64,
        "avx2,fma"
    );

    #[inline]
    pub(crate) fn avx512() -> bool {
        // one look, where every short loop asks: not one for each of the sets
        static FOUND: LazyLock<bool> = LazyLock::new(|| {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("fma")
        });
        *FOUND
    }

    #[inline]
    pub(crate) fn avx2() -> bool {
        static FOUND: LazyLock<bool> =
            LazyLock::new(|| is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
        *FOUND
    }
}

/// Every kernel that this processor can run, the best first; the last one runs everywhere.
macro_rules! kernels {
    ($list:ident, $scalar:ty, $avx512:ident, $avx2:ident, $portable:ident) => {
        #[inline]
        pub(crate) fn $list() -> impl Iterator<Item = &'static Kernel<$scalar>> {
            #[cfg(target_arch = "x86_64")]
            let own = [x86::avx512().then_some(&x86::$avx512), x86::avx2().then_some(&x86::$avx2)];
            #[cfg(not(target_arch = "x86_64"))]
            let own = [None, None];
            own.into_iter().flatten().chain([&portable::$portable])
        }
    };
}

kernels!(for_f32, f32, AVX512_F32, AVX2_F32, F32);
kernels!(for_f64, f64, AVX512_F64, AVX2_F64, F64);
