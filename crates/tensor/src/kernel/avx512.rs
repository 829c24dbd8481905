//! The f32 tiles of AVX-512 that are 8 columns wide, with their loop by hand.
//!
//! The multipliers take two instructions in a clock, so the loop may hold few others: four steps into
//! the depth share one round of it, and columns of the right side that lie anywhere are reached by
//! distances in registers. The compiler either adds up eight addresses in every step or puts sums
//! into memory.

use std::arch::asm;
use std::arch::x86_64::*;

use super::ahead::Ahead;
use super::block::{AHEAD, Tile};

/// Steps into the depth that one round of the loop takes: a tile has at least as many.
pub(super) const ROUND: usize = 4;
/// How often a round asks for memory ahead.
const ASKS: usize = 2;

/// How the loop goes, in the order that it reads.
#[derive(Clone, Copy)]
#[repr(C)]
struct Pace {
    /// Rounds on the way through one stretch of memory ahead.
    rounds: usize,
    /// Stretches: one where nothing is asked for.
    stretches: usize,
    /// Bytes from the end of a stretch to the next.
    jump: usize,
    /// Steps that are left, one at a time.
    rest: usize,
}

/// Of a step, what belongs to one, two or three registers of rows: their loads. `some` is one register of
/// which only the rows that count are read.
macro_rules! rows {
    (some, $a:literal) => {
        concat!("vmovups zmm24{{k1}}{{z}}, zmmword ptr [", $a, "]\n")
    };
    (1, $a:literal) => {
        concat!("vmovups zmm24, zmmword ptr [", $a, "]\n")
    };
    (2, $a:literal) => {
        concat!(rows!(1, $a), "vmovups zmm25, zmmword ptr [", $a, " + 64]\n")
    };
    (3, $a:literal) => {
        concat!(rows!(2, $a), "vmovups zmm26, zmmword ptr [", $a, " + 128]\n")
    };
}

/// And one column: its factor in every lane, times each of them. Of a single register the factor is a part
/// of the multiply-add.
macro_rules! column {
    (some, $at:tt, $factor:literal, $($sums:tt)*) => {
        column_within!(1, $at, $($sums)*)
    };
    (1, $at:tt, $factor:literal, $($sums:tt)*) => {
        column_within!(1, $at, $($sums)*)
    };
    (2, [$($at:tt)*], $factor:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            concat!("vbroadcastss zmm", $factor, ", dword ptr [", $($at)*, "]\n"),
            concat!("vfmadd231ps zmm", $s0, ", zmm24, zmm", $factor, "\n"),
            concat!("vfmadd231ps zmm", $s1, ", zmm25, zmm", $factor, "\n"),
        )
    };
    (3, $at:tt, $factor:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            column!(2, $at, $factor, $s0, $s1, $s2),
            concat!("vfmadd231ps zmm", $s2, ", zmm26, zmm", $factor, "\n"),
        )
    };
}

/// One column whose factor is a part of each multiply-add: one instruction less, for as many more reads
/// as rows have registers.
macro_rules! column_within {
    (some, $at:tt, $($sums:tt)*) => {
        column_within!(1, $at, $($sums)*)
    };
    (1, [$($at:tt)*], $s0:literal, $s1:literal, $s2:literal) => {
        concat!("vfmadd231ps zmm", $s0, ", zmm24, dword ptr [", $($at)*, "]{{1to16}}\n")
    };
    (2, [$($at:tt)*], $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            column_within!(1, [$($at)*], $s0, $s1, $s2),
            concat!("vfmadd231ps zmm", $s1, ", zmm25, dword ptr [", $($at)*, "]{{1to16}}\n"),
        )
    };
    (3, [$($at:tt)*], $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            column_within!(2, [$($at)*], $s0, $s1, $s2),
            concat!("vfmadd231ps zmm", $s2, ", zmm26, dword ptr [", $($at)*, "]{{1to16}}\n"),
        )
    };
}

