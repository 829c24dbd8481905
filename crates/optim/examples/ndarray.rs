//! Nesterov's method with decay on ndarray matrices: ridge regression.
//!
//! `cargo run -p slalom-optim --example ndarray`

use ndarray::{Array1, Array2};
use slalom_optim::{Block, Optimizer, Sgd};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array2::from_shape_fn((100, 3), |(i, j)| ((i * (j + 2)) as f64).sin());
    let truth = Array1::from(vec![1.0, -2.0, 0.5]);
    let y = x.dot(&truth);
    let mut w = Array1::<f64>::zeros(3);
    let nesterov = Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() };
    let block = Block { l2: 1e-6, ..Block::new("w", 0..3) };
    let mut opt = Optimizer::new(nesterov, vec![block], None)?;
    for _ in 0..200 {
        let grads = x.t().dot(&(x.dot(&w) - &y)) / 100.0;
        opt.step(0.1, w.as_slice_mut().unwrap(), grads.as_slice().unwrap())?;
    }
    println!("w = {w:.4}");
    assert!((&w - &truth).iter().all(|apart| apart.abs() < 1e-3));
    Ok(())
}
