//! What holds for all schedules, and the faults that others have had.

use super::*;

fn all() -> Vec<LearningRate> {
    let linear = Linear { start: 0.1, end: 0.5, steps: 7 };
    let polynomial = Polynomial { start: 0.1, end: 0.01, steps: 12, power: 1.5, cycle: false };
    vec![
        0.3.into(),
        StepDecay { start: 0.1, factor: 0.5, every: 3 }.into(),
        MultiStep { start: 0.1, factor: 0.5, milestones: vec![3, 3, 9] }.into(),
        Exponential { start: 0.1, factor: 0.5, steps: 4 }.into(),
        InverseTime { start: 0.1, decay: 0.2, power: 0.5 }.into(),
        linear.into(),
        polynomial.into(),
        Polynomial { cycle: true, ..polynomial }.into(),
        Cosine { start: 0.1, end: 0.01, steps: 12 }.into(),
        CosineWave { high: 0.1, low: 0.01, half: 5 }.into(),
        CosineRestarts { start: 0.1, end: 0.01, first: 3, growth: 2, shrink: 0.9 }.into(),
        CosineRestarts { start: 0.1, end: 0.01, first: 3, growth: 1, shrink: 0.9 }.into(),
        OneCycle::new(0.4, 20).into(),
        OneCycle { three_phase: true, linear: true, ..OneCycle::new(0.4, 20) }.into(),
        Cyclic { low: 0.1, high: 0.2, up: 3, down: 5, shape: Shape::Shrinking(0.9) }.into(),
        Noam { factor: 2.0, size: 64, warmup: 9 }.into(),
        Warmup { start: 0.0, steps: 4, then: Box::new(linear.into()) }.into(),
        Join { borders: vec![4], parts: vec![linear.into(), 0.2.into()] }.into(),
        Piecewise { borders: vec![4], values: vec![0.2, 0.1] }.into(),
        Sutskever { max: 0.9 }.into(),
    ]
}

#[test]
fn every_schedule_stays_finite_and_not_negative_for_ever() {
    for schedule in all() {
        schedule.validate().unwrap();
        let far = [1 << 20, 1 << 40, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for step in (0..100).chain(far) {
            let rate = schedule.at(step);
            assert!(rate.is_finite() && rate >= 0.0, "{schedule:?} at {step}: {rate}");
        }
    }
}

#[test]
fn every_schedule_comes_back_from_a_file() {
    for schedule in all() {
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<LearningRate>(&text).unwrap(), schedule);
    }
}

#[test]
fn halfway_is_between_the_ends() {
    let cycle = Polynomial { start: 0.1, end: 0.02, steps: 8, power: 2.0, cycle: true };
    let parts: [(LearningRate, u64, f64); 7] = [
        (Polynomial { cycle: false, ..cycle }.into(), 4, 0.04),
        (cycle.into(), 4, 0.04),
        (cycle.into(), 12, 0.02 + 0.08 / 16.0),
        (cycle.into(), 17, 0.02 + 0.08 * (7.0_f64 / 24.0).powi(2)),
        (Warmup { start: 0.02, steps: 4, then: Box::new(0.1.into()) }.into(), 2, 0.06),
        (
            CosineRestarts { start: 0.1, end: 0.02, first: 4, growth: 1, shrink: 1.0 }.into(),
            2,
            0.06,
        ),
        (Noam { factor: 1.0, size: 4, warmup: 100 }.into(), 49, 0.025),
    ];
    for (schedule, step, wanted) in parts {
        assert!((schedule.at(step) - wanted).abs() < 1e-15, "{schedule:?} at {step}");
    }
}

#[test]
fn a_cosine_never_rises_again() {
    let cosine = Cosine { start: 0.5, end: 0.1, steps: 50 };
    let falls = (0..200).all(|t| cosine.at(t + 1) <= cosine.at(t));
    assert!(falls && cosine.at(50) == 0.1 && cosine.at(1000) == 0.1);
}