/// One step into the depth: the rows' place, and the places of eight factors.
macro_rules! step {
    ($height:tt, $a:literal,
     $b0:tt, $b1:tt, $b2:tt, $b3:tt, $b4:tt, $b5:tt, $b6:tt, $b7:tt) => {
        concat!(
            rows!($height, $a),
            column!($height, $b0, "27", "0", "1", "2"),
            column!($height, $b1, "28", "3", "4", "5"),
            column!($height, $b2, "29", "6", "7", "8"),
            column!($height, $b3, "30", "9", "10", "11"),
            column!($height, $b4, "31", "12", "13", "14"),
            column!($height, $b5, "27", "15", "16", "17"),
            column!($height, $b6, "28", "18", "19", "20"),
            column!($height, $b7, "29", "21", "22", "23"),
        )
    };
}

/// A step whose factors follow each other.
macro_rules! side_by_side {
    ($height:tt, $a:literal, $b:literal) => {
        step!(
            $height,
            $a,
            [$b],
            [$b, " + 4"],
            [$b, " + 8"],
            [$b, " + 12"],
            [$b, " + 16"],
            [$b, " + 20"],
            [$b, " + 24"],
            [$b, " + 28"]
        )
    };
}

/// A step whose factors follow each other, that many bytes into a panel.
macro_rules! panel {
    ($height:tt, $a:literal, $into:literal) => {
        concat!(
            rows!($height, $a),
            column!($height, ["{b} + ", $into], "27", "0", "1", "2"),
            column_within!($height, ["{b} + 4 + ", $into], "3", "4", "5"),
            column!($height, ["{b} + 8 + ", $into], "28", "6", "7", "8"),
            column_within!($height, ["{b} + 12 + ", $into], "9", "10", "11"),
            column!($height, ["{b} + 16 + ", $into], "29", "12", "13", "14"),
            column_within!($height, ["{b} + 20 + ", $into], "15", "16", "17"),
            column!($height, ["{b} + 24 + ", $into], "30", "18", "19", "20"),
            column_within!($height, ["{b} + 28 + ", $into], "21", "22", "23"),
        )
    };
}

/// A step whose factors lie that many bytes into eight columns.
macro_rules! apart {
    ($height:tt, $a:literal, $into:literal) => {
        step!(
            $height,
            $a,
            ["{b} + ", $into],
            ["{b} + {b1} + ", $into],
            ["{b} + 2*{b1} + ", $into],
            ["{b} + {b3} + ", $into],
            ["{b4} + ", $into],
            ["{b4} + {b1} + ", $into],
            ["{b4} + 2*{b1} + ", $into],
            ["{b4} + {b3} + ", $into]
        )
    };
}

/// Zeros in the registers of these sums.
macro_rules! zeros {
    ($($sum:literal),*) => {
        concat!($("vpxord zmm", $sum, ", zmm", $sum, ", zmm", $sum, "\n"),*)
    };
}

/// What a step does beside its sums: `walks` asks for memory ahead, every other step of a round (and, past
/// the end of the stretch, at the few that are left); `packs` copies the rows into the panel, and asks
/// for those [`AHEAD`] columns on.
macro_rules! beside {
    (walks, $height:tt, 0) => {
        "prefetcht1 [{p}]\nadd {p}, {q}\n"
    };
    (walks, $height:tt, 1) => {
        ""
    };
    (walks, $height:tt, 2) => {
        beside!(walks, $height, 0)
    };
    (walks, $height:tt, 3) => {
        ""
    };
    (packs, $height:tt, 0) => {
        keep!($height, $height, "0", "{p}")
    };
    (packs, $height:tt, 1) => {
        keep!($height, $height, "1", "{p} + {a1}")
    };
    (packs, $height:tt, 2) => {
        keep!($height, $height, "2", "{p} + 2*{a1}")
    };
    (packs, $height:tt, 3) => {
        keep!($height, $height, "3", "{p} + {a3}")
    };
}

