//! Saving on a disk that fails or loses power: afterwards the file is the old one or the new one,
//! whole.
#![cfg(unix)]

use std::path::Path;

use slalom_tests::disk::{BLOCK, Fault, MemoryDisk, Op, Wrong, after_power_loss};
use slalom_train::checkpoint::{Checkpoint, CheckpointError, Kind, Limits};

const PATH: &str = "folder/digits.slalom";
const STALE: &str = "folder/.digits.slalom.1-0.tmp";

fn checkpoint(fill: f32, length: usize) -> Checkpoint {
    let mut checkpoint = Checkpoint::new::<f32>(Kind::Run);
    checkpoint.put_slab("weights", &vec![fill; length]);
    checkpoint
}

fn load(disk: &mut MemoryDisk) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::load_on(disk, Path::new(PATH), &Limits::default())
}

fn save(disk: &mut MemoryDisk, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    disk.log.clear();
    checkpoint.save_on(disk, Path::new(PATH))
}

/// EINTR, EAGAIN, ENOSPC, EDQUOT, EFBIG, EIO, EROFS, EACCES, EXDEV, EMFILE
const ERRORS: [i32; 10] = [4, 11, 28, 122, 27, 5, 30, 13, 18, 24];

#[test]
fn every_error_at_every_operation_leaves_old_or_new() {
    let (old, new) = (checkpoint(1.0, 3_000), checkpoint(2.0, 14_000));
    let mut counted = MemoryDisk::default();
    save(&mut counted, &new).unwrap();
    let operations = counted.log.len();
    assert!(operations >= 18, "{operations} operations in a save");

    let shorts = [Wrong::Short(0), Wrong::Short(1), Wrong::AllButOne];
    let wrongs: Vec<Wrong> = ERRORS.map(Wrong::Error).into_iter().chain(shorts).collect();
    let mut cases = 0;
    for (with_old, with_stale) in [(false, false), (true, false), (true, true)] {
        let mut start = MemoryDisk::default();
        if with_old {
            save(&mut start, &old).unwrap();
        }
        if with_stale {
            start.files.insert(STALE.into(), b"half".to_vec());
        }
        for at in 0..operations {
            for &what in &wrongs {
                for lasting in [false, true] {
                    let mut disk = start.clone();
                    disk.fault = Some(Fault { at, lasting, what });
                    let result = save(&mut disk, &new);
                    let place = format!("{what:?} at {at}, lasting {lasting}, old {with_old}");
                    check(&mut disk, result, &place, with_old.then_some(&old), &new);
                    let own = [Path::new(PATH), Path::new(STALE)];
                    let left = disk.files.keys().filter(|path| !own.contains(&path.as_path()));
                    let remove_fails = lasting && matches!(what, Wrong::Error(_));
                    assert!(remove_fails || left.count() == 0, "{place}: a temporary file is left");
                    disk.fault = None;
                    save(&mut disk, &new).unwrap_or_else(|e| panic!("{place}: next save: {e}"));
                    assert_eq!(load(&mut disk).unwrap(), new, "{place}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases >= 1_320, "{cases} cases");
}

/// After a save with a fault: success and the new file, or an error that names the file and the
/// old one (the new one where the error says so).
fn check(
    disk: &mut MemoryDisk,
    result: Result<(), CheckpointError>,
    place: &str,
    old: Option<&Checkpoint>,
    new: &Checkpoint,
) {
    if let Err(error) = &result {
        assert!(error.to_string().contains("digits.slalom"), "{place}: {error}");
    }
    let wanted = match &result {
        Ok(()) | Err(CheckpointError::NotDurable { .. }) => Some(new),
        Err(_) => old,
    };
    match (load(disk), wanted) {
        (Ok(found), Some(wanted)) => assert_eq!(&found, wanted, "{place}"),
        (Err(CheckpointError::Io { .. }), None) => {}
        (found, wanted) => panic!("{place}: {found:?} where {wanted:?} is wanted"),
    }
}

#[test]
fn a_fault_that_passes_is_no_error() {
    let new = checkpoint(2.0, 14_000);
    for what in [Wrong::Error(4), Wrong::Short(1), Wrong::AllButOne] {
        for at in 1..10 {
            let fault = Some(Fault { at, lasting: false, what });
            let mut disk = MemoryDisk { fault, ..MemoryDisk::default() };
            save(&mut disk, &new).unwrap_or_else(|e| panic!("{what:?} at {at}: {e}"));
            assert_eq!(load(&mut disk).unwrap(), new);
        }
    }
}

#[test]
fn a_save_is_create_write_sync_rename_sync() {
    let mut disk = MemoryDisk::default();
    save(&mut disk, &checkpoint(1.0, 3_000)).unwrap();
    let name = |op: &Op| match op {
        Op::Create(path) if path.parent() == Path::new(PATH).parent() => "create",
        Op::Write(bytes) if bytes.len() <= BLOCK => "write",
        Op::SyncFile => "sync file",
        Op::Rename(_, to) if to == Path::new(PATH) => "rename",
        Op::SyncDir => "sync folder",
        _ => "something else",
    };
    let names: Vec<&str> = disk.log.iter().map(name).collect();
    let wanted = ["create", "write", "write", "write", "sync file", "rename", "sync folder"];
    assert_eq!(names, wanted);
}

#[test]
fn power_loss_at_any_point_leaves_old_or_new() {
    let (old, new, newer) = (checkpoint(1.0, 3_000), checkpoint(2.0, 16_000), checkpoint(3.0, 100));
    let mut images = 0;
    for with_old in [false, true] {
        let mut disk = MemoryDisk::default();
        if with_old {
            save(&mut disk, &old).unwrap();
        }
        let before = disk.files.clone();
        save(&mut disk, &new).unwrap();
        let log = disk.log.clone();
        for (end, block) in (0..=log.len()).flat_map(|end| [(end, 512), (end, BLOCK)]) {
            let whole = end == log.len();
            for image in after_power_loss(&before, &log[..end], block) {
                let mut found = MemoryDisk { files: image, ..MemoryDisk::default() };
                match load(&mut found) {
                    Ok(checkpoint) if checkpoint == new => assert!(end + 1 >= log.len()),
                    Ok(checkpoint) => assert!(!whole && with_old && checkpoint == old),
                    Err(CheckpointError::Io { .. }) => assert!(!whole && !with_old),
                    Err(error) => panic!("after {end} operations: {error}"),
                }
                if images % 16 == 0 {
                    // what is left behind is in nobody's way
                    save(&mut found, &newer).unwrap();
                    assert_eq!(load(&mut found).unwrap(), newer);
                }
                images += 1;
            }
        }
    }
    assert!(images >= 2_000, "{images} images");
}

#[test]
fn without_the_sync_of_the_file_power_loss_would_be_seen() {
    let mut disk = MemoryDisk::default();
    save(&mut disk, &checkpoint(1.0, 3_000)).unwrap();
    let before = disk.files.clone();
    save(&mut disk, &checkpoint(2.0, 3_000)).unwrap();
    let log: Vec<Op> = disk.log.into_iter().filter(|op| *op != Op::SyncFile).collect();
    let bad = after_power_loss(&before, &log, 512).into_iter().filter(|image| {
        load(&mut MemoryDisk { files: image.clone(), ..MemoryDisk::default() }).is_err()
    });
    assert!(bad.count() > 50, "the simulation does not lose what was not synced");
}
