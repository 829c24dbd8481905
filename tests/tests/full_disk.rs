//! A disk that is full and a file that may not grow, for real: the program says so or dies, and the
//! old checkpoint stays, whole.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use slalom::prelude::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_train_and_save");

/// A checkpoint of the program's after so many epochs.
fn saved(folder: &Path, epochs: u32) -> (std::path::PathBuf, Vec<u8>) {
    let path = folder.join("run.slalom");
    let trained = Command::new(PROGRAM).arg(&path).args([&epochs.to_string(), "1"]).output();
    assert!(trained.unwrap().status.success());
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

/// What a shell makes of a script, with arguments.
fn shell(before: &[&str], script: &str, arguments: &[&Path]) -> Option<Output> {
    let words = [before, &["sh", "-c", script, "sh"]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(arguments).stdin(Stdio::null());
    command.output().ok()
}

#[test]
fn a_limit_on_the_files_size_leaves_the_old_checkpoint() {
    if shell(&[], "prlimit --fsize=1 true", &[]).is_none_or(|output| !output.status.success()) {
        println!("skipped: no prlimit to bound a file's size");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = saved(folder.path(), 2);
    let limited = format!("exec prlimit --fsize={} '{PROGRAM}' \"$1\" 4 1", old.len() / 2);
    for (signal, ignored) in [("", false), ("trap '' XFSZ; ", true)] {
        let output = shell(&[], &format!("{signal}{limited}"), &[&path]).unwrap();
        assert!(!output.status.success());
        assert_eq!(std::fs::read(&path).unwrap(), old, "the signal ignored: {ignored}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains("File too large"), ignored, "{said}");
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let left: Vec<_> = files.filter(|file| *file != path).collect();
        assert_eq!(
            left.len(),
            usize::from(!ignored),
            "only death leaves a temporary file: {left:?}"
        );
        left.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    saved(folder.path(), 4);
}

#[test]
fn a_bare_name_is_a_file_in_the_folder_one_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    let output =
        command.current_dir(folder.path()).args(["run.slalom", "2", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = Checkpoint::load(folder.path().join("run.slalom")).unwrap();
    assert_eq!(Run::<f32>::resume(&file, Threads::one()).unwrap().epochs(), 2);
}

#[test]
fn a_full_disk_leaves_the_old_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = saved(folder.path(), 2);
    let kept = folder.path().join("kept");
    // room for the old file and half of the new one; seen by these processes only
    let room = old.len() * 3 / 2;
    let script = format!(
        "mount -t tmpfs -o size={room} tmpfs /mnt || exit 77
         cp \"$1\" /mnt/run.slalom || exit 78
         '{PROGRAM}' /mnt/run.slalom 4 1; cp /mnt/run.slalom \"$2\"; ls -A /mnt"
    );
    let output = shell(&["unshare", "--map-root-user", "--mount"], &script, &[&path, &kept]);
    let Some(output) = output.filter(|output| output.status.success()) else {
        println!("skipped: no file system of one's own can be mounted here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "run.slalom",
        "nothing else is left"
    );
    assert_eq!(std::fs::read(&kept).unwrap(), old);
    let kept = Checkpoint::load(&kept).unwrap();
    assert_eq!(Run::<f32>::resume(&kept, Threads::one()).unwrap().epochs(), 2);
}
