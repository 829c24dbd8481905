//! One table of laws, run over every rule.

use crate::plan::CHUNK;
use crate::simd::Level;
use crate::threads::{SHARED_FROM, alone};
use crate::*;

/// A rule with the rate at which it is tried, and what is special about it.
struct Case {
    rule: Rule,
    rate: f64,
    /// A zero gradient leaves fresh parameters still.
    still: bool,
}

fn case(rule: impl Into<Rule>, rate: f64) -> Case {
    Case { rule: rule.into(), rate, still: true }
}

/// Every rule, and every option that has a loop of its own.
fn table() -> Vec<Case> {
    let heavy = Sgd { momentum: 0.9, ..Sgd::default() };
    let rms = RmsProp { momentum: 0.9, ..RmsProp::default() };
    let adam = Adam::default();
    vec![
        case(Sgd::default(), 1e-3),
        case(heavy, 2e-4),
        case(Sgd { nesterov: true, ..heavy }, 2e-4),
        case(Sgd { dampening: 0.5, rate_inside: true, ..heavy }, 2e-4),
        case(AdaGrad::default(), 0.5),
        case(AdaGrad { eps: 0.0, eps_root: 1e-7, initial_accumulator: 0.1, lr_decay: 0.0 }, 0.5),
        case(AdaGrad { eps: 0.0, initial_accumulator: 0.1, ..AdaGrad::default() }, 0.5),
        case(RmsProp { alpha: 0.9, ..RmsProp::default() }, 0.01),
        case(RmsProp { centered: true, alpha: 0.9, ..RmsProp::default() }, 0.01),
        case(rms, 0.001),
        case(RmsProp { centered: true, nesterov: true, initial: 0.5, ..rms }, 0.001),
        case(RmsProp { rate_inside: true, bias_correction: true, ..rms }, 0.001),
        case(AdaDelta { rho: 0.95, eps: 1e-6 }, 10.0),
        case(adam, 0.05),
        case(Adam { eps_hat: true, nesterov: true, eps_root: 1e-12, ..adam }, 0.05),
        case(Adam { amsgrad: true, ..adam }, 0.05),
        case(Adam { amsgrad: true, max_corrected: true, ..adam }, 0.05),
        case(AdamW { decay: 0.0, adam }, 0.05),
        case(Adamax::default(), 0.05),
        case(Adamax { eps_outside: true, ..Adamax::default() }, 0.05),
        case(NAdam::default(), 0.05),
        case(RAdam::default(), 1e-3),
        Case { still: false, ..case(Asgd { alpha: 0.1, lambda: 1e-7, t0: 10.0 }, 1e-3) },
        case(Rprop::default(), 0.01),
        case(AdaBelief::default(), 0.02),
        Case { still: false, ..case(Yogi::default(), 0.05) },
        case(Yogi { initial_mean: 0.0, eps_root: 1e-9, ..Yogi::default() }, 0.05),
        case(Lion::default(), 0.003),
        case(Adan { beta1: 0.9, ..Adan::default() }, 0.05),
        case(Lars { trust_coefficient: 0.1, ..Lars::default() }, 0.005),
        case(Lars { trust_coefficient: 0.1, nesterov: true, eps: 1e-9, ..Lars::default() }, 0.005),
        case(Lamb::default(), 0.01),
    ]
}

fn whole<F: Float>(rule: &Rule, len: usize) -> Optimizer<F> {
    Optimizer::new(rule.clone(), vec![Block::new("all", 0..len)], None).unwrap()
}

/// Numbers that look random: the fraction of a multiple of an irrational number, around 0.
fn noise(len: usize, seed: f64) -> Vec<f32> {
    (0..len).map(|i| (((i as f64 + seed) * 0.618_033_988_7).fract() - 0.5) as f32).collect()
}

#[test]
fn every_rule_is_in_the_table() {
    let table = table();
    for rule in Rule::all() {
        assert!(table.iter().any(|case| case.rule.name() == rule.name()), "{rule:?}");
    }
}

