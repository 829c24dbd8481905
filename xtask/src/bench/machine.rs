//! What the machine can do at most: multiply-adds a second, and bytes a second.

use std::time::Instant;

use slalom::tensor::{Threads, vectorize};

/// Floating-point operations a second of independent multiply-adds in registers, all threads.
pub(super) fn peak(threads: usize) -> f64 {
    const NUMBERS: usize = 512;
    const CHAIN: usize = 8;
    const ROUNDS: usize = 40_000;
    let team = Threads::new(threads).unwrap_or_else(|_| Threads::one());
    let work = |_: usize| {
        let mut numbers = [0.5_f32; NUMBERS];
        let (a, b) = (std::hint::black_box(0.999_f32), std::hint::black_box(0.001_f32));
        for _ in 0..ROUNDS {
            vectorize(
                #[inline(always)]
                || {
                    for number in &mut numbers {
                        let mut value = *number;
                        for _ in 0..CHAIN {
                            value = value.mul_add(a, b);
                        }
                        *number = value;
                    }
                },
            );
            std::hint::black_box(&mut numbers);
        }
    };
    let flop = (2 * NUMBERS * CHAIN * ROUNDS * threads) as f64;
    flop / best(8, || team.run(threads, &work))
}

/// Bytes a second of `a = b + s·c` over arrays that take so many bytes together, all threads.
pub(super) fn triad(bytes: usize, threads: usize) -> f64 {
    let team = Threads::new(threads).unwrap_or_else(|_| Threads::one());
    let length = (bytes / 12 / threads).max(64);
    let part =
        || std::sync::Mutex::new([vec![0.0_f32; length], vec![1.0; length], vec![2.0; length]]);
    let parts: Vec<_> = (0..threads).map(|_| part()).collect();
    let rounds = (1 << 22) / length + 1;
    let work = |part: usize| {
        let mut part = parts[part].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let [a, b, c] = &mut *part;
        for _ in 0..rounds {
            vectorize(
                #[inline(always)]
                || {
                    for ((a, b), c) in a.iter_mut().zip(&*b).zip(&*c) {
                        *a = *b + 0.5 * *c;
                    }
                },
            );
            std::hint::black_box(&mut *a);
        }
    };
    (12 * length * rounds * threads) as f64 / best(5, || team.run(threads, &work))
}

/// The least of several timings in seconds, after one that does not count.
fn best(times: usize, mut work: impl FnMut()) -> f64 {
    work();
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..times).map(time).fold(f64::INFINITY, f64::min)
}
