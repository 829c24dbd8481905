//! Optimizers, schedules and clipping against the trajectories of PyTorch and optax.
//!
//! The files drive the tests: whatever cases they hold are run, and a rule, a schedule or an option
//! that is not known here fails.

use serde_json::Value;
use slalom_optim::{
    AdaBelief, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Adan, Block, Clip, CosineRestarts,
    CosineWave, Cyclic, Exponential, Float, Lamb, Lars, LearningRate, Linear, Lion, MultiStep,
    OneCycle, Optimizer, Piecewise, Plateau, Polynomial, RAdam, RmsProp, Rule, Schedule, Sgd,
    Shape, StepDecay, Yogi,
};
use slalom_tests::golden::{Options, assert_close, cases, close, number, numbers, text, torch};

/// What a case asks for: the rule, the block over its numbers, and the learning rate.
fn optimizer(case: &Value) -> (Rule, Block, f64) {
    let mut o = Options::of(case);
    let block = Block::new("all", 0..numbers(&case["initial"]).len());
    let asked = match text(&case["source"]).split(' ').next() {
        Some("torch") => torch(text(&case["algorithm"]), &mut o, block),
        Some("optax") => optax(text(&case["algorithm"]), &mut o, block),
        other => panic!("{}: unknown source {other:?}", o.case),
    };
    o.finish();
    asked
}

/// optax's optimizer of that name: the rule, the block with its decay, and the learning rate.
fn optax(algorithm: &str, o: &mut Options, mut block: Block) -> (Rule, Block, f64) {
    let lr = o.number("learning_rate", if algorithm == "adadelta" { 1.0 } else { f64::NAN });
    let adam = |o: &mut Options, nesterov| Adam {
        beta1: o.number("b1", 0.9),
        beta2: o.number("b2", 0.999),
        eps: o.number("eps", 1e-8),
        eps_root: o.number("eps_root", 0.0),
        nesterov: o.flag("nesterov", nesterov),
        ..Adam::default()
    };
    let rule: Rule = match algorithm {
        "sgd" => Sgd {
            momentum: o.number("momentum", 0.0),
            nesterov: o.flag("nesterov", false),
            ..Sgd::default()
        }
        .into(),
        "adam" => adam(o, false).into(),
        "nadam" => adam(o, true).into(),
        "adamw" | "nadamw" => {
            let decay = o.number("weight_decay", 1e-4);
            AdamW { adam: adam(o, algorithm == "nadamw"), decay }.into()
        }
        "amsgrad" => {
            assert!(o.flag("bias_correction_mu", true) && o.flag("bias_correction_nu", true));
            Adam { amsgrad: true, max_corrected: true, ..adam(o, false) }.into()
        }
        "adamax" | "adamaxw" => {
            let decay = if algorithm == "adamax" { 0.0 } else { 1e-4 };
            block.decay = o.number("weight_decay", decay);
            Adamax {
                beta1: o.number("b1", 0.9),
                beta2: o.number("b2", 0.999),
                eps: o.number("eps", 1e-8),
                ..Adamax::default()
            }
            .into()
        }
        "radam" => RAdam {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-8),
            eps_root: o.number("eps_root", 0.0),
            eps_hat: false,
            threshold: o.number("threshold", 5.0),
            nesterov: o.flag("nesterov", false),
        }
        .into(),
        "rmsprop" => {
            let (eps, inside) = (o.number("eps", 1e-8), o.flag("eps_in_sqrt", true));
            RmsProp {
                alpha: o.number("decay", 0.9),
                eps: if inside { 0.0 } else { eps },
                eps_root: if inside { eps } else { 0.0 },
                initial: o.number("initial_scale", 0.0),
                centered: o.flag("centered", false),
                momentum: o.number("momentum", 0.0),
                nesterov: o.flag("nesterov", false),
                bias_correction: o.flag("bias_correction", false),
                rate_inside: true,
            }
            .into()
        }
        "adagrad" => AdaGrad {
            initial_accumulator: o.number("initial_accumulator_value", 0.1),
            eps: 0.0,
            eps_root: o.number("eps", 1e-7),
            ..AdaGrad::default()
        }
        .into(),
        "adadelta" => {
            block.l2 = o.number("weight_decay", 0.0);
            AdaDelta { rho: o.number("rho", 0.9), eps: o.number("eps", 1e-6) }.into()
        }
        "lion" => {
            block.decay = o.number("weight_decay", 1e-3);
            Lion { beta1: o.number("b1", 0.9), beta2: o.number("b2", 0.99) }.into()
        }
        "lamb" => {
            block.decay = o.number("weight_decay", 0.0);
            Lamb {
                beta1: o.number("b1", 0.9),
                beta2: o.number("b2", 0.999),
                eps: o.number("eps", 1e-6),
                eps_root: o.number("eps_root", 0.0),
                ..Lamb::default()
            }
            .into()
        }
        "lars" => {
            block.l2 = o.number("weight_decay", 0.0);
            Lars {
                momentum: o.number("momentum", 0.9),
                nesterov: o.flag("nesterov", false),
                trust_coefficient: o.number("trust_coefficient", 1e-3),
                eps: o.number("eps", 0.0),
                ..Lars::default()
            }
            .into()
        }
        "adabelief" => AdaBelief {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-16),
            eps_root: o.number("eps_root", 1e-16),
            nesterov: o.flag("nesterov", false),
        }
        .into(),
        "yogi" => Yogi {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-3),
            ..Yogi::default()
        }
        .into(),
        "adan" => {
            block.decay = o.number("weight_decay", 0.0);
            Adan {
                beta1: o.number("b1", 0.98),
                beta2: o.number("b2", 0.92),
                beta3: o.number("b3", 0.99),
                eps: o.number("eps", 1e-8),
                eps_root: o.number("eps_root", 1e-8),
            }
            .into()
        }
        other => panic!("{}: unknown algorithm {other}", o.case),
    };
    assert!(!lr.is_nan(), "{}: no learning_rate", o.case);
    (rule, block, lr)
}