#[test]
fn a_step_schedule_is_a_function_of_the_step_not_of_the_calls() {
    let schedule = StepDecay { start: 1.0, factor: 0.5, every: 2 };
    for _ in 0..5 {
        assert_eq!(schedule.at(2), 0.5);
    }
}

#[test]
fn cycles_of_unequal_halves_meet_their_bounds() {
    let cyclic = Cyclic { low: 1.0, high: 3.0, up: 2, down: 4, shape: Shape::Triangular };
    let found: Vec<f64> = (0..8).map(|t| cyclic.at(t)).collect();
    assert_eq!(found, [1.0, 2.0, 3.0, 2.5, 2.0, 1.5, 1.0, 2.0]);
    let halving = Cyclic { shape: Shape::Halving, ..cyclic };
    assert_eq!([2, 8, 14].map(|t| halving.at(t)), [3.0, 2.0, 1.5]);
    let shrinking = Cyclic { shape: Shape::Shrinking(0.5), ..cyclic };
    assert_eq!([0, 1, 2].map(|t| shrinking.at(t)), [1.0, 1.5, 1.5]);
}

#[test]
fn three_phases_come_back_to_the_start() {
    let cycle = OneCycle { three_phase: true, linear: true, ..OneCycle::new(1.0, 100) };
    let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found}");
    close(cycle.at(29), 1.0);
    close(cycle.at(58), 0.04);
    close(cycle.at(99), 4e-6);
    close(cycle.at(44), 0.04 + 0.96 * 14.0 / 29.0);
    close(cycle.at(78), 4e-6 + (0.04 - 4e-6) * 21.0 / 41.0);
}

#[test]
fn one_cycle_momentum_mirrors_the_rate() {
    let momentum = OneCycle::momentum(100);
    assert_eq!((momentum.at(0), momentum.at(99)), (0.95, 0.95));
    assert!((momentum.at(29) - 0.85).abs() < 1e-15);
    momentum.validate().unwrap();
}

#[test]
fn restarts_grow_and_shrink() {
    let place = |growth, step| {
        CosineRestarts { start: 1.0, end: 0.0, first: 3, growth, shrink: 1.0 }.place(step)
    };
    assert_eq!([0, 2, 3, 8, 9].map(|t| place(2, t)).map(|p| p.0), [0, 0, 1, 1, 2]);
    assert_eq!([0, 2, 3, 8, 9].map(|t| place(2, t)).map(|p| p.1), [0, 2, 0, 5, 0]);
    assert_eq!(place(1, 3_000_000_001), (1_000_000_000, 1, 3));
}

#[test]
fn plateau_waits_cools_and_stops_at_its_floor() {
    let plateau = Plateau { patience: 1, cooldown: 2, factor: 0.5, min: 0.3, ..Plateau::default() };
    let rates: Vec<f64> = (1..=12).map(|n| plateau.rate(1.0, &vec![1.0; n])).collect();
    assert_eq!(rates, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]);
}

#[test]
fn plateau_thresholds_and_directions() {
    let one = Plateau { patience: 0, factor: 0.5, threshold: 0.1, ..Plateau::default() };
    let falls = |plateau: Plateau, second: f64| plateau.rate(1.0, &[10.0, second]) < 1.0;
    let absolute = Plateau { relative: false, ..one };
    let up = Plateau { maximize: true, ..one };
    let up_absolute = Plateau { maximize: true, ..absolute };
    assert!(falls(one, 9.0) && !falls(one, 8.9));
    assert!(falls(absolute, 9.9) && !falls(absolute, 9.8));
    assert!(falls(up, 11.0) && !falls(up, 11.1));
    assert!(falls(up_absolute, 10.1) && !falls(up_absolute, 10.2));
    assert!(falls(one, f64::NAN) && falls(up, f64::NAN));
    let tiny = Plateau { eps: 0.6, ..one };
    assert!(!falls(tiny, 10.0), "a fall by no more than eps is left out");
    let exact = Plateau { eps: 0.5, ..one };
    assert!(!falls(exact, 10.0));
}

