//! What all activations have in common.

use super::*;

const ALL: [Activation; 16] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Elu { alpha: 1.3 },
    Activation::Selu,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Mish,
    Activation::Softplus { beta: 1.5, threshold: 20.0 },
    Activation::Softsign,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::Tanh,
    Activation::LecunTanh,
    Activation::HardTanh { min: -0.7, max: 1.2 },
];

fn value<F: Scalar>(f: Activation, x: F) -> F {
    let mut y = [x];
    f.apply(&mut y);
    y[0]
}

fn slope<F: Scalar>(f: Activation, x: F) -> F {
    let mut dy = [F::one()];
    f.chain(&[x], &[value(f, x)], &mut dy);
    dy[0]
}

#[test]
fn a_bias_is_added_first() {
    let x = slalom_tensor::Matrix::from_fn(37, 3, |i, j| (7 * i + 5 * j) as f32 * 0.05 - 6.0);
    let bias: Vec<f32> = (0..40).map(|i| (i % 9) as f32 * 0.3 - 1.0).collect();
    for f in ALL {
        let mut y = x.clone();
        // a part with gaps between its columns
        f.apply_biased(&bias[3..], y.rows_mut(1, 30));
        let wanted = |i, j| match i {
            1..31 => value(f, x[(i, j)] + bias[i + 2]),
            _ => x[(i, j)],
        };
        assert_eq!(y, slalom_tensor::Matrix::from_fn(37, 3, wanted), "{f:?}");
    }
}

#[test]
fn derivatives_are_slopes() {
    let h = 1e-6;
    for f in ALL {
        for i in -400..400 {
            let x = (f64::from(i) + 0.5) / 40.0;
            let found = (value(f, x + h) - value(f, x - h)) / (2.0 * h);
            assert!((found - slope(f, x)).abs() < 1e-8, "{f:?} at {x}: {found} {}", slope(f, x));
        }
    }
}

#[test]
fn nothing_overflows_far_out() {
    for f in ALL {
        for x in [-1e4, -800.0, -90.0, -0.0, 0.0, 90.0, 800.0, 1e4_f64] {
            assert!(value(f, x).is_finite() && slope(f, x).is_finite(), "{f:?} at {x}");
            let x = x as f32;
            assert!(value(f, x).is_finite() && slope(f, x).is_finite(), "{f:?} at {x} in f32");
            let (wide, narrow) = (value(f, f64::from(x)), f64::from(value(f, x)));
            assert!((wide - narrow).abs() <= 1e-6 * wide.abs().max(1.0), "{f:?} at {x} in f32");
        }
    }
}

#[test]
fn derivatives_at_kinks_are_those_of_pytorch() {
    assert_eq!(slope(Activation::Relu, 0.0), 0.0);
    assert_eq!(slope(Activation::LeakyRelu { slope: 0.2 }, 0.0), 0.2);
    assert_eq!(slope(Activation::Elu { alpha: 1.3 }, 0.0), 1.3);
    let hard = Activation::HardTanh { min: -0.5, max: 0.5 };
    assert_eq!([-0.5, 0.5, 0.49].map(|x| slope(hard, x)), [0.0, 0.0, 1.0]);
    assert_eq!([-3.0, 3.0].map(|x| slope(Activation::HardSigmoid, x)), [0.0, 0.0]);
}

#[test]
fn lecuns_tanh_passes_through_one() {
    assert!((value(Activation::LecunTanh, 1.0_f64) - 1.0).abs() < 1e-4);
    assert_eq!(value(Activation::LecunTanh, 800.0), 1.7159);
}

#[test]
fn parameters_out_of_range_are_named() {
    let refused = |f: Activation| f.validate(2).unwrap_err().to_string();
    let slope = refused(Activation::LeakyRelu { slope: -0.1 });
    assert_eq!(slope, "slope of layer 2 is -0.1: it must be finite and at least 0");
    for bad in [0.0, f64::NAN, f64::INFINITY] {
        assert!(refused(Activation::Elu { alpha: bad }).starts_with("alpha of layer 2"));
        assert!(refused(Activation::Softplus { beta: bad, threshold: 20.0 }).starts_with("beta"));
    }
    assert!(refused(Activation::Softplus { beta: 1.0, threshold: f64::NAN }).starts_with("thre"));
    assert!(
        refused(Activation::HardTanh { min: 1.0, max: 1.0 }).starts_with("max of layer 2 is 1")
    );
    assert!(refused(Activation::HardTanh { min: f64::NAN, max: 1.0 }).starts_with("min"));
    assert!(refused(Activation::LeakyRelu { slope: f64::INFINITY }).starts_with("slope"));
    assert!(ALL.iter().all(|f| f.validate(0).is_ok()));
    assert!(Activation::LeakyRelu { slope: 0.0 }.validate(0).is_ok());
}
