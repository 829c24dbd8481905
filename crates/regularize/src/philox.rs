//! Philox4x32-10, a counter-based generator: 128 random bits as a function of a counter and a key.
//!
//! Two different (key, counter) never give dependent bits, nothing is stored, and neighbouring
//! counters are computed side by side. The values are those of the published test vectors.
//!
//! Reference: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".

/// Counters computed side by side: wide enough for any vector register.
pub(crate) const LANES: usize = 16;

/// Random words of consecutive counters: `words[w][i]` is word w of counter `first + i`.
pub(crate) type Words = [[u32; LANES]; 4];

/// Ten rounds on the counters `(first + i, rest)` for i in 0..[`LANES`]; the first word wraps.
#[inline(always)]
pub(crate) fn philox(first: u32, rest: [u32; 3], key: u64) -> Words {
    // Each word in the lower half of 64 bits, and whatever in the upper one: that is how vectors
    // multiply 32 by 32 bits, so that nothing moves between lanes from round to round.
    let mut x = [[0; LANES], [rest[0]; LANES], [rest[1]; LANES], [rest[2]; LANES]]
        .map(|word| word.map(u64::from));
    for (i, word) in x[0].iter_mut().enumerate() {
        *word = u64::from(first.wrapping_add(i as u32));
    }
    let low = |word: u64| u64::from(word as u32);
    let (mut k0, mut k1) = (key as u32, (key >> 32) as u32);
    for _ in 0..10 {
        #[expect(clippy::needless_range_loop, reason = "four rows in step")]
        for i in 0..LANES {
            let a = 0xD251_1F53 * low(x[0][i]);
            let b = 0xCD9E_8D57 * low(x[2][i]);
            x[0][i] = (b >> 32) ^ x[1][i] ^ u64::from(k0);
            x[2][i] = (a >> 32) ^ x[3][i] ^ u64::from(k1);
            x[1][i] = b;
            x[3][i] = a;
        }
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    x.map(|word| word.map(|word| word as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of one counter, from lane `i` of a call that starts i earlier.
    fn words(counter: [u32; 4], key: u64, i: usize) -> [u32; 4] {
        let [first, rest @ ..] = counter;
        philox(first.wrapping_sub(i as u32), rest, key).map(|lanes| lanes[i])
    }

    /// Random123's known-answer vectors for philox4x32-10.
    #[test]
    fn known_answers() {
        for i in [0, 1, LANES - 1] {
            assert_eq!(words([0; 4], 0, i), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
            assert_eq!(
                words([u32::MAX; 4], u64::MAX, i),
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
            );
            assert_eq!(
                words(
                    [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                    0x299f_31d0_a409_3822,
                    i
                ),
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            );
        }
    }
}
