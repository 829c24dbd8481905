//! The history, written line by line while it happens: as CSV and as JSON lines.

use std::io::Write;
use std::ops::ControlFlow;

use slalom_tensor::Scalar;

use super::{Callback, Event};
use crate::history::write_names;
use crate::{Run, TrainError};

/// Writes a line of CSV after each epoch, and a line of names before the first.
///
/// Its columns are those of [`History::write_csv`](crate::History::write_csv), with the metrics of
/// the first epoch that it sees.
///
/// ```
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, CsvLog, Fit, Run};
/// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
/// # let mut run = Run::new(network, Config::default(), Threads::one())?;
/// # let x = from_rows(&[[1.0], [2.0]]);
/// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?;
/// let mut log = CsvLog::new(Vec::new());
/// run.fit(train, None, &Fit { epochs: 3, ..Fit::default() }, &mut [&mut log])?;
/// assert_eq!(String::from_utf8(log.into_inner())?.lines().count(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvLog<W> {
    out: W,
    named: bool,
    /// The metrics that have a column, once an epoch has told.
    metrics: Option<Vec<String>>,
}

impl<W: Write> CsvLog<W> {
    /// A log that begins with the line of names.
    pub fn new(out: W) -> Self {
        Self { out, named: false, metrics: None }
    }

    /// A log that goes on where an earlier one ended: no line of names.
    pub fn appended(out: W) -> Self {
        Self { out, named: true, metrics: None }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<F: Scalar, W: Write> Callback<F> for CsvLog<W> {
    fn on(&mut self, _run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        if let Event::Epoch(epoch) = event {
            let names = || epoch.metrics.iter().map(|(name, _)| name.clone()).collect();
            let names: Vec<&str> =
                self.metrics.get_or_insert_with(names).iter().map(String::as_str).collect();
            let mut line = Vec::new();
            if !std::mem::replace(&mut self.named, true) {
                write_names(&names, &mut line).map_err(TrainError::Log)?;
            }
            epoch.write_csv_row(&names, &mut line).map_err(TrainError::Log)?;
            self.out.write_all(&line).and_then(|()| self.out.flush()).map_err(TrainError::Log)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Writes a line of JSON after each epoch: [`Epoch::write_json_line`](crate::Epoch::write_json_line).
#[derive(Debug)]
pub struct JsonLog<W> {
    out: W,
}

impl<W: Write> JsonLog<W> {
    /// A log on this writer.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<F: Scalar, W: Write> Callback<F> for JsonLog<W> {
    fn on(&mut self, _run: &Run<F>, event: Event<'_>) -> Result<ControlFlow<()>, TrainError> {
        if let Event::Epoch(epoch) = event {
            let mut line = Vec::new();
            epoch.write_json_line(&mut line).map_err(TrainError::Log)?;
            self.out.write_all(&line).and_then(|()| self.out.flush()).map_err(TrainError::Log)?;
        }
        Ok(ControlFlow::Continue(()))
    }
}
