//! Gradients that are computed where they are needed: the bits of the whole backward pass.

use slalom_layers::*;
use slalom_tensor::{Matrix, Scalar, Threads};

/// Enough for dZ to be packed, which f32 alone is.
const SAMPLES: usize = 66;
const TRAIN: Mode = Mode::Train { seed: 3, step: 5 };

fn deltas<F: Scalar>(len: usize) -> Vec<F> {
    (0..len).map(|i| F::of((i as f64 * 1.7).sin() / 8.0)).collect()
}

/// Large matrices first and last, what is small or no matrix between.
fn network<F: Scalar>() -> Network<F> {
    let layers: [LayerSpec; 5] = [
        Dense::new(80, Activation::Tanh).into(),
        BatchNorm::default().into(),
        Dense::new(8, Activation::Softplus { beta: 1.0, threshold: 20.0 }).into(),
        Dropout::new(0.3).into(),
        Dense::linear(600).into(),
    ];
    Network::new(60, layers).unwrap()
}

/// Whether anything was left; compares range by range, and whole.
fn same_as_whole<F: Scalar>(network: &Network<F>) -> bool {
    let params = network.init(1);
    let x = Matrix::from_fn(network.inputs(), SAMPLES, |i, j| F::of(((i * 7 + j) as f64).cos()));
    let mut tape = network.tape(SAMPLES + 2);
    let [mut whole, mut slab] = [(); 2].map(|()| vec![F::of(f64::NAN); params.len()]);
    let mut late = false;
    for threads in [Threads::one(), Threads::new(2).unwrap()] {
        let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
        network.forward(&params, x.as_view(), &mut tape, &pass);
        tape.ends().1.copy_from_slice(&deltas(network.outputs() * SAMPLES));
        network.backward(&params, x.as_view(), &mut tape, &mut whole, &pass);
        tape.ends().1.copy_from_slice(&deltas(network.outputs() * SAMPLES));
        let gradient = network.backward_late(&params, x.as_view(), &mut tape, &mut slab, &pass);
        late = gradient.is_late();
        let largest = whole.iter().fold(0.0_f64, |m, g| m.max(g.wide().abs()));
        assert!(largest <= gradient.bound(None) && gradient.bound(None).is_finite());
        for cut in [1, 59, 4799, 4801, 5000, whole.len()] {
            let mut found = vec![F::of(f64::NAN); whole.len()];
            for (i, part) in found.chunks_mut(cut).enumerate() {
                gradient.write(i * cut..i * cut + part.len(), part, &[]);
            }
            assert_eq!(found, whole, "in pieces of {cut}");
        }
        gradient.complete();
        assert_eq!(slab, whole);
    }
    late
}

#[test]
fn late_gradients_have_the_bits_of_whole_ones() {
    assert!(same_as_whole(&network::<f64>()) && same_as_whole(&network::<f32>()));
    assert!(same_as_whole(&network::<f32>().freeze("0").unwrap()));
    let plain = |inputs, units| {
        let dense = Dense { bias: false, ..Dense::linear(units) };
        Network::<f64>::new(inputs, [dense.into()]).unwrap()
    };
    assert!(same_as_whole(&plain(64, 64)) && !same_as_whole(&plain(63, 65)));
}

/// A gradient that is left for later is not written to the slab before it is completed.
#[test]
fn a_smaller_matrix_is_late_beside_a_large_one() {
    for (inputs, hidden, outputs, late) in
        [(64, 64, 16, [true, true]), (64, 64, 15, [true, false]), (63, 65, 16, [false, false])]
    {
        let layers = [Dense::new(hidden, Activation::Relu), Dense::linear(outputs)];
        let network = Network::<f64>::new(inputs, layers.map(LayerSpec::from)).unwrap();
        assert_eq!(same_as_whole(&network), late[0]);
        let params = network.init(1);
        let x = Matrix::from_element(inputs, 3, 0.5);
        let (mut tape, mut slab) = (network.tape(3), vec![f64::NAN; params.len()]);
        let pass = Pass { mode: TRAIN, layer: 0, threads: &Threads::one() };
        network.forward(&params, x.as_view(), &mut tape, &pass);
        tape.ends().1.fill(0.1);
        let _ = network.backward_late(&params, x.as_view(), &mut tape, &mut slab, &pass);
        let blocks = network.blocks().iter().filter(|block| block.name.ends_with("weight"));
        let untouched = |block: &Block| slab[block.range.clone()].iter().all(|v| v.is_nan());
        assert!(blocks.map(untouched).eq(late), "{inputs}-{hidden}-{outputs}");
        // one that is frozen has no gradient to leave, and nothing is beside it
        assert!(!same_as_whole(&network.freeze("0").unwrap()));
    }
}

#[test]
fn the_bound_is_that_of_what_is_late_and_of_the_rest() {
    let network = Network::new(64, [Dense::linear(64).into()]).unwrap();
    let params: Vec<f64> = network.init(1);
    let threads = Threads::one();
    let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
    let mut tape = network.tape(2);
    for (scale, wanted) in [(3.0, 2.0 * 0.5 * 3.0), (0.1, 0.75)] {
        let mut x = Matrix::zeros(64, 2);
        x[(5, 1)] = -scale;
        network.forward(&params, x.as_view(), &mut tape, &pass);
        let mut dy = tape.ends().1;
        dy.fill(0.0);
        (dy[(7, 0)], dy[(7, 1)]) = (-0.5, -0.25);
        let mut slab = vec![f64::NAN; params.len()];
        let gradient = network.backward_late(&params, x.as_view(), &mut tape, &mut slab, &pass);
        assert_eq!(gradient.bound(None), wanted);
        assert_eq!(gradient.bound(Some(scale)), wanted);
        assert!(gradient.bound(Some(f64::NAN)).is_nan());
    }
}

/// An activation that has overflown makes the gradient behind it infinite, whatever comes after.
#[test]
fn the_bound_of_what_is_not_finite_is_not_finite() {
    let layers = [Dense::new(80, Activation::Relu), Dense::linear(80), Dense::linear(80)];
    let network = Network::new(60, layers.map(LayerSpec::from)).unwrap();
    let mut params: Vec<f64> = network.init(1);
    params[0] = 1e9;
    let threads = Threads::one();
    let pass = Pass { mode: TRAIN, layer: 0, threads: &threads };
    let mut tape = network.tape(2);
    let x = Matrix::from_element(60, 2, 1e300);
    network.forward(&params, x.as_view(), &mut tape, &pass);
    tape.ends().1.fill(1e-3);
    let mut slab = vec![f64::NAN; params.len()];
    let gradient = network.backward_late(&params, x.as_view(), &mut tape, &mut slab, &pass);
    assert!(!gradient.bound(None).is_finite(), "{}", gradient.bound(None));
    assert!(!gradient.bound(Some(1.0)).is_finite()); // the other layers' inputs are looked at
}
