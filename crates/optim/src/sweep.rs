//! The one loop over the slab: clip · penalty · decay · rule · proximal step, number by number.

use crate::float::{clamp, narrow, settled, signed};
use std::ops::Range;

use crate::norm::{Squares, first_not_finite, squares};
use crate::plan::CHUNK;
use crate::rules::{Direction, Kernel, Visit};
use crate::simd::{Level, Work};
use crate::{Block, Float};

/// The most slots that a rule keeps.
pub(crate) const SLOTS: usize = 4;

/// How many numbers are measured at a time, so that they are still in the nearest cache when they
/// move. Less costs instructions; with more, memory waits while the gradient is read alone.
const PIECE: usize = 128;
/// The same where a rule's direction is measured.
const MEASURED: usize = 512;

/// What is done to every number of a block besides the rule.
#[derive(Clone, Copy)]
pub(crate) struct Common<F> {
    scale: F,
    bound: F,
    l1: F,
    l2: F,
    kept: F,
    shrink: F,
}

/// How much of it there is, for loops that leave out what would change nothing: where the numbers come
/// from memory or through a core that is shared, every instruction costs.
pub(crate) mod extent {
    /// The rule alone.
    pub(crate) const NONE: u8 = 0;
    /// Scaling and decay.
    pub(crate) const SCALED: u8 = 1;
    /// All of it.
    pub(crate) const ALL: u8 = 2;
}

impl<F: Float> Common<F> {
    /// The least [`extent`] that has all that changes anything.
    pub(crate) fn extent(&self) -> u8 {
        let (zero, one) = (F::zero(), F::one());
        let unbounded = self.bound == F::infinity() && self.shrink == zero;
        if !unbounded || self.l1 != zero || self.l2 != zero {
            extent::ALL
        } else if self.scale != one || self.kept != one {
            extent::SCALED
        } else {
            extent::NONE
        }
    }
}

impl<F: Float> Common<F> {
    /// For a block at this rate (its factor included), whose gradient is scaled and then bounded.
    pub(crate) fn new(block: &Block, rate: f64, decay: f64, scale: f64, bound: f64) -> Self {
        let of = |penalty: f64| if block.exempt { 0.0 } else { penalty };
        Self {
            scale: narrow(if block.maximize { -scale } else { scale }),
            bound: narrow(bound),
            l1: narrow(of(block.l1)),
            l2: narrow(of(block.l2)),
            kept: narrow(1.0 - rate * of(decay)),
            shrink: narrow(rate * of(block.proximal)),
        }
    }
}

impl<F: Float> Common<F> {
    /// The same for a gradient that is multiplied by so much.
    #[inline(always)]
    pub(crate) fn multiplied(self, by: F) -> Self {
        Self { scale: self.scale * by, ..self }
    }
}

/// The numbers of a chunk, to be swept by a kernel.
pub(crate) struct Sweep<'a, F> {
    pub(crate) level: Level,
    pub(crate) common: Common<F>,
    pub(crate) params: &'a mut [F],
    pub(crate) grads: &'a [F],
    pub(crate) slots: [&'a mut [F]; SLOTS],
}

impl<F: Float> Visit<F> for Sweep<'_, F> {
    fn update<const N: usize>(self, kernel: impl Kernel<F, N>) {
        let level = self.level;
        match self.common.extent() {
            extent::NONE => {
                level.run(Update::<_, _, N, { extent::NONE }, false> { sweep: self, kernel })
            }
            extent::SCALED => {
                level.run(Update::<_, _, N, { extent::SCALED }, false> { sweep: self, kernel })
            }
            _ => level.run(Update::<_, _, N, { extent::ALL }, false> { sweep: self, kernel }),
        };
    }
}

/// The same numbers, whose gradient is measured on the way: where a number of it is not finite, its
/// group stays as it is.
pub(crate) struct Checked<'a, 'b, F> {
    pub(crate) sweep: Sweep<'a, F>,
    /// The sum of squares of the gradient.
    pub(crate) sum: &'b mut f64,
}

impl<F: Float> Visit<F> for Checked<'_, '_, F> {
    fn update<const N: usize>(self, kernel: impl Kernel<F, N>) {
        let Self { sweep, sum } = self;
        let level = sweep.level;
        *sum = match sweep.common.extent() {
            extent::NONE => level.run(Update::<_, _, N, { extent::NONE }, true> { sweep, kernel }),
            extent::SCALED => {
                level.run(Update::<_, _, N, { extent::SCALED }, true> { sweep, kernel })
            }
            _ => level.run(Update::<_, _, N, { extent::ALL }, true> { sweep, kernel }),
        };
    }
}

/// The same numbers, of which a rule's direction is measured: slots move, parameters do not.
pub(crate) struct Measure<'a, 'b, F> {
    pub(crate) sweep: Sweep<'a, F>,
    /// The sums of squares of the parameters and of the direction.
    pub(crate) sums: &'b mut [f64; 2],
}

