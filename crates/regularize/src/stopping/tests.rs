//! Laws that all rules keep, and the cases of each.

use super::*;
use proptest::prelude::*;

fn patience(patience: usize) -> EarlyStopping {
    EarlyStopping { patience, ..Default::default() }
}

/// One of each rule, with limits that random histories reach.
fn every_rule() -> Vec<StopRule> {
    let single: Vec<StopRule> = vec![
        patience(3).into(),
        EarlyStopping { goal: Goal::Maximize, min_delta: 0.1, warm_up: 3, ..patience(2) }.into(),
        EarlyStopping { relative: true, min_delta: 0.05, baseline: Some(0.5), ..patience(2) }
            .into(),
        EarlyStopping { every: 3, ..patience(2) }.into(),
        GeneralizationLoss { alpha: 20.0, strip: 2 }.into(),
        ProgressQuotient { alpha: 0.75, strip: 2, min_progress: 20.0 }.into(),
        SuccessiveRises { rises: 2, strip: 2 }.into(),
        TimeLimit { seconds: 15.0, goal: Goal::Maximize }.into(),
        Target { value: 0.2, goal: Goal::Minimize }.into(),
        Divergence { limit: 1.8, goal: Goal::Minimize }.into(),
    ];
    let mut all = single.clone();
    all.push(StopRule::Any(single[2..6].to_vec()));
    all.push(StopRule::All(single[3..8].to_vec()));
    all.push(StopRule::Any(vec![StopRule::All(single[..2].to_vec()), single[7].clone()]));
    all
}

#[test]
fn every_rule_survives_its_own_serialisation() {
    for rule in every_rule() {
        rule.validate().unwrap();
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<StopRule>(&text).unwrap(), rule, "{text}");
    }
    let sparse: StopRule = serde_json::from_str(r#"{"early_stopping":{"patience":4}}"#).unwrap();
    assert_eq!(sparse, patience(4).into());
}

proptest! {
    #[test]
    fn laws(
        values in prop::collection::vec(0.1..2.0_f64, 0..40),
        training in prop::collection::vec(0.1..2.0_f64, 40),
        bad in prop::option::of((0_usize..40, prop::sample::select(vec![f64::NAN, f64::INFINITY]))),
    ) {
        let mut values = values;
        if let Some((at, value)) = bad && at < values.len() {
            values[at] = value;
        }
        let seconds: Vec<f64> = (0..40).map(f64::from).collect();
        let history = History { values: &values, training: &training, seconds: &seconds };
        for rule in every_rule() {
            let mut stopped = None;
            for epochs in 0..=values.len() {
                let decision = rule.decide(history.until(epochs));
                prop_assert_eq!(decision.stop(), decision.epoch.is_some());
                // a function of what it is given, and what stopped stays stopped
                if let Some(stopped) = stopped {
                    // as text, in which NaN equals itself
                    prop_assert_eq!(format!("{decision:?}"), format!("{stopped:?}"));
                } else if decision.stop() {
                    prop_assert_eq!(decision.epoch, Some(epochs - 1), "{:?}", rule);
                    stopped = Some(decision);
                }
                // never NaN as the best
                if let Some(best) = decision.best {
                    prop_assert!(best < epochs && values[best].is_finite());
                }
            }
        }
    }

    #[test]
    fn maximising_is_minimising_the_negative(values in prop::collection::vec(-2.0..2.0_f64, 0..30)) {
        let negative: Vec<f64> = values.iter().map(|v| -v).collect();
        for rule in [
            patience(3),
            EarlyStopping { min_delta: 0.3, warm_up: 2, every: 2, ..patience(2) },
            EarlyStopping { min_delta: 0.3, relative: true, ..patience(2) },
        ] {
            let other = EarlyStopping { goal: Goal::Maximize, ..rule };
            prop_assert_eq!(rule.decide(&values), other.decide(&negative));
        }
    }

    #[test]
    fn the_best_is_the_first_minimum(values in prop::collection::vec(0_i32..10, 1..30)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let decision = patience(1000).decide(&values);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert_eq!(decision.best, values.iter().position(|&v| v == least));
        prop_assert!(!decision.stop());
    }
}

#[test]
fn patience_counts_with_at_least() {
    let losses = [1.0, 0.5, 0.5, 0.5, 0.5];
    for p in 1..=3 {
        let decision = patience(p).decide(&losses);
        assert_eq!(decision.epoch, Some(1 + p), "an equal value is no improvement");
        assert_eq!(decision.reason, Some(Reason::Patience { checks: p }));
        assert_eq!(decision.best, Some(1));
    }
    assert!(!patience(4).decide(&losses).stop());
}

