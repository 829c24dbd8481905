//! Runs the cells of one experiment: progress, resume, two at a time, each on one thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use slalom::tensor::Threads;

use super::cell::{Cell, Done, Results};
use super::store::Store;
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// How often the person's wish to stop is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Runs what was not kept from before; the results stand in the order of the cells, whoever was
/// first. When interrupted, no new cell begins and those that are done are returned.
pub(crate) fn run(
    label: &str,
    cells: Vec<Cell>,
    threads: usize,
    store: Store,
    kept: &[Done],
    interrupt: &Interrupt,
) -> Result<Results> {
    let is = |cell: &Cell, done: &Done| done.config == cell.config && done.seed == cell.seed;
    let mut done: Vec<Option<Done>> =
        cells.iter().map(|cell| kept.iter().find(|done| is(cell, done)).cloned()).collect();
    let progress = Progress::start(label, cells.len(), done.iter().flatten().count());
    let state = Mutex::new((store, &mut done));

    let one = |index: usize, threads: &Threads| -> Result<()> {
        let cell = &cells[index];
        let start = Instant::now();
        let outcome = (cell.work)(threads)
            .with_context(|| format!("{label}: {} with seed {}", cell.config, cell.seed))?;
        let (config, seconds) = (cell.config.clone(), start.elapsed().as_secs_f64());
        let finished = Done { config, seed: cell.seed, seconds, outcome };
        let mut state = state.lock().map_err(|_| anyhow!("another cell panicked"))?;
        state.0.keep(&finished)?;
        state.1[index] = Some(finished);
        progress.advance();
        Ok(())
    };

    let left = |alone: bool| -> Vec<usize> {
        let state = state.lock().expect("no cell runs yet");
        (0..cells.len()).filter(|&i| state.1[i].is_none() && cells[i].alone == alone).collect()
    };
    let (together, alone) = (left(false), left(true));
    let next = AtomicUsize::new(0);
    let worker = || -> Result<()> {
        while let Some(&index) = together.get(next.fetch_add(1, Ordering::Relaxed))
            && !interrupt.is_raised()
        {
            one(index, &Threads::one())
                .inspect_err(|_| next.store(together.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        while workers.iter().any(|worker| !worker.is_finished()) && !interrupt.is_raised() {
            std::thread::park_timeout(LOOK);
        }
        if interrupt.is_raised() {
            progress
                .note("ends with the cells under way; once more ends at once and keeps the rest");
        }
        workers
            .into_iter()
            .try_for_each(|w| w.join().unwrap_or_else(|_| Err(anyhow!("a cell panicked"))))
    })?;
    let all = Threads::new(threads).context("cannot start threads")?;
    for index in alone.into_iter().take_while(|_| !interrupt.is_raised()) {
        one(index, &all)?;
    }
    progress.finish();
    drop(state);
    let cells = done.into_iter().flatten().collect();
    Ok(Results { cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::cell::Outcome;

    fn cells(fail: bool) -> Vec<Cell> {
        (0..20)
            .map(|seed| {
                let cell = Cell::new("a", seed, move |threads| {
                    if fail && seed == 12 {
                        anyhow::bail!("on purpose");
                    }
                    let count = threads.count() as f64;
                    Ok(Outcome::default().number("seed", seed as f64).number("threads", count))
                });
                if seed == 3 { cell.alone() } else { cell }
            })
            .collect()
    }

    #[test]
    fn results_stand_in_order_and_a_failed_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.jsonl");
        let interrupt = Interrupt::listen().unwrap();
        let (store, kept) = Store::open(&path, "x", true, false).unwrap();
        let error = run("x", cells(true), 2, store, &kept, &interrupt).unwrap_err();
        assert!(format!("{error:#}").ends_with("x: a with seed 12: on purpose"), "{error:#}");
        let (store, kept) = Store::open(&path, "x", true, true).unwrap();
        assert!(kept.len() >= 10, "finished cells are kept: {}", kept.len());
        let results = run("x", cells(false), 2, store, &kept, &interrupt).unwrap();
        let seeds = results.values("a", "seed");
        assert_eq!(seeds, (0..20).map(f64::from).collect::<Vec<_>>());
        let threads = results.values("a", "threads");
        assert_eq!((threads[2], threads[3]), (1.0, 2.0), "cell 3 has the machine to itself");
    }
}
