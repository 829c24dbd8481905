//! Building networks, their parts, and networks inside networks.

use super::*;
use crate::*;
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

/// One of each layer that can follow four inputs.
fn every_layer() -> Vec<LayerSpec> {
    vec![
        Embedding { tables: vec![EmbeddingTable::new(0, 3, 2)] }.into(),
        Dense::new(4, Activation::LeakyRelu { slope: 0.1 }).into(),
        Activation::Softplus { beta: 2.0, threshold: 10.0 }.into(),
        Prelu::default().into(),
        Dropout::classical(0.8).into(),
        GaussianDropout { rate: 0.1 }.into(),
        AlphaDropout { rate: 0.1 }.into(),
        BatchNorm::default().into(),
        LayerNorm::default().into(),
        ActivityPenalty { l1: 0.1, l2: 0.0 }.into(),
        Residual { layers: vec![Dense::linear(4).into()] }.into(),
        Concat { layers: vec![Dense::linear(2).into(), Dropout::new(0.5).into()] }.into(),
        Softmax {}.into(),
        LogSoftmax {}.into(),
    ]
}

#[test]
fn a_network_survives_its_own_serialisation() {
    let network = Network::<f32>::new(4, every_layer()).unwrap();
    let network = network.freeze("1").unwrap().freeze("11.0.bias").unwrap();
    let spec = network.spec().unwrap();
    let text = serde_json::to_string(&spec).unwrap();
    let again: NetworkSpec = serde_json::from_str(&text).unwrap();
    assert_eq!(again, spec);
    let rebuilt: Network<f32> = again.build().unwrap();
    assert_eq!((rebuilt.blocks(), rebuilt.init(3)), (network.blocks(), network.init(3)));
    assert_eq!(rebuilt.summary(), network.summary());
    assert!(
        Network::<f32>::from_layers(4, vec![Box::new(Dense::linear(1))]).unwrap().spec().is_none()
    );
    let sparse = r#"{"inputs": 2, "layers": [{"BatchNorm": {}}, {"Dropout": {"rate": 0.5}}]}"#;
    assert!(serde_json::from_str::<NetworkSpec>(sparse).unwrap().build::<f64>().is_ok());
}

#[test]
fn blocks_are_named_by_position_within_and_without() {
    let network = Network::<f64>::new(4, every_layer()).unwrap();
    let names: Vec<_> = network.blocks().iter().map(|block| block.name.as_str()).collect();
    let expected = "0.table0 1.weight 1.bias 3.slope 7.scale 7.shift 7.running_mean \
        7.running_variance 8.scale 8.shift 10.0.weight 10.0.bias 11.0.weight 11.0.bias";
    assert_eq!(names.join(" "), expected);
    let mut end = 0;
    for block in network.blocks() {
        assert_eq!(block.range.start, end);
        assert_eq!(block.range.len(), block.shape.0 * block.shape.1);
        end = block.range.end;
    }
    assert_eq!(end, network.len());
    let slab: Vec<f64> = (0..end).map(|i| i as f64).collect();
    let part = network.part("1.weight", &slab).unwrap();
    assert_eq!(
        (part.shape(), part[(1, 0)]),
        ((4, 5), network.block("1.weight").unwrap().range.start as f64 + 1.0)
    );
    assert_eq!(
        network.part("1.weight", &slab[1..]),
        Err(LayerError::Slab { wanted: end, found: end - 1 })
    );
    assert!(
        network
            .block("1.weigh")
            .unwrap_err()
            .to_string()
            .starts_with("there is no block \"1.weigh\": the blocks are 0.table0, 1.weight")
    );
}

