//! Dropout masks, in both forms.
//!
//! | form | while training | for use | argument |
//! |---|---|---|---|
//! | inverted ([`dropout_mask`]) | `x·m`, m = 1/(1 − rate) or 0 | nothing | `rate`: drop |
//! | classical ([`classical_mask`]) | `x·m`, m = 1 or 0 | weights times `keep` | `keep`: keep |
//!
//! Keras and PyTorch have the inverted form, the paper the classical one; their outputs agree in
//! expectation. A mask is a function of (seed, step, layer) and of the element's index: never the
//! same twice in a run, the same again on resume, whatever the order or the number of threads.
//! The bits come from Philox4x32-10 with key = seed and counter = (element/4, layer, step); a
//! change of any value is value-breaking and stands in the changelog.
//!
//! Reference: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
//! overfitting".

use crate::float::{Float, of};
use crate::philox::philox;

/// Fills the mask of inverted dropout: 0 with probability `rate`, `1/(1 − rate)` otherwise.
///
/// A rate of 0 gives ones (the identity, to the bit), a rate of 1 zeros.
///
/// ```
/// let mut mask = [0.0; 5];
/// slalom_regularize::dropout_mask(42, 0, 0, 0.5, &mut mask);
/// assert_eq!(mask, [2.0, 0.0, 0.0, 0.0, 2.0]);
/// ```
///
/// # Panics
/// If the rate is not in 0..=1, the layer is 2³² or more, or the mask has more than 2³⁴ elements.
#[inline]
pub fn dropout_mask<F: Float>(seed: u64, step: u64, layer: u64, rate: f64, mask: &mut [F]) {
    dropout_mask_from(0, seed, step, layer, rate, mask);
}

/// A piece of the mask of [`dropout_mask`], whose first element is number `first` of the mask: for
/// masks that threads share.
///
/// ```
/// use slalom_regularize::{MASK_PIECE, dropout_mask, dropout_mask_from};
/// let (mut whole, mut pieces) = ([0.0; 300], [0.0; 300]);
/// dropout_mask(42, 0, 0, 0.5, &mut whole);
/// for (i, piece) in pieces.chunks_mut(2 * MASK_PIECE).enumerate() {
///     dropout_mask_from(2 * MASK_PIECE * i, 42, 0, 0, 0.5, piece);
/// }
/// assert_eq!(pieces, whole);
/// ```
///
/// # Panics
/// As [`dropout_mask`], and if `first` is not a multiple of [`MASK_PIECE`].
#[inline(always)]
pub fn dropout_mask_from<F: Float>(
    first: usize,
    seed: u64,
    step: u64,
    layer: u64,
    rate: f64,
    mask: &mut [F],
) {
    assert!((0.0..=1.0).contains(&rate), "dropout rate is {rate}: it must be in 0..=1");
    // a rate of 1 keeps nothing: no 1/0 in the mask
    let kept = if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 };
    fill(first, [seed, step, layer], rate, of(kept), mask);
}

/// Fills the mask of classical dropout: 1 with probability `keep`, 0 otherwise. It drops the same
/// elements as [`dropout_mask`] with a rate of `1 − keep`.
///
/// ```
/// let mut mask = [0.0; 5];
/// slalom_regularize::classical_mask(42, 0, 0, 0.5, &mut mask);
/// assert_eq!(mask, [1.0, 0.0, 0.0, 0.0, 1.0]);
/// ```
///
/// # Panics
/// If `keep` is not in 0..=1, the layer is 2³² or more, or the mask has more than 2³⁴ elements.
#[inline]
pub fn classical_mask<F: Float>(seed: u64, step: u64, layer: u64, keep: f64, mask: &mut [F]) {
    classical_mask_from(0, seed, step, layer, keep, mask);
}

/// A piece of the mask of [`classical_mask`], as [`dropout_mask_from`].
///
/// ```
/// use slalom_regularize::{MASK_PIECE, classical_mask_from};
/// let mut piece = [0.5; 2];
/// classical_mask_from(3 * MASK_PIECE, 42, 0, 0, 1.0, &mut piece);
/// assert_eq!(piece, [1.0; 2]);
/// ```
///
/// # Panics
/// As [`classical_mask`], and if `first` is not a multiple of [`MASK_PIECE`].
#[inline(always)]
pub fn classical_mask_from<F: Float>(
    first: usize,
    seed: u64,
    step: u64,
    layer: u64,
    keep: f64,
    mask: &mut [F],
) {
    assert!((0.0..=1.0).contains(&keep), "dropout keep is {keep}: it must be in 0..=1");
    let kept = if keep > 0.0 { F::one() } else { F::zero() };
    fill(first, [seed, step, layer], 1.0 - keep, kept, mask);
}

/// Pieces of a mask begin at multiples of it.
pub const MASK_PIECE: usize = 4;

