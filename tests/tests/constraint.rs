//! A run holds the weights of every unit to its constraint, and nothing else.

use slalom_layers::{Activation, Dense, Kind, Network};
use slalom_regularize::Constraint;
use slalom_tensor::{Matrix, Samples, Targets, Threads};
use slalom_train::{Config, Run};

fn trained(constraint: Option<Constraint>) -> Run<f64> {
    let layers = [Dense::new(9, Activation::Tanh).into(), Dense::linear(2).into()];
    let network = Network::new(3, layers).unwrap().freeze("0.weight").unwrap();
    let config = Config { rate: 0.1.into(), constraint, ..Config::default() };
    let mut run = Run::new(network, config, Threads::one()).unwrap();
    let x = Matrix::from_fn(3, 40, |i, j| ((i + 3 * j) as f64).sin());
    let classes: Vec<u32> = x.row(0).iter().map(|&x| u32::from(x > 0.2)).collect();
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).unwrap();
    for _ in 0..30 {
        run.epoch(samples, None).unwrap();
    }
    run
}

/// The norm of each unit's incoming weights, block by block.
fn norms(run: &Run<f64>) -> Vec<(String, Kind, Vec<f64>)> {
    let of = |block: &slalom_layers::Block| {
        let part = run.network().part(&block.name, run.params()).unwrap();
        (block.name.clone(), block.kind, part.row_iter().map(|row| row.norm()).collect())
    };
    run.network().blocks().iter().map(of).collect()
}

#[test]
fn units_are_held_to_the_constraint() {
    let free = norms(&trained(None));
    assert!(free[2].2.iter().all(|&norm| norm > 1.0), "{free:?}");
    let held = norms(&trained(Some(Constraint::MaxNorm(0.5))));
    assert!(held[2].2.iter().all(|&norm| norm <= 0.5 + 1e-12), "{held:?}");
    // frozen weights and biases are spared
    assert_eq!(held[0], free[0]);
    assert!(held[3].1 == Kind::Bias && held[3] != free[3]);
    let unit = norms(&trained(Some(Constraint::UnitNorm)));
    assert!(unit[2].2.iter().all(|&norm| (norm - 1.0).abs() < 1e-12));
}

#[test]
fn a_constraint_out_of_range_is_named() {
    let config = Config { constraint: Some(Constraint::MaxNorm(0.0)), ..Config::default() };
    let error = config.validate().unwrap_err().to_string();
    assert_eq!(error, "max_norm is 0: it must be finite and above 0");
}