/// Runs a case and compares the parameters after every step.
fn follow<F: Float>(case: &Value, tolerance: f64) {
    let name = text(&case["name"]);
    let (rule, block, lr) = optimizer(case);
    let narrow = |values: Vec<f64>| -> Vec<F> {
        values.into_iter().map(|value| F::from(value).unwrap()).collect()
    };
    let mut params = narrow(numbers(&case["initial"]));
    let mut optimizer =
        Optimizer::new(rule, vec![block], None).unwrap_or_else(|error| panic!("{name}: {error}"));
    let gradients = case["gradients"].as_array().expect("gradients");
    let wanted = case["parameters"].as_array().expect("parameters");
    assert!(!gradients.is_empty() && gradients.len() == wanted.len(), "{name}");
    for (step, (gradient, wanted)) in gradients.iter().zip(wanted).enumerate() {
        optimizer.step(lr, &mut params, &narrow(numbers(gradient))).unwrap();
        let found: Vec<f64> = params.iter().map(|value| value.to_f64().unwrap()).collect();
        let place = format!("{name}, {}, step {step}", std::any::type_name::<F>());
        assert_close(&place, &found, &numbers(wanted), tolerance);
    }
}

#[test]
fn golden_optimizers_f64() {
    cases("optimizers.json").iter().for_each(|case| follow::<f64>(case, 1e-12));
}

#[test]
fn golden_optimizers_f32() {
    cases("optimizers.json").iter().for_each(|case| follow::<f32>(case, 2e-5));
}

#[test]
#[should_panic(expected = "unknown options")]
fn golden_unknown_option_fails() {
    let mut case = cases("optimizers.json").swap_remove(0);
    case["options"]["lookahead"] = Value::from(3);
    follow::<f64>(&case, 1e-12);
}