#[test]
fn small_steps_add_up_to_an_improvement() {
    // each step is below min_delta, two of them are above it
    let rule = EarlyStopping { min_delta: 0.15, ..patience(2) };
    let losses: Vec<f64> = (0..10).map(|i| 5.0 - 0.1 * f64::from(i)).collect();
    assert!(!rule.decide(&losses).stop());
    let rule = EarlyStopping { min_delta: 0.35, ..patience(3) };
    let decision = rule.decide(&losses);
    assert_eq!((decision.epoch, decision.best), (Some(3), Some(3)));
}

#[test]
fn an_improvement_by_exactly_min_delta_is_none() {
    let rule = EarlyStopping { min_delta: 0.25, ..patience(1) };
    assert!(rule.decide(&[1.0, 0.75]).stop());
    assert!(!rule.decide(&[1.0, 0.7499]).stop());
    let rule = EarlyStopping { min_delta: 0.25, relative: true, ..patience(1) };
    assert!(rule.decide(&[2.0, 1.5]).stop());
    assert!(!rule.decide(&[2.0, 1.499]).stop());
    assert!(rule.decide(&[-2.0, -2.5]).stop(), "relative to the size of the reference");
    assert!(!rule.decide(&[-2.0, -2.501]).stop());
}

#[test]
fn warm_up_epochs_count_for_nothing() {
    let rule = EarlyStopping { warm_up: 3, ..patience(2) };
    let losses = [0.1, 0.2, 0.3, 0.9, 0.8, 0.85, 0.86];
    let decision = rule.decide(&losses);
    assert_eq!((decision.epoch, decision.best), (Some(6), Some(4)));
    // a run that ends within its warm-up still has a best epoch
    assert_eq!(rule.decide(&losses[..2]).best, Some(0));
    assert_eq!(rule.decide(&losses[..4]).best, Some(3));
}

#[test]
fn the_wait_is_reset_by_what_beats_the_baseline_only() {
    let rule = EarlyStopping { baseline: Some(0.5), ..patience(3) };
    let decision = rule.decide(&[0.9, 0.8, 0.7, 0.6]);
    assert_eq!((decision.epoch, decision.best), (Some(2), Some(2)));
    let decision = rule.decide(&[0.9, 0.8, 0.4, 0.6, 0.6]);
    assert_eq!((decision.stop(), decision.best), (false, Some(2)));
    // equal to the baseline does not beat it
    assert!(rule.decide(&[0.9, 0.8, 0.5]).stop());
}

#[test]
fn only_every_kth_epoch_is_read() {
    let rule = EarlyStopping { every: 2, ..patience(2) };
    let decision = rule.decide(&[f64::NAN, 0.5, 0.1, 0.6, f64::NAN, 0.7]);
    assert_eq!(decision.reason, Some(Reason::Patience { checks: 2 }));
    assert_eq!((decision.epoch, decision.best), (Some(5), Some(1)));
}

#[test]
fn nan_is_a_failure_and_never_the_best() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for rule in [patience(5), EarlyStopping { goal: Goal::Maximize, ..patience(5) }] {
            let decision = rule.decide(&[0.5, 0.5, bad, 0.1]);
            assert!(decision.reason.unwrap().failed());
            assert_eq!((decision.epoch, decision.best), (Some(2), Some(0)));
            assert_eq!(rule.decide(&[bad]).best, None);
        }
    }
}

#[test]
fn generalization_loss_by_hand() {
    let rule = GeneralizationLoss { alpha: 10.0, strip: 1 };
    let decision = rule.decide(&[1.0, 0.5, 0.54, 0.56]);
    assert_eq!((decision.epoch, decision.best), (Some(3), Some(1)));
    let Some(Reason::GeneralizationLoss { loss, alpha }) = decision.reason else { panic!() };
    assert!((loss - 12.0).abs() < 1e-9 && alpha == 10.0);
    assert!(
        !GeneralizationLoss { alpha: 50.0, strip: 1 }.decide(&[1.0, 1.5]).stop(),
        "at the limit"
    );
    // looked at once a strip: epochs 4 and 9
    let strips = GeneralizationLoss::default();
    let losses = [1.0, 0.1, 1.0, 1.0, 0.5, 9.0, 9.0, 9.0, 9.0, 0.6];
    assert_eq!(strips.decide(&losses[..9]).epoch, None);
    let decision = strips.decide(&losses);
    assert_eq!((decision.epoch, decision.best), (Some(9), Some(4)));
    // a lowest value of 0
    assert!(!rule.decide(&[0.0, 0.0]).stop());
    assert!(rule.decide(&[0.0, 0.1]).stop());
}

