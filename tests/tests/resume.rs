//! Stopped and resumed, on any number of threads: the same bits as a run that never stopped.

use slalom::prelude::*;
use slalom_tests::{RINGS, rings};

fn config() -> Config {
    Config {
        seed: 3,
        batch: Batch::Size(16),
        rule: Sgd { momentum: 0.9, ..Sgd::default() }.into(),
        rate: Cosine { start: 0.1, end: 0.001, steps: 130 }.into(),
        penalty: Penalty { l1: 1e-4, l2: 1e-3 },
        clip: Some(Clip::GlobalNorm(5.0)),
        ..Config::default()
    }
}

fn run(threads: usize) -> Run<f32> {
    let layers = [
        Dense::new(24, Activation::Relu).into(),
        Dropout::new(0.2).into(),
        Dense::new(12, Activation::Tanh).into(),
        Dense::linear(2).into(),
    ];
    Run::new(Network::new(2, layers).unwrap(), config(), Threads::new(threads).unwrap()).unwrap()
}

fn fit() -> Fit {
    let patience = EarlyStopping { patience: 6, min_delta: 1e-3, ..EarlyStopping::default() };
    Fit { epochs: 10, stop: vec![patience.into()], ..Fit::default() }
}

fn bits(run: &Run<f32>) -> Vec<u32> {
    run.params().iter().map(|p| p.to_bits()).collect()
}

