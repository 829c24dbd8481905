//! One fused optimizer step over ten million f32, every rule, on one thread and on all.
//!
//! GB/s count the streams that the rule itself must read and write: the gradient, and parameters
//! and slots twice. The ratio is to a triad (`a ← b + s·c`) of the same run, whose streams are
//! counted the same way. The first columns are the one pass (`sweep_with`), which checks the gradient
//! on its way; the others read all of it before anything moves (`step_with`).

use std::time::Instant;

use anyhow::{Context, Result, bail};
use slalom::optim::{Adam, Block, Optimizer, RmsProp, Rule, Sgd, Slab};
use slalom::tensor::Threads;

const NUMBERS: usize = 10_000_000;
const RUNS: usize = 7;

/// Prints the table; an argument keeps the rules whose name contains it.
pub(super) fn run(filter: &[String]) -> Result<()> {
    let all = std::thread::available_parallelism()?.get();
    let kept = |name: &str| filter.iter().all(|part| name.contains(&part.to_lowercase()));
    let rules: Vec<_> = rules().into_iter().filter(|(name, _)| kept(name)).collect();
    if rules.is_empty() {
        bail!(
            "no rule has {:?} in its name: `cargo xtask bench optim` lists them",
            filter.join(" ")
        );
    }
    println!("10 M f32; best of {RUNS} runs; {all} threads at most");
    for count in if all > 1 { vec![1, all] } else { vec![1] } {
        let threads = Threads::new(count).context("cannot start the threads")?;
        let triad = triad(&threads);
        println!("\nthreads {count}: triad {triad:.1} GB/s");
        println!("{:<16}{:>26}{:>26}", "", "one pass (sweep)", "checked first (step)");
        let columns = format!("{:>10}{:>8}{:>8}", "ms", "GB/s", "÷ triad");
        println!("{:<16}{columns}{columns}", "rule");
        for (name, rule) in &rules {
            let times = times(rule, &threads)?;
            let bytes = (3 + 2 * rule.slots().len()) as f64 * NUMBERS as f64 * 4.0;
            print!("{name:<16}");
            for seconds in times {
                let speed = bytes / seconds / 1e9;
                print!("{:>10.2}{speed:>8.1}{:>8.2}", seconds * 1e3, speed / triad);
            }
            println!();
        }
    }
    Ok(())
}

/// Every rule by its name in small letters, and options with a loop of their own.
fn rules() -> Vec<(String, Rule)> {
    let momentum = Sgd { momentum: 0.9, ..Sgd::default() };
    let heavy = RmsProp { momentum: 0.9, centered: true, ..RmsProp::default() };
    let options: [(&str, Rule); 4] = [
        ("sgd_momentum", momentum.into()),
        ("sgd_nesterov", Sgd { nesterov: true, ..momentum }.into()),
        ("rmsprop_all", heavy.into()),
        ("adam_amsgrad", Adam { amsgrad: true, ..Adam::default() }.into()),
    ];
    let all = Rule::all().into_iter().map(|rule| (rule.name().to_lowercase(), rule));
    all.chain(options.map(|(name, rule)| (name.to_string(), rule))).collect()
}

/// The best times of `sweep_with` and `step_with`.
fn times(rule: &Rule, threads: &Threads) -> Result<[f64; 2]> {
    let blocks = vec![Block::new("all", 0..NUMBERS)];
    let mut optimizer = Optimizer::<f32>::new(rule.clone(), blocks, None)?;
    let mut params = numbers(1);
    let grads = numbers(2);
    let step = best(|| {
        let run = |tasks: usize, work: &(dyn Fn(usize) + Sync)| threads.run(tasks, work);
        optimizer.step_with(1e-3, &mut params, &grads, &run).map(drop)
    })?;
    let sweep = best(|| {
        let run = |tasks: usize, work: &(dyn Fn(usize) + Sync)| threads.run(tasks, work);
        optimizer.sweep_with(1e-3, &mut params, &grads, &run).map(drop)
    })?;
    Ok([sweep, step])
}

/// The bandwidth of `a ← b + s·c` in GB/s, cut as a step is.
fn triad(threads: &Threads) -> f64 {
    let chunk = 1 << 15;
    let (b, c) = (numbers(1), numbers(2));
    let mut a = vec![0.0_f32; NUMBERS];
    let parts: Vec<_> = a.chunks_mut(chunk).map(std::sync::Mutex::new).collect();
    let seconds = best::<std::convert::Infallible>(|| {
        threads.run(parts.len(), &|task| {
            let mut a = parts[task].lock().expect("no task panics");
            let (b, c) = (&b[task * chunk..], &c[task * chunk..]);
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + 0.5 * c);
        });
        Ok(())
    });
    let Ok(seconds) = seconds;
    3.0 * NUMBERS as f64 * 4.0 / seconds / 1e9
}

/// The shortest of several runs in seconds, after one to warm up.
fn best<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    work()?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// On a cache line, as a run's parameters are and PyTorch's tensors.
fn numbers(seed: u32) -> Slab<f32> {
    let number = |i: u32| (i.wrapping_mul(2_654_435_769 + seed) >> 8) as f32 / 16_777_216.0;
    (0..NUMBERS as u32).map(number).collect::<Vec<_>>().into()
}
