//! NumPy's legacy random numbers (`RandomState`), for reproducing what was made with them.
//!
//! The generator is `rand_mt`'s MT19937; the draws on top follow NumPy's, number for number.

use rand_mt::Mt;

/// `numpy.random.RandomState(seed)`.
pub(crate) struct RandomState {
    generator: Mt,
    /// The second of a pair of normal numbers, kept for the next draw.
    normal: Option<f64>,
}

impl RandomState {
    pub(crate) fn new(seed: u32) -> Self {
        Self { generator: Mt::new(seed), normal: None }
    }

    /// `random_sample()`: 53 bits in [0, 1).
    pub(crate) fn random(&mut self) -> f64 {
        let (a, b) = (self.generator.next_u32() >> 5, self.generator.next_u32() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    /// `uniform(low, high)`.
    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random()
    }

    /// `normal()`: Marsaglia's polar method, two numbers at a time.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(kept) = self.normal.take() {
            return kept;
        }
        loop {
            let (x, y) = (2.0 * self.random() - 1.0, 2.0 * self.random() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.normal = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// `permutation(n)`.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let j = self.up_to(i as u32) as usize;
            order.swap(i, j);
        }
        order
    }

    /// An integer in 0..=most: masked to the bits that matter, drawn again while too large.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let value = self.generator.next_u32() & mask;
            if value <= most {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: NumPy, `rng = numpy.random.RandomState(SEED)`; legacy streams are frozen.
    #[test]
    fn draws_are_numpy_s() {
        let mut rng = RandomState::new(0);
        assert_eq!([rng.random(), rng.random()], [0.5488135039273248, 0.7151893663724195]);
        assert_eq!(RandomState::new(0).permutation(10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
        let mut rng = RandomState::new(42);
        let normal = [rng.normal(), rng.normal(), rng.normal()];
        let expected = [0.4967141530112327, -0.13826430117118466, 0.6476885381006925];
        assert!(normal.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{normal:?}");
    }
}
