//! The linear case of dropout is ridge regression in closed form (Srivastava et al. 2014, §9.1):
//!
//! ```text
//! E ‖y − (R∘X)w‖² = ‖y − p·Xw‖² + p(1−p)·‖Γw‖²,   Γ = (diag XᵀX)^½,   R ~ Bernoulli(p)
//! ```

use slalom_regularize::classical_mask;

const ROWS: usize = 12;
const COLUMNS: usize = 4;

fn data() -> (Vec<[f64; COLUMNS]>, Vec<f64>) {
    let x = |i: usize, j: usize| ((3 * i + 7 * j * j + 1) as f64).sin() + 0.3;
    let rows: Vec<_> = (0..ROWS).map(|i| std::array::from_fn(|j| x(i, j))).collect();
    let y = (0..ROWS).map(|i| (i as f64 * 1.3).cos()).collect();
    (rows, y)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The right-hand side.
fn closed_form(p: f64, w: &[f64; COLUMNS]) -> f64 {
    let (x, y) = data();
    let fit: f64 = x.iter().zip(&y).map(|(row, y)| (y - p * dot(row, w)).powi(2)).sum();
    let gamma_w: f64 =
        (0..COLUMNS).map(|j| x.iter().map(|row| row[j] * row[j]).sum::<f64>() * w[j] * w[j]).sum();
    fit + p * (1.0 - p) * gamma_w
}

#[test]
fn the_expected_loss_over_every_mask() {
    let (x, y) = data();
    let w = [0.7, -1.1, 0.4, 2.0];
    for p in [0.3, 0.5, 0.9] {
        // the samples are independent: sum over the 2⁴ masks of each
        let mut expected = 0.0;
        for (row, y) in x.iter().zip(&y) {
            for mask in 0..1_u32 << COLUMNS {
                let kept = |j: usize| f64::from(mask >> j & 1);
                let probability: f64 =
                    (0..COLUMNS).map(|j| if kept(j) == 1.0 { p } else { 1.0 - p }).product();
                let masked: Vec<f64> = (0..COLUMNS).map(|j| kept(j) * row[j]).collect();
                expected += probability * (y - dot(&masked, &w)).powi(2);
            }
        }
        assert!((expected - closed_form(p, &w)).abs() < 1e-12 * expected, "p = {p}");
    }
}

#[test]
fn the_mean_loss_over_the_masks_of_many_steps() {
    let (x, y) = data();
    let w = [0.7, -1.1, 0.4, 2.0];
    let (p, steps) = (0.6, 40_000);
    let (mut sum, mut squares) = (0.0, 0.0);
    for step in 0..steps {
        let mut mask = [0.0; ROWS * COLUMNS];
        classical_mask(17, step, 1, p, &mut mask);
        let loss: f64 = x
            .iter()
            .zip(mask.chunks(COLUMNS))
            .zip(&y)
            .map(|((row, mask), y)| {
                let masked: Vec<f64> = row.iter().zip(mask).map(|(x, m)| x * m).collect();
                (y - dot(&masked, &w)).powi(2)
            })
            .sum();
        sum += loss;
        squares += loss * loss;
    }
    let n = steps as f64;
    let mean = sum / n;
    let error = ((squares / n - mean * mean) / n).sqrt();
    let expected = closed_form(p, &w);
    assert!((mean - expected).abs() < 4.0 * error, "{mean} ± {error}, expected {expected}");
    assert!(error < 0.005 * expected);
}