/// Names stand in files, and a momentum that a rule keeps can be scheduled.
#[test]
fn what_every_rule_keeps() {
    let kept = |rule: Rule| (rule.slots().join(" "), rule.momentum());
    for (rule, slots, momentum) in [
        (Sgd::default().into(), "", None),
        (Sgd { momentum: 0.7, ..Sgd::default() }.into(), "velocity", Some(0.7)),
        (AdaGrad::default().into(), "sum", None),
        (RmsProp::default().into(), "variance", None),
        (RmsProp { centered: true, ..RmsProp::default() }.into(), "variance mean", None),
        (RmsProp { momentum: 0.7, ..RmsProp::default() }.into(), "variance velocity", Some(0.7)),
        (
            RmsProp { momentum: 0.7, centered: true, ..RmsProp::default() }.into(),
            "variance mean velocity",
            Some(0.7),
        ),
        (AdaDelta::default().into(), "variance squared_step", None),
        (Adam::default().into(), "mean variance", Some(0.9)),
        (Adam { amsgrad: true, ..Adam::default() }.into(), "mean variance largest", Some(0.9)),
        (AdamW::default().into(), "mean variance", Some(0.9)),
        (Adamax::default().into(), "mean largest", Some(0.9)),
        (NAdam::default().into(), "mean variance", Some(0.9)),
        (RAdam::default().into(), "mean variance", Some(0.9)),
        (Asgd::default().into(), "average", None),
        (Rprop::default().into(), "gradient size", None),
        (AdaBelief::default().into(), "mean variance", Some(0.9)),
        (Yogi::default().into(), "mean variance", Some(0.9)),
        (Lion::default().into(), "mean", Some(0.9)),
        (Adan::default().into(), "mean difference variance gradient", Some(0.98)),
        (Lars::default().into(), "velocity", Some(0.9)),
        (Lamb::default().into(), "mean variance", Some(0.9)),
    ] {
        let rule: Rule = rule;
        let factor = rule.factor(3, 0.5);
        assert_eq!(factor == 1.0, rule.name() != "NAdam", "{rule:?}: {factor}");
        assert_eq!(kept(rule), (slots.to_string(), momentum));
    }
}

#[test]
fn long_slabs_are_shared_and_short_ones_are_not() {
    for (len, shared) in [(SHARED_FROM - 1, false), (SHARED_FROM, true), (SHARED_FROM + 1, true)] {
        let mut opt = whole::<f32>(&Sgd::default().into(), len);
        let (mut params, grads) = (vec![0.0; len], vec![1.0; len]);
        let called = std::cell::Cell::new(false);
        let run = |tasks: usize, work: &(dyn Fn(usize) + Sync)| {
            called.set(true);
            alone(tasks, work);
        };
        opt.step_with(0.1, &mut params, &grads, &run).unwrap();
        assert_eq!(called.replace(false), shared, "step_with at {len}");
        opt.sweep_with(0.1, &mut params, &grads, &run).unwrap();
        assert_eq!(called.get(), shared, "sweep_with at {len}");
    }
}

#[test]
fn a_gradient_whose_square_overflows_is_swept() {
    let mut opt = whole::<f64>(&Lion::default().into(), 2);
    let mut params = [1.0, 1.0];
    assert_eq!(opt.blocks(), [Block::new("all", 0..2)]);
    let step = opt.sweep_with(0.5, &mut params, &[3e200, -4e200], &alone).unwrap();
    assert!((step.norm / 5e200 - 1.0).abs() < 1e-15 && params == [0.5, 1.5], "{step:?}");
}

#[test]
fn a_zero_gradient_leaves_fresh_parameters_still() {
    for Case { rule, rate, still } in table() {
        let mut opt = whole::<f64>(&rule, 3);
        let fresh = [1.5, -0.25, 0.0];
        let mut params = fresh;
        for _ in 0..3 {
            opt.step(rate, &mut params, &[0.0; 3]).unwrap();
        }
        assert_eq!(params == fresh, still, "{rule:?} moved to {params:?}");
        assert!(params.iter().all(|p| p.is_finite()));
    }
}

#[test]
fn a_rate_of_zero_leaves_parameters_still_while_the_state_moves() {
    for Case { rule, .. } in table().into_iter().filter(|case| case.rule.name() != "Rprop") {
        let mut opt = whole::<f32>(&rule, 2);
        let mut params = [1.5, -0.25];
        opt.step(0.0, &mut params, &[1.0, 2.0]).unwrap();
        assert_eq!((params, opt.state().step), ([1.5, -0.25], 1), "{rule:?}");
    }
}

