//! The same loop compiled for the vector units that the CPU turns out to have.
//!
//! A [`Work`] is written once as a plain loop; [`Level::run`] calls the copy of it that was compiled
//! for the level. No copy may contract a product and a sum into one rounding (rustc never does by
//! itself), so all levels give the same bits.

/// A loop that is to be compiled for every level. `run` must be `#[inline(always)]`, so that it is
/// compiled inside the function that enables the instructions.
pub(crate) trait Work {
    type Output;

    fn run(self) -> Self::Output;
}

/// The instructions that a loop may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What the target is built for.
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The widest level of this CPU.
    pub(crate) fn detect() -> Self {
        Self::available().last().unwrap_or(Self::Baseline)
    }

    /// Every level of this CPU, the baseline first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        let mut levels = [Some(Self::Baseline), None, None];
        #[cfg(target_arch = "x86_64")]
        {
            levels[1] = is_x86_feature_detected!("avx2").then_some(Self::Avx2);
            let wide = [
                is_x86_feature_detected!("avx512f"),
                is_x86_feature_detected!("avx512vl"),
                is_x86_feature_detected!("avx512dq"),
                is_x86_feature_detected!("avx512bw"),
            ];
            levels[2] = wide.into_iter().all(|has| has).then_some(Self::Avx512);
        }
        levels.into_iter().flatten()
    }

    /// Runs `work` as compiled for this level.
    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self {
            Self::Baseline => work.run(),
            // SAFETY: the level exists only where `available` found AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(work) },
            // SAFETY: the level exists only where `available` found these AVX-512 sets.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
fn avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_always_there() {
        assert_eq!(Level::available().next(), Some(Level::Baseline));
        assert_eq!(Level::available().last(), Some(Level::detect()));
    }
}
