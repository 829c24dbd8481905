//! A run over several experiments that is killed goes on where it was, and ends with the same files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Two experiments that need no data, in hundreds of cells.
fn command(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["experiment", "adaptive", "adam", "--seeds", "4", "--threads", "2", "--out"]);
    command.arg(out).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(String::from).collect()
}

/// Starts a run and kills it in the middle of the second experiment; the cells that it has finished
/// there, or `None` if it was faster.
fn kill_in_the_middle(out: &Path) -> Option<Vec<String>> {
    let store = out.join("adam/cells.jsonl");
    let mut child = command(out).spawn().unwrap();
    while lines(&store).len() < 5 {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    Some(lines(&store)).filter(|_| !out.join("adam/cells.csv").exists())
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_cells() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    assert!(command(&whole).output().unwrap().status.success());

    let tries = (0..10).map(|i| folder.path().join(format!("killed-{i}")));
    let killed = tries.into_iter().find_map(|out| kill_in_the_middle(&out).map(|kept| (out, kept)));
    let (out, kept) = killed.expect("one of ten runs is killed before it ends");
    let output = command(&out).arg("--resume").output().unwrap();
    assert!(output.status.success());

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1/2 adaptive: 112 of 112 were done before"), "{said}");
    assert!(said.contains("2/2 adam: "), "{said}");
    let store = lines(&out.join("adam/cells.jsonl"));
    // a kill may have cut the last line
    let certain = kept.len() - 1;
    assert_eq!(store[..certain], kept[..certain], "finished cells are kept, seconds and all");
    for experiment in ["adaptive", "adam"] {
        let [a, b] = [&whole, &out].map(|run| lines(&run.join(experiment).join("cells.csv")));
        assert!(a.len() > 100 && a == b, "{experiment}: {} and {} lines", a.len(), b.len());
    }
}
