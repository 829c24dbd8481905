//! Vectors of one register: the few instructions that the product is made of, per instruction set.

use super::ahead::Ahead;
use super::block::Tile;

/// One vector register of an instruction set, for one scalar type.
///
/// # Safety
/// Every function needs a processor with the instruction set, and pointers that are valid for the
/// elements it names. They are inlined into functions compiled for that instruction set.
pub(super) trait Lanes {
    /// The scalar in each lane.
    type Scalar: crate::Scalar;
    /// The register.
    type Vector: Copy;
    /// Lanes of a register.
    const WIDTH: usize;
    /// Rows (in registers) and columns of the largest tile whose sums fit the registers.
    const TILE: (usize, usize);
    /// Steps into the depth from which on tiles can fill their panel on the way: those that are
    /// computed [`by_hand`](Lanes::by_hand).
    const FILLS: usize = usize::MAX;

    unsafe fn splat(value: Self::Scalar) -> Self::Vector;
    unsafe fn load(from: *const Self::Scalar) -> Self::Vector;
    unsafe fn store(to: *mut Self::Scalar, vector: Self::Vector);
    /// The first `count` lanes (1 to `WIDTH`) from memory, the others zero.
    unsafe fn load_first(from: *const Self::Scalar, count: usize) -> Self::Vector;
    /// The first `count` lanes (1 to `WIDTH`) to memory, nothing beyond them touched.
    unsafe fn store_first(to: *mut Self::Scalar, vector: Self::Vector, count: usize);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a·b + c`, rounded once.
    unsafe fn fma(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// Computes a tile of whole registers and as many columns as the largest one, if it is of a kind
    /// that is written out for this instruction set.
    #[inline(always)]
    unsafe fn by_hand(_tile: &Tile<Self::Scalar>, _height: usize, _ahead: &mut Ahead) -> bool {
        false
    }

    /// Writes those of the first `count` lanes that are not zero one behind the other, beside each
    /// `place` and `WIDTH` more for each lane before it. Gives how many they are; up to `WIDTH` are
    /// written.
    #[inline(always)]
    unsafe fn compress(
        from: *const Self::Scalar,
        count: usize,
        place: u32,
        values: *mut Self::Scalar,
        places: *mut u32,
    ) -> usize {
        let mut found = 0;
        for i in 0..count {
            // SAFETY: the caller's pointers are valid for `count` and `WIDTH` numbers.
            unsafe {
                let value = *from.add(i);
                (*values.add(found), *places.add(found)) =
                    (value, place + (i * Self::WIDTH) as u32);
                found += usize::from(value != <Self::Scalar as num_traits::Zero>::zero());
            }
        }
        found
    }

    /// Writes the transpose of a square of `WIDTH` × `WIDTH`: element `i` of column `p` of the
    /// source goes to `to[i·to_step + p]`.
    #[inline(always)]
    unsafe fn transpose(
        from: *const Self::Scalar,
        from_step: usize,
        to: *mut Self::Scalar,
        to_step: usize,
    ) {
        for p in 0..Self::WIDTH {
            for i in 0..Self::WIDTH {
                // SAFETY: the caller's pointers are valid for the square.
                unsafe { *to.add(i * to_step + p) = *from.add(p * from_step + i) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{Ahead, Lanes, Tile};
    use crate::kernel::avx512;
    use std::arch::x86_64::*;

    pub(in crate::kernel) struct F32x16;
    pub(in crate::kernel) struct F64x8;
    pub(in crate::kernel) struct F32x8;
    pub(in crate::kernel) struct F64x4;

    /// The four types differ in the names of their instructions only.
    macro_rules! lanes {
        ($name:ident, $scalar:ty, $vector:ty, $width:literal, $tile:expr, $mask:ty, $mask_of:expr,
         $splat:ident, $load:ident, $store:ident, $load_first:ident, $store_first:ident,
         $add:ident, $fma:ident $(, $extra:item)*) => {
            impl Lanes for $name {
                type Scalar = $scalar;
                type Vector = $vector;
                const WIDTH: usize = $width;
                const TILE: (usize, usize) = $tile;

                #[inline(always)]
                unsafe fn splat(value: $scalar) -> $vector {
                    // SAFETY: the caller has the instruction set.
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $scalar) -> $vector {
                    // SAFETY: the caller's pointer is valid for a register.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(to: *mut $scalar, vector: $vector) {
                    // SAFETY: the caller's pointer is valid for a register.
                    unsafe { $store(to, vector) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $scalar, count: usize) -> $vector {
                    let mask: $mask = $mask_of(count);
                    // SAFETY: lanes beyond `count` are neither read nor checked.
                    unsafe { $load_first(from, mask) }
                }
                #[inline(always)]
                unsafe fn store_first(to: *mut $scalar, vector: $vector, count: usize) {
                    if count == $width {
                        // a store with a mask takes several times as long on AMD, even of all lanes
                        // SAFETY: the caller's pointer is valid for a register.
                        return unsafe { $store(to, vector) };
                    }
                    let mask: $mask = $mask_of(count);
                    // SAFETY: lanes beyond `count` are not written.
                    unsafe { $store_first(to, mask, vector) }
                }
                #[inline(always)]
                unsafe fn add(a: $vector, b: $vector) -> $vector {
                    // SAFETY: the caller has the instruction set.
                    unsafe { $add(a, b) }
                }
                #[inline(always)]
                unsafe fn fma(a: $vector, b: $vector, c: $vector) -> $vector {
                    // SAFETY: the caller has the instruction set.
                    unsafe { $fma(a, b, c) }
                }
                $($extra)*
            }
        };
    }

    lanes!(
        F32x16,
        f32,
        __m512,
        16,
        (3, 8),
        __mmask16,
        |n: usize| (u32::MAX >> (32 - n)) as u16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        load_first_16,
        store_first_16,
        _mm512_add_ps,
        _mm512_fmadd_ps,
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
            // SAFETY: the caller's pointers are valid for the square.
            unsafe { transpose_16(from, from_step, to, to_step) }
        },
        #[inline(always)]
        unsafe fn compress(
            from: *const f32,
            count: usize,
            place: u32,
            values: *mut f32,
            places: *mut u32,
        ) -> usize {
            // SAFETY: the caller's pointers are valid for `count` and 16 numbers.
            unsafe {
                let from = Self::load_first(from, count);
                let found = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(from, _mm512_setzero_ps());
                // to a register first: compressed into memory it takes ten times as long on AMD
                _mm512_storeu_ps(values, _mm512_maskz_compress_ps(found, from));
                let lanes = _mm512_setr_epi32(
                    0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240,
                );
                let lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(place as i32));
                _mm512_storeu_epi32(places.cast(), _mm512_maskz_compress_epi32(found, lanes));
                found.count_ones() as usize
            }
        },
        const FILLS: usize = avx512::ROUND;,
        #[inline(always)]
        unsafe fn by_hand(tile: &Tile<f32>, height: usize, ahead: &mut Ahead) -> bool {
            let fits = tile.k >= avx512::ROUND;
            if fits {
                // SAFETY: as the caller's.
                unsafe { avx512::tile(tile, height, ahead) };
            }
            fits
        }
    );
    lanes!(
        F64x8,
        f64,
        __m512d,
        8,
        (3, 8),
        __mmask8,
        |n: usize| (u32::MAX >> (32 - n)) as u8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        load_first_8,
        store_first_8,
        _mm512_add_pd,
        _mm512_fmadd_pd
    );
    lanes!(
        F32x8,
        f32,
        __m256,
        8,
        (3, 4),
        __m256i,
        mask_8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_maskload_ps,
        _mm256_maskstore_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    lanes!(
        F64x4,
        f64,
        __m256d,
        4,
        (3, 4),
        __m256i,
        mask_4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_maskload_pd,
        _mm256_maskstore_pd,
        _mm256_add_pd,
        _mm256_fmadd_pd
    );

    #[inline(always)]
    unsafe fn load_first_16(from: *const f32, mask: __mmask16) -> __m512 {
        // SAFETY: as the caller's.
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    #[inline(always)]
    unsafe fn store_first_16(to: *mut f32, mask: __mmask16, vector: __m512) {
        // SAFETY: as the caller's.
        unsafe { _mm512_mask_storeu_ps(to, mask, vector) }
    }
    #[inline(always)]
    unsafe fn load_first_8(from: *const f64, mask: __mmask8) -> __m512d {
        // SAFETY: as the caller's.
        unsafe { _mm512_maskz_loadu_pd(mask, from) }
    }
    #[inline(always)]
    unsafe fn store_first_8(to: *mut f64, mask: __mmask8, vector: __m512d) {
        // SAFETY: as the caller's.
        unsafe { _mm512_mask_storeu_pd(to, mask, vector) }
    }

    /// All bits of the first `count` of eight 32-bit lanes.
    #[inline(always)]
    fn mask_8(count: usize) -> __m256i {
        let n = count as i32;
        // SAFETY: plain data of the register's size.
        unsafe {
            std::mem::transmute::<[i32; 8], __m256i>(
                [0, 1, 2, 3, 4, 5, 6, 7].map(|i| -i32::from(i < n)),
            )
        }
    }
    /// All bits of the first `count` of four 64-bit lanes.
    #[inline(always)]
    fn mask_4(count: usize) -> __m256i {
        let n = count as i64;
        // SAFETY: plain data of the register's size.
        unsafe { std::mem::transmute::<[i64; 4], __m256i>([0, 1, 2, 3].map(|i| -i64::from(i < n))) }
    }

    /// 16 × 16 in four rounds of shuffles: pairs of lanes, of pairs, of quarters, of halves.
    #[inline(always)]
    unsafe fn transpose_16(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        // SAFETY: the caller has the instruction set and a valid square.
        unsafe {
            let r: [__m512; 16] = std::array::from_fn(|p| _mm512_loadu_ps(from.add(p * from_step)));
            let t: [__m512d; 16] = std::array::from_fn(|i| {
                let (a, b) = (r[i & !1], r[i | 1]);
                _mm512_castps_pd(if i & 1 == 0 {
                    _mm512_unpacklo_ps(a, b)
                } else {
                    _mm512_unpackhi_ps(a, b)
                })
            });
            // quad q, lane l: elements 4q..4q+4 of the columns, within each 128-bit part
            let u: [__m512; 16] = std::array::from_fn(|i| {
                let (q, l) = (i / 4 * 4, i % 4);
                let (a, b) = (t[q + l / 2], t[q + 2 + l / 2]);
                _mm512_castpd_ps(if l & 1 == 0 {
                    _mm512_unpacklo_pd(a, b)
                } else {
                    _mm512_unpackhi_pd(a, b)
                })
            });
            for l in 0..4 {
                let (a, b, c, d) = (u[l], u[4 + l], u[8 + l], u[12 + l]);
                let ab_even = _mm512_shuffle_f32x4::<0x88>(a, b);
                let ab_odd = _mm512_shuffle_f32x4::<0xdd>(a, b);
                let cd_even = _mm512_shuffle_f32x4::<0x88>(c, d);
                let cd_odd = _mm512_shuffle_f32x4::<0xdd>(c, d);
                _mm512_storeu_ps(
                    to.add(l * to_step),
                    _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even),
                );
                _mm512_storeu_ps(
                    to.add((4 + l) * to_step),
                    _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd),
                );
                _mm512_storeu_ps(
                    to.add((8 + l) * to_step),
                    _mm512_shuffle_f32x4::<0xdd>(ab_even, cd_even),
                );
                _mm512_storeu_ps(
                    to.add((12 + l) * to_step),
                    _mm512_shuffle_f32x4::<0xdd>(ab_odd, cd_odd),
                );
            }
        }
    }
}
