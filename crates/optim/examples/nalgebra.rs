//! L-BFGS on nalgebra vectors: logistic regression.
//!
//! `cargo run -p slalom-optim --example nalgebra`

use nalgebra::{DMatrix, DVector, DVectorView};
use slalom_optim::{Lbfgs, LbfgsRun, OptimError, Outcome};

fn main() -> Result<(), OptimError> {
    let x = DMatrix::from_fn(200, 2, |i, j| ((i * (3 * j + 1)) as f64 * 0.7).sin());
    let y = DVector::from_fn(200, |i, _| {
        f64::from(2.0 * x[(i, 0)] - x[(i, 1)] > 0.1 * (i as f64).cos())
    });
    let mut loss = |w: &[f64], grads: &mut [f64]| {
        let w = DVectorView::from_slice(w, 2);
        let logits = &x * w;
        let errors = logits.map(|z| 1.0 / (1.0 + (-z).exp())) - &y;
        grads.copy_from_slice((x.transpose() * errors / 200.0 + 1e-3 * w).as_slice());
        let each = logits.zip_map(&y, |z, y| z.max(0.0) - z * y + (-z.abs()).exp().ln_1p());
        each.mean() + 0.5e-3 * w.norm_squared()
    };
    let mut w = DVector::<f64>::zeros(2);
    let mut run = LbfgsRun::new(Lbfgs::default(), 2)?;
    while run.step(w.as_mut_slice(), &mut loss)?.outcome == Outcome::Moved {}
    println!("w = {:.4} {:.4}", w[0], w[1]);
    assert!(w[0] > 0.0 && w[1] < 0.0);
    Ok(())
}