/// Each rule steps along `gradient` from `start`, at a rate that falls along a cosine, and must end
/// near (1, 1).
fn all_arrive(start: [f64; 2], steps: u64, gradient: fn(&[f64]) -> [f64; 2]) {
    let mut lost = Vec::new();
    for Case { rule, rate, .. } in table() {
        let mut opt = whole::<f64>(&rule, 2);
        let mut params = start;
        let cosine = Cosine { start: rate, end: 0.0, steps };
        for step in 0..steps {
            let grads = gradient(&params);
            opt.step(cosine.at(step), &mut params, &grads).unwrap();
        }
        if !params.iter().all(|p| (p - 1.0).abs() < 0.01) {
            lost.push(format!("{rule:?} ends at {params:?}"));
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn every_rule_finds_the_minimum_of_a_parabola() {
    all_arrive([3.0, -2.0], 20_000, |x| [x[0] - 1.0, 20.0 * (x[1] - 1.0)]);
}

#[test]
fn every_rule_finds_the_minimum_of_rosenbrocks_function() {
    all_arrive([-1.2, 1.0], 60_000, |x| {
        let rest = x[1] - x[0] * x[0];
        [-2.0 * (1.0 - x[0]) - 400.0 * x[0] * rest, 200.0 * rest]
    });
}

#[test]
fn every_rule_resumes_to_the_bit_from_a_file() {
    for Case { rule, rate, .. } in table() {
        let (mut whole_run, len) = (whole::<f32>(&rule, 37), 37);
        let mut params = noise(len, 0.5);
        for step in 0..6 {
            whole_run.step(rate, &mut params, &noise(len, f64::from(step))).unwrap();
        }
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec((&rule, whole_run.state()), config).unwrap();
        let (saved, _): ((Rule, State<f32>), _) =
            bincode::serde::decode_from_slice(&bytes, config).unwrap();
        assert_eq!(saved.0, rule);
        let blocks = vec![Block::new("all", 0..len)];
        let mut resumed = Optimizer::resume(saved.0, blocks, None, saved.1).unwrap();
        let mut others = params.clone();
        for step in 6..12 {
            whole_run.step(rate, &mut params, &noise(len, f64::from(step))).unwrap();
            resumed.step(rate, &mut others, &noise(len, f64::from(step))).unwrap();
        }
        assert_eq!(params, others, "{rule:?}");
        assert_eq!(whole_run.state(), resumed.state(), "{rule:?}");
    }
}

/// A way to make a step: at a rate, on parameters, with a gradient.
type Path = fn(&mut Optimizer<f32>, f64, &mut [f32], &[f32]);

#[test]
fn every_rule_is_itself_under_any_cut_order_and_path() {
    let len = SHARED_FROM + 77;
    for Case { rule, rate, .. } in table() {
        let blocks = || {
            let first = Block { l1: 1e-3, proximal: 0.0, ..Block::new("a", 0..2 * CHUNK + 9) };
            let second = Block { rate: 0.5, ..Block::new("b", 2 * CHUNK + 9..len) };
            Optimizer::<f32>::new(rule.clone(), vec![first, second], Some(Clip::BlockNorm(9.0)))
        };
        let paths: [Path; 4] = [
            |opt, rate, p, g| assert!(opt.step(rate, p, g).is_ok()),
            |opt, rate, p, g| {
                let backwards = |tasks: usize, work: &(dyn Fn(usize) + Sync)| {
                    std::thread::scope(|scope| {
                        (0..tasks).rev().for_each(|task| drop(scope.spawn(move || work(task))));
                    });
                };
                opt.step_with(rate, p, g, &backwards).unwrap();
            },
            |opt, rate, p, g| {
                let mut pass = opt.begin(rate).unwrap();
                let border = 2 * CHUNK + 9;
                pass.block(1, &mut p[border..], &g[border..]).unwrap();
                pass.block(0, &mut p[..border], &g[..border]).unwrap();
            },
            |opt, rate, p, g| assert!(opt.sweep_with(rate, p, g, &alone).is_ok()),
        ];
        let outcome = |path: Path, level: Level| {
            let mut opt = blocks().unwrap();
            opt.level = level;
            let mut params = noise(len, 0.5);
            for step in 0..3 {
                path(&mut opt, rate, &mut params, &noise(len, f64::from(step)));
            }
            (params, opt.state().clone())
        };
        let wanted = outcome(paths[0], Level::Baseline);
        for path in paths {
            assert!(outcome(path, Level::detect()) == wanted, "{rule:?}");
        }
        for level in Level::available() {
            assert!(outcome(paths[0], level) == wanted, "{rule:?} at {level:?}");
        }
    }
}

#[test]
fn a_sweep_is_a_step_without_clipping_too() {
    let len = SHARED_FROM + 5;
    for Case { rule, rate, .. } in table() {
        let [mut a, mut b, mut c] = [(); 3].map(|()| whole::<f32>(&rule, len));
        let [mut p, mut q, mut r] = [(); 3].map(|()| noise(len, 0.5));
        for step in 0..2 {
            let grads = noise(len, f64::from(step));
            let found = a.sweep_with(rate, &mut p, &grads, &alone).unwrap();
            assert_eq!(b.step(rate, &mut q, &grads).unwrap(), found);
            if !c.takes_chunks() {
                continue;
            }
            let chunks = c.begin_chunks(rate, &mut r).unwrap();
            (0..chunks.count()).rev().for_each(|i| chunks.update(i, &grads[chunks.range(i)]));
            assert_eq!(chunks.finish().unwrap(), found);
        }
        assert!(p == q && a.state() == b.state(), "{rule:?}");
        assert!(!c.takes_chunks() || r == q && c.state() == b.state(), "{rule:?} by chunks");
    }
}

/// By an outer product as by its numbers, wherever chunks end in it; infinite numbers are named.
#[test]
fn an_outer_product_is_a_gradient() {
    for (rows, columns) in [(128, 100), (100, 130), (9000, 2), (1, 9000), (9000, 1)] {
        let (len, largest) = (rows * columns, f32::MAX);
        let (a, b) = (noise(rows, 0.5), noise(columns, 0.25));
        let grads: Vec<f32> = b.iter().flat_map(|b| a.iter().map(move |a| a * b)).collect();
        for Case { rule, rate, .. } in table() {
            let blocks = vec![Block { maximize: true, l2: 0.1, ..Block::new("all", 0..len) }];
            let of = || Optimizer::new(rule.clone(), blocks.clone(), None).unwrap();
            let (mut opt, mut wanted) = (of(), of());
            if !opt.takes_chunks() {
                continue;
            }
            let (mut p, mut q) = (noise(len, 0.1), noise(len, 0.1));
            for _ in 0..2 {
                let step = opt.begin_chunks(rate, &mut p).unwrap();
                (0..step.count()).for_each(|i| step.update_outer(i, &a, &b, step.range(i).start));
                let (found, whole) = (step.finish().unwrap(), wanted.step(rate, &mut q, &grads));
                assert!((found.norm / whole.unwrap().norm - 1.0).abs() < 1e-6, "{rule:?}");
            }
            assert!(p == q && opt.state() == wanted.state(), "{rule:?}, {rows}x{columns}");
        }
        for (by, value) in [(largest, "inf"), (f32::NAN, "NaN"), (-1.0, "")] {
            let mut opt = whole(&Sgd::default().into(), len);
            let (mut a, mut b, mut params) = (vec![1.0; rows], vec![1.0; columns], noise(len, 0.1));
            (a[rows - 1], b[columns - 1]) = (if value.is_empty() { 1.0 } else { largest }, by);
            let step = opt.begin_chunks(1e-9, &mut params).unwrap();
            (0..step.count()).for_each(|i| step.update_outer(i, &a, &b, step.range(i).start));
            let error = step.finish().err().map(|error| error.to_string()).unwrap_or_default();
            let place = format!("is {value} at index");
            assert_eq!(error.contains(&place), !value.is_empty(), "{by}: {error}");
            assert!(params.iter().all(|p| p.is_finite()));
        }
    }
}

#[test]
fn a_small_step_at_every_scale_stays_finite() {
    for Case { rule, rate, .. } in table() {
        for size in [1e-30_f32, 1e-10, 1e10, 1e18] {
            let mut opt = whole::<f32>(&rule, 4);
            let mut params = [1.0, -1.0, 0.0, 1e-3];
            for _ in 0..3 {
                opt.step(rate * 1e-20, &mut params, &[size, -size, 0.0, size]).unwrap();
            }
            assert!(params.iter().all(|p| p.is_finite()), "{rule:?} at {size}: {params:?}");
        }
    }
}

/// A unit that is dead, an input that is always 0: their gradients are 0 from some step on.
#[test]
fn what_decays_ends_at_zero_and_is_never_subnormal() {
    for Case { rule, rate, .. } in table() {
        let mut opt = whole::<f32>(&rule, 40);
        let (mut params, grads) = (noise(40, 1.0), noise(40, 2.0));
        opt.step(rate, &mut params, &grads).unwrap();
        for _ in 0..1000 {
            opt.step(rate, &mut params, &[0.0; 40]).unwrap();
            for slot in &opt.state().slots {
                assert!(slot.iter().all(|s| !s.is_subnormal()), "{rule:?}: {slot:?}");
            }
        }
        let keeps_a_velocity = opt.state().slots.iter().zip(rule.slots());
        for (slot, _) in keeps_a_velocity.filter(|(_, name)| **name == "velocity") {
            assert!(slot.iter().all(|&s| s == 0.0), "{rule:?}: {slot:?}");
        }
    }
}
