//! Philox4x32-10, a counter-based generator: 128 random bits as a function of a counter and a key.
//!
//! Two different (key, counter) never give dependent bits, and nothing is stored.
//!
//! Reference: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".

/// Ten rounds on one counter. A loop over counters that follow each other becomes one over vectors.
#[inline(always)]
pub(crate) fn philox(counter: [u32; 4], key: u64) -> [u32; 4] {
    // Each word in the lower half of 64 bits, and whatever in the upper one: that is how vectors
    // multiply 32 by 32 bits, so that nothing moves between lanes from round to round.
    let mut x = counter.map(u64::from);
    let low = |word: u64| u64::from(word as u32);
    let (mut k0, mut k1) = (key as u32, (key >> 32) as u32);
    for _ in 0..10 {
        let a = 0xD251_1F53 * low(x[0]);
        let b = 0xCD9E_8D57 * low(x[2]);
        x = [(b >> 32) ^ x[1] ^ u64::from(k0), b, (a >> 32) ^ x[3] ^ u64::from(k1), a];
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    x.map(|word| word as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random123's known-answer vectors for philox4x32-10.
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], u64::MAX),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], 0x299f_31d0_a409_3822),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }
}
