//! The criterion benches of the `benches` package, run and gathered into one table.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Runs the benches whose name contains the filter (all without one) and prints what they took.
pub(super) fn run(filter: &[String]) -> Result<()> {
    let start = SystemTime::now();
    let status = crate::cargo()
        .args(["bench", "--package", "slalom-benches", "--benches", "--", "--quiet", "--noplot"])
        .args(filter)
        .status()
        .context("cannot run cargo bench")?;
    if !status.success() {
        bail!("cargo bench failed: {status}");
    }
    let mut rows = Vec::new();
    // a second's grace: file times are coarser than the clock on some systems
    collect(&target().join("criterion"), start - Duration::from_secs(1), &mut rows)?;
    if rows.is_empty() {
        bail!("no bench has {filter:?} in its name");
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    print!("{}", table(&rows));
    Ok(())
}

/// One bench: its name, and nanoseconds an iteration with the 95 % interval.
#[derive(Debug)]
struct Row {
    name: String,
    median: Interval,
    work: Option<Throughput>,
}

#[derive(Debug, Deserialize)]
struct Estimates {
    median: Interval,
}

#[derive(Debug, Deserialize)]
struct Interval {
    point_estimate: f64,
    confidence_interval: Bounds,
}

#[derive(Debug, Deserialize)]
struct Bounds {
    lower_bound: f64,
    upper_bound: f64,
}

#[derive(Debug, Deserialize)]
struct Benchmark {
    full_id: String,
    throughput: Option<Throughput>,
}

/// How much one iteration does: criterion's `{"Elements": n}` or `{"Bytes": n}`.
type Throughput = serde_json::Value;

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from)
}

/// Reads every `new/estimates.json` that this run wrote.
fn collect(folder: &Path, since: SystemTime, rows: &mut Vec<Row>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let estimates = path.join("estimates.json");
        if path.ends_with("new") && estimates.is_file() {
            if std::fs::metadata(&estimates)?.modified()? < since {
                continue;
            }
            let read = |file: &str| {
                std::fs::read(path.join(file)).with_context(|| format!("{}/{file}", path.display()))
            };
            let bench: Benchmark = serde_json::from_slice(&read("benchmark.json")?)?;
            let estimates: Estimates = serde_json::from_slice(&read("estimates.json")?)?;
            rows.push(Row {
                name: bench.full_id,
                median: estimates.median,
                work: bench.throughput,
            });
        } else if path.is_dir() {
            collect(&path, since, rows)?;
        }
    }
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(5);
    let mut table = format!(
        "{:<width$}  {:>10}  {:>23}  {:>14}\n",
        "bench", "median", "95 % interval", "work/s"
    );
    for Row { name, median, work } in rows {
        let Bounds { lower_bound, upper_bound } = median.confidence_interval;
        let interval = format!("{} … {}", time(lower_bound), time(upper_bound));
        let rate = work.as_ref().map_or(String::new(), |work| rate(work, median.point_estimate));
        table += &format!(
            "{name:<width$}  {:>10}  {interval:>23}  {rate:>14}\n",
            time(median.point_estimate)
        );
    }
    table
}

fn time(nanoseconds: f64) -> String {
    let (scale, unit) = match nanoseconds {
        t if t < 1e3 => (1.0, "ns"),
        t if t < 1e6 => (1e3, "µs"),
        t if t < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{:.2} {unit}", nanoseconds / scale)
}

fn rate(work: &Throughput, nanoseconds: f64) -> String {
    let per_second = |unit: &str| Some(work.get(unit)?.as_u64()? as f64 / nanoseconds);
    let elements = per_second("Elements").map(|rate| format!("{rate:.2} G/s"));
    let bytes = || per_second("Bytes").map(|rate| format!("{rate:.2} GB/s"));
    elements.or_else(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_what_criterion_writes() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("product").join("512").join("new");
        std::fs::create_dir_all(&new).unwrap();
        let bench = r#"{"full_id": "product/512", "throughput": {"Elements": 4000}}"#;
        std::fs::write(new.join("benchmark.json"), bench).unwrap();
        let interval =
            r#"{"lower_bound": 1990.0, "upper_bound": 2010.0, "confidence_level": 0.95}"#;
        let estimates = format!(
            r#"{{"median": {{"point_estimate": 2000.0, "confidence_interval": {interval}}}}}"#
        );
        std::fs::write(new.join("estimates.json"), estimates).unwrap();
        let mut rows = Vec::new();
        collect(folder.path(), SystemTime::UNIX_EPOCH, &mut rows).unwrap();
        let table = table(&rows);
        let row = table.lines().nth(1).unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["product/512", "2.00", "µs", "1.99", "µs", "…", "2.01", "µs", "2.00", "G/s"]
        );
        let mut later = Vec::new();
        collect(folder.path(), SystemTime::now() + Duration::from_secs(60), &mut later).unwrap();
        assert!(later.is_empty(), "benches of an earlier run are left out");
    }
}
