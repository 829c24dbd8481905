//! Python, for tests against the real libraries.

use std::path::PathBuf;
use std::process::Command;

/// A Python that can import all of these modules: the one that `SLALOM_PYTHON` names, by default
/// `python3`. Without it, says aloud that the test is skipped.
pub fn python(modules: &[&str]) -> Option<PathBuf> {
    let python = std::env::var_os("SLALOM_PYTHON").map_or("python3".into(), PathBuf::from);
    let import = format!("import {}", modules.join(", "));
    let found = Command::new(&python).args(["-c", &import]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: no Python with {} (set SLALOM_PYTHON)", modules.join(", "));
    None
}

/// What a script prints.
///
/// # Panics
/// If it fails.
pub fn printed(python: PathBuf, script: &str, arguments: &[&std::path::Path]) -> String {
    let output = Command::new(python).arg("-c").arg(script).args(arguments).output();
    let output = output.expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
