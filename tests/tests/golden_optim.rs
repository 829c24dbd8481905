//! Optimizers, schedules and clipping against the trajectories of PyTorch and optax.
//!
//! The files drive the tests: whatever cases they hold are run, and a rule, a schedule or an option
//! that is not known here fails.

use serde_json::Value;
use slalom_optim::{Block, Clip, Float, Optimizer, Sgd};
use slalom_tests::golden::{
    Options, assert_close, cases, close, number, numbers, optimizer, plateau, schedule, text,
};

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
    cases("options/optimizers.json").iter().for_each(|case| follow::<f64>(case, 1e-12));
}

#[test]
fn golden_optimizers_f32() {
    cases("optimizers.json").iter().for_each(|case| follow::<f32>(case, 2e-5));
    cases("options/optimizers.json").iter().for_each(|case| follow::<f32>(case, 2e-5));
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

/// What bounds the gradient of a case: the Euclidean norm unless the case says else, PyTorch's with
/// its 10⁻⁶.
fn clip(case: &Value) -> Clip {
    let bound = number(&case["value"]);
    let p = case.get("norm_type").or_else(|| case["options"].get("norm_type")).map(number);
    let torch = match text(&case["source"]).split(' ').next() {
        Some("torch") => true,
        Some("optax") => false,
        other => panic!("unknown source {other:?}"),
    };
    match (text(&case["kind"]), p.unwrap_or(2.0)) {
        ("norm", 2.0) if torch => Clip::GlobalNorm(bound),
        ("norm", p) => Clip::PNorm { bound, p, margin: if torch { 1e-6 } else { 0.0 } },
        ("value", _) if p.is_none() => Clip::Value(bound),
        (other, _) => panic!("unknown kind of clipping {other}"),
    }
}

#[test]
fn golden_clipping() {
    for case in [cases("clipping.json"), cases("options/clipping.json")].concat() {
        let parts: Vec<Vec<f64>> =
            case["gradients"].as_array().expect("gradients").iter().map(numbers).collect();
        let mut end = 0;
        let blocks: Vec<Block> = (0..parts.len())
            .map(|i| {
                end += parts[i].len();
                Block::new(format!("block {i}"), end - parts[i].len()..end)
            })
            .collect();
        let clip = clip(&case);
        let place = format!("{clip:?}");
        let wanted = numbers(&case["clipped"]);
        let mut clipped = parts.concat();
        let norm = clip.apply(&blocks, &mut clipped).unwrap();
        assert_close(&place, &clipped, &wanted, 1e-12);
        let mut params = vec![0.0; clipped.len()];
        let mut sgd = Optimizer::new(Sgd::default(), blocks, Some(clip)).unwrap();
        let step = sgd.step(1.0, &mut params, &parts.concat()).unwrap();
        assert_close(&place, &params, &wanted.iter().map(|g| -g).collect::<Vec<_>>(), 1e-12);
        let euclidean = parts.concat().iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(close(step.norm, euclidean, 1e-14), "{place}: norms {} and {euclidean}", step.norm);
        if !case["total_norm"].is_null() {
            assert!(close(norm, number(&case["total_norm"]), 1e-12), "{place}: norm {norm}");
        }
    }
}

#[test]
fn golden_schedules() {
    for case in [cases("schedules.json"), cases("options/schedules.json")].concat() {
        let name = text(&case["name"]);
        let mut o = Options::of(&case);
        let wanted = numbers(&case["learning_rates"]);
        let found: Vec<f64> = if name == "reduce_on_plateau" {
            let (plateau, base) = (plateau(&mut o), number(&case["base_lr"]));
            plateau.validate().unwrap();
            let metric = numbers(&case["metric"]);
            (1..=metric.len()).map(|epochs| plateau.rate(base, &metric[..epochs])).collect()
        } else {
            let schedule = schedule(&case, &mut o);
            (0..wanted.len() as u64).map(schedule).collect()
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