#[test]
fn progress_quotient_by_hand() {
    let rule = ProgressQuotient { alpha: 0.5, strip: 2, min_progress: 0.0 };
    // second strip: GL = 100·(0.55/0.5 − 1) = 10, P = 1000·(0.2/0.19 − 1) = 52.6, PQ = 0.19
    let values = [0.6, 0.5, 0.52, 0.55];
    let training = [0.4, 0.3, 0.21, 0.19];
    let history = History { values: &values, training: &training, seconds: &[] };
    assert!(!rule.decide(history).stop());
    let decision = ProgressQuotient { alpha: 0.18, ..rule }.decide(history);
    let Some(Reason::ProgressQuotient { quotient, .. }) = decision.reason else { panic!() };
    assert!((quotient - 10.0 / (1000.0 * (0.2 / 0.19 - 1.0))).abs() < 1e-9);
    assert_eq!((decision.epoch, decision.best), (Some(3), Some(1)));
    // exactly at the limit: GL = 50, P = 500
    let (values, training) = ([1.0, 1.0, 1.0, 1.5], [0.5, 0.25, 0.5, 0.25]);
    let history_at = History { values: &values, training: &training, seconds: &[] };
    assert!(!ProgressQuotient { alpha: 0.1, ..rule }.decide(history_at).stop());
    assert!(ProgressQuotient { alpha: 0.0999, ..rule }.decide(history_at).stop());
    // training at a standstill: any generalization loss is too much, none is none
    let still = History { training: &[0.3; 4], ..history };
    assert_eq!(rule.decide(still).epoch, Some(3));
    assert!(!rule.decide(History { values: &[0.5; 4], ..still }).stop());
    let least = ProgressQuotient { min_progress: 0.1, ..rule };
    let decision = least.decide(still);
    assert_eq!(decision.reason, Some(Reason::NoProgress { progress: 0.0, least: 0.1 }));
    assert_eq!(decision.epoch, Some(1));
    let broken = History { training: &[0.3, f64::NAN, 0.2, 0.1], ..history };
    assert!(rule.decide(broken).reason.unwrap().failed());
}

#[test]
#[should_panic(expected = "0 training losses for 1 values")]
fn progress_needs_the_training_losses() {
    ProgressQuotient::default().decide(&[0.5]);
}

#[test]
#[should_panic(expected = "1 times for 2 values")]
fn a_time_limit_needs_the_times() {
    TimeLimit::default().decide(History { values: &[0.5; 2], seconds: &[1.0], training: &[] });
}

#[test]
fn rises_must_be_successive_and_strict() {
    let rule = SuccessiveRises { rises: 2, strip: 2 };
    // strip ends: epochs 1, 3, 5, 7, 9
    let ends = |v: [f64; 5]| v.into_iter().flat_map(|v| [9.0, v]).collect::<Vec<_>>();
    assert_eq!(rule.decide(&ends([0.5, 0.6, 0.7, 0.8, 0.9])).epoch, Some(5));
    assert_eq!(rule.decide(&ends([0.5, 0.6, 0.6, 0.7, 0.8])).epoch, Some(9));
    assert!(!rule.decide(&ends([0.5, 0.6, 0.5, 0.6, 0.5])).stop());
    assert_eq!(rule.decide(&ends([0.5, 0.4, 0.6, 0.7, 0.8])).best, Some(3));
}

#[test]
fn limits_are_reached_at_equality_and_passed_above_it() {
    let history = History { values: &[0.5, 0.4], seconds: &[1.0, 2.0], training: &[] };
    let time = |seconds| TimeLimit { seconds, ..Default::default() }.decide(history);
    assert_eq!((time(2.0).epoch, time(2.1).epoch), (Some(1), None));
    assert_eq!(time(0.5).best, Some(0));
    let target = |value, goal| Target { value, goal }.decide(history).epoch;
    assert_eq!(target(0.4, Goal::Minimize), Some(1));
    assert_eq!(target(0.39, Goal::Minimize), None);
    assert_eq!(target(0.5, Goal::Maximize), Some(0));
    assert_eq!(target(0.51, Goal::Maximize), None);
    let diverged = |limit, goal| Divergence { limit, goal }.decide(history).epoch;
    assert_eq!(diverged(0.5, Goal::Minimize), None);
    assert_eq!(diverged(0.49, Goal::Minimize), Some(0));
    assert_eq!(diverged(0.4, Goal::Maximize), None);
    assert_eq!(diverged(0.41, Goal::Maximize), Some(1));
}

