//! The machine that measures, described by its figures, and the version that it measures.

use std::process::Command;

/// Processor, cores, memory, version and build, in one line.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(String::new(), |kib| format!(", {:.0} GiB", kib / 1024.0 / 1024.0));
    let clock = field("/proc/cpuinfo", "cpu MHz")
        .and_then(|text| text.parse::<f64>().ok())
        .map_or(String::new(), |mhz| format!(" at {:.1} GHz", mhz / 1000.0));
    let build = if cfg!(debug_assertions) { "debug build" } else { "release build" };
    let commit = commit().map_or(String::new(), |commit| format!(" at commit {commit}"));
    format!(
        "{processor}{clock}, {cores} cores{memory}, {} {}, slalom {}{commit} ({build})",
        std::env::consts::OS,
        std::env::consts::ARCH,
        env!("CARGO_PKG_VERSION")
    )
}

/// The commit of the work tree, with a + if files differ from it; `None` without git.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let root = crate::root();
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_string())
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { commit + "+" })
}

/// The value of the first line that starts with the name, where the system has such a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().into())
}
