//! Ctrl-C, SIGTERM and a reader that went away, on the real program.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// `xtask experiment …` into a folder.
fn experiment(name: &str, folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["experiment", name, "--out"]).arg(folder).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Sends a signal once the program has said a line with these words; its exit code, and what it
/// said after.
fn signalled(mut command: Command, words: &str, signal: &str) -> (Option<i32>, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(words) {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended without {words:?}: {said}");
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    lines.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

fn summary(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_training_stops_after_its_batch_and_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, stopped] = ["whole", "stopped"].map(|name| folder.path().join(name));
    let epochs = ["--epochs", "150"];
    assert!(experiment("digits", &whole, &epochs).output().unwrap().status.success());
    let resume = ["--epochs", "150", "--resume"];
    let command = experiment("digits", &stopped, &epochs);
    let (code, said) = signalled(command, "epoch 3 of 150", "-INT");
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("stopped: digits in epoch ") && said.contains("; saved "), "{said}");
    assert!(said.contains("go on with: cargo xtask experiment digits --out "), "{said}");
    assert!(said.trim_end().ends_with("--epochs 150 --resume"), "{said}");
    assert!(!stopped.join("summary.json").exists(), "nothing is finished");

    // on another number of threads, and stopped once more: as a scheduler does
    let more = [&resume[..], &["--threads", "1"]].concat();
    let (code, said) = signalled(experiment("digits", &stopped, &more), " goes on from ", "-TERM");
    assert_eq!(code, Some(143), "{said}");
    let output = experiment("digits", &stopped, &["--epochs", "9", "--resume"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the saved run is another: rate: "), "{said}");
    assert!(experiment("digits", &stopped, &resume).output().unwrap().status.success());
    let (whole, stopped) = (summary(&whole), summary(&stopped));
    for what in ["fingerprint", "test_loss", "epochs"] {
        assert_eq!(stopped[what], whole[what], "{what}");
    }
}

#[test]
fn an_experiment_keeps_its_finished_cells() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--quick", "--seeds", "8", "--threads", "1"];
    let mut command = experiment("penalties", folder.path(), &more);
    let mut child = command.spawn().unwrap();
    let store = folder.path().join("cells.jsonl");
    let kept = || std::fs::read_to_string(&store).map_or(0, |text| text.lines().count());
    while kept() < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("finished cells are in ") && said.contains("go on with: "), "{said}");
    let before = kept();
    let more = [&more[..], &["--resume"]].concat();
    let output = experiment("penalties", folder.path(), &more).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("penalties: {} of ", before - 1)), "{before} lines: {said}");
}

#[test]
fn without_a_reader_it_ends_quietly() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["experiment", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    // 141 is SIGPIPE's; 0 if all was said before nobody listened
    assert!(matches!(child.wait().unwrap().code(), Some(141 | 0)), "{said}");
    assert_eq!(said, "");
}
