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

impl<F: Float> Common<F> {
    /// Whether scaling and decay are all there is.
    pub(crate) fn is_plain(&self) -> bool {
        let zero = F::zero();
        self.bound == F::infinity() && self.l1 == zero && self.l2 == zero && self.shrink == zero
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
        if self.common.is_plain() {
            level.run(Update::<_, _, N, true, false> { sweep: self, kernel });
        } else {
            level.run(Update::<_, _, N, false, false> { sweep: self, kernel });
        }
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
        *sum = if sweep.common.is_plain() {
            level.run(Update::<_, _, N, true, true> { sweep, kernel })
        } else {
            level.run(Update::<_, _, N, false, true> { sweep, kernel })
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
/// numbers move. `PLAIN` leaves out what would change nothing: where the numbers come from memory,
/// every instruction costs.
struct Update<'a, F, K, const N: usize, const PLAIN: bool, const CHECKED: bool> {
    sweep: Sweep<'a, F>,
    kernel: K,
}

impl<F: Float, K: Kernel<F, N>, const N: usize, const PLAIN: bool, const CHECKED: bool> Work
    for Update<'_, F, K, N, PLAIN, CHECKED>
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
            update::<F, N, PLAIN>(
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
pub(crate) fn update<F: Float, const N: usize, const PLAIN: bool>(
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
        let mut g = grads[i] * common.scale;
        if !PLAIN {
            g = clamp(g, common.bound) + signed(p, common.l1) + common.l2 * p;
        }
        let slots = std::array::from_fn(|slot| match slot {
            0 => slot0[i],
            1 => slot1[i],
            2 => slot2[i],
            _ => slot3[i],
        });
        let (p, slots) = kernel.update(p * common.kept, g, slots);
        params[i] = if PLAIN { p } else { p - clamp(p, common.shrink) };
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
