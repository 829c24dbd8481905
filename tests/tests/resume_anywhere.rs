//! Any rule, any options, stopped after any number of updates and resumed from bytes on another
//! number of threads: the same bits as the run that never stopped.

use proptest::prelude::*;
use slalom::layers::{ActivityPenalty, BatchNorm, LayerSpec};
use slalom::optim::{Averaging, Plateau, Rule};
use slalom::prelude::*;
use slalom::regularize::{Constraint, GroupLasso, Groups};
use slalom_tests::{RINGS, rings, rules};
use slalom_train::metrics::Metric;

/// Everything that is drawn.
#[derive(Debug)]
struct Case {
    config: Config,
    layers: Vec<LayerSpec>,
    fit: Fit,
    stop: usize,
    threads: [usize; 2],
}

prop_compose! {
    fn cases()(
        rule in 0..rules().len(),
        (batch, accumulate) in (1_usize..40, 1_usize..4),
        (shuffle, drop_last, final_loss) in any::<(bool, bool, bool)>(),
        (clip, decay, penalty) in any::<(bool, bool, bool)>(),
        (dropout, norm, schedule) in any::<(bool, bool, bool)>(),
        (seed, stop) in (any::<u64>(), 0_usize..60),
        (patience, plateau) in (1_usize..4, any::<bool>()),
        averaging in 0_usize..4,
        (proximal, lasso, single) in any::<(bool, bool, bool)>(),
        threads in [1_usize..4, 1_usize..4],
    ) -> Case {
        let rate = match schedule {
            true => Cosine { start: 0.02, end: 0.001, steps: 40 }.into(),
            false => 0.01.into(),
        };
        let mut layers = vec![Dense::new(9, Activation::Relu).into()];
        if dropout {
            layers.push(Dropout::new(0.3).into());
        }
        if norm {
            layers.push(BatchNorm::default().into());
        }
        if lasso {
            layers.push(ActivityPenalty { l1: 1e-3, l2: 0.0 }.into());
        }
        layers.push(Dense::linear(2).into());
        let lasso = GroupLasso { strength: if lasso { 0.01 } else { 0.0 }, groups: Groups::Units };
        let constraint = Some(Constraint::MaxNorm(0.7));
        let of_first =
            BlockConfig { rate: 0.5, group_lasso: lasso, constraint, ..BlockConfig::new("0") };
        let rule = rules()[rule].clone();
        // l2 beside a decay, the rule's own or the run's, is refused
        let coupled = penalty && !decay && matches!(rule, Rule::Sgd(_) | Rule::Adam(_));
        let stopping = EarlyStopping { patience, ..EarlyStopping::default() };
        Case {
            config: Config {
                seed,
                batch: Batch::Size(batch),
                accumulate,
                shuffle,
                drop_last,
                final_loss,
                rule,
                rate,
                averaging: [
                    None,
                    Some(Averaging::Polyak { start: 3 }),
                    Some(Averaging::Exponential { decay: 0.9 }),
                    Some(Averaging::Swa { start: 2, every: 3 }),
                ][averaging],
                plateau: plateau.then_some(Plateau { patience: 0, ..Plateau::default() }),
                clip: clip.then_some(Clip::GlobalNorm(0.5)),
                decay: if decay { 0.01 } else { 0.0 },
                penalty: Penalty { l1: 1e-3, l2: if coupled { 1e-2 } else { 0.0 } },
                proximal,
                group_lasso: lasso,
                blocks: if single { vec![of_first] } else { vec![] },
                metrics: vec![Metric::Accuracy],
                ..Config::default()
            },
            layers,
            fit: Fit { epochs: 6, stop: vec![stopping.into()], ..Fit::default() },
            stop,
            threads,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn stopped_and_resumed_is_never_stopped(case in cases()) {
        let (train, valid) = (rings(0..60), rings(60..RINGS));
        let (train, valid) = (train.samples(), Some(valid.samples()));
        let [first, second] = case.threads.map(|count| Threads::new(count).unwrap());
        let run = || {
            let network = Network::<f32>::new(2, case.layers.clone()).unwrap();
            Run::new(network, case.config.clone(), first.clone()).unwrap()
        };
        let mut whole = run();
        let outcome = whole.fit(train, valid, &case.fit, &mut []).unwrap();

        let mut events = 0;
        let mut interrupt = |_: &Run<f32>, _: Event<'_>| {
            events += 1;
            Ok(match events > case.stop {
                true => std::ops::ControlFlow::Break(()),
                false => std::ops::ControlFlow::Continue(()),
            })
        };
        let mut stopped = run();
        let early = stopped.fit(train, valid, &case.fit, &mut [&mut interrupt]).unwrap();
        if early != Outcome::Interrupted {
            prop_assert_eq!(stopped.fingerprint(), whole.fingerprint());
            return Ok(());
        }
        let bytes = stopped.checkpoint().unwrap().to_bytes().unwrap();
        let file = Checkpoint::from_bytes(&bytes, &Default::default()).unwrap();
        let mut resumed = Run::<f32>::resume(&file, second).unwrap();
        prop_assert_eq!(resumed.fingerprint(), stopped.fingerprint());
        prop_assert_eq!(resumed.fit(train, valid, &case.fit, &mut []).unwrap(), outcome);
        prop_assert_eq!(resumed.history(), whole.history());
        prop_assert_eq!(resumed.best_epoch(), whole.best_epoch());
        prop_assert_eq!(resumed.fingerprint(), whole.fingerprint());
        let predict = |run: &Run<f32>| run.predict(train.inputs()).unwrap().map(f32::to_bits);
        prop_assert_eq!(predict(&resumed), predict(&whole));
        resumed.use_average();
        whole.use_average();
        prop_assert_eq!(predict(&resumed), predict(&whole));
    }
}

#[test]
fn a_finished_run_resumes_to_nothing_and_the_same_file_twice_to_the_same() {
    let train = rings(0..60);
    let train = train.samples();
    let network = Network::<f32>::new(2, [Dense::linear(2).into()]).unwrap();
    let mut run = Run::new(network, Config::default(), Threads::one()).unwrap();
    let fit = Fit { epochs: 3, restore_best: false, ..Fit::default() };
    run.fit(train, None, &fit, &mut []).unwrap();
    let file = run.checkpoint().unwrap();
    let resume = |epochs| {
        let mut run = Run::<f32>::resume(&file, Threads::one()).unwrap();
        let fit = Fit { epochs, ..fit.clone() };
        assert_eq!(run.fit(train, None, &fit, &mut []).unwrap(), Outcome::Finished);
        run.fingerprint()
    };
    assert_eq!(resume(3), run.fingerprint());
    assert_eq!(resume(5), resume(5));
    run.fit(train, None, &Fit { epochs: 5, ..fit.clone() }, &mut []).unwrap();
    assert_eq!(resume(5), run.fingerprint());
}