#[test]
fn combinations() {
    let target = |value| StopRule::from(Target { value, goal: Goal::Minimize });
    let losses = [0.9, 0.5, 0.8, 0.3, 0.1];
    let any = StopRule::Any(vec![target(0.4), target(0.6)]).decide(&losses);
    assert_eq!((any.epoch, any.best), (Some(1), Some(1)), "the best of what was seen by then");
    assert_eq!(any.reason, Some(Reason::Target { value: 0.5, target: 0.6 }));
    assert!(!any.reason.unwrap().failed());
    let all = StopRule::All(vec![target(0.6), target(0.4)]);
    assert_eq!(all.decide(&losses).epoch, Some(3), "each fulfilled once");
    assert!(!all.decide(&losses[..3]).stop());
    let broken = all.decide(&[0.9, f64::NAN]);
    assert!(broken.reason.unwrap().failed() && broken.epoch == Some(1));
    assert_eq!(all.decide(&[0.3, f64::NAN]).epoch, Some(0), "stopped before the NaN");
    // a member that reads the NaN only sometimes does not hide it
    let sparse = StopRule::from(EarlyStopping { every: 9, ..patience(1) });
    assert_eq!(StopRule::All(vec![sparse, target(0.6)]).decide(&[0.9, f64::NAN]).epoch, Some(1));
}

#[test]
fn what_is_out_of_range_is_named() {
    let refused = |rule: StopRule| rule.validate().unwrap_err().to_string();
    assert_eq!(refused(patience(0).into()), "patience is 0: it must be at least 1");
    for min_delta in [-0.1, f64::NAN, f64::INFINITY] {
        let text = refused(EarlyStopping { min_delta, ..patience(1) }.into());
        assert_eq!(text, format!("min_delta is {min_delta}: it must be finite and at least 0"));
    }
    let text = refused(EarlyStopping { baseline: Some(f64::NAN), ..patience(1) }.into());
    assert_eq!(text, "baseline is NaN: it must be finite");
    assert_eq!(
        refused(EarlyStopping { every: 0, ..patience(1) }.into()),
        "every is 0: it must be at least 1"
    );
    assert!(refused(GeneralizationLoss { alpha: 0.0, strip: 5 }.into()).starts_with("alpha is 0"));
    assert!(
        refused(GeneralizationLoss { alpha: f64::INFINITY, strip: 5 }.into()).starts_with("alpha")
    );
    assert!(refused(GeneralizationLoss { alpha: 1.0, strip: 0 }.into()).starts_with("strip is 0"));
    let quotient = ProgressQuotient::default();
    assert!(refused(ProgressQuotient { alpha: 0.0, ..quotient }.into()).starts_with("alpha"));
    assert!(refused(ProgressQuotient { alpha: f64::NAN, ..quotient }.into()).starts_with("alpha"));
    assert!(refused(ProgressQuotient { strip: 0, ..quotient }.into()).starts_with("strip"));
    for min_progress in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(
            refused(ProgressQuotient { min_progress, ..quotient }.into()).starts_with("min_pro")
        );
    }
    assert!(refused(SuccessiveRises { rises: 0, strip: 1 }.into()).starts_with("rises is 0"));
    assert!(refused(SuccessiveRises { rises: 1, strip: 0 }.into()).starts_with("strip is 0"));
    for seconds in [0.0, f64::NAN, f64::INFINITY] {
        assert!(refused(TimeLimit { seconds, ..Default::default() }.into()).starts_with("seconds"));
    }
    assert!(refused(Target { value: f64::NAN, ..Default::default() }.into()).starts_with("value"));
    let limit = f64::NAN;
    assert!(refused(Divergence { limit, ..Default::default() }.into()).starts_with("limit"));
    let text = refused(StopRule::Any(vec![patience(1).into(), StopRule::All(vec![])]));
    assert_eq!(text, "number of rules is 0: it must be at least 1");
    assert_eq!(refused(StopRule::Any(vec![patience(0).into()])), refused(patience(0).into()));
}

#[test]
fn reasons_read_as_sentences() {
    let text = Reason::NotFinite { epoch: 3, value: f64::NAN }.to_string();
    assert_eq!(text, "the value of epoch 3 is NaN");
    let text = Reason::GeneralizationLoss { loss: 5.12345, alpha: 5.0 }.to_string();
    assert_eq!(text, "5.123 % above the lowest value, limit 5 %");
    assert_eq!(
        Reason::TimeLimit { seconds: 61.25, limit: 60.0 }.to_string(),
        "61.2 seconds have passed, limit 60"
    );
}
