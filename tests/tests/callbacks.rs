//! What watches a run: logs, saved files, flags; and that watching changes nothing.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;

use slalom::prelude::*;
use slalom_tests::python::{printed, python};
use slalom_tests::{Rings, rings};
use slalom_train::metrics::Metric;
use slalom_train::{CsvLog, Every, JsonLog, Save, StopFlag, TensorBoard, TrainError};

fn run() -> Run<f32> {
    let layers = [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()];
    let config = Config {
        metrics: vec![Metric::Accuracy],
        final_loss: true,
        batch: Batch::Size(16),
        ..Config::default()
    };
    Run::new(Network::new(2, layers).unwrap(), config, Threads::one()).unwrap()
}

fn data() -> (Rings, Rings) {
    (rings(0..100), rings(100..200))
}

fn fit(epochs: u64) -> Fit {
    Fit { epochs, restore_best: false, ..Fit::default() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn watching_changes_no_bit_and_logs_are_the_history() {
    let (train, valid) = data();
    let (train, valid) = (train.samples(), Some(valid.samples()));
    let mut alone = run();
    alone.fit(train, valid, &fit(4), &mut []).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (mut csv, mut json) = (CsvLog::new(Vec::new()), JsonLog::new(Vec::new()));
    let mut board = TensorBoard::new(Vec::new()).unwrap();
    let (mut save, mut flag) = (Save::new(folder.path(), "rings"), StopFlag::default());
    let mut watched = run();
    watched
        .fit(train, valid, &fit(4), &mut [&mut csv, &mut json, &mut board, &mut save, &mut flag])
        .unwrap();
    assert_eq!(watched.fingerprint(), alone.fingerprint());

    let (mut wanted_csv, mut wanted_json) = (Vec::new(), Vec::new());
    watched.history().write_csv(&mut wanted_csv).unwrap();
    watched.history().write_json_lines(&mut wanted_json).unwrap();
    assert_eq!(csv.into_inner(), wanted_csv);
    let json = json.into_inner();
    assert_eq!(json, wanted_json);
    for line in json.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let value: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert!(value["metrics"]["accuracy"].is_f64());
    }
}

#[test]
fn a_raised_flag_stops_after_one_update_and_the_save_goes_on_from_there() {
    let (train, valid) = data();
    let (train, valid) = (train.samples(), Some(valid.samples()));
    let mut whole = run();
    whole.fit(train, valid, &fit(3), &mut []).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let flag = StopFlag::default();
    let updates = RefCell::new(0);
    let mut raise = |_: &Run<f32>, event: Event<'_>| {
        if let Event::Step(_) = event {
            *updates.borrow_mut() += 1;
            if *updates.borrow() == 10 {
                flag.raise();
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut save = Save::new(folder.path(), "rings");
    let mut stopped = run();
    let outcome =
        stopped.fit(train, valid, &fit(3), &mut [&mut raise, &mut flag.clone(), &mut save]);
    assert_eq!((outcome.unwrap(), *updates.borrow()), (Outcome::Interrupted, 10));
    assert_eq!((stopped.epochs(), stopped.batch()), (1, 3));

    let newest = Save::newest(folder.path(), "rings").unwrap();
    let mut resumed = Run::<f32>::resume(&newest.checkpoint, Threads::one()).unwrap();
    assert_eq!((resumed.epochs(), resumed.batch()), (1, 3), "nothing is lost");
    resumed.fit(train, valid, &fit(3), &mut []).unwrap();
    assert_eq!(resumed.fingerprint(), whole.fingerprint());
}

#[test]
fn who_says_stop_keeps_no_other_from_being_told() {
    let (train, _) = data();
    let mut stop = |_: &Run<f32>, event: Event<'_>| match event {
        Event::Epoch(_) => Ok(ControlFlow::Break(())),
        _ => Ok(ControlFlow::Continue(())),
    };
    let mut log = JsonLog::new(Vec::new());
    run().fit(train.samples(), None, &fit(3), &mut [&mut stop, &mut log]).unwrap();
    assert_eq!(String::from_utf8(log.into_inner()).unwrap().lines().count(), 1);
}

#[test]
fn old_files_go_and_the_newest_good_one_is_found() {
    let (train, valid) = data();
    let (train, valid) = (train.samples(), Some(valid.samples()));
    let folder = tempfile::tempdir().unwrap();
    let mut save = Save { keep: 2, every: Every::Epochs(2), ..Save::new(folder.path(), "rings") };
    let mut run = run();
    run.fit(train, valid, &fit(9), &mut [&mut save]).unwrap();
    // seven batches an epoch: after epochs 6 and 8
    let numbered = ["rings-000000000042.slalom", "rings-000000000056.slalom"];
    assert_eq!(names(folder.path()), [numbered[0], numbered[1], "rings-best.slalom"]);
    let best = Checkpoint::load(folder.path().join("rings-best.slalom")).unwrap();
    let best = Run::<f32>::resume(&best, Threads::one()).unwrap();
    assert_eq!(Some(best.epochs()), run.best_epoch());

    let newer = folder.path().join(numbered[1]);
    let bytes = std::fs::read(&newer).unwrap();
    std::fs::write(&newer, &bytes[..bytes.len() / 2]).unwrap();
    let found = Save::newest(folder.path(), "rings").unwrap();
    assert_eq!(found.path, folder.path().join(numbered[0]));
    assert_eq!(found.damaged[0].0, newer);
    assert!(found.damaged[0].1.to_string().contains("truncated"));
    std::fs::write(folder.path().join(numbered[0]), b"").unwrap();
    let error = Save::newest(folder.path(), "rings").unwrap_err().to_string();
    assert!(error.contains(numbered[1]), "{error}");
    let error = Save::newest(folder.path(), "other").unwrap_err().to_string();
    assert!(error.contains("cannot find") && error.contains("other-"), "{error}");
}

#[test]
fn the_best_file_is_of_the_best_epoch_which_need_not_be_the_last() {
    let (train, valid) = data();
    let folder = tempfile::tempdir().unwrap();
    // a rate at which the validation loss goes up and down
    let config =
        Config { rule: Sgd::default().into(), rate: 20.0.into(), ..run().config().clone() };
    let mut run =
        Run::new(run().network().spec().unwrap().build().unwrap(), config, Threads::one());
    let run = run.as_mut().unwrap();
    let mut save = Save::new(folder.path(), "rings");
    run.fit(train.samples(), Some(valid.samples()), &fit(9), &mut [&mut save]).unwrap();
    let best = Checkpoint::load(folder.path().join("rings-best.slalom")).unwrap();
    let best = Run::<f32>::resume(&best, Threads::one()).unwrap();
    assert_eq!(Some(best.epochs()), run.best_epoch());
    assert!(best.epochs() < 9, "{:?}", run.history().losses());
}

#[test]
fn a_new_run_of_an_old_name_takes_the_name_over() {
    let (train, _) = data();
    let folder = tempfile::tempdir().unwrap();
    let mut save = Save { best: false, ..Save::new(folder.path(), "rings") };
    run().fit(train.samples(), None, &fit(9), &mut [&mut save.clone()]).unwrap();
    let mut new = run();
    new.fit(train.samples(), None, &fit(1), &mut [&mut save]).unwrap();
    assert_eq!(names(folder.path()), ["rings-000000000007.slalom"]);
    let newest = Save::newest(folder.path(), "rings").unwrap().checkpoint;
    assert_eq!(Run::<f32>::resume(&newest, Threads::one()).unwrap().epochs(), 1);
}

#[test]
fn minutes_save_also_within_an_epoch() {
    let (train, _) = data();
    let folder = tempfile::tempdir().unwrap();
    let mut save = Save {
        every: Every::Minutes(0.0),
        keep: 100,
        best: false,
        ..Save::new(folder.path(), "rings")
    };
    run().fit(train.samples(), None, &fit(1), &mut [&mut save]).unwrap();
    assert_eq!(names(folder.path()).len(), 7, "one file a batch");
}

#[test]
fn a_save_that_fails_ends_the_fit_and_the_run_is_there() {
    let (train, valid) = data();
    let (train, valid) = (train.samples(), Some(valid.samples()));
    let folder = "/nowhere/at/all";
    let numbered = Save { best: false, ..Save::new(folder, "rings") };
    let best = Save { every: Every::Epochs(9), ..Save::new(folder, "rings") };
    for mut save in [numbered, best] {
        let mut run = run();
        let error = run.fit(train, valid, &fit(5), &mut [&mut save]).unwrap_err();
        assert!(matches!(error, TrainError::Checkpoint(_)));
        assert!(error.to_string().contains(folder), "{error}");
        assert_eq!(run.epochs(), 1);
        run.fit(train, valid, &fit(5), &mut []).unwrap();
    }
}

#[test]
fn settings_of_a_save_out_of_range_are_named_before_the_second_update() {
    let (train, _) = data();
    let text = |save: Save| {
        let mut run = run();
        let error = run.fit(train.samples(), None, &fit(2), &mut [&mut save.clone()]).unwrap_err();
        assert_eq!(run.batch(), 1, "said at once, not after an epoch");
        error.to_string()
    };
    let save = || Save::new("/nowhere/at/all", "rings");
    assert_eq!(
        text(Save { every: Every::Epochs(0), ..save() }),
        "number of epochs between two saves is 0: it must be at least 1"
    );
    for minutes in [-1.0, f64::NAN] {
        let error = text(Save { every: Every::Minutes(minutes), ..save() });
        assert!(error.starts_with("number of minutes between two saves is "), "{error}");
    }
    let error = text(Save { keep: 0, ..save() });
    assert_eq!(error, "number of files to keep is 0: it must be at least 1");
}

#[test]
fn a_log_keeps_its_columns_when_a_later_fit_measures_less_or_more() {
    let (train, valid) = data();
    let columns = |first, then| {
        let (mut log, mut run) = (CsvLog::new(Vec::new()), run());
        run.fit(train.samples(), first, &fit(1), &mut [&mut log]).unwrap();
        run.fit(train.samples(), then, &fit(2), &mut [&mut log]).unwrap();
        let text = String::from_utf8(log.into_inner()).unwrap();
        text.lines().map(|line| line.split(',').count()).collect::<Vec<_>>()
    };
    assert_eq!(columns(Some(valid.samples()), None), [10, 10, 10]);
    assert_eq!(columns(None, Some(valid.samples())), [9, 9, 9]);
}

#[test]
fn a_log_that_cannot_be_written_ends_the_fit() {
    /// Takes so many writes, and flushes or does not.
    struct Full(usize, bool);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            if self.1 { Ok(()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
        }
    }
    let (train, _) = data();
    // full at the second line, or when the first one is to be seen by others
    for full in [|| Full(1, true), || Full(9, false)] {
        let logs: [Box<dyn slalom::train::Callback<f32>>; 3] = [
            Box::new(CsvLog::new(full())),
            Box::new(JsonLog::new(full())),
            Box::new(TensorBoard::new(full()).unwrap()),
        ];
        for mut log in logs {
            let error = run().fit(train.samples(), None, &fit(2), &mut [&mut *log]).unwrap_err();
            assert!(error.to_string().starts_with("cannot write the log: "), "{error}");
        }
    }
}

#[test]
fn a_panic_in_a_callback_comes_through_and_leaves_the_run_usable() {
    let (train, _) = data();
    let mut run = run();
    let mut panic = |_: &Run<f32>, _: Event<'_>| -> Result<ControlFlow<()>, TrainError> {
        panic!("the caller's own")
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run.fit(train.samples(), None, &fit(2), &mut [&mut panic])
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the caller's own"));
    assert_eq!(run.batch(), 1);
    run.fit(train.samples(), None, &fit(2), &mut []).unwrap();
    assert_eq!(run.epochs(), 2);
}

#[test]
fn tensorboards_own_reader_reads_the_event_file() {
    let modules = ["tensorboard.backend.event_processing.event_accumulator"];
    let Some(python) = python(&modules) else { return };
    let (train, valid) = data();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.out.tfevents.1700000000.rings");
    let mut board = TensorBoard::new(std::fs::File::create(&path).unwrap()).unwrap();
    let mut run = run();
    run.fit(train.samples(), Some(valid.samples()), &fit(3), &mut [&mut board]).unwrap();
    let script = "
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]); events.Reload()
for tag in sorted(events.Tags()['scalars']):
    print(tag, *(f'{e.step}:{e.value}' for e in events.Scalars(tag)))
";
    let printed = printed(python, script, &[folder.path()]);
    let tags: Vec<&str> = printed.lines().map(|l| l.split(' ').next().unwrap()).collect();
    let wanted = ["loss/final", "loss/train", "loss/valid", "metric/accuracy", "norm/gradient"];
    assert_eq!(tags[..5], wanted);
    assert_eq!(tags[5..], ["norm/weight", "rate"]);
    let train = printed.lines().find_map(|line| line.strip_prefix("loss/train ")).unwrap();
    for (found, epoch) in train.split(' ').zip(run.history().epochs()) {
        let (step, value) = found.split_once(':').unwrap();
        assert_eq!(step, epoch.epoch.to_string());
        assert_eq!(value.parse::<f64>().unwrap() as f32, epoch.train_loss as f32);
    }
    assert_eq!(train.split(' ').count(), 3);
}