#[test]
#[should_panic(expected = "unknown algorithm")]
fn golden_unknown_algorithm_fails() {
    let mut case = cases("optimizers.json").swap_remove(0);
    case["algorithm"] = "sgdx".into();
    follow::<f64>(&case, 1e-12);
}

#[test]
fn golden_clipping() {
    for case in cases("clipping.json") {
        let parts: Vec<Vec<f64>> =
            case["gradients"].as_array().expect("gradients").iter().map(numbers).collect();
        let mut end = 0;
        let blocks: Vec<Block> = (0..parts.len())
            .map(|i| {
                end += parts[i].len();
                Block::new(format!("block {i}"), end - parts[i].len()..end)
            })
            .collect();
        let clip = match text(&case["kind"]) {
            "norm" => Clip::GlobalNorm(number(&case["value"])),
            "value" => Clip::Value(number(&case["value"])),
            other => panic!("unknown kind of clipping {other}"),
        };
        let place = format!("{clip:?}");
        let wanted = numbers(&case["clipped"]);
        let mut clipped = parts.concat();
        let norm = clip.apply(&blocks, &mut clipped).unwrap();
        assert_close(&place, &clipped, &wanted, 1e-12);
        let mut params = vec![0.0; clipped.len()];
        let mut sgd = Optimizer::new(Sgd::default(), blocks, Some(clip)).unwrap();
        let step = sgd.step(1.0, &mut params, &parts.concat()).unwrap();
        assert_close(&place, &params, &wanted.iter().map(|g| -g).collect::<Vec<_>>(), 1e-12);
        assert!(close(step.norm, norm, 1e-14), "{place}: norms {} and {norm}", step.norm);
        if !case["total_norm"].is_null() {
            assert!(close(norm, number(&case["total_norm"]), 1e-12), "{place}: norm {norm}");
        }
    }
}

/// The schedule that a case of PyTorch asks for.
fn schedule(name: &str, base: f64, o: &mut Options) -> LearningRate {
    let count = |value: f64| value as u64;
    match name {
        "constant" => {
            let (factor, steps) = (o.number("factor", 1.0 / 3.0), o.number("total_iters", 5.0));
            // after no steps PyTorch keeps the factor for good
            let mut phases = Piecewise { borders: vec![], values: vec![base * factor] };
            if steps > 0.0 {
                phases =
                    Piecewise { borders: vec![count(steps)], values: vec![base * factor, base] };
            }
            phases.into()
        }
        "step" => StepDecay {
            start: base,
            factor: o.number("gamma", 0.1),
            every: count(o.needed("step_size")),
        }
        .into(),
        "multi_step" => {
            let milestones = o.take("milestones").expect("milestones");
            let mut milestones: Vec<u64> = numbers(&milestones).into_iter().map(count).collect();
            milestones.sort_unstable();
            MultiStep { start: base, factor: o.number("gamma", 0.1), milestones }.into()
        }
        "exponential" => Exponential { start: base, factor: o.needed("gamma"), steps: 1 }.into(),
        "linear" => Linear {
            start: base * o.number("start_factor", 1.0 / 3.0),
            end: base * o.number("end_factor", 1.0),
            steps: count(o.number("total_iters", 5.0)),
        }
        .into(),
        "polynomial" => Polynomial {
            start: base,
            end: 0.0,
            steps: count(o.number("total_iters", 5.0)),
            power: o.number("power", 1.0),
        }
        .into(),
        "cosine_annealing" => {
            CosineWave { high: base, low: o.number("eta_min", 0.0), half: count(o.needed("T_max")) }
                .into()
        }
        "cosine_warm_restarts" => CosineRestarts {
            start: base,
            end: o.number("eta_min", 0.0),
            first: count(o.needed("T_0")),
            growth: count(o.number("T_mult", 1.0)),
            shrink: 1.0,
        }
        .into(),
        "one_cycle" => {
            let peak = o.needed("max_lr");
            let steps = count(match o.take("total_steps") {
                Some(steps) => number(&steps),
                None => o.needed("epochs") * o.needed("steps_per_epoch"),
            });
            let start = peak / o.number("div_factor", 25.0);
            let linear = match o.take("anneal_strategy").as_ref().map(text) {
                None | Some("cos") => false,
                Some("linear") => true,
                Some(other) => panic!("unknown anneal_strategy {other}"),
            };
            forget_momentum(o);
            OneCycle {
                start,
                end: start / o.number("final_div_factor", 1e4),
                rise: o.number("pct_start", 0.3),
                linear,
                three_phase: o.flag("three_phase", false),
                ..OneCycle::new(peak, steps)
            }
            .into()
        }
        "cyclic_triangular" | "cyclic_triangular2" | "cyclic_exp_range" | "cyclic" => {
            let up = o.number("step_size_up", 2000.0);
            let gamma = o.number("gamma", 1.0);
            let mode = o.take("mode");
            let mode = mode.as_ref().map_or(name.trim_start_matches("cyclic_"), text);
            forget_momentum(o);
            Cyclic {
                low: o.needed("base_lr"),
                high: o.needed("max_lr"),
                up: count(up),
                down: count(o.number("step_size_down", up)),
                shape: match mode {
                    "triangular" | "cyclic" => Shape::Triangular,
                    "triangular2" => Shape::Halving,
                    "exp_range" => Shape::Shrinking(gamma),
                    other => panic!("unknown mode {other}"),
                },
            }
            .into()
        }
        other => panic!("unknown schedule {other}"),
    }
}

