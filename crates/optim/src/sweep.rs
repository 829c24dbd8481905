//! The one loop over the slab: clip · penalty · decay · rule · proximal step, number by number.

use crate::float::{clamp, narrow, signed};
use crate::norm::squares;
use crate::plan::CHUNK;
use crate::rules::{Direction, Kernel, Visit};
use crate::simd::{Level, Work};
use crate::{Block, Float};

/// The most slots that a rule keeps.
pub(crate) const SLOTS: usize = 4;

/// How many numbers are measured at a time, so that they are still in the nearest cache.
const PIECE: usize = 512;

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
    fn is_plain(&self) -> bool {
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
        if self.common.is_plain() {
            self.level.run(Update::<_, _, N, true> { sweep: self, kernel });
        } else {
            self.level.run(Update::<_, _, N, false> { sweep: self, kernel });
        }
    }

    fn update_by_norm<const N: usize>(self, kernel: impl Kernel<F, N> + Direction<F, N>) {
        self.update(kernel);
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
        let mut slots = slots.map(|slot| slot.chunks_mut(PIECE));
        // partial sums reach as far as those of a step over the whole slab
        for (params, grads) in params.chunks(CHUNK).zip(grads.chunks(CHUNK)) {
            let mut sums = [0.0; 2];
            for (params, grads) in params.chunks(PIECE).zip(grads.chunks(PIECE)) {
                let mut buffer = [F::zero(); PIECE];
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

struct Update<'a, F, K, const N: usize, const PLAIN: bool> {
    sweep: Sweep<'a, F>,
    kernel: K,
}

impl<F: Float, K: Kernel<F, N>, const N: usize, const PLAIN: bool> Work
    for Update<'_, F, K, N, PLAIN>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [a, b, c, d] = self.sweep.slots;
        let Sweep { common, params, grads, .. } = self.sweep;
        update::<F, N, PLAIN>(&self.kernel, common, params, grads, a, b, c, d);
    }
}

/// The loop itself. The slices are arguments of their own so that the compiler knows that they do
/// not overlap; those beyond the rule's slots are empty. `PLAIN` leaves out what would change
/// nothing: where the numbers come from memory, every instruction costs.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one argument a stream")]
fn update<F: Float, const N: usize, const PLAIN: bool>(
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
    // a head up to the next cache line, so that no vector of the body lies across two
    let head = params.as_ptr().align_offset(64).min(n);
    for range in [0..head, head..n] {
        for i in range {
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
            for (slot, &value) in slots.iter().enumerate() {
                match slot {
                    0 => slot0[i] = value,
                    1 => slot1[i] = value,
                    2 => slot2[i] = value,
                    _ => slot3[i] = value,
                }
            }
        }
    }
}
