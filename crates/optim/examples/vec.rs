//! Adam on a plain `Vec<f32>`: a line fitted to points.
//!
//! `cargo run -p slalom-optim --example vec`

use slalom_optim::{Adam, Block, Cosine, OptimError, Optimizer, Schedule};

fn main() -> Result<(), OptimError> {
    let points: Vec<(f32, f32)> =
        (0..50).map(|i| i as f32 / 50.0).map(|x| (x, 3.0 * x - 1.0)).collect();
    let mut line = vec![0.0_f32; 2]; // slope, intercept
    let mut adam = Optimizer::new(Adam::default(), vec![Block::new("line", 0..2)], None)?;
    let rate = Cosine { start: 0.1, end: 0.0, steps: 500 };
    for step in 0..500 {
        let mut grads = [0.0; 2];
        for &(x, y) in &points {
            let error = (line[0] * x + line[1] - y) / points.len() as f32;
            grads[0] += error * x;
            grads[1] += error;
        }
        adam.step(rate.at(step), &mut line, &grads)?;
    }
    println!("y = {:.3}·x + {:.3}", line[0], line[1]);
    assert!((line[0] - 3.0).abs() < 0.01 && (line[1] + 1.0).abs() < 0.01);
    Ok(())
}