/// Each bad setting of each schedule, and what the error must name.
#[test]
fn bad_settings_are_refused_by_name() {
    let cosine = Cosine { start: 0.1, end: 0.0, steps: 5 };
    let restarts = CosineRestarts { start: 0.1, end: 0.0, first: 1, growth: 1, shrink: 1.0 };
    let cyclic = Cyclic { low: 0.1, high: 0.2, up: 3, down: 5, shape: Shape::Triangular };
    let poly = Polynomial { start: 0.1, end: 0.01, steps: 12, power: 1.5, cycle: true };
    let noam = Noam { factor: 2.0, size: 64, warmup: 9 };
    let linear = Linear { start: 0.1, end: 0.5, steps: 7 };
    let wave = CosineWave { high: 0.1, low: 0.01, half: 5 };
    let step = StepDecay { start: 0.1, factor: 0.5, every: 3 };
    let exponential = Exponential { start: 0.1, factor: 0.5, steps: 3 };
    let inverse = InverseTime { start: 0.1, decay: 0.2, power: 0.5 };
    let cycle = OneCycle::new(0.4, 20);
    let bad: Vec<(LearningRate, &str)> = vec![
        (f64::NAN.into(), "Constant: rate"),
        ((-0.1).into(), "Constant: rate"),
        (f64::INFINITY.into(), "Constant: rate"),
        (StepDecay { start: -1.0, ..step }.into(), "StepDecay: start"),
        (StepDecay { factor: f64::NAN, ..step }.into(), "StepDecay: factor"),
        (StepDecay { every: 0, ..step }.into(), "StepDecay: every"),
        (MultiStep { start: -1.0, factor: 1.0, milestones: vec![] }.into(), "MultiStep: start"),
        (MultiStep { start: 1.0, factor: -1.0, milestones: vec![] }.into(), "MultiStep: factor"),
        (
            MultiStep { start: 1.0, factor: 1.0, milestones: vec![2, 1] }.into(),
            "MultiStep: milestones is 1",
        ),
        (Exponential { start: -1.0, ..exponential }.into(), "Exponential: start"),
        (Exponential { factor: -1.0, ..exponential }.into(), "Exponential: factor"),
        (Exponential { steps: 0, ..exponential }.into(), "Exponential: steps"),
        (InverseTime { start: -1.0, ..inverse }.into(), "InverseTime: start"),
        (InverseTime { decay: -1.0, ..inverse }.into(), "InverseTime: decay"),
        (InverseTime { power: f64::NAN, ..inverse }.into(), "InverseTime: power"),
        (Linear { start: -1.0, ..linear }.into(), "Linear: start"),
        (Linear { end: -1.0, ..linear }.into(), "Linear: end"),
        (Linear { steps: 0, ..linear }.into(), "Linear: steps"),
        (Polynomial { start: -1.0, ..poly }.into(), "Polynomial: start"),
        (Polynomial { end: -1.0, ..poly }.into(), "Polynomial: end"),
        (Polynomial { steps: 0, ..poly }.into(), "Polynomial: steps"),
        (Polynomial { power: 0.0, ..poly }.into(), "Polynomial: power"),
        (Cosine { start: -1.0, ..cosine }.into(), "Cosine: start"),
        (Cosine { end: f64::NAN, ..cosine }.into(), "Cosine: end"),
        (Cosine { steps: 0, ..cosine }.into(), "Cosine: steps is 0: it must be at least 1"),
        (CosineWave { high: -1.0, ..wave }.into(), "CosineWave: high"),
        (CosineWave { low: -1.0, ..wave }.into(), "CosineWave: low"),
        (CosineWave { half: 0, ..wave }.into(), "CosineWave: half"),
        (CosineRestarts { start: -1.0, ..restarts }.into(), "CosineRestarts: start"),
        (CosineRestarts { end: -1.0, ..restarts }.into(), "CosineRestarts: end"),
        (CosineRestarts { first: 0, ..restarts }.into(), "CosineRestarts: first"),
        (CosineRestarts { growth: 0, ..restarts }.into(), "CosineRestarts: growth"),
        (CosineRestarts { shrink: -1.0, ..restarts }.into(), "CosineRestarts: shrink"),
        (OneCycle { start: -1.0, ..cycle }.into(), "OneCycle: start"),
        (OneCycle { peak: -1.0, ..cycle }.into(), "OneCycle: peak"),
        (OneCycle { end: -1.0, ..cycle }.into(), "OneCycle: end"),
        (OneCycle { steps: 1, ..cycle }.into(), "OneCycle: steps"),
        (OneCycle { rise: 0.05, ..cycle }.into(), "OneCycle: rise"),
        (OneCycle { rise: 1.0, ..cycle }.into(), "OneCycle: rise"),
        (OneCycle { rise: f64::NAN, ..cycle }.into(), "OneCycle: rise"),
        (OneCycle { rise: 0.525, three_phase: true, ..cycle }.into(), "OneCycle: rise"),
        (Cyclic { low: -1.0, ..cyclic }.into(), "Cyclic: low"),
        (Cyclic { high: -1.0, ..cyclic }.into(), "Cyclic: high"),
        (Cyclic { up: 0, ..cyclic }.into(), "Cyclic: up"),
        (Cyclic { down: 0, ..cyclic }.into(), "Cyclic: down"),
        (Cyclic { shape: Shape::Shrinking(-1.0), ..cyclic }.into(), "Cyclic: shape"),
        (Noam { factor: 0.0, ..noam }.into(), "Noam: factor"),
        (Noam { size: 0, ..noam }.into(), "Noam: size"),
        (Noam { warmup: 0, ..noam }.into(), "Noam: warmup"),
        (Warmup { start: -1.0, steps: 4, then: Box::new(0.1.into()) }.into(), "Warmup: start"),
        (Warmup { start: 0.0, steps: 0, then: Box::new(0.1.into()) }.into(), "Warmup: steps"),
        (
            Warmup { start: 0.0, steps: 4, then: Box::new((-0.1).into()) }.into(),
            "Constant: rate is -0.1",
        ),
        (Join { borders: vec![], parts: vec![] }.into(), "Join: number of parts"),
        (
            Join { borders: vec![2, 2], parts: vec![0.1.into(), 0.1.into(), 0.1.into()] }.into(),
            "Join: borders is 2",
        ),
        (Join { borders: vec![], parts: vec![f64::NAN.into()] }.into(), "Constant: rate"),
        (Piecewise { borders: vec![0], values: vec![0.1, 0.1] }.into(), "Piecewise: borders"),
        (Piecewise { borders: vec![1], values: vec![0.1] }.into(), "Piecewise: number of values"),
        (Piecewise { borders: vec![], values: vec![-1.0] }.into(), "Piecewise: values"),
        (Sutskever { max: 1.0 }.into(), "Sutskever: max"),
    ];
    for (schedule, named) in bad {
        let message = schedule.validate().unwrap_err().to_string();
        assert!(message.starts_with(named), "{message} should start with {named}");
    }
    let plateau = Plateau::default();
    plateau.validate().unwrap();
    for (bad, named) in [
        (Plateau { factor: 1.0, ..plateau }, "Plateau: factor"),
        (Plateau { factor: -0.1, ..plateau }, "Plateau: factor"),
        (Plateau { threshold: -0.1, ..plateau }, "Plateau: threshold"),
        (Plateau { min: f64::NAN, ..plateau }, "Plateau: min"),
        (Plateau { eps: -0.1, ..plateau }, "Plateau: eps"),
    ] {
        assert!(bad.validate().unwrap_err().to_string().starts_with(named));
    }
}
