//! Activations, losses and layers against PyTorch.
//!
//! The files drive the tests: whatever cases they hold are run, and a name or an option that is not
//! known here fails.

use serde_json::Value;
use slalom_layers::*;
use slalom_tensor::{Matrix, Targets, Threads};
use slalom_tests::golden::{Options, activation, cases, loss, number, numbers, text};

/// Fails where a number is off by more than 1e-12 of itself and 1e-15 of the largest one (or of 1):
/// the latter is what one unit in the last place makes where numbers cancel, as in 1 − tanh².
#[track_caller]
fn assert_equal(place: &str, found: &[f64], wanted: &Value) {
    let wanted = numbers(wanted);
    assert_eq!(found.len(), wanted.len(), "{place}: lengths differ");
    let largest = wanted.iter().fold(1.0, |m: f64, w| m.max(w.abs()));
    for (index, (&found, &wanted)) in found.iter().zip(&wanted).enumerate() {
        assert!(
            (found - wanted).abs() <= 1e-12 * wanted.abs() + 1e-15 * largest,
            "{place}, number {index}: found {found:e}, wanted {wanted:e}, apart by {:e}",
            (found - wanted).abs()
        );
    }
}

/// Rows of a case, one a sample, as the columns of a matrix.
fn samples(rows: &Value) -> Matrix<f64> {
    let rows = rows.as_array().expect("rows");
    let width = numbers(&rows[0]).len();
    Matrix::from_vec(width, rows.len(), rows.iter().flat_map(numbers).collect())
}

/// One layer with all that a pass needs.
struct Bench {
    layer: Box<dyn Layer<f64>>,
    x: Matrix<f64>,
    params: Vec<f64>,
    y: Vec<f64>,
    cache: Vec<f64>,
}

impl Bench {
    fn new(spec: LayerSpec, x: Matrix<f64>, params: Vec<f64>) -> Self {
        let (inputs, samples) = x.shape();
        let layer = spec.build::<f64>(inputs, 0).unwrap();
        let y = vec![0.0; layer.outputs(inputs, 0).unwrap() * samples];
        let cache = vec![0.0; layer.cache(inputs, samples)];
        Self { layer, x, params, y, cache }
    }

    fn forward(&mut self, mode: Mode) -> &[f64] {
        let threads = Threads::one();
        let pass = Pass { mode, layer: 0, threads: &threads };
        let (params, x) = (&self.params, self.x.as_view());
        self.layer.forward(Forward { params, x, y: &mut self.y, cache: &mut self.cache }, &pass);
        &self.y
    }

    /// The derivatives by the inputs and by the parameters.
    fn backward(&mut self, mode: Mode, upstream: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let threads = Threads::one();
        let pass = Pass { mode, layer: 0, threads: &threads };
        let (mut dx, mut grads) = (vec![f64::NAN; self.x.len()], vec![f64::NAN; self.params.len()]);
        let at = Backward {
            params: &self.params,
            x: self.x.as_view(),
            y: &self.y,
            dy: &mut upstream.to_vec(),
            dx: Some(&mut dx),
            grads: &mut grads,
            cache: &mut self.cache,
            late: None,
        };
        self.layer.backward(at, &pass);
        (dx, grads)
    }
}

const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };

/// The derivatives of a case, with one of PyTorch's put right: its hard sigmoid multiplies an f64
/// gradient by 1/6 rounded to f32, although its forward pass divides by 6.
fn derivatives(case: &Value) -> Value {
    let sixth = |d: f64| if d == f64::from(1.0_f32 / 6.0) { 1.0 / 6.0 } else { d };
    match text(&case["name"]) {
        "hard_sigmoid" => numbers(&case["derivative"]).into_iter().map(sixth).collect(),
        _ => case["derivative"].clone(),
    }
}

fn check_activation(case: &Value) {
    let name = text(&case["name"]);
    let mut o = Options::of(case);
    let (spec, params) = activation(name, &mut o);
    o.finish();
    // one row of numbers is one sample of so many features; the functions of rows have several
    let (x, upstream, wanted) = if case.get("upstream").is_some() {
        (samples(&case["input"]), numbers(&case["upstream"]), case["gradient"].clone())
    } else {
        let x = numbers(&case["input"]);
        (Matrix::from_vec(x.len(), 1, x.clone()), vec![1.0; x.len()], derivatives(case))
    };
    for mode in [TRAIN, Mode::Predict] {
        let mut bench = Bench::new(spec.clone(), x.clone(), params.clone());
        assert_equal(&format!("{name}, output"), bench.forward(mode), &case["output"]);
        let (dx, _) = bench.backward(mode, &upstream);
        assert_equal(&format!("{name}, derivative"), &dx, &wanted);
    }
}

#[test]
fn golden_activations() {
    cases("activations.json").iter().for_each(check_activation);
    cases("options/activations.json").iter().for_each(check_activation);
}

