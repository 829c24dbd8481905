//! A model's file alone is enough to predict, and is refused where its parts do not fit.

use slalom::prelude::*;
use slalom::preprocess::{Csv, Labels, MinMax, Pipeline, Scaler, Table};
use slalom_train::checkpoint::Kind;

fn table() -> Table {
    let row = |i: usize| {
        let size = if i.is_multiple_of(7) { String::new() } else { format!("{}", i as f64 * 0.7) };
        format!("{size},{},{}\n", ["red", "green", "blue"][i % 3], 100 + i * i)
    };
    let csv = String::from("size,colour,price\n") + &(0..40).map(row).collect::<String>();
    Csv { missing: vec![String::new()], ..Csv::default() }
        .from_reader(csv.as_bytes(), "things")
        .unwrap()
}

#[test]
fn a_regression_predicts_in_the_targets_unit_from_the_file_alone() {
    let table = table();
    let prices: Vec<f32> = table.numbers("price").unwrap().iter().map(|p| *p as f32).collect();
    let inputs = table.without(&["price"]).unwrap();
    let pipeline = Pipeline::default().fit(&inputs).unwrap();
    let x = pipeline.transform::<f32>(&inputs).unwrap();
    let mut y = Matrix::from_row_slice(1, prices.len(), &prices);
    let scaler = Scaler::from(MinMax::default()).fit(y.as_view()).unwrap();
    slalom::preprocess::Transform::transform(&scaler, y.as_view_mut()).unwrap();

    let layers = [Dense::new(16, Activation::Tanh).into(), Dense::linear(1).into()];
    let config = Config {
        loss: Loss::MeanSquaredError(Default::default()),
        rate: 0.01.into(),
        batch: Batch::Full,
        ..Config::default()
    };
    let network = Network::<f32>::new(x.nrows(), layers).unwrap();
    let mut run = Run::new(network, config, Threads::one()).unwrap();
    let train = Samples::new(x.as_view(), Targets::Values(y.as_view())).unwrap();
    run.fit(train, None, &Fit { epochs: 300, ..Fit::default() }, &mut []).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.slalom");
    let model =
        Model { pipeline: Some(pipeline), targets: Some(scaler), ..Model::of(&run).unwrap() };
    let wanted = model.predict_table(&inputs).unwrap();
    model.save(&path).unwrap();
    drop((model, run));
    let found = Model::<f32>::load(&path).unwrap().predict_table(&inputs).unwrap();
    assert_eq!(found.map(f32::to_bits), wanted.map(f32::to_bits));
    let error: f32 = found.iter().zip(&prices).map(|(a, b)| (a - b).abs()).sum::<f32>() / 40.0;
    assert!(error < 150.0, "the prices go to 1621, the mean error is {error}");
}

#[test]
fn parts_that_do_not_fit_are_refused_before_the_file_is_written() {
    let network = || Network::<f64>::new(3, [Dense::linear(2).into()]).unwrap();
    let model = || Model::new(network(), network().init(0));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.slalom");
    let names = |n: usize| Labels::new("kind", (0..n).map(|i| i.to_string()).collect()).unwrap();
    let text = |model: Model<f64>| model.save(&path).unwrap_err().to_string();
    assert_eq!(
        text(Model { labels: Some(names(3)), ..model() }),
        "the list of class names has 3 classes, the network 2"
    );
    let pipeline = Pipeline::default().fit(&table()).unwrap();
    assert_eq!(
        text(Model { pipeline: Some(pipeline), ..model() }),
        "the pipeline has 5 outputs, the network 3"
    );
    assert!(text(Model { params: vec![0.0; 7], ..model() }).contains("8 parameters"));
    assert!(!path.exists());
    let error = model().predict_table(&table()).unwrap_err().to_string();
    assert_eq!(error, "the model has no pipeline");

    Model { labels: Some(names(2)), ..model() }.save(&path).unwrap();
    assert_eq!(Model::<f64>::load(&path).unwrap().labels, Some(names(2)));
    let error = Model::<f32>::load(&path).unwrap_err().to_string();
    assert!(error.contains("holds f64 numbers, f32 are wanted"), "{error}");
    let error = Run::<f64>::resume(&Checkpoint::load(&path).unwrap(), Threads::one()).unwrap_err();
    assert_eq!(error.to_string(), "the file holds a model, a run is wanted");
}

#[test]
fn a_runs_checkpoint_predicts_too() {
    let network = Network::<f32>::new(3, [Dense::linear(2).into()]).unwrap();
    let run = Run::new(network, Config::default(), Threads::one()).unwrap();
    let file = run.checkpoint().unwrap();
    assert_eq!(file.kind(), Kind::Run);
    let x = from_rows(&[[1.0, 2.0, 3.0]]);
    let model = Model::from_checkpoint(&file).unwrap();
    assert_eq!(model.predict(x.as_view()).unwrap(), run.predict(x.as_view()).unwrap());
}
