//! Verification: a checkpoint's run, trained once more from its configuration and data.

use slalom_layers::NetworkSpec;
use slalom_tensor::{Samples, Scalar, Threads};

use crate::checkpoint::Checkpoint;
use crate::{Fingerprint, Run, Source, TrainError};

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// The same run, to the bit.
    Same(Fingerprint),
    /// Another run.
    Differs {
        /// The first epoch (from 1) whose record differs; none if only the parameters or the
        /// optimizer do.
        epoch: Option<u64>,
    },
}

impl<F: Scalar> Run<F> {
    /// Trains a checkpoint's run again, from its seed to where it stood, and compares.
    ///
    /// It differs where the data do, where the machine computes otherwise, or where the run did not
    /// begin with the parameters of its seed. A file that was saved after
    /// [`restore_best`](Run::restore_best) is compared with the best parameters.
    ///
    /// ```
    /// # use slalom_layers::{Dense, Network};
    /// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
    /// # use slalom_train::{Config, Run, Verification};
    /// # let x = from_rows(&[[0.0], [1.0]]);
    /// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1]))?;
    /// # let network = Network::<f64>::new(1, [Dense::linear(2).into()])?;
    /// # let mut run = Run::new(network, Config::default(), Threads::one())?;
    /// run.epoch(train, None)?;
    /// let verification = Run::<f64>::verify(&run.checkpoint()?, train, None, Threads::new(2)?)?;
    /// assert_eq!(verification, Verification::Same(run.fingerprint()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`resume`](Run::resume) and [`epoch`](Run::epoch).
    pub fn verify(
        file: &Checkpoint,
        train: impl Source<F>,
        valid: Option<Samples<'_, F>>,
        threads: Threads,
    ) -> Result<Verification, TrainError> {
        let saved = Self::resume(file, threads.clone())?;
        let network = file.get_json::<NetworkSpec>("network")?.build()?;
        let mut replay = Self::new(network, saved.config.clone(), threads)?;
        for wanted in saved.history.epochs() {
            if replay.epoch(&train, valid)? != wanted {
                return Ok(Verification::Differs { epoch: Some(wanted.epoch) });
            }
        }
        while replay.batch() < saved.batch() && replay.step(&train)?.is_some() {}
        let wanted = saved.fingerprint();
        if replay.fingerprint() != wanted {
            replay.restore_best();
        }
        Ok(match replay.fingerprint() == wanted {
            true => Verification::Same(wanted),
            false => Verification::Differs { epoch: None },
        })
    }
}