#[test]
fn golden_activations_fused_behind_a_dense_layer() {
    let cases = cases("activations.json");
    for case in cases.iter().filter(|case| case.get("upstream").is_none()) {
        let name = text(&case["name"]);
        let (spec, _) = activation(name, &mut Options::of(case));
        let LayerSpec::Activation(f) = spec else { continue };
        // weight 1: the sums are the inputs
        let x = numbers(&case["input"]);
        let n = x.len();
        let dense = Dense { bias: false, ..Dense::new(1, f) };
        let mut bench = Bench::new(dense.into(), Matrix::from_vec(1, n, x), vec![1.0]);
        assert_equal(&format!("{name}, output"), bench.forward(TRAIN), &case["output"]);
        let (dx, _) = bench.backward(TRAIN, &vec![1.0; n]);
        assert_equal(&format!("{name}, derivative"), &dx, &derivatives(case));
    }
}

fn check_loss(case: &Value) {
    let (name, reduction) = (text(&case["name"]), text(&case["reduction"]));
    let place = |what| format!("{name}, {reduction}, {what}");
    let mut o = Options::of(case);
    let loss = loss(name, &mut o);
    let ignored = o.take("ignore_index").map(|index| number(&index));
    let variances = o.take("var");
    o.forget(&["log_target"]);
    o.finish();
    let mut y = samples(&case["prediction"]);
    let predicted = y.nrows();
    if let Some(variances) = variances {
        // PyTorch takes the variances beside, slalom their logarithms below the means
        let logs = samples(&variances).map(f64::ln);
        let below = |i, j| if i < predicted { y[(i, j)] } else { logs[(i - predicted, j)] };
        y = Matrix::from_fn(2 * predicted, y.ncols(), below);
    }
    let (classes, values);
    let mut weights = None;
    let targets = match &case["target"] {
        Value::Array(rows) if rows.iter().all(Value::is_i64) => {
            // what PyTorch ignores is of weight 0 here, and of any class
            let found = numbers(&case["target"]);
            let counts = |class: &f64| f64::from(u8::from(Some(*class) != ignored));
            weights = ignored.map(|_| found.iter().map(counts).collect::<Vec<_>>());
            classes = found.iter().map(|&c| c as u32).collect::<Vec<_>>();
            Targets::Classes(&classes)
        }
        _ => {
            values = match &case["options"]["log_target"] {
                Value::Bool(true) => samples(&case["target"]).map(f64::exp),
                _ => samples(&case["target"]),
            };
            Targets::Values(values.as_view())
        }
    };
    loss.check(y.nrows(), targets).unwrap();
    let mut dy = Matrix::from_element(y.nrows(), y.ncols(), f64::NAN);
    let slopes = Some(dy.as_view_mut());
    let mut found = match reduction {
        "mean" | "batchmean" => loss.evaluate(y.as_view(), targets, weights.as_deref(), slopes),
        "sum" => loss.sum(y.as_view(), targets, weights.as_deref(), slopes),
        other => panic!("{name}: unknown reduction {other}"),
    };
    let mut wanted = case["gradient"].clone();
    if let Loss::KlDivergence(_) = loss {
        // PyTorch's inputs are logarithms of probabilities, slalom's logits, which these are too; the
        // derivative goes through the softmax besides, and PyTorch's mean is one over outputs
        let outputs = if reduction == "mean" { predicted as f64 } else { 1.0 };
        found.value /= outputs;
        dy /= outputs;
        let mut slopes = samples(&wanted);
        for (mut column, y) in slopes.column_iter_mut().zip(y.column_iter()) {
            let all = column.sum();
            column.zip_apply(&y, |slope, y| *slope -= y.exp() * all);
        }
        wanted = slopes.as_slice().into();
    }
    assert_equal(&place("value"), &[found.value], &case["value"]);
    let dy = dy.rows(0, predicted).into_owned();
    assert_equal(&place("gradient"), dy.as_slice(), &wanted);
}

#[test]
fn golden_losses() {
    cases("losses.json").iter().for_each(check_loss);
    cases("options/losses.json").iter().for_each(check_loss);
}

/// The rows of a PyTorch weight (units × inputs), column by column.
fn by_columns(weight: &Value) -> Vec<f64> {
    samples(weight).transpose().as_slice().to_vec()
}

