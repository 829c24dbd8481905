//! RustyML at the trainings that a JSON file lists; one JSON line each.

use std::time::Instant;

use ndarray::ArrayD;
use rustyml::prelude::neural_network::*;
use serde_json::Value;

fn measure(samples: usize, sizes: &[usize], batch: usize, rule: &str, dropout: f32) -> f64 {
    let x = ArrayD::from_shape_fn(vec![samples, sizes[0]], |i| {
        ((i[0] * 31 + i[1] * 7) % 255) as f32 / 255.0
    });
    let classes = sizes[sizes.len() - 1];
    let y = ArrayD::from_shape_fn(vec![samples, 1], |i| (i[0] * 7 % classes) as f32);
    let mut builder = SequentialBuilder::new_with_seed(1);
    for (i, &units) in sizes.iter().enumerate().skip(1) {
        let last = i + 1 == sizes.len();
        let activation = if last { Activation::Linear } else { Activation::ReLU };
        builder = builder.add(Dense::new(units, activation).expect("a valid layer"));
        if !last && dropout > 0.0 {
            builder = builder.add(Dropout::new(dropout).expect("a valid rate"));
        }
    }
    let mut model = builder.build(&Shape::known(&[batch, sizes[0]])).expect("a valid model");
    let loss = SparseCategoricalCrossEntropy::new(true);
    let model = match rule {
        "adam" => model.compile(Adam::new(1e-3, 0.9, 0.999, 1e-8, 0.0).expect("valid"), loss),
        _ => model.compile(SGD::new(0.01, 0.9, false, 0.0).expect("valid"), loss),
    };
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        model.fit_with_batches(&x, &y, 1, batch).expect("training");
        best = best.min(start.elapsed().as_secs_f64() / (samples / batch) as f64);
    }
    best
}

fn main() {
    let path = std::env::args().nth(1).expect("the path of a JSON file");
    let text = std::fs::read_to_string(path).expect("a readable file");
    let work: Value = serde_json::from_str(&text).expect("JSON");
    for item in work["trainings"].as_array().expect("a list") {
        let number = |field: &str| item[field].as_u64().expect("a number") as usize;
        let sizes = item["sizes"].as_array().expect("a list").iter();
        let sizes: Vec<usize> = sizes.map(|n| n.as_u64().expect("a number") as usize).collect();
        // an epoch of 144 samples is over before the clock ticks: take 20 of them
        let samples = number("samples").max(2880);
        let rule = item["rule"].as_str().expect("a name");
        let dropout = item["dropout"].as_f64().expect("a number") as f32;
        let seconds = measure(samples, &sizes, number("batch"), rule, dropout);
        println!("{}", serde_json::json!({ "name": item["name"], "us": seconds * 1e6 }));
    }
}
