//! Killed 200 times while it saves after every epoch: each time the file is the last one that was
//! whole, and in the end the run is the same to the bit.
#![cfg(unix)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use slalom::prelude::*;
use slalom_tensor::{Purpose, stream, uniform};
use slalom_tests::{rings, saved_run};

const KILLS: u64 = 200;
/// How many of them must fall into a save, for the test to prove anything.
const WITHIN: usize = 60;

fn start(file: &Path, epochs: u64, threads: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_train_and_save"))
        .arg(file)
        .args([epochs.to_string(), threads.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Removes what a killed save left behind; how many files there were.
fn clear(folder: &Path, file: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let left: Vec<_> = entries.filter(|path| path != file).collect();
    for path in &left {
        assert!(path.extension().is_some_and(|e| e == "tmp"), "{} is left", path.display());
        std::fs::remove_file(path).unwrap();
    }
    left.len()
}

#[test]
fn two_hundred_kills_change_no_bit() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(); // a disk, not memory
    let file = folder.path().join("run.slalom");
    let mut rng = stream(1, Purpose::Data, [0, 0]);
    let (mut epochs, mut within, mut before_the_first) = (0, 0, 0);
    let mut kills = 0;
    // how many fall into a save depends on the disk: go on until enough have
    while kills < KILLS || (within < WITHIN && kills < 10 * KILLS) {
        let kill = kills;
        kills += 1;
        let mut child = start(&file, u64::MAX, 1 + kill % 2);
        std::thread::sleep(Duration::from_micros((60_000.0 * uniform(&mut rng)) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let said = said.lines().filter_map(|line| line.parse().ok()).next_back().unwrap_or(epochs);

        let left = clear(folder.path(), &file);
        assert!(left <= 1, "{left} temporary files after kill {kill}");
        within += left;
        let found = match file.exists() {
            true => {
                let file = Checkpoint::load(&file).unwrap_or_else(|e| panic!("kill {kill}: {e}"));
                Run::<f32>::resume(&file, Threads::one()).unwrap().epochs()
            }
            false => 0,
        };
        // what was said to be saved is; one more may be, whose message did not come through
        assert!(found >= said, "kill {kill}: {found} epochs in the file, {said} were saved");
        before_the_first += usize::from(found == epochs);
        epochs = found;
    }
    println!(
        "{epochs} epochs; {within} of {kills} kills within a save, {before_the_first} before the first"
    );
    assert!(within >= WITHIN, "only {within} of {kills} kills fell into a save: nothing is proved");

    let end = epochs + 3;
    assert!(start(&file, end, 2).wait().unwrap().success());
    let resumed = Run::<f32>::resume(&Checkpoint::load(&file).unwrap(), Threads::one()).unwrap();
    let data = rings(0..64);
    let mut whole = saved_run(1);
    while whole.epochs() < end {
        whole.epoch(data.samples(), Some(data.samples())).unwrap();
    }
    assert_eq!(resumed.history(), whole.history());
    assert_eq!(resumed.best_epoch(), whole.best_epoch());
    assert_eq!(resumed.fingerprint(), whole.fingerprint());
}