/// Options of the momentum that goes with a rate: the files hold rates alone.
fn forget_momentum(o: &mut Options) {
    o.flag("cycle_momentum", true);
    o.number("base_momentum", 0.0);
    o.number("max_momentum", 0.0);
}

fn plateau(o: &mut Options) -> Plateau {
    let word = |value: Option<Value>, no: &str, yes: &str| match value.as_ref().map(text) {
        None => false,
        Some(word) if word == no => false,
        Some(word) if word == yes => true,
        Some(other) => panic!("{other} is neither {no} nor {yes}"),
    };
    Plateau {
        maximize: word(o.take("mode"), "min", "max"),
        factor: o.number("factor", 0.1),
        patience: o.number("patience", 10.0) as u64,
        threshold: o.number("threshold", 1e-4),
        relative: !word(o.take("threshold_mode"), "rel", "abs"),
        cooldown: o.number("cooldown", 0.0) as u64,
        min: o.number("min_lr", 0.0),
        eps: o.number("eps", 1e-8),
    }
}

#[test]
fn golden_schedules() {
    for case in cases("schedules.json") {
        let name = text(&case["name"]);
        let mut o = Options::of(&case);
        let base = number(&case["base_lr"]);
        let wanted = numbers(&case["learning_rates"]);
        let found: Vec<f64> = if name == "reduce_on_plateau" {
            let plateau = plateau(&mut o);
            plateau.validate().unwrap();
            let metric = numbers(&case["metric"]);
            (1..=metric.len()).map(|epochs| plateau.rate(base, &metric[..epochs])).collect()
        } else {
            let schedule = schedule(name, base, &mut o);
            schedule.validate().unwrap();
            (0..wanted.len() as u64).map(|step| schedule.at(step)).collect()
        };
        o.finish();
        assert_eq!(found.len(), wanted.len(), "{name}");
        for (step, (found, wanted)) in found.into_iter().zip(wanted).enumerate() {
            let apart = (found - wanted).abs();
            assert!(
                apart <= 1e-12 * wanted.abs() || apart <= 1e-14,
                "{name} at {step}: found {found:e}, wanted {wanted:e}"
            );
        }
    }
}
