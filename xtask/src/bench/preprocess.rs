//! Preprocessing of 1,000,000 × 32 f32, one-hot of a million rows, and reading a CSV of 100 MB, on one
//! thread and on all.
//!
//! The CSV is made once, `target/bench/numbers.csv`, so that another reader can be timed on the same
//! file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use slalom::preprocess::{
    Csv, Fit, MaxAbs, MinMax, OneHot, Power, Quantile, Robust, Scaler, Standard, Text, Transform,
    one_hot,
};
use slalom::tensor::{Matrix, Purpose, Threads, stream, uniform};

const SAMPLES: usize = 1_000_000;
const FEATURES: usize = 32;
const RUNS: usize = 5;
const CSV_BYTES: usize = 100_000_000;

/// Prints the table; an argument keeps the lines whose name contains it.
pub(super) fn run(filter: &[String]) -> Result<()> {
    let kept = |name: &str| filter.iter().all(|part| name.contains(part.as_str()));
    let all = std::thread::available_parallelism()?.get();
    println!("{SAMPLES} x {FEATURES} f32; best of {RUNS} runs in ms; 1 and {all} threads");
    println!("{:<22}{:>9}{:>9}{:>12}{:>9}", "", "fit 1", "fit all", "transform 1", "all");
    let both = [Threads::one(), Threads::new(all).context("cannot start the threads")?];
    let scalers: [(&str, Scaler); 6] = [
        ("standard", Standard::default().into()),
        ("min_max", MinMax::default().into()),
        ("max_abs", MaxAbs::default().into()),
        ("robust", Robust::default().into()),
        ("quantile", Quantile::default().into()),
        ("power (of 100,000)", Power::default().into()),
    ];
    for (name, scaler) in scalers.into_iter().filter(|(name, _)| kept(name)) {
        let [one, two] = &both;
        let [fit, fit_all] = [one, two].map(|threads| fit(scaler, threads));
        let [transform, transform_all] = [one, two].map(|threads| transform(scaler, threads));
        println!(
            "{name:<22}{:>9.1}{:>9.1}{:>12.1}{:>9.1}",
            fit?, fit_all?, transform?, transform_all?
        );
    }
    if kept("one_hot") {
        encode()?;
    }
    if kept("csv") {
        let path = numbers_csv()?;
        let megabytes = path.metadata()?.len() as f64 / 1e6;
        let [one, two] = &both;
        let [ms, all] = [one, two].map(|threads| {
            best(|| {
                drop(Csv::default().read_with(&path, threads)?);
                Ok(())
            })
        });
        let (ms, all) = (ms?, all?);
        println!("{:<22}{ms:>9.1}{all:>9.1}   {:.0} MB/s", "csv", megabytes / all * 1e3);
    }
    Ok(())
}

fn fit(scaler: Scaler, threads: &Threads) -> Result<f64> {
    let x = numbers(scaler);
    best(|| {
        drop(scaler.fit_with(x.as_view(), threads)?);
        Ok(())
    })
}

fn transform(scaler: Scaler, threads: &Threads) -> Result<f64> {
    let mut x = numbers(scaler);
    let fitted = scaler.fit_with(x.as_view(), threads)?;
    best(|| Ok(fitted.transform_with(x.as_view_mut(), threads)?))
}

/// Uniform numbers; a tenth of them for powers, which take long.
fn numbers(scaler: Scaler) -> Matrix<f32> {
    let samples = if matches!(scaler, Scaler::Power(_)) { SAMPLES / 10 } else { SAMPLES };
    let mut rng = stream(1, Purpose::Data, [0, 0]);
    Matrix::from_fn(FEATURES, samples, |_, _| uniform(&mut rng) as f32)
}

fn encode() -> Result<()> {
    let mut rng = stream(2, Purpose::Data, [0, 0]);
    let classes: Vec<u32> = (0..SAMPLES).map(|_| (uniform(&mut rng) * 10.0) as u32).collect();
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let text: Text = names.iter().map(String::as_str).collect();
    let encoder = OneHot::default();
    let fit = best(|| {
        drop(encoder.fit(&[("x", &text)])?);
        Ok(())
    })?;
    let fitted = encoder.fit(&[("x", &text)])?;
    let transform = best(|| {
        drop(fitted.transform::<f32>(&[&text])?);
        Ok(())
    })?;
    println!("{:<22}{fit:>9.1}{:>9}{transform:>12.1}", "one_hot, 10 of text", "");
    let transform = best(|| {
        drop(one_hot::<f32>(&classes, 10)?);
        Ok(())
    })?;
    println!("{:<22}{:>9}{:>9}{transform:>12.1}", "one_hot, 10 of u32", "", "");
    Ok(())
}

/// The file of numbers, made if it is not there: ten columns with a header, six decimals.
fn numbers_csv() -> Result<PathBuf> {
    let path = Path::new("target").join("bench").join("numbers.csv");
    if path.metadata().is_ok_and(|data| data.len() as usize >= CSV_BYTES) {
        return Ok(path);
    }
    std::fs::create_dir_all("target/bench")?;
    let mut rng = stream(3, Purpose::Data, [0, 0]);
    let mut text = b"a,b,c,d,e,f,g,h,i,j\n".to_vec();
    while text.len() < CSV_BYTES {
        for column in 0..10 {
            let end = if column == 9 { '\n' } else { ',' };
            write!(text, "{:.6}{end}", (uniform(&mut rng) - 0.5) * 100.0)?;
        }
    }
    std::fs::write(&path, text)?;
    Ok(path)
}

/// The shortest of several runs in milliseconds, after one to warm up.
fn best(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}
