//! Saves the run while it trains, and finds the newest good file again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use slalom_tensor::Scalar;

use super::{Callback, Event};
use crate::checkpoint::{Checkpoint, CheckpointError, Disk, SystemDisk};
use crate::{Run, TrainError};

/// Saves a fit's run to `name-<batches>.slalom` in a folder; older files go once a newer one is
/// safely there.
///
/// A name is one run's: numbered files of it that are ahead of the run (damaged ones behind which it
/// was resumed, an earlier run's) go as well.
///
/// A fit that is interrupted saves once more, so nothing is lost. A save that fails ends the fit
/// with its error.
///
/// | field | default | |
/// |---|---|---|
/// | `folder`, `name` | – | where, and how files begin |
/// | `every` | each epoch | how often: at least 1 epoch, at least 0 minutes |
/// | `keep` | 2 | how many files stay, at least 1: the newest and the one before |
/// | `best` | true | also `name-best.slalom`, after each epoch that is the best so far |
///
/// ```
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, Fit, Run, Save};
/// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
/// # let mut run = Run::new(network, Config::default(), Threads::one())?;
/// # let x = from_rows(&[[1.0], [2.0]]);
/// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?;
/// # let folder = tempfile::tempdir()?;
/// let mut save = Save::new(folder.path(), "two");
/// run.fit(train, None, &Fit { epochs: 5, ..Fit::default() }, &mut [&mut save])?;
/// let newest = Save::newest(folder.path(), "two")?;
/// assert_eq!(Run::<f64>::resume(&newest.checkpoint, Threads::one())?.epochs(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Save {
    /// The folder; it must be there.
    pub folder: PathBuf,
    /// How the files' names begin.
    pub name: String,
    /// How often to save.
    pub every: Every,
    /// How many files stay, the newest ones; at least 1.
    pub keep: usize,
    /// Whether the best run so far has a file of its own.
    pub best: bool,
    /// From when the minutes count: the last save, or the beginning.
    pub since: Instant,
}

/// How often to save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After each so manieth epoch; at least 1.
    Epochs(u64),
    /// After the first update that ends so many minutes after the last save; at least 0.
    Minutes(f64),
}

/// The newest file that can be read.
#[derive(Debug)]
pub struct Newest {
    /// Its contents.
    pub checkpoint: Checkpoint,
    /// The file.
    pub path: PathBuf,
    /// Newer files that cannot be read, and why: what was trained since `path` is lost.
    pub damaged: Vec<(PathBuf, CheckpointError)>,
}

impl Save {
    /// After each epoch, two files and the best.
    pub fn new(folder: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        let (every, since) = (Every::Epochs(1), Instant::now());
        Self { folder: folder.into(), name: name.into(), every, keep: 2, best: true, since }
    }

    /// The newest file of this name that can be read.
    ///
    /// # Errors
    /// No file at all, or none that can be read: then the newest one's error.
    pub fn newest(folder: &Path, name: &str) -> Result<Newest, CheckpointError> {
        let mut damaged = Vec::new();
        for (_, path) in files(folder, name)?.into_iter().rev() {
            match Checkpoint::load(&path) {
                Ok(checkpoint) => return Ok(Newest { checkpoint, path, damaged }),
                Err(error) => damaged.push((path, error)),
            }
        }
        let path = folder.join(format!("{name}-<batches>.slalom"));
        let none = || CheckpointError::Io {
            operation: "find",
            path,
            source: std::io::ErrorKind::NotFound.into(),
        };
        Err(damaged.into_iter().next().map_or_else(none, |(_, error)| error))
    }

    fn save<F: Scalar>(&mut self, run: &Run<F>) -> Result<(), TrainError> {
        self.since = Instant::now();
        let path = self.folder.join(format!("{}-{:012}.slalom", self.name, run.progress.step));
        run.checkpoint()?.save(path)?;
        let (mut old, ahead): (Vec<_>, Vec<_>) = files(&self.folder, &self.name)?
            .into_iter()
            .partition(|(step, _)| *step <= run.progress.step);
        old.truncate(old.len().saturating_sub(self.keep));
        for (_, path) in ahead.into_iter().chain(old) {
            SystemDisk::default().remove(&path).map_err(|source| CheckpointError::Io {
                operation: "remove",
                path,
                source,
            })?;
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), TrainError> {
        let (field, value, bound) = match (self.every, self.keep) {
            (Every::Epochs(0), _) => ("number of epochs between two saves", 0.0, "at least 1"),
            (Every::Minutes(minutes), _) if minutes.is_nan() || minutes < 0.0 => {
                ("number of minutes between two saves", minutes, "at least 0")
            }
            (_, 0) => ("number of files to keep", 0.0, "at least 1"),
            _ => return Ok(()),
        };
        Err(TrainError::Field { field, value, bound })
    }

    /// Whether the event is one after which to save.
    fn is_due<F: Scalar>(&self, run: &Run<F>, event: Event<'_>) -> bool {
        match (event, self.every) {
            (Event::Epoch(_), Every::Epochs(epochs)) => run.epochs().is_multiple_of(epochs),
            (Event::Step(_) | Event::Epoch(_), Every::Minutes(minutes)) => {
                self.since.elapsed().as_secs_f64() >= 60.0 * minutes
            }
            (Event::End(outcome), _) => *outcome == crate::Outcome::Interrupted,
            _ => false,
        }
    }
}

impl<F: Scalar> Callback<F> for Save {
    fn on(&mut self, run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        self.validate()?;
        if self.is_due(run, event) {
            self.save(run)?;
        }
        let is_epoch = matches!(event, Event::Epoch(_));
        if self.best && is_epoch && run.best_epoch() == Some(run.epochs()) {
            run.checkpoint()?.save(self.folder.join(format!("{}-best.slalom", self.name)))?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The numbered files of a name, oldest first.
fn files(folder: &Path, name: &str) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let fail = |source| CheckpointError::Io { operation: "list", path: folder.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let file = entry.file_name();
        let number = (file.to_str())
            .and_then(|file| file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".slalom"))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}