/// 0 with probability `rate`, to the nearest 2⁻³², `kept` otherwise.
#[inline(always)]
fn fill<F: Float>(first: usize, [seed, step, layer]: [u64; 3], rate: f64, kept: F, mask: &mut [F]) {
    let layer = u32::try_from(layer).expect("at most 2^32 layers");
    let length = first + mask.len();
    assert!(length as u64 <= 1 << 34, "a mask of {length} elements: at most 2^34");
    assert!(first.is_multiple_of(MASK_PIECE), "a piece at {first}: no multiple of {MASK_PIECE}");
    // 1 − 2⁻³³ and above would round to 2³²: one value in 2³² stays kept, or `kept` is 0
    let threshold = (rate * 4_294_967_296.0).round() as u32;
    let pick = |word: u32| if word < threshold { F::zero() } else { kept };
    let words =
        |i: usize| philox([(first / 4 + i) as u32, layer, step as u32, (step >> 32) as u32], seed);
    let (fours, rest) = mask.as_chunks_mut();
    for (i, four) in fours.iter_mut().enumerate() {
        *four = words(i).map(pick);
    }
    if !rest.is_empty() {
        let words = words(fours.len());
        rest.iter_mut().zip(words).for_each(|(m, word)| *m = pick(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(seed: u64, step: u64, layer: u64, rate: f64, n: usize) -> Vec<f64> {
        let mut mask = vec![9.0; n];
        dropout_mask(seed, step, layer, rate, &mut mask);
        mask
    }

    #[test]
    fn values_are_stable() {
        let bits = |seed, step, layer| {
            mask(seed, step, layer, 0.5, 64)
                .iter()
                .rev()
                .fold(0_u64, |b, &m| 2 * b + (m > 0.0) as u64)
        };
        assert_eq!([bits(0, 0, 0), bits(1, 2, 3), bits(1 << 40, 1 << 40, 5)], PINNED);
    }

    const PINNED: [u64; 3] = [8406491377701965918, 17379948806895264465, 2099953699562752209];

    #[test]
    fn a_mask_differs_by_seed_step_and_layer() {
        let base = mask(1, 1, 1, 0.5, 256);
        for (seed, step, layer) in
            [(2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1 | 1 << 32, 1), (1 | 1 << 32, 1, 1), (1, 1, 0)]
        {
            assert_ne!(mask(seed, step, layer, 0.5, 256), base, "{seed} {step} {layer}");
        }
        assert_eq!(mask(1, 1, 1, 0.5, 256), base);
    }

    #[test]
    fn the_ends_of_the_range() {
        assert!(mask(3, 0, 0, 0.0, 100).iter().all(|&m| m == 1.0));
        assert!(mask(3, 0, 0, 1.0, 100).iter().all(|&m| m == 0.0));
        let mut classical = [9.0_f32; 100];
        classical_mask(3, 0, 0, 0.0, &mut classical);
        assert!(classical.iter().all(|&m| m == 0.0));
        classical_mask(3, 0, 0, 1.0, &mut classical);
        assert!(classical.iter().all(|&m| m == 1.0));
    }

    /// Element 1468 of this mask has the largest word there is, the only one that a threshold of
    /// 2³² − 1 leaves.
    #[test]
    fn the_largest_word_is_dropped_too() {
        let (seed, step, first) = (0, 1_853_250, 1408);
        let mut mask = [9.0; 64];
        dropout_mask_from(first, seed, step, 0, 1.0, &mut mask);
        assert_eq!(mask, [0.0; 64]);
        classical_mask_from(first, seed, step, 0, 0.0, &mut mask);
        assert_eq!(mask, [0.0; 64]);
        classical_mask_from(first, seed, step, 0, 1e-12, &mut mask);
        assert_eq!(mask.iter().position(|&m| m == 1.0), Some(60));
    }

    /// The first word of the published vectors is that of element 0.
    #[test]
    fn a_word_at_the_threshold_is_kept() {
        let rate = f64::from(0x6627_e8d5_u32) / 4_294_967_296.0;
        assert!(mask(0, 0, 0, rate, 1)[0] > 1.0);
        assert_eq!(mask(0, 0, 0, rate + 2_f64.powi(-32), 1), [0.0]);
    }

    #[test]
    fn pieces_reach_to_the_end_of_the_longest_mask() {
        let mut piece = [9.0_f32; MASK_PIECE];
        dropout_mask_from((1 << 34) - MASK_PIECE, 0, 0, 0, 0.0, &mut piece);
        assert_eq!(piece, [1.0; MASK_PIECE]);
    }

    #[test]
    #[should_panic(expected = "a mask of 17179869185 elements: at most 2^34")]
    fn a_mask_that_is_too_long() {
        dropout_mask_from(1 << 34, 0, 0, 0, 0.0, &mut [0.0]);
    }

    #[test]
    #[should_panic(expected = "dropout rate is NaN: it must be in 0..=1")]
    fn a_rate_that_is_no_number() {
        mask(0, 0, 0, f64::NAN, 1);
    }

    #[test]
    fn keeps_as_often_as_it_says() {
        for rate in [0.1, 0.5, 0.8] {
            let n = 100_000;
            let dropped = mask(5, 9, 2, rate, n).iter().filter(|&&m| m == 0.0).count();
            let deviation = (n as f64 * rate * (1.0 - rate)).sqrt();
            assert!(
                (dropped as f64 - n as f64 * rate).abs() < 4.0 * deviation,
                "{rate}: {dropped}"
            );
        }
    }

    #[test]
    fn both_forms_agree_in_expectation() {
        // inverted: E[m] = 1; classical: E[m] = keep, what the weights are scaled by for use
        let (n, keep) = (100_000, 0.7);
        let mut classical = vec![0.0; n];
        classical_mask(11, 3, 1, keep, &mut classical);
        let inverted = mask(11, 3, 1, 1.0 - keep, n);
        assert!(classical.iter().zip(&inverted).all(|(c, i)| (c / keep - i).abs() < 1e-12));
        let mean = inverted.iter().sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 4.0 * ((1.0 - keep) / keep / n as f64).sqrt(), "{mean}");
    }

    proptest! {
        #[test]
        fn a_shorter_mask_is_the_start_of_a_longer_one(
            seed: u64, step: u64, layer in 0..=u64::from(u32::MAX), n in 0_usize..300, rate in 0.0..1.0,
        ) {
            let long = mask(seed, step, layer, rate, 300);
            prop_assert_eq!(&mask(seed, step, layer, rate, n), &long[..n]);
        }
    }
}