#[test]
fn what_is_frozen_gets_no_gradient_of_its_own() {
    let layers =
        || [Dense::new(5, Activation::Tanh), Dense::new(4, Activation::Gelu), Dense::linear(2)];
    let free = Network::<f64>::new(3, layers().map(LayerSpec::from)).unwrap();
    let params = free.init(1);
    let x = Matrix::from_fn(3, 6, |i, j| (i as f64 - j as f64) / 3.0);
    let gradient = |network: &Network<f64>| {
        let (mut tape, mut grads) = (network.tape(8), vec![f64::NAN; network.len()]);
        let threads = Threads::one();
        let pass = Pass { mode: Mode::Predict, layer: 0, threads: &threads };
        network.forward(&params, x.as_view(), &mut tape, &pass);
        let (outputs, deltas) = tape.ends();
        Loss::default().evaluate(
            outputs,
            Targets::Classes(&[0, 1, 0, 1, 1, 0]),
            None,
            Some(deltas),
        );
        network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
        grads
    };
    let all = gradient(&free);
    let start = free.blocks()[2].range.start;
    let frozen = free.freeze("0").unwrap();
    assert_eq!(frozen.summary().trainable, frozen.len() - start);
    let some = gradient(&frozen);
    assert!(some[..start].iter().all(|&g| g == 0.0));
    assert_eq!(some[start..], all[start..]);
    // a frozen layer between others still passes the derivative on
    let middle =
        Network::<f64>::new(3, layers().map(LayerSpec::from)).unwrap().freeze("1").unwrap();
    assert_eq!(gradient(&middle)[..start], all[..start]);
    let error = frozen.freeze("3").unwrap_err();
    assert!(matches!(error, LayerError::Block { name, .. } if name == "3"));
    // "1" is not "11"
    let many = Network::<f64>::new(3, (0..12).map(|_| Dense::linear(2).into())).unwrap();
    let many = many.freeze("1").unwrap();
    assert_eq!(many.blocks().iter().filter(|block| block.frozen).count(), 2);
}

#[test]
fn predictions_are_the_same_bits_at_any_number_of_threads_and_batch_by_batch() {
    let network = Network::<f32>::new(4, every_layer()).unwrap();
    let params = network.init(5);
    let x = Matrix::from_fn(4, 1000, |i, j| {
        if i == 0 { (j % 3) as f32 } else { (j as f32 * 0.1 + i as f32).sin() }
    });
    let predict =
        |threads| network.predict(&params, x.as_view(), &Threads::new(threads).unwrap()).unwrap();
    let one = predict(1);
    assert_eq!(one.shape(), (6, 1000));
    for threads in [2, 3] {
        assert_eq!(predict(threads), one);
    }
    let part = network.predict(&params, x.columns(256, 256), &Threads::one()).unwrap();
    assert_eq!(part, one.columns(256, 256).into_owned());
    let none = network.predict(&params, x.columns(0, 0), &Threads::one()).unwrap();
    assert_eq!(none.shape(), (6, 0));
}

#[test]
fn classes_and_probabilities() {
    let x = Matrix::from_fn(3, 300, |i, j| ((i * 7 + j) as f64).sin());
    let threads = Threads::new(2).unwrap();
    let several = Network::<f64>::new(3, [Dense::linear(4).into()]).unwrap();
    let params = several.init(2);
    let outputs = several.predict(&params, x.as_view(), &threads).unwrap();
    let classes = several.classes(&params, x.as_view(), &threads).unwrap();
    let probabilities = several.probabilities(&params, x.as_view(), &threads).unwrap();
    for (j, &class) in classes.iter().enumerate() {
        assert_eq!(outputs.column(j).imax(), class as usize);
        assert!((probabilities.column(j).sum() - 1.0).abs() < 1e-15);
        let ratio = (outputs[(0, j)] - outputs[(1, j)]).exp();
        assert!((probabilities[(0, j)] / probabilities[(1, j)] / ratio - 1.0).abs() < 1e-12);
    }
    let single = Network::<f64>::new(3, [Dense::linear(1).into()]).unwrap();
    let params = single.init(2);
    let outputs = single.predict(&params, x.as_view(), &threads).unwrap();
    let classes = single.classes(&params, x.as_view(), &threads).unwrap();
    let probabilities = single.probabilities(&params, x.as_view(), &threads).unwrap();
    for j in 0..300 {
        assert_eq!(classes[j], u32::from(outputs[j] > 0.0));
        assert_eq!(probabilities[j] > 0.5, outputs[j] > 0.0);
    }
    let equal = several.classes(&[0.0; 16], x.as_view(), &threads).unwrap();
    assert!(equal.iter().all(|&class| class == 0), "the first of equal ones");
    assert_eq!(single.classes(&[0.0; 4], x.columns(0, 1), &threads).unwrap(), [0]);
}

