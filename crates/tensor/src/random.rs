//! Seeded random streams: everything random is a function of (seed, purpose, indices).
//!
//! The generator is ChaCha with 8 rounds (Bernstein 2008), keyed by the 32 bytes *seed, purpose,
//! first index, second index*. Two different keys never share a stream, nothing has to be stored to
//! draw the same numbers again, and the values stay the same from version to version (pinned by
//! the tests below; a change is value-breaking and stands in the changelog).

use rand::{Rng, SeedableRng};

/// The generator behind every stream: ChaCha with 8 rounds. It implements the traits of `rand`, so
/// the distributions of `rand_distr` draw from it.
pub type Stream = rand_chacha::ChaCha8Rng;

/// What a stream is for. Each purpose has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Initial weights; indices: layer, block.
    Init,
    /// The order of the samples; indices: epoch.
    Shuffle,
    /// Splitting a table into parts; indices: class, repetition.
    Split,
    /// Drawing samples with replacement; indices: repetition.
    Bootstrap,
    /// Generated data sets; indices: the generator's own.
    Data,
    /// Noise added to activations; indices: step, layer.
    Noise,
    /// Drawing hyper-parameters; indices: trial.
    Search,
}

impl Purpose {
    /// The number that stands for the purpose in a key. Never renumber.
    fn tag(self) -> u64 {
        match self {
            Self::Init => 1,
            Self::Shuffle => 2,
            Self::Split => 3,
            Self::Bootstrap => 4,
            Self::Data => 5,
            Self::Noise => 6,
            Self::Search => 7,
        }
    }
}

/// The stream of random numbers for a purpose and two indices (0 where a purpose has fewer).
///
/// ```
/// use slalom_tensor::{Purpose, permutation, stream};
/// let epoch_3 = permutation(5, &mut stream(42, Purpose::Shuffle, [3, 0]));
/// assert_eq!(epoch_3, permutation(5, &mut stream(42, Purpose::Shuffle, [3, 0])));
/// assert_ne!(epoch_3, permutation(5, &mut stream(42, Purpose::Shuffle, [4, 0])));
/// ```
pub fn stream(seed: u64, purpose: Purpose, indices: [u64; 2]) -> Stream {
    let mut key = [0; 32];
    let words = [seed, purpose.tag(), indices[0], indices[1]];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Stream::from_seed(key)
}

/// A number in [0, 1), one of the 2⁵³ multiples of 2⁻⁵³, each equally likely.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// An index in 0..bound without bias: multiply and reject (Lemire 2019, "Fast random integer
/// generation in an interval").
fn below(bound: u64, rng: &mut impl Rng) -> u64 {
    loop {
        let wide = u128::from(rng.next_u64()) * u128::from(bound);
        let rest = wide as u64;
        // the threshold is below the bound: nearly always it need not be known
        if rest >= bound || rest >= bound.wrapping_neg() % bound {
            return (wide >> 64) as u64;
        }
    }
}

/// Puts the items into a random order, each order equally likely (Fisher–Yates, from the end).
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(i as u64 + 1, rng) as usize);
    }
}

/// The numbers 0..n in a random order, each order equally likely.
pub fn permutation(n: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    shuffle(&mut order, rng);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable() {
        let mut rng = stream(1, Purpose::Init, [0, 0]);
        assert_eq!([rng.next_u64(), rng.next_u64()], PINNED);
        assert_eq!(permutation(8, &mut stream(1, Purpose::Shuffle, [0, 0])), PINNED_ORDER);
    }

    const PINNED: [u64; 2] = [4344717217939160907, 15305578173110765368];
    const PINNED_ORDER: [usize; 8] = [4, 5, 3, 0, 6, 7, 1, 2];

    #[test]
    fn every_part_of_the_key_matters() {
        let first = |seed, purpose, indices| stream(seed, purpose, indices).next_u64();
        let base = first(1, Purpose::Init, [0, 0]);
        assert_ne!(base, first(2, Purpose::Init, [0, 0]));
        assert_ne!(base, first(1, Purpose::Shuffle, [0, 0]));
        assert_ne!(base, first(1, Purpose::Init, [1, 0]));
        assert_ne!(base, first(1, Purpose::Init, [0, 1]));
    }

    #[test]
    fn every_order_of_four_is_about_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            let order = permutation(4, &mut stream(7, Purpose::Shuffle, [epoch, 0]));
            *counts.entry(order).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // 1000 expected in each, standard deviation 31
        assert!(counts.values().all(|&n| (n - 1000).abs() < 155), "{counts:?}");
    }

    #[test]
    fn uniform_stays_below_one() {
        let mut rng = stream(3, Purpose::Data, [0, 0]);
        let mean = (0..10_000)
            .map(|_| uniform(&mut rng))
            .inspect(|u| assert!((0.0..1.0).contains(u)))
            .sum::<f64>()
            / 10_000.0;
        assert!((mean - 0.5).abs() < 0.015, "{mean}");
    }
}