/// Copies a step's registers to their place in the panel.
macro_rules! keep {
    (1, $height:tt, $step:literal, $on:literal) => {
        concat!(
            concat!("vmovups zmmword ptr [{q} + 64*", $height, "*", $step, "], zmm24\n"),
            concat!("prefetcht0 [", $on, "]\n"),
        )
    };
    (2, $height:tt, $step:literal, $on:literal) => {
        concat!(
            keep!(1, $height, $step, $on),
            concat!("vmovups zmmword ptr [{q} + 64*", $height, "*", $step, " + 64], zmm25\n"),
            concat!("prefetcht0 [", $on, " + 64]\n"),
        )
    };
    (3, $height:tt, $step:literal, $on:literal) => {
        concat!(
            keep!(2, $height, $step, $on),
            concat!("vmovups zmmword ptr [{q} + 64*", $height, "*", $step, " + 128], zmm26\n"),
            concat!("prefetcht0 [", $on, " + 128]\n"),
        )
    };
}

/// What moves on after so many steps.
macro_rules! on {
    (walks, $height:tt, $steps:literal) => {
        ""
    };
    (packs, $height:tt, $steps:literal) => {
        concat!("lea {p}, [{p} + ", $steps, "*{a1}]\nadd {q}, 64*", $height, "*", $steps, "\n")
    };
}

/// All steps into the depth, as the pace says: four in a round, each with what moves the right side
/// on, then one at a time.
macro_rules! steps {
    ($kind:tt, $height:tt, $x:ident, $b:ident, $last:ident, $pace:ident, $beside:ident, $sums:ident,
     round: $round0:expr, $round1:expr, $round2:expr, $round3:expr, $round_on:literal;
     rest: $rest:expr, $rest_on:literal; $($distances:tt)*) => {
        asm!(
            zeros!(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            zeros!(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23),
            "3:",
            "mov {left}, qword ptr [{pace}]",
            ".p2align 6",
            "2:",
            $round0,
            beside!($kind, $height, 0),
            $round1,
            beside!($kind, $height, 1),
            $round2,
            beside!($kind, $height, 2),
            $round3,
            beside!($kind, $height, 3),
            "lea {a}, [{a} + 4*{a1}]",
            on!($kind, $height, "4"),
            $round_on,
            "dec {left}",
            "jnz 2b",
            "add {p}, qword ptr [{pace} + 16]",
            "dec qword ptr [{pace} + 8]",
            "jnz 3b",
            "mov {left}, qword ptr [{pace} + 24]",
            "test {left}, {left}",
            "jz 5f",
            "4:",
            $rest,
            beside!($kind, $height, 0),
            "add {a}, {a1}",
            on!($kind, $height, "1"),
            $rest_on,
            "dec {left}",
            "jnz 4b",
            "5:",
            left = out(reg) _,
            pace = in(reg) &raw mut $pace,
            p = inout(reg) $beside.0 => _,
            q = inout(reg) $beside.1 => _,
            a = inout(reg) $x.a => _,
            a1 = in(reg) bytes($x.a_step),
            a3 = in(reg) 3 * bytes($x.a_step),
            in("k1") $last,
            b = inout(reg) $b => _,
            $($distances)*
            out("zmm0") $sums[0][0], out("zmm1") $sums[0][1], out("zmm2") $sums[0][2],
            out("zmm3") $sums[1][0], out("zmm4") $sums[1][1], out("zmm5") $sums[1][2],
            out("zmm6") $sums[2][0], out("zmm7") $sums[2][1], out("zmm8") $sums[2][2],
            out("zmm9") $sums[3][0], out("zmm10") $sums[3][1], out("zmm11") $sums[3][2],
            out("zmm12") $sums[4][0], out("zmm13") $sums[4][1], out("zmm14") $sums[4][2],
            out("zmm15") $sums[5][0], out("zmm16") $sums[5][1], out("zmm17") $sums[5][2],
            out("zmm18") $sums[6][0], out("zmm19") $sums[6][1], out("zmm20") $sums[6][2],
            out("zmm21") $sums[7][0], out("zmm22") $sums[7][1], out("zmm23") $sums[7][2],
            out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
            out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nostack)
        )
    };
}

const fn bytes(numbers: usize) -> usize {
    numbers * size_of::<f32>()
}

