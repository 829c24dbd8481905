//! Whole training runs against PyTorch: the same initial weights and the same order of samples give
//! the same loss at every step and the same weights at the end.

use serde_json::{Value, json};
use slalom_layers::{Dense, Kind, LayerSpec, Loss, Mode, Network, Pass};
use slalom_optim::{Clip, Optimizer, Rule};
use slalom_regularize::Penalty;
use slalom_tensor::{Matrix, Targets, Threads};
use slalom_tests::golden::{
    Options, activation, assert_close, cases, number, numbers, text, torch,
};

/// PyTorch's class names, as the other golden files write them.
fn algorithm(class: &str) -> String {
    class.to_lowercase()
}

/// Rows of a case, one a sample, as the columns of a matrix.
fn samples(rows: &Value) -> Matrix<f64> {
    let rows = rows.as_array().expect("rows");
    let width = numbers(&rows[0]).len();
    Matrix::from_vec(width, rows.len(), rows.iter().flat_map(numbers).collect())
}

/// PyTorch's weights and biases in turn, as the network's slab has them.
fn slab(parts: &Value) -> Vec<f64> {
    let part = |part: &Value| match &part[0] {
        Value::Array(_) => samples(part).transpose().as_slice().to_vec(),
        _ => numbers(part),
    };
    parts.as_array().expect("parameters").iter().flat_map(part).collect()
}

fn follow(case: &Value) {
    let name = text(&case["name"]);
    let sizes: Vec<usize> = numbers(&case["sizes"]).iter().map(|&n| n as usize).collect();
    let (&last, hidden) = sizes[1..].split_last().expect("sizes");
    let mut plain = Options::of(&json!({"name": name, "options": {}}));
    let LayerSpec::Activation(f) = activation(text(&case["activation"]), &mut plain).0 else {
        panic!("{name}: unknown activation of a dense layer");
    };
    let hidden = hidden.iter().map(|&units| LayerSpec::from(Dense::new(units, f)));
    let network =
        Network::<f64>::new(sizes[0], hidden.chain([Dense::linear(last).into()])).unwrap();
    let mut params = slab(&case["initial"]);

    let mut o = Options::of(case);
    let block = slalom_optim::Block::new("all", 0..0);
    let (rule, block, lr) = torch(&algorithm(text(&case["optimizer"])), &mut o, block);
    o.finish();
    let penalty = Penalty { l1: number(&case["l1"]), l2: number(&case["l2"]) };
    // in PyTorch the penalty is part of the loss: what bounds the gradient sees it, and a decay may
    // stand beside it; otherwise that is the same as the optimizer's own
    let decoupled = block.decay > 0.0 || matches!(rule, Rule::AdamW(_));
    let in_loss = !case["clip_norm"].is_null() || decoupled;
    let fused = if in_loss { Penalty::default() } else { penalty };
    let penalised = |of: &slalom_layers::Block| slalom_optim::Block {
        name: of.name.clone(),
        range: of.range.clone(),
        l1: if of.kind == Kind::Weight { fused.l1 } else { 0.0 },
        l2: block.l2 + if of.kind == Kind::Weight { fused.l2 } else { 0.0 },
        ..block.clone()
    };
    let blocks = network.blocks().iter().map(penalised).collect();
    let clip = match &case["clip_norm"] {
        Value::Null => None,
        norm => Some(Clip::GlobalNorm(number(norm))),
    };
    let mut optimizer = Optimizer::new(rule, blocks, clip).unwrap();

    let (x, labels) = (samples(&case["inputs"]), numbers(&case["labels"]));
    let (loss, threads) = (Loss::default(), Threads::one());
    let batch = number(&case["batch_size"]) as usize;
    let (mut tape, mut grads) = (network.tape(batch), vec![0.0; network.len()]);
    let mut losses = Vec::new();
    for epoch in case["batch_order"].as_array().expect("epochs") {
        let order: Vec<usize> = numbers(epoch).iter().map(|&i| i as usize).collect();
        for chosen in order.chunks(batch) {
            let x = x.select_columns(chosen);
            let classes: Vec<u32> = chosen.iter().map(|&i| labels[i] as u32).collect();
            let mode = Mode::Train { seed: 0, step: losses.len() as u64 };
            let pass = Pass { mode, layer: 0, threads: &threads };
            network.forward(&params, x.as_view(), &mut tape, &pass);
            let (outputs, deltas) = tape.ends();
            let value = loss.evaluate(outputs, Targets::Classes(&classes), None, Some(deltas));
            network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
            for of in network.blocks().iter().filter(|of| in_loss && of.kind == Kind::Weight) {
                penalty.add_gradient(&params[of.range.clone()], &mut grads[of.range.clone()]);
            }
            optimizer.step(lr, &mut params, &grads).unwrap();
            losses.push(value.value);
        }
    }
    let wanted = numbers(&case["data_loss_per_step"]);
    assert_close(&format!("{name}, losses"), &losses, &wanted, 1e-10);
    assert_close(&format!("{name}, final"), &params, &slab(&case["final"]), 1e-10);
}

#[test]
fn golden_training() {
    cases("training.json").iter().for_each(follow);
}

#[test]
#[should_panic(expected = "unknown algorithm sgdx")]
fn golden_unknown_optimizer_fails() {
    let mut case = cases("training.json").swap_remove(0);
    case["optimizer"] = "SGDX".into();
    follow(&case);
}

#[test]
#[should_panic(expected = "unknown activation")]
fn golden_unknown_activation_fails() {
    let mut case = cases("training.json").swap_remove(0);
    case["activation"] = "cosine".into();
    follow(&case);
}

#[test]
#[should_panic(expected = "apart by")]
fn golden_comparison_can_fail() {
    let mut case = cases("training.json").swap_remove(0);
    case["l2"] = Value::from(1e-6);
    follow(&case);
}