#[test]
fn ten_epochs_equal_four_saved_loaded_and_six() {
    let (train, valid) = (rings(0..200), rings(200..RINGS));
    let (train, valid) = (train.samples(), Some(valid.samples()));

    let mut whole = run(1);
    let outcome = whole.fit(train, valid, &fit(), &mut []).unwrap();

    let mut first = run(2);
    for _ in 0..4 {
        first.epoch(train, valid).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rings.slalom");
    first.checkpoint().unwrap().save(&path).unwrap();
    drop(first);

    let file = Checkpoint::load(&path).unwrap();
    let mut second = Run::<f32>::resume(&file, Threads::new(3).unwrap()).unwrap();
    assert_eq!(second.epochs(), 4);
    assert_eq!(second.fit(train, valid, &fit(), &mut []).unwrap(), outcome);

    assert_eq!(second.history(), whole.history());
    assert_eq!(bits(&second), bits(&whole));
    assert_eq!(second.fingerprint(), whole.fingerprint());
}

#[test]
fn a_run_resumes_between_any_two_batches() {
    let train = rings(0..100);
    let train = train.samples();
    let mut whole = run(1);
    for _ in 0..2 {
        whole.epoch(train, None).unwrap();
    }
    for stop in 0..=14 {
        let mut run = run(1);
        for _ in 0..stop {
            if run.step(train).unwrap().is_none() {
                run.end_epoch(None).unwrap();
            }
        }
        let bytes = run.checkpoint().unwrap().to_bytes().unwrap();
        let file = Checkpoint::from_bytes(&bytes, &Default::default()).unwrap();
        let mut resumed = Run::<f32>::resume(&file, Threads::one()).unwrap();
        while resumed.epochs() < 2 {
            resumed.epoch(train, None).unwrap();
        }
        assert_eq!(resumed.fingerprint(), whole.fingerprint(), "stopped after {stop} batches");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let train = rings(0..200);
    let fingerprint = |threads| {
        let mut run = run(threads);
        for _ in 0..3 {
            run.epoch(train.samples(), None).unwrap();
        }
        run.fingerprint()
    };
    let one = fingerprint(1);
    for threads in [2, 3, 7] {
        assert_eq!(fingerprint(threads), one, "{threads} threads");
    }
}

fn resumed(run: &Run<f32>) -> Run<f32> {
    Run::resume(&run.checkpoint().unwrap(), Threads::one()).unwrap()
}

#[test]
fn other_samples_are_refused_by_name_unless_they_are_meant() {
    let data = rings(0..100);
    let train = data.samples();
    let mut run = run(1);
    run.step(train).unwrap();
    let Targets::Classes(classes) = train.targets() else { unreachable!("rings have classes") };
    let mut turned = classes.to_vec();
    turned[99] = 1 - turned[99];
    let mut moved = train.inputs().clone_owned();
    moved[(1, 57)] += 1e-3;
    let weights = [2.0; 100];
    let with = |targets| Samples::new(train.inputs(), targets).unwrap();
    let others = [
        (
            rings(0..90).samples().inputs().clone_owned(),
            &classes[..90],
            "samples: 90 here, 100 there",
        ),
        (moved, classes, "hash of inputs: "),
        (train.inputs().clone_owned(), &turned[..], "hash of targets and weights: "),
    ];
    for (inputs, classes, what) in &others {
        let other = Samples::new(inputs.as_view(), Targets::Classes(classes)).unwrap();
        let mut again = resumed(&run);
        let error = again.step(other).unwrap_err().to_string();
        assert!(error.starts_with("these are not the samples of the saved run: "), "{error}");
        assert!(error.contains(what) && error.contains("accept_data"), "{error}");
        assert_eq!(again.fingerprint(), run.fingerprint(), "a refused step changes nothing");
        if other.len() == train.len() {
            again.accept_data();
            again.step(other).unwrap();
            resumed(&again).step(other).unwrap();
        }
    }
    let weighted = with(Targets::Classes(classes)).weighted(&weights).unwrap();
    assert!(resumed(&run).step(weighted).is_err());
    resumed(&run).step(train).unwrap();
}

#[test]
fn the_samples_digest_does_not_depend_on_the_threads() {
    let x = Matrix::from_fn(3, 200_000, |i, j| ((i * 7 + j * 13) % 101) as f32);
    let classes: Vec<u32> = (0..200_000).map(|j| j % 2).collect();
    let train = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    let network = Network::new(3, [Dense::linear(2).into()]).unwrap();
    let mut run = Run::new(network, config(), Threads::new(3).unwrap()).unwrap();
    run.step(train).unwrap();
    resumed(&run).step(train).unwrap();
}

#[test]
fn another_network_or_configuration_is_refused_by_name() {
    let file = run(1).checkpoint().unwrap();
    let network = run(1).network().spec().unwrap();
    let wider = Network::<f32>::new(2, [Dense::linear(2).into()]).unwrap();
    let same = network.build::<f32>().unwrap();
    let error = |network: &Network<f32>, config: &Config| {
        let refused = Run::resume_as(&file, network, config, Threads::one());
        refused.unwrap_err().to_string()
    };
    let other = Config { seed: 4, batch: Batch::Size(8), ..config() };
    let text = error(&same, &other);
    assert!(text.contains("seed: 4 here, 3 there, batch: Size(8) here, Size(16) there"), "{text}");
    assert!(!text.contains("network"), "{text}");
    assert!(error(&wider, &config()).contains("is another: network: 2 inputs and [Dense"));
    Run::resume_as(&file, &same, &config(), Threads::one()).unwrap();
}

/// A run with an average, in its second epoch.
fn under_way(seed: u64) -> Run<f32> {
    let averaging = Some(slalom::optim::Averaging::Exponential { decay: 0.9 });
    let network =
        Network::new(2, [Dense::new(6, Activation::Tanh).into(), Dense::linear(2).into()]);
    let config = Config { averaging, ..Config { seed, ..config() } };
    let mut run = Run::new(network.unwrap(), config, Threads::one()).unwrap();
    let data = rings(0..100);
    run.epoch(data.samples(), None).unwrap();
    for _ in 0..seed {
        run.step(data.samples()).unwrap();
    }
    run
}

fn not_resumed(file: &Checkpoint) -> String {
    Run::<f32>::resume(file, Threads::one()).unwrap_err().to_string()
}

#[test]
fn a_part_of_another_run_is_not_what_the_fingerprint_is_of() {
    let (file, other) = (under_way(1).checkpoint().unwrap(), under_way(2).checkpoint().unwrap());
    Run::<f32>::resume(&file, Threads::one()).unwrap();
    for part in ["config", "params", "optimizer", "average", "progress", "history"] {
        let mut mixed = file.clone();
        assert_ne!(file.bytes(part).unwrap(), other.bytes(part).unwrap(), "{part}");
        mixed.put_bytes(part, other.bytes(part).unwrap().to_vec());
        let error = not_resumed(&mixed);
        assert_eq!(
            error, "fingerprint is not valid: it is not that of the file's contents",
            "{part}"
        );
    }
    // the network of one size and of other activations
    let mut mixed = file.clone();
    let json = String::from_utf8(file.bytes("network").unwrap().to_vec()).unwrap();
    mixed.put_bytes("network", json.replace("Tanh", "Relu").into_bytes());
    assert!(not_resumed(&mixed).starts_with("fingerprint is not valid"));
}

#[test]
fn parts_of_other_sizes_and_numbers_that_are_not_finite_are_refused_by_name() {
    let run = under_way(1);
    let file = run.checkpoint().unwrap();
    let changed = |change: &dyn Fn(&mut Checkpoint)| {
        let mut file = file.clone();
        change(&mut file);
        not_resumed(&file)
    };
    let short = &run.params()[1..];
    for slab in ["params", "best.params"] {
        let error = changed(&|file| file.put_slab(slab, short));
        assert!(error.contains("32 parameters") && error.contains("31"), "{error}");
        let error = changed(&|file| file.put_slab(slab, &[f32::NAN; 32]));
        assert!(error.starts_with(&format!("section {slab:?}, number 0 is NaN")), "{error}");
    }
    let error = changed(&|file| {
        let mut state: slalom::optim::State<f32> = file.get("optimizer").unwrap();
        state.slots[0][5] = f32::INFINITY;
        file.put("optimizer", &state).unwrap();
    });
    assert!(error.starts_with("section \"optimizer\", number 5 is inf"), "{error}");
    let error = changed(&|file| {
        let averaging = slalom::optim::Averaging::Exponential { decay: 0.9 };
        let mut average = slalom::optim::Average::new(averaging, 31).unwrap();
        average.update(0, short).unwrap();
        file.put("average", &average).unwrap();
    });
    assert!(error.contains("31"), "{error}");
}

#[test]
fn a_change_that_is_meant_takes_effect_and_one_that_cannot_is_refused() {
    let data = rings(0..100);
    let train = data.samples();
    let mut run = run(1);
    run.step(train).unwrap();
    let before = run.fingerprint();
    let refused = |run: &mut Run<f32>, config: Config| run.reconfigure(config).unwrap_err();
    let text = refused(&mut run, Config { batch: Batch::Size(8), ..config() }).to_string();
    assert_eq!(text, "batch cannot be changed: the epoch is under way: end it first");
    let text = refused(&mut run, Config { rule: Adam::default().into(), ..config() }).to_string();
    assert!(text.starts_with("rule cannot be changed: the optimizer's memory"), "{text}");
    refused(&mut run, Config { rate: (-1.0).into(), ..config() });
    assert_eq!(run.fingerprint(), before);

    run.reconfigure(Config { rate: 0.25.into(), ..config() }).unwrap();
    let step = run.step(train).unwrap().unwrap();
    assert_eq!((step.rate, run.rate()), (0.25, 0.25));
    while run.step(train).unwrap().is_some() {}
    run.end_epoch(None).unwrap();
    run.reconfigure(Config { batch: Batch::Size(50), clip: None, ..config() }).unwrap();
    let updates = run.history().last().unwrap().updates;
    assert_eq!(run.epoch(train, None).unwrap().updates, updates + 2);
    // momentum went on: a run without a memory steps elsewhere
    let mut again = resumed(&run);
    again.epoch(train, None).unwrap();
    run.epoch(train, None).unwrap();
    assert_eq!(again.fingerprint(), run.fingerprint());
}

#[test]
fn an_average_that_is_asked_for_later_begins_then() {
    use slalom::optim::Averaging;
    let data = rings(0..100);
    let train = data.samples();
    let mut run = run(1);
    run.epoch(train, None).unwrap();
    let averaging = Some(Averaging::Exponential { decay: 0.9 });
    run.reconfigure(Config { averaging, ..config() }).unwrap();
    run.epoch(train, None).unwrap();
    let last = run.fingerprint();
    run.use_average();
    assert_ne!(run.fingerprint(), last);
}