#[test]
fn codes_that_are_no_categories_are_refused() {
    let tables = vec![EmbeddingTable::new(1, 3, 2)];
    let network = Network::<f64>::new(2, [Embedding { tables }.into()]).unwrap();
    let params = network.init(0);
    for bad in [3.0, -1.0, 0.5, f64::NAN] {
        let x = Matrix::from_column_slice(2, 2, &[0.0, 2.0, 0.0, bad]);
        let error = network.predict(&params, x.as_view(), &Threads::one()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("feature 1 of sample 1 is {bad}: it must be a category from 0 to 2")
        );
    }
    let x = Matrix::from_column_slice(2, 1, &[7.5, 2.0]);
    let y = network.predict(&params, x.as_view(), &Threads::one()).unwrap();
    assert_eq!(y.as_slice(), [7.5, params[4], params[5]]);
    let refused =
        |tables| Network::<f64>::new(2, [Embedding { tables }.into()]).unwrap_err().to_string();
    assert_eq!(refused(vec![]), "tables of layer 0 is 0: it must be at least 1");
    assert_eq!(
        refused(vec![EmbeddingTable::new(2, 3, 2)]),
        "layer 0 embeds column 2: it must be one of 2 inputs, and once"
    );
    assert!(refused(vec![EmbeddingTable::new(1, 3, 2); 2]).contains("and once"));
    assert!(refused(vec![EmbeddingTable::new(1, 0, 2)]).starts_with("categories of layer 0 is 0"));
    assert!(refused(vec![EmbeddingTable::new(1, 2, 0)]).starts_with("width of layer 0 is 0"));
    let init = Init::Normal { deviation: -1.0 };
    assert!(
        refused(vec![EmbeddingTable { init, ..EmbeddingTable::new(1, 2, 1) }])
            .contains("deviation")
    );
}

#[test]
fn embedding_gradients_count_each_time_a_code_is_met() {
    let tables = vec![EmbeddingTable::new(0, 3, 2)];
    let network = Network::<f64>::new(1, [Embedding { tables }.into()]).unwrap();
    let params = network.init(0);
    let x = Matrix::from_row_slice(1, 4, &[2.0, 0.0, 2.0, 2.0]);
    let (mut tape, mut grads) = (network.tape(4), [f64::NAN; 6]);
    let threads = Threads::one();
    let pass = Pass { mode: Mode::Predict, layer: 0, threads: &threads };
    network.forward(&params, x.as_view(), &mut tape, &pass);
    tape.ends().1.fill(1.0);
    network.backward(&params, x.as_view(), &mut tape, &mut grads, &pass);
    assert_eq!(grads, [1.0, 1.0, 0.0, 0.0, 3.0, 3.0]);
}

#[test]
fn what_is_wrong_inside_a_layer_names_both() {
    let refused = |layer: LayerSpec| Network::<f64>::new(3, [layer]).unwrap_err().to_string();
    assert_eq!(
        refused(Residual { layers: vec![Dense::linear(2).into()] }.into()),
        "layer 0 adds 2 outputs to 3 inputs: both must be as many"
    );
    let empty = Concat { layers: vec![] };
    assert_eq!(
        refused(empty.clone().into()),
        "in layer 0: the network has no layers: give it at least 1"
    );
    let deep = Concat { layers: vec![Dense::linear(2).into(), empty.into()] };
    assert!(refused(deep.into()).starts_with("in layer 0: in layer 1: the network has no layers"));
    assert_eq!(
        refused(Prelu { init: f64::NAN, shared: false }.into()),
        "init of layer 0 is NaN: it must be finite"
    );
    assert!(
        refused(ActivityPenalty { l1: -1.0, l2: 0.0 }.into()).starts_with("l1 of layer 0 is -1")
    );
}

#[test]
fn the_number_of_layers_is_bounded() {
    let layers = |n| (0..n).map(|_| LayerSpec::from(Activation::Relu));
    let most = Network::<f32>::new(2, layers(MOST_LAYERS)).unwrap();
    let x = Matrix::from_element(2, 1, 1.0);
    assert_eq!(most.predict(&[], x.as_view(), &Threads::one()).unwrap(), x);
    let error = Network::<f32>::new(2, layers(1_000_000)).unwrap_err();
    assert_eq!(error.to_string(), "the network has too many layers: give it at most 1000");
    assert!(
        Network::<f32>::new(0, layers(1)).unwrap_err().to_string().starts_with("inputs of layer 0")
    );
}

#[test]
fn every_layer_has_a_name() {
    let summary = Network::<f64>::new(4, every_layer()).unwrap().summary();
    let names: Vec<_> = summary.rows.iter().map(|row| row.layer.as_str()).collect();
    let expected = "embedding, dense, softplus, prelu, dropout, gaussian dropout, alpha dropout, \
        batch norm, layer norm, activity penalty, residual, concat, softmax, log softmax";
    assert_eq!(names.join(", "), expected);
    assert_eq!(summary.rows.iter().map(|row| row.parameters).sum::<usize>(), summary.parameters);
}