fn check_layer(case: &Value) {
    let name = text(&case["name"]);
    let mut o = Options::of(case);
    let x = samples(&case["input"]);
    let (units, eps) = (x.nrows(), |o: &mut Options| o.number("eps", 1e-5));
    // a norm without scale or shift is one whose blocks stay (frozen) as they begin
    let given = |part: &Value, start: f64| match part {
        Value::Null => vec![start; units],
        part => numbers(part),
    };
    for option in ["affine", "elementwise_affine", "bias"] {
        let absent = case["bias"].is_null() && (option == "bias" || case["weight"].is_null());
        assert!(o.flag(option, !absent) != absent, "{name}: {option} contradicts the case");
    }
    let (spec, params): (LayerSpec, _) = match name {
        "dense" => {
            let weight = &case["weight"];
            let units = weight.as_array().expect("rows").len();
            let bias = !case["bias"].is_null();
            let params = [by_columns(weight), given(&case["bias"], 0.0)].concat();
            let spec = Dense { bias, ..Dense::linear(units) };
            (spec.into(), params[..units * (x.nrows() + usize::from(bias))].to_vec())
        }
        "batch_norm" => {
            let cumulative = o.none("momentum");
            let momentum = o.number("momentum", 0.1);
            let spec = BatchNorm { momentum, eps: eps(&mut o), cumulative };
            let parts = [given(&case["weight"], 1.0), given(&case["bias"], 0.0)].concat();
            let counted = vec![0.0; usize::from(cumulative)];
            (spec.into(), [parts, vec![0.0; units], vec![1.0; units], counted].concat())
        }
        "prelu" => {
            let slopes = numbers(&case["weight"]);
            o.forget(&["num_parameters", "init"]);
            (Prelu { shared: slopes.len() == 1, ..Prelu::default() }.into(), slopes)
        }
        "embedding" => {
            let rows = case["weight"].as_array().expect("rows");
            let width = numbers(&rows[0]).len();
            let table = |column| EmbeddingTable::new(column, rows.len(), width);
            let tables = (0..units).map(table).collect();
            (Embedding { tables }.into(), numbers(&case["weight"]).repeat(units))
        }
        "layer_norm" => {
            let spec = LayerNorm { eps: eps(&mut o) };
            (spec.into(), [given(&case["weight"], 1.0), given(&case["bias"], 0.0)].concat())
        }
        other => panic!("unknown layer {other}"),
    };
    let tracked = o.flag("track_running_stats", true);
    o.finish();
    let place = |what| format!("{name}, {what}");
    let samples = x.ncols();
    let mut bench = Bench::new(spec, x, params);
    assert_equal(&place("output"), bench.forward(TRAIN), &case["output"]);
    let (dx, grads) = bench.backward(TRAIN, &numbers(&case["upstream"]));
    if name != "embedding" {
        assert_equal(&place("input gradient"), &dx, &case["input_gradient"]);
    }
    let width = match name {
        "batch_norm" | "layer_norm" => units,
        _ => numbers(&case["weight"]).len(),
    };
    let (weight, rest) = grads.split_at(width);
    // PyTorch has one table for all columns of codes
    let mut weight = weight.to_vec();
    for column in rest.chunks(width).filter(|_| name == "embedding") {
        weight.iter_mut().zip(column).for_each(|(sum, &slope)| *sum += slope);
    }
    match &case["weight_gradient"] {
        Value::Null => assert!(case["weight"].is_null(), "{name}: no weight gradient"),
        wanted if name == "dense" => {
            assert_equal(&place("weight gradient"), &weight, &by_columns(wanted).into());
        }
        wanted => assert_equal(&place("weight gradient"), &weight, wanted),
    }
    match &case["bias_gradient"] {
        Value::Null => assert!(case["bias"].is_null(), "{name}: no bias gradient"),
        wanted => assert_equal(&place("bias gradient"), &rest[..numbers(wanted).len()], wanted),
    }
    if name == "batch_norm" && !tracked {
        // without statistics PyTorch uses the batch's, which slalom's training pass does
        assert_equal(&place("output for use"), bench.forward(TRAIN), &case["eval_output"]);
    } else if name == "batch_norm" {
        bench.layer.settle(&mut bench.params, units, samples, &bench.cache);
        let (mean, rest) = bench.params[2 * units..].split_at(units);
        assert_equal(&place("running mean"), mean, &case["running_mean"]);
        assert_equal(&place("running variance"), &rest[..units], &case["running_var"]);
        assert_equal(&place("output for use"), bench.forward(Mode::Predict), &case["eval_output"]);
    }
}

#[test]
fn golden_layers() {
    cases("layers.json").iter().for_each(check_layer);
    cases("options/layers.json").iter().for_each(check_layer);
}

#[test]
#[should_panic(expected = "unknown activation swishish")]
fn golden_unknown_activation_fails() {
    let mut case = cases("activations.json").swap_remove(0);
    case["name"] = "swishish".into();
    check_activation(&case);
}

#[test]
#[should_panic(expected = "unknown loss rmse")]
fn golden_unknown_loss_fails() {
    let mut case = cases("losses.json").swap_remove(0);
    case["name"] = "rmse".into();
    check_loss(&case);
}

#[test]
#[should_panic(expected = "unknown layer conv")]
fn golden_unknown_layer_fails() {
    let mut case = cases("layers.json").swap_remove(0);
    case["name"] = "conv".into();
    check_layer(&case);
}

#[test]
#[should_panic(expected = "unknown options")]
fn golden_unknown_option_fails() {
    let mut case = cases("losses.json").swap_remove(0);
    case["options"]["weight_of_samples"] = Value::from(-100);
    check_loss(&case);
}

#[test]
#[should_panic(expected = "apart by")]
fn golden_comparison_can_fail() {
    let mut case = cases("losses.json").swap_remove(0);
    case["value"] = Value::from(number(&case["value"]) * (1.0 + 1e-11));
    check_loss(&case);
}