/// The steps of a tile so many registers high, whose right side lies by rows or by columns.
macro_rules! steps_of {
    ($kind:tt, $height:tt, $x:ident, $b:ident, $last:ident, $pace:ident, $beside:ident, $sums:ident) => {
        if ($x.b_row, $x.b_column) == (super::COLUMNS, 1) {
            steps!(
                $kind, $height, $x, $b, $last, $pace, $beside, $sums,
                round: panel!($height, "{a}", "0"),
                    panel!($height, "{a} + {a1}", "32"),
                    panel!($height, "{a} + 2*{a1}", "64"),
                    panel!($height, "{a} + {a3}", "96"),
                    "sub {b}, -128";
                rest: panel!($height, "{a}", "0"), "add {b}, 32";
            )
        } else if $x.b_column == 1 {
            steps!(
                $kind, $height, $x, $b, $last, $pace, $beside, $sums,
                round: side_by_side!($height, "{a}", "{b}"),
                    side_by_side!($height, "{a} + {a1}", "{b} + {b1}"),
                    side_by_side!($height, "{a} + 2*{a1}", "{b} + 2*{b1}"),
                    side_by_side!($height, "{a} + {a3}", "{b} + {b3}"),
                    "lea {b}, [{b} + 4*{b1}]";
                rest: side_by_side!($height, "{a}", "{b}"), "add {b}, {b1}";
                b1 = in(reg) bytes($x.b_row),
                b3 = in(reg) 3 * bytes($x.b_row),
            )
        } else {
            steps!(
                $kind, $height, $x, $b, $last, $pace, $beside, $sums,
                round: apart!($height, "{a}", "0"),
                    apart!($height, "{a} + {a1}", "4"),
                    apart!($height, "{a} + 2*{a1}", "8"),
                    apart!($height, "{a} + {a3}", "12"),
                    "add {b}, 16\nadd {b4}, 16";
                rest: apart!($height, "{a}", "0"), "add {b}, 4\nadd {b4}, 4";
                b1 = in(reg) bytes($x.b_column),
                b3 = in(reg) 3 * bytes($x.b_column),
                b4 = inout(reg) $b.add(4 * $x.b_column) => _,
            )
        }
    };
}

/// Where the right side and the output of a tile begin.
type Sides = (*const f32, *mut f32);

/// One function for each height and kind: the compiler keeps the sums of one in registers.
macro_rules! tiles {
    ($($name:ident: $kind:tt $height:tt, $registers:literal);* $(;)?) => {
        $(#[target_feature(enable = "avx512f")]
        unsafe fn $name(x: &Tile<f32>, (b, c): Sides, mut pace: Pace, beside: (usize, usize)) {
            let mut sums = [[_mm512_setzero_ps(); 3]; 8];
            // the rows of the last register that count
            let last = (u32::MAX >> (32 - x.last)) as u16;
            // SAFETY: the caller's; all steps together are as many as the tile is deep.
            unsafe {
                steps_of!($kind, $height, x, b, last, pace, beside, sums);
                for (j, column) in sums.into_iter().enumerate() {
                    for (i, sum) in column.into_iter().enumerate().take($registers) {
                        let to = c.add(j * x.c_step + i * 16);
                        let rows = if i + 1 == $registers { last } else { u16::MAX };
                        let before = |to| _mm512_maskz_loadu_ps(rows, to);
                        let sum = if x.add { _mm512_add_ps(before(to), sum) } else { sum };
                        // with a mask, even of a whole register, AMD takes several times as long
                        match rows {
                            u16::MAX => _mm512_storeu_ps(to, sum),
                            _ => _mm512_mask_storeu_ps(to, rows, sum),
                        }
                    }
                }
            }
        })*
    };
}

tiles!(
    some: walks some, 1; one: walks 1, 1; two: walks 2, 2; three: walks 3, 3;
    one_packs: packs 1, 1; two_packs: packs 2, 2; three_packs: packs 3, 3;
);

