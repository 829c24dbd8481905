//! Building networks, their parts, and networks inside networks.

use super::*;
use crate::{Activation, Dense, Loss, Mode};
use slalom_tensor::{Matrix, Targets, Threads};

#[test]
fn descriptions_that_cannot_be_are_refused() {
    let network = |inputs, layers: Vec<LayerSpec>| Network::<f32>::new(inputs, layers).map(|_| ());
    assert_eq!(network(3, vec![]), Err(LayerError::NoLayers));
    assert_eq!(
        network(3, vec![Dense::linear(2).into(), Dense::linear(0).into()]),
        Err(LayerError::Width { layer: 1, field: "units" })
    );
    assert!(matches!(
        network(1 << 40, vec![Dense::linear(1 << 40).into()]),
        Err(LayerError::Overflow { layer: 0, .. })
    ));
}

#[test]
fn a_slab_or_samples_of_another_size_are_refused() {
    let network = Network::<f32>::new(3, [Dense::linear(2).into()]).unwrap();
    let x = Matrix::zeros(4, 1);
    let error = network.predict(&network.init(0), x.as_view(), &Threads::one()).unwrap_err();
    assert_eq!(error.to_string(), "the network takes 3 features, the samples have 4");
    assert_eq!(network.check(&[0.0; 7], 3), Err(LayerError::Slab { wanted: 8, found: 7 }));
}

#[test]
fn a_network_inside_a_network_computes_the_same() {
    let layers = || [Dense::new(5, Activation::Tanh), Dense::new(4, Activation::Sigmoid)];
    let inner = Network::<f64>::new(3, layers().map(LayerSpec::from)).unwrap();
    let nested: Vec<Box<dyn Layer<f64>>> = vec![Box::new(inner), Box::new(Dense::linear(2))];
    let nested = Network::from_layers(3, nested).unwrap();
    let [a, b] = layers();
    let flat = Network::new(3, [a, b, Dense::linear(2)].map(LayerSpec::from)).unwrap();
    assert_eq!(nested.len(), flat.len());
    let params = flat.init(1);
    let x = Matrix::from_fn(3, 6, |i, j| (i as f64 - j as f64) / 3.0);
    let gradient = |network: &Network<f64>| {
        let (mut tape, mut grads) = (network.tape(8), vec![0.0; network.len()]);
        let threads = Threads::one();
        let pass = Pass { mode: Mode::Predict, layer: 0, threads: &threads };
        network.forward(&params, x.as_view(), &mut tape, &pass);
        let (outputs, deltas) = tape.ends();
        let targets = Targets::Classes(&[0, 1, 0, 1, 1, 0]);
        let loss = Loss::default().evaluate(outputs, targets, None, Some(deltas));
        network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
        (loss, grads)
    };
    assert_eq!(gradient(&nested), gradient(&flat));
}