impl<F: Float> Visit<F> for Measure<'_, '_, F> {
    /// A rule that asks for no norms has no direction to measure.
    fn update<const N: usize>(self, _kernel: impl Kernel<F, N>) {}

    fn update_by_norm<const N: usize>(self, kernel: impl Kernel<F, N> + Direction<F, N>) {
        let Sweep { level, common, params, grads, slots } = self.sweep;
        // a direction that reads the parameter decays it itself: `kept` is 1
        let common = Common { shrink: F::zero(), ..common };
        let mut slots = slots.map(|slot| slot.chunks_mut(MEASURED));
        // partial sums reach as far as those of a step over the whole slab
        for (params, grads) in params.chunks(CHUNK).zip(grads.chunks(CHUNK)) {
            let mut sums = [0.0; 2];
            for (params, grads) in params.chunks(MEASURED).zip(grads.chunks(MEASURED)) {
                let mut buffer = [F::zero(); MEASURED];
                let piece = &mut buffer[..params.len()];
                piece.copy_from_slice(params);
                sums[0] += squares(level, piece);
                let slots = slots.each_mut().map(|slot| slot.next().unwrap_or(&mut []));
                let sweep = Sweep { level, common, params: piece, grads, slots };
                sweep.update(Directed(kernel));
                sums[1] += squares(level, piece);
            }
            *self.sums = [self.sums[0] + sums[0], self.sums[1] + sums[1]];
        }
    }
}

/// Puts the direction where the parameter was.
#[derive(Clone, Copy)]
struct Directed<K>(K);

impl<F, K: Direction<F, N>, const N: usize> Kernel<F, N> for Directed<K> {
    #[inline(always)]
    fn update(&self, p: F, g: F, slots: [F; N]) -> (F, [F; N]) {
        self.0.direction(p, g, slots)
    }
}

/// A chunk, piece by piece: of a piece that is to be `CHECKED` the gradient is looked at before its
/// numbers move. The loop has what belongs to the [`extent`].
struct Update<'a, F, K, const N: usize, const EXTENT: u8, const CHECKED: bool> {
    sweep: Sweep<'a, F>,
    kernel: K,
}

impl<F: Float, K: Kernel<F, N>, const N: usize, const EXTENT: u8, const CHECKED: bool> Work
    for Update<'_, F, K, N, EXTENT, CHECKED>
{
    /// The sum of squares of a gradient that is checked.
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Sweep { common, params, grads, slots: [a, b, c, d], .. } = self.sweep;
        let n = params.len();
        // how many numbers fill a cache line, and how many stand before the first that does
        let line = (64 / size_of::<F>()).max(1);
        let head = params.as_ptr().align_offset(64).min(line);
        let mut squares = Squares::default();
        let mut done = 0;
        for start in (0..n).step_by(PIECE) {
            let end = n.min(start + PIECE);
            let piece = &grads[start..end];
            let good = !CHECKED || squares.add(piece) || first_not_finite(piece).is_none();
            // up to the end of a line, so that no vector behind it lies across two
            let until = if end < n { end - (end - head) % line } else { n };
            let (range, next) = if good { (done..until, until) } else { (done..start, end) };
            update::<F, N, EXTENT>(
                &self.kernel,
                common,
                &mut params[range.clone()],
                &grads[range.clone()],
                part::<F, 0, N>(a, &range),
                part::<F, 1, N>(b, &range),
                part::<F, 2, N>(c, &range),
                part::<F, 3, N>(d, &range),
            );
            done = next;
        }
        squares.total()
    }
}

/// The part of a slot, or nothing of what is no slot of the rule.
#[inline(always)]
pub(crate) fn part<'a, F, const SLOT: usize, const N: usize>(
    slot: &'a mut [F],
    range: &Range<usize>,
) -> &'a mut [F] {
    if SLOT < N { &mut slot[range.clone()] } else { &mut [] }
}

