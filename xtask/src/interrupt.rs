//! Ctrl-C and SIGTERM, bound to the library's stop flag: the first asks to stop at the next good
//! place, the second ends at once. And a reader that went away (`| head`) ends quietly.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use slalom::train::StopFlag;

/// Whether the person or the system asked to stop, and by which signal.
pub(crate) struct Interrupt {
    stop: StopFlag,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM] {
            // in this order: the first signal raises the flag behind the look at it
            flag::register_conditional_shutdown(number, 128 + number, raised.clone())
                .and_then(|_| flag::register(number, raised.clone()))
                .and_then(|_| flag::register_usize(number, signal.clone(), number as usize))
                .context("cannot listen to signals")?;
        }
        Ok(Self { stop: raised.into(), signal })
    }

    /// The flag, to be given to a fit.
    pub(crate) fn flag(&self) -> StopFlag {
        self.stop.clone()
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.stop.is_raised()
    }

    /// What a command ends with that stopped because of it.
    pub(crate) fn stopped(&self, kept: String) -> Interrupted {
        Interrupted { signal: self.signal.load(Ordering::Relaxed) as u8, kept }
    }
}

/// A command that was stopped from outside, not an error: what is kept and how to go on.
#[derive(Debug)]
pub(crate) struct Interrupted {
    signal: u8,
    kept: String,
}

impl Interrupted {
    /// What shells and schedulers know a signal by: 130 after Ctrl-C, 143 after SIGTERM.
    pub(crate) fn exit_code(&self) -> ExitCode {
        (128 + self.signal).into()
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kept)
    }
}

impl std::error::Error for Interrupted {}

/// The command as it was given, once more, with `--resume`.
pub(crate) fn command_to_go_on() -> String {
    let mut words: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--resume").collect();
    words.push("--resume".into());
    format!("cargo xtask {}", words.join(" "))
}

/// Ends this program without a word, as others do, when whoever reads what it prints is gone: the
/// standard library turns that into a panic.
pub(crate) fn end_quietly_without_a_reader() -> Result<()> {
    #[cfg(unix)]
    {
        use signal_hook::consts::SIGPIPE;
        let always = Arc::new(AtomicBool::new(true));
        flag::register_conditional_shutdown(SIGPIPE, 128 + SIGPIPE, always)?;
    }
    Ok(())
}