/// Computes a tile of one to three registers of rows by 8 columns, or several side by side, whose left side
/// is padded (or one register high) and whose right side lies by rows or by columns, at least [`ROUND`] deep.
///
/// # Safety
/// The tile's pointers must be valid for the shape, and the processor must have AVX-512.
pub(super) unsafe fn tile(x: &Tile<f32>, height: usize, ahead: &mut Ahead) {
    let (mut rounds, mut stretches, mut jump) = (x.k / ROUND, 1, 0);
    let beside = if x.fills.is_null() {
        stretches = ahead.goes().clamp(1, rounds);
        rounds /= stretches;
        let walk;
        (walk, jump) = ahead.walk(stretches, rounds * ASKS);
        (walk.at, walk.by)
    } else {
        // nothing is read that far on
        (x.a.wrapping_add(AHEAD * x.a_step).addr(), x.fills.addr())
    };
    let pace = Pace { rounds, stretches, jump, rest: x.k - stretches * rounds * ROUND };
    let mut sides = (x.b, x.c);
    for _ in 0..x.tiles {
        // SAFETY: the caller's.
        unsafe {
            match (height, x.fills.is_null()) {
                _ if !x.padded => some(x, sides, pace, beside),
                (1, true) => one(x, sides, pace, beside),
                (2, true) => two(x, sides, pace, beside),
                (_, true) => three(x, sides, pace, beside),
                (1, false) => one_packs(x, sides, pace, beside),
                (2, false) => two_packs(x, sides, pace, beside),
                (_, false) => three_packs(x, sides, pace, beside),
            }
        }
        let (b, c) = sides;
        sides = (b.wrapping_add(x.b_next), c.wrapping_add(8 * x.c_step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sums round at nearly every step.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        (0..count as u32).map(|i| ((i * 37 + seed * 11) % 101) as f32 * 0.3 - 15.1).collect()
    }

    #[test]
    fn every_sum_is_one_chain_of_fused_multiply_adds() {
        if !super::super::avx512() {
            eprintln!("skipped: this processor has no AVX-512");
            return;
        }
        // whole rounds, steps that are left, stretches of memory ahead that divide neither
        for (k, stretches) in [(4, 0), (7, 1), (32, 3), (41, 3), (9, 5), (100, 25), (130, 2)] {
            for (way, last) in (0..36).flat_map(|way| [(way, 16), (way, 5)]) {
                let (add, fills, height) = (way & 1 != 0, way & 2 != 0, 1 + way / 4 % 3);
                // a panel is filled by whole registers, and read in place where it is none
                let (fills, padded) = (fills && last == 16, last == 16 || height > 1);
                let rows = 16 * (height - 1) + last;
                let (a_step, apart) = (53, 11 + k);
                let (a, b) = (numbers(a_step * k, 1), numbers(apart * apart, 2));
                // a panel, rows, columns
                let (b_row, b_column) = [(super::super::COLUMNS, 1), (11, 1), (1, apart)][way / 12];
                let mut panel = vec![f32::NAN; if fills { 16 * height * k } else { 0 }];
                let mut c = numbers(8 * 50, 3);
                let mut expected = c.clone();
                for (j, column) in expected.chunks_exact_mut(50).enumerate() {
                    for (i, c) in column.iter_mut().enumerate().take(rows) {
                        let sum = (0..k).fold(0.0_f32, |sum, p| {
                            a[p * a_step + i].mul_add(b[p * b_row + j * b_column], sum)
                        });
                        *c = if add { *c + sum } else { sum };
                    }
                }
                let x = Tile {
                    tiles: 1,
                    b_next: 0,
                    k,
                    a: a.as_ptr(),
                    a_step,
                    b: b.as_ptr(),
                    b_row,
                    b_column,
                    c: c.as_mut_ptr(),
                    c_step: 50,
                    add,
                    last,
                    padded,
                    fills: if fills { panel.as_mut_ptr() } else { std::ptr::null_mut() },
                };
                let mut ahead = Ahead::new(a.as_ptr(), 8, (8, stretches)).spread(1);
                // SAFETY: the sides have k steps, the output 8 columns of 48 and two more rows.
                unsafe { tile(&x, height, &mut ahead) };
                assert_eq!(
                    c, expected,
                    "{rows} rows, {k} steps, {stretches} stretches, {b_row} {b_column} {add} {fills}"
                );
                let asked = if fills { 0 } else { stretches.min(k / ROUND) };
                assert_eq!(ahead.goes(), stretches - asked);
                for (panel, a) in panel.chunks_exact(16 * height).zip(a.chunks_exact(a_step)) {
                    assert_eq!(panel, &a[..16 * height]);
                }
            }
        }
    }
}