/// The loop itself. The slices are arguments of their own so that the compiler knows that they do
/// not overlap; those beyond the rule's slots are empty.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one argument a stream")]
pub(crate) fn update<F: Float, const N: usize, const EXTENT: u8>(
    kernel: &impl Kernel<F, N>,
    common: Common<F>,
    params: &mut [F],
    grads: &[F],
    slot0: &mut [F],
    slot1: &mut [F],
    slot2: &mut [F],
    slot3: &mut [F],
) {
    let n = params.len();
    let used = |slot: usize| if slot < N { n } else { 0 };
    let grads = &grads[..n];
    let slot0 = &mut slot0[..used(0)];
    let slot1 = &mut slot1[..used(1)];
    let slot2 = &mut slot2[..used(2)];
    let slot3 = &mut slot3[..used(3)];
    for i in 0..n {
        let p = params[i];
        let mut g = grads[i];
        if EXTENT >= extent::SCALED {
            g *= common.scale;
        }
        if EXTENT == extent::ALL {
            g = clamp(g, common.bound) + signed(p, common.l1) + common.l2 * p;
        }
        let slots = std::array::from_fn(|slot| match slot {
            0 => slot0[i],
            1 => slot1[i],
            2 => slot2[i],
            _ => slot3[i],
        });
        let p = if EXTENT >= extent::SCALED { p * common.kept } else { p };
        let (p, slots) = kernel.update(p, g, slots);
        params[i] = if EXTENT == extent::ALL { p - clamp(p, common.shrink) } else { p };
        for (slot, value) in slots.map(settled).into_iter().enumerate() {
            match slot {
                0 => slot0[i] = value,
                1 => slot1[i] = value,
                2 => slot2[i] = value,
                _ => slot3[i] = value,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::alone;
    use crate::{Optimizer, Sgd};

    #[test]
    fn what_changes_nothing_is_left_out() {
        let block = Block::new("all", 0..100);
        let extent = |block: &Block, decay, scale, bound| {
            Common::<f32>::new(block, 0.1, decay, scale, bound).extent()
        };
        assert_eq!(extent(&block, 0.0, 1.0, f64::INFINITY), extent::NONE);
        assert_eq!(extent(&block, 0.5, 1.0, f64::INFINITY), extent::SCALED);
        assert_eq!(extent(&block, 0.0, 0.5, f64::INFINITY), extent::SCALED);
        assert_eq!(extent(&block, 0.0, 1.0, 2.0), extent::ALL);
        for [l1, l2, proximal] in [[0.25, 0.0, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.25]] {
            let block = Block { l1, l2, proximal, ..block.clone() };
            assert_eq!(extent(&block, 0.0, 1.0, f64::INFINITY), extent::ALL);
        }

        #[derive(Clone, Copy)]
        struct Mean;
        impl Kernel<f32, 1> for Mean {
            fn update(&self, p: f32, g: f32, [m]: [f32; 1]) -> (f32, [f32; 1]) {
                let m = 0.9 * m + 0.1 * g;
                (p - 0.3 * m, [m])
            }
        }
        fn moved<const EXTENT: u8>(common: Common<f32>) -> [Vec<f32>; 2] {
            let numbers = |seed: u16| -> Vec<f32> {
                (0..100).map(|i| f32::from((i * 37 + seed) % 101) * 0.3 - 15.1).collect()
            };
            let [mut params, grads, mut slot] = [1, 2, 3].map(numbers);
            let none: [&mut [f32]; 3] = [&mut [], &mut [], &mut []];
            let [b, c, d] = none;
            update::<_, 1, EXTENT>(&Mean, common, &mut params, &grads, &mut slot, b, c, d);
            [params, slot]
        }
        let nothing = Common::new(&block, 0.1, 0.0, 1.0, f64::INFINITY);
        let alone = moved::<{ extent::NONE }>(nothing);
        assert_eq!(moved::<{ extent::SCALED }>(nothing), alone);
        assert_eq!(moved::<{ extent::ALL }>(nothing), alone);
        let scaled = Common::new(&block, 0.1, 0.5, 0.7, f64::INFINITY);
        let wanted = moved::<{ extent::ALL }>(scaled);
        assert_eq!(moved::<{ extent::SCALED }>(scaled), wanted);
        assert_ne!(wanted, alone);
    }

    #[test]
    fn only_the_piece_that_is_not_finite_stays() {
        let len = 3 * PIECE + 40;
        let blocks = vec![Block::new("all", 0..len)];
        let (mut numbers, mut grads) = (vec![1.0_f32; len + 17], vec![0.5; len]);
        grads[10] = 1e30; // whose square is beyond f32
        // wherever the slab lies between two cache lines
        for (offset, bad) in [(0, 0), (1, PIECE - 1), (5, PIECE), (16, 2 * PIECE + 7), (7, len - 2)]
        {
            let (params, mut grads) = (&mut numbers[offset..offset + len], grads.clone());
            params.fill(1.0);
            grads[bad] = f32::NAN;
            let mut opt = Optimizer::new(Sgd::default(), blocks.clone(), None).unwrap();
            assert!(opt.sweep_with(1.0, params, &grads, &alone).is_err());
            for (i, &p) in params.iter().enumerate() {
                let wanted = if i / PIECE == bad / PIECE { 1.0 } else { 1.0 - grads[i] };
                assert_eq!(p, wanted, "number {i} with NaN at {bad}");
            }
        }
        let params = &mut numbers[..len];
        params.fill(1.0);
        let mut opt = Optimizer::new(Sgd::default(), blocks, None).unwrap();
        let step = opt.sweep_with(1.0, params, &grads, &alone).unwrap();
        assert!(params.iter().zip(&grads).all(|(&p, &g)| p == 1.0 - g));
        assert!((step.norm / 1e30 - 1.0).abs() < 1e-6);
    }
}
