//! Progress: a bar with the time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of one experiment or download, on standard error.
pub(crate) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
}

/// What plain lines need to know.
struct Lines {
    total: usize,
    before: usize,
    done: usize,
    start: Instant,
    shown: Instant,
}

/// The least time between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

impl Progress {
    /// Starts to count up to `total`, of which `before` are done already.
    pub(crate) fn start(name: &str, total: usize, before: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let form = "{prefix:20} {bar:32} {pos}/{len}  {elapsed_precise}  left {eta}  {msg}";
            let style = ProgressStyle::with_template(form).expect("a fixed template");
            let bar =
                ProgressBar::new(total as u64).with_style(style).with_prefix(name.to_string());
            bar.with_position(before as u64)
        });
        let now = Instant::now();
        let lines = Lines { total, before, done: before, start: now, shown: now };
        if bar.is_none() && before > 0 {
            eprintln!("{name}: {before} of {total} were done before");
        }
        Self { name: name.into(), bar, lines: Mutex::new(lines) }
    }

    /// Starts to count the bytes of a file; plain lines only when it ends.
    pub(crate) fn bytes(name: &str, total: u64, before: u64) -> Self {
        let progress = Self::start(name, total as usize, before as usize);
        if let Some(bar) = &progress.bar {
            let form = "{prefix:28} {bar:32} {bytes}/{total_bytes}  left {eta}";
            bar.set_style(ProgressStyle::with_template(form).expect("a fixed template"));
        } else {
            eprintln!("{name}: {total} bytes");
        }
        progress
    }

    /// So many are done in all.
    pub(crate) fn set(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// One more is done.
    pub(crate) fn advance(&self) {
        if let Some(bar) = &self.bar {
            return bar.inc(1);
        }
        let Ok(mut lines) = self.lines.lock() else { return };
        lines.done += 1;
        if lines.shown.elapsed() < PAUSE {
            return;
        }
        lines.shown = Instant::now();
        let new = (lines.done - lines.before) as f64;
        let left = lines.start.elapsed().as_secs_f64() / new * (lines.total - lines.done) as f64;
        eprintln!("{}: {} of {}, about {left:.0} s left", self.name, lines.done, lines.total);
    }

    /// Says something beside the count.
    pub(crate) fn note(&self, words: &str) {
        match &self.bar {
            Some(bar) => bar.println(words),
            None => eprintln!("{}: {words}", self.name),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
