//! Blocks through the `gemm` crate, for processors without a kernel of ours.

use super::{Ahead, Block, Entries, Kernel, Side};
use crate::Scalar;

pub(super) static F32: Kernel<f32> = Kernel {
    width: 16,
    rows: 48,
    packs: false,
    fills: usize::MAX,
    block: block::<f32>,
    collect: collect::<f32>,
    sparse: sparse::<f32>,
    pack_rows: pack_rows::<f32>,
    pack_columns: pack_columns::<f32>,
};
pub(super) static F64: Kernel<f64> = Kernel {
    width: 8,
    rows: 24,
    packs: false,
    fills: usize::MAX,
    block: block::<f64>,
    collect: collect::<f64>,
    sparse: sparse::<f64>,
    pack_rows: pack_rows::<f64>,
    pack_columns: pack_columns::<f64>,
};

/// # Safety
/// As the other kernels', without any need of the processor.
unsafe fn block<F: Scalar>(x: &Block<F>, _: Ahead) {
    // SAFETY: the caller's pointers are valid for the shapes.
    unsafe {
        gemm::gemm(
            x.m,
            x.n,
            x.k,
            x.c,
            x.c_step as isize,
            1,
            x.add,
            x.a.at,
            x.a.column as isize,
            x.a.row as isize,
            x.b.at,
            x.b.column as isize,
            x.b.row as isize,
            F::one(),
            F::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Never called: this kernel reads both sides in place.
unsafe fn pack_rows<F>(_: &Block<F>, _: usize) {}

/// Never called, likewise.
unsafe fn pack_columns<F>(_: Side<F>, _: usize, _: usize, _: *mut F) {}

/// Never called, likewise.
unsafe fn collect<F>(_: Side<F>, _: usize, _: Entries<F>) {}

/// Never called, likewise.
unsafe fn sparse<F>(_: &Block<F>, _: Entries<F>, _: bool, _: Ahead) {}
