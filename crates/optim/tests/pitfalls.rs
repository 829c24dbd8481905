//! Faults that other libraries have had: each test fails when the fault is planted.

use slalom_optim::{Adam, AdamW, Block, Clip, Optimizer, RmsProp, Rule, Sgd, Slab, State};

fn optimizer(rule: impl Into<Rule>, block: Block) -> Optimizer<f64> {
    Optimizer::new(rule, vec![block], None).unwrap()
}

fn block(len: usize) -> Block {
    Block::new("w", 0..len)
}

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{found} is not {wanted}");
}

#[test]
fn adams_counter_starts_at_one_and_moves_once_a_step() {
    let blocks =
        vec![Block::new("a", 0..1), Block { rate: 1.0, l1: 1e-9, ..Block::new("b", 1..2) }];
    let mut opt = Optimizer::<f64>::new(Adam::default(), blocks, None).unwrap();
    let mut w = [0.0, 0.0];
    for step in 1..=3 {
        opt.step(0.1, &mut w, &[1.0, 1.0]).unwrap();
        assert_eq!(opt.state().step, step);
        close(w[0], -0.1 * step as f64 / (1.0 + 1e-8));
        assert!((w[0] - w[1]).abs() < 1e-7, "both blocks are at the same step");
    }
}

#[test]
fn adams_bias_correction_is_applied_once() {
    let (mut m, mut v, mut theta) = (0.0, 0.0, 1.0);
    let mut w = [1.0];
    let mut opt = optimizer(Adam::default(), block(1));
    for t in 1..=20 {
        let g = f64::from(t).sin();
        opt.step(0.1, &mut w, &[g]).unwrap();
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        let corrected = m / (1.0 - 0.9_f64.powi(t));
        theta -= 0.1 * corrected / ((v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
        close(w[0], theta);
    }
}

#[test]
fn coupled_decay_adds_the_parameter_to_the_gradient() {
    for start in [3.0, -3.0, 0.5] {
        let mut w = [start];
        let mut opt = optimizer(Sgd::default(), Block { l2: 0.1, ..block(1) });
        opt.step(0.5, &mut w, &[2.0]).unwrap();
        close(w[0], start - 0.5 * (2.0 + 0.1 * start));
        let before = w[0];
        opt.step(0.5, &mut w, &[0.0]).unwrap();
        close(w[0], before - 0.5 * 0.1 * before);
    }
}

#[test]
fn decoupled_decay_leaves_the_moments_alone() {
    let mut decayed = optimizer(AdamW { decay: 0.5, ..AdamW::default() }, block(1));
    let mut plain = optimizer(Adam::default(), block(1));
    let (mut a, mut b) = ([2.0], [2.0]);
    for g in [1.0, -0.5, 0.25] {
        decayed.step(0.1, &mut a, &[g]).unwrap();
        plain.step(0.1, &mut b, &[g]).unwrap();
    }
    assert_eq!(decayed.state().slots, plain.state().slots);
    assert!(a[0] < b[0]);
}

#[test]
fn decoupled_decay_is_multiplied_by_the_rate_of_the_step() {
    for rate in [0.1, 0.01, 0.0] {
        let mut w = [2.0];
        optimizer(AdamW { decay: 0.5, ..AdamW::default() }, Block { rate: 0.5, ..block(1) })
            .step(rate, &mut w, &[0.0])
            .unwrap();
        close(w[0], 2.0 * (1.0 - 0.5 * rate * 0.5));
    }
}

#[test]
fn coupled_beside_decoupled_decay_is_refused() {
    let both = vec![Block { l2: 0.1, decay: 0.1, ..block(1) }];
    let error = Optimizer::<f64>::new(Sgd::default(), both, None).unwrap_err();
    assert!(error.to_string().starts_with("block \"w\": l2 and the decay"), "{error}");
    let with_rule = vec![Block { l2: 0.1, ..block(1) }];
    assert!(Optimizer::<f64>::new(AdamW::default(), with_rule, None).is_err());
    let exempt = vec![Block { l2: 0.1, exempt: true, ..block(1) }];
    assert!(Optimizer::<f64>::new(AdamW::default(), exempt, None).is_ok());
    let ways = vec![Block { l1: 0.1, proximal: 0.1, ..block(1) }];
    assert!(Optimizer::<f64>::new(Sgd::default(), ways, None).is_err());
}

#[test]
fn l1_does_not_push_zeros() {
    let mut w = [0.0, -0.0, 1.0, -1.0];
    let mut opt = optimizer(Sgd::default(), Block { l1: 0.5, ..block(4) });
    opt.step(0.1, &mut w, &[0.0; 4]).unwrap();
    assert_eq!(w, [0.0, 0.0, 0.95, -0.95]);
}

#[test]
fn proximal_l1_makes_exact_zeros_and_no_sign_change() {
    let mut w = [0.04, -0.04, 1.0, -1.0, 0.05];
    let mut opt = optimizer(Sgd::default(), Block { proximal: 0.5, ..block(5) });
    opt.step(0.1, &mut w, &[0.0; 5]).unwrap();
    assert_eq!(w, [0.0, 0.0, 0.95, -0.95, 0.0]);
}

#[test]
fn centered_rmsprop_survives_a_variance_below_zero() {
    let rule = RmsProp { centered: true, alpha: 0.9, eps: 1e-12, ..RmsProp::default() };
    let mut below = 0;
    for gradient in (1..=50).map(|i| 0.013 * i as f32) {
        let mut opt = Optimizer::<f32>::new(rule, vec![block(1)], None).unwrap();
        let mut w = [0.0_f32];
        for _ in 0..200 {
            opt.step(1e-20, &mut w, &[gradient]).unwrap(); // constant: v − ḡ² is rounding alone
            assert!(w[0].is_finite());
            let [v, mean] = [0, 1].map(|slot: usize| opt.state().slots[slot][0]);
            below += usize::from(v < mean * mean);
        }
    }
    assert!(below > 0, "no variance was below 0");
}

#[test]
fn momentum_counts_from_the_second_step_on() {
    let mut opt = optimizer(Sgd { momentum: 0.9, ..Sgd::default() }, block(1));
    let mut w = [0.0];
    opt.step(1.0, &mut w, &[1.0]).unwrap();
    opt.step(1.0, &mut w, &[0.0]).unwrap();
    close(w[0], -1.9);
}

#[test]
fn dampening_spares_the_first_step() {
    let rule = Sgd { momentum: 0.9, dampening: 0.5, ..Sgd::default() };
    let mut opt = optimizer(rule, block(1));
    let mut w = [0.0];
    opt.step(1.0, &mut w, &[1.0]).unwrap();
    close(w[0], -1.0);
    opt.step(1.0, &mut w, &[1.0]).unwrap();
    close(w[0], -1.0 - (0.9 + 0.5));
}

#[test]
fn an_explicit_zero_is_not_the_default() {
    let rule: Rule = serde_json::from_str(r#"{"Adam": {"beta1": 0.0, "beta2": 0.0}}"#).unwrap();
    assert_eq!(rule, Adam { beta1: 0.0, beta2: 0.0, ..Adam::default() }.into());
    let mut opt = optimizer(rule, block(1));
    let mut w = [0.0];
    opt.step(0.1, &mut w, &[5.0]).unwrap();
    opt.step(0.1, &mut w, &[-5.0]).unwrap();
    assert!(w[0].abs() < 1e-9, "without averages the two steps cancel: {w:?}");
}

/// A setting of 0 must do what one beside 0 does, not what the default does.
#[test]
fn an_explicit_zero_of_any_setting_is_kept() {
    let end = |rule: Rule| {
        let mut opt = optimizer(rule, block(3));
        let mut w = [1.0, -2.0, 0.5];
        for step in 0..6 {
            let gradient = [0, 1, 2].map(|i| (f64::from(step) * 1.7 + f64::from(i)).sin());
            opt.step(0.1, &mut w, &gradient).unwrap();
        }
        w
    };
    let mut tried = Vec::new();
    for default in Rule::all() {
        let saved = serde_json::to_value(&default).unwrap();
        let (name, settings) = saved.as_object().unwrap().iter().next().unwrap();
        // AdamW holds Adam's, which have their turn as Adam's own
        for (field, setting) in settings.as_object().unwrap() {
            if setting.as_f64().is_none_or(|setting| setting == 0.0) {
                continue;
            }
            let with = |value: f64| -> Rule {
                let mut saved = saved.clone();
                saved[name][field] = value.into();
                serde_json::from_value(saved).unwrap()
            };
            if with(0.0).validate().is_ok() {
                let ends = end(with(0.0)).into_iter().zip(end(with(1e-200)));
                ends.for_each(|(found, wanted)| close(found, wanted));
                tried.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(tried.len() >= 30 && tried.contains(&"Adam.beta2".into()), "{tried:?}");
}

#[test]
fn an_unknown_setting_in_a_file_is_refused() {
    assert!(serde_json::from_str::<Rule>(r#"{"Adam": {"beta3": 0.0}}"#).is_err());
    assert!(serde_json::from_str::<Rule>(r#"{"Adma": {}}"#).is_err());
}

#[test]
fn the_global_norm_is_of_all_blocks_together() {
    let blocks = || vec![Block::new("a", 0..1), Block::new("b", 1..2)];
    let step = |clip| {
        let mut opt = Optimizer::<f64>::new(Sgd::default(), blocks(), Some(clip)).unwrap();
        let mut w = [0.0; 2];
        let step = opt.step(1.0, &mut w, &[3.0, -4.0]).unwrap();
        assert_eq!(step.norm, 5.0);
        w
    };
    let global = step(Clip::GlobalNorm(1.0));
    assert!((global[0] + 0.6).abs() < 1e-6 && (global[1] - 0.8).abs() < 1e-6);
    let each = step(Clip::BlockNorm(1.0));
    assert!((each[0] + 1.0).abs() < 1e-6 && (each[1] - 1.0).abs() < 1e-6);
    assert_eq!(step(Clip::Value(3.5)), [-3.0, 3.5]);
    assert_eq!(step(Clip::GlobalNorm(50.0)), [-3.0, 4.0]);
}

#[test]
fn bad_clipping_is_refused() {
    for (clip, named) in [
        (Clip::GlobalNorm(0.0), "Clip: global norm is 0: it must be above 0 and finite"),
        (Clip::BlockNorm(-1.0), "Clip: block norm is -1"),
        (Clip::Value(f64::NAN), "Clip: value is NaN"),
    ] {
        let error = Optimizer::<f64>::new(Sgd::default(), vec![block(1)], Some(clip)).unwrap_err();
        assert!(error.to_string().starts_with(named), "{error}");
        assert!(clip.apply(&[block(1)], &mut [1.0]).is_err());
    }
}

#[test]
fn bad_blocks_are_refused() {
    let refused = |blocks: Vec<Block>| {
        Optimizer::<f64>::new(Sgd::default(), blocks, None).unwrap_err().to_string()
    };
    let gap = vec![Block::new("a", 0..2), Block::new("b", 3..4)];
    assert_eq!(refused(gap), "block \"b\" is 3..4: it must start at 2 and hold at least 1 number");
    let overlap = vec![Block::new("a", 0..2), Block::new("b", 1..4)];
    assert!(refused(overlap).contains("\"b\" is 1..4"));
    assert!(refused(vec![Block::new("a", 0..0)]).contains("\"a\" is 0..0"));
    let same = vec![Block::new("a", 0..2), Block::new("a", 2..4)];
    assert_eq!(refused(same), "block \"a\" is there twice: names must differ");
    for (bad, named) in [
        (Block { rate: -1.0, ..block(1) }, "rate is -1"),
        (Block { l1: f64::NAN, ..block(1) }, "l1 is NaN"),
        (Block { l2: -1.0, ..block(1) }, "l2 is -1"),
        (Block { decay: f64::INFINITY, ..block(1) }, "decay is inf"),
        (Block { proximal: -1.0, ..block(1) }, "proximal is -1"),
    ] {
        assert!(refused(vec![bad]).starts_with(&format!("block \"w\": {named}")));
    }
}

#[test]
fn bad_rates_and_slices_are_refused_and_change_nothing() {
    let mut opt = optimizer(Sgd { momentum: 0.9, ..Sgd::default() }, block(2));
    let mut w = [1.0, 2.0];
    for rate in [-0.1, f64::NAN, f64::INFINITY] {
        let error = opt.step(rate, &mut w, &[1.0, 1.0]).unwrap_err().to_string();
        assert!(error.starts_with("step: learning rate is"), "{error}");
        assert!(opt.begin(rate).is_err());
    }
    for momentum in [1.0, -0.1, f64::NAN] {
        let rates = slalom_optim::Rates { lr: 0.1, momentum: Some(momentum) };
        assert!(opt.step(rates, &mut w, &[1.0, 1.0]).is_err());
    }
    let error = opt.step(0.1, &mut w, &[1.0]).unwrap_err().to_string();
    assert_eq!(error, "the gradient slice holds 1 numbers: the blocks hold 2");
    let error = opt.step(0.1, &mut w[..1], &[1.0, 1.0]).unwrap_err().to_string();
    assert_eq!(error, "the parameter slice holds 1 numbers: the blocks hold 2");
    assert_eq!((w, opt.state().step), ([1.0, 2.0], 0));
    let mut plain = optimizer(Sgd::default(), block(1));
    let rates = slalom_optim::Rates { lr: 0.1, momentum: Some(0.5) };
    let error = plain.step(rates, &mut [1.0], &[1.0]).unwrap_err().to_string();
    assert_eq!(error, "Sgd: momentum is 0.5: it must be absent: the rule keeps none");
}

#[test]
fn a_state_of_another_rule_or_length_is_refused() {
    let state = |slots: usize, len| State {
        step: 3,
        product: 1.0,
        slots: vec![vec![0.0; len].into(); slots],
    };
    let resume = |state| Optimizer::<f64>::resume(Adam::default(), vec![block(4)], None, state);
    assert!(resume(state(2, 4)).is_ok());
    let error = resume(state(1, 4)).unwrap_err().to_string();
    assert_eq!(error, "the state holds 1 slots: Adam keeps 2");
    let error = resume(state(2, 3)).unwrap_err().to_string();
    assert_eq!(error, "a slot of the state holds 3 numbers: the blocks hold 4");
}

#[test]
fn a_gradient_that_is_not_finite_is_named_on_every_path() {
    let blocks = || vec![Block::new("a", 0..2), Block { l1: 0.1, ..Block::new("b", 2..5) }];
    let said = "the gradient of block \"b\" is NaN at index 1 of the block";
    let grads = [1.0, 1.0, 1.0, f64::NAN, 1.0];
    let alone = |tasks: usize, work: &(dyn Fn(usize) + Sync)| (0..tasks).for_each(work);
    for clip in [None, Some(Clip::GlobalNorm(1.0)), Some(Clip::Value(0.1))] {
        let mut opt = Optimizer::new(Adam::default(), blocks(), clip).unwrap();
        let mut w = [1.0; 5];
        assert_eq!(opt.step(0.1, &mut w, &grads).unwrap_err().to_string(), said);
        assert_eq!((w, opt.state().step), ([1.0; 5], 0));
        let error = opt.sweep_with(0.1, &mut w, &grads, &alone).unwrap_err();
        assert_eq!(error.to_string(), said);
        assert!(w[2..] == [1.0; 3], "what is not finite has moved nothing");
        assert!(opt.state().slots.iter().flatten().all(|slot| slot.is_finite()));
    }
    let mut opt = Optimizer::new(Adam::default(), blocks(), None).unwrap();
    let mut w = [1.0; 5];
    let error = opt.begin(0.1).unwrap().block(1, &mut w[2..], &grads[2..]).unwrap_err();
    assert_eq!((error.to_string().as_str(), w), (said, [1.0; 5]));
}

#[test]
fn block_by_block_has_no_global_norm() {
    let clip = Some(Clip::GlobalNorm(1.0));
    let mut opt = Optimizer::<f64>::new(Sgd::default(), vec![block(1)], clip).unwrap();
    let error = opt.begin(0.1).unwrap_err().to_string();
    assert_eq!(error, "begin: clipping by the global norm needs the whole gradient: call step");
}

#[test]
fn maximising_turns_the_gradient_but_not_the_penalties() {
    let mut w = [2.0];
    let mut opt = optimizer(Sgd::default(), Block { maximize: true, l2: 0.5, ..block(1) });
    opt.step(0.1, &mut w, &[3.0]).unwrap();
    close(w[0], 2.0 - 0.1 * (-3.0 + 0.5 * 2.0));
}

#[test]
fn adam_at_step_a_thousand_million_is_finite() {
    let state = State {
        step: 1_000_000_000,
        product: 1.0,
        slots: [vec![0.1], vec![0.2]].map(Slab::from).to_vec(),
    };
    for rule in [
        Rule::from(Adam::default()),
        slalom_optim::NAdam::default().into(),
        slalom_optim::RAdam::default().into(),
    ] {
        let mut opt = Optimizer::<f64>::resume(rule, vec![block(1)], None, state.clone()).unwrap();
        let mut w = [1.0];
        opt.step(0.1, &mut w, &[0.5]).unwrap();
        assert!(w[0].is_finite() && w[0] < 1.0 && w[0] > 0.5, "{w:?}");
    }
}

/// Zen's first cache may take lines at the same place of two pages for one another: a step took four to
/// eight times as long in some processes.
#[test]
fn parameters_and_slots_begin_at_different_places_of_a_page() {
    let place = |numbers: &[f32]| numbers.as_ptr().addr() % 4096;
    let params = Slab::from(vec![1.0; 5000]);
    let fresh = Optimizer::<f32>::new(Adam::default(), vec![block(5000)], None).unwrap();
    let slots = [vec![0.0; 5000], vec![0.0; 5000]].map(Slab::from).to_vec();
    let state = State { step: 1, product: 1.0, slots };
    let again = Optimizer::resume(Adam::default(), vec![block(5000)], None, state).unwrap();
    for opt in [&fresh, &again, &again.clone()] {
        let places = opt.state().slots.iter().map(|slot| place(slot));
        assert!([place(&params)].into_iter().chain(places).eq([0, 640, 1280]));
    }
}
