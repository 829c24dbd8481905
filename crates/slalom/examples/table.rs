//! From a messy table to a model file: a classifier for any CSV.
//!
//! `cargo run --release -p slalom --example table -- FILE.csv COLUMN` learns to tell what COLUMN says
//! from the other columns (numbers and text, blanks too), shows how well on a fifth of the rows that
//! it never saw, and writes FILE.slalom: that file alone predicts. Without arguments it takes a
//! small table of its own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use slalom::prelude::*;
use slalom::preprocess::{Columns, Encoder, Group, Kind, Labels, OneHot, Steps, Table, Unknown};
use slalom::train::metrics::Confusion;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (table, target, file) = match arguments.as_slice() {
        [csv, column] => (reader().read(Path::new(csv))?, column.as_str(), PathBuf::from(csv)),
        [] => (fruit()?, "kind", std::env::temp_dir().join("fruit.csv")),
        _ => return Err("give a CSV file and the name of the column to predict".into()),
    };
    let (model, accuracy) = train(&table, target)?;
    let path = file.with_extension("slalom");
    model.save(&path)?;
    println!("{:.1} % of the test rows are right; {} predicts", accuracy * 100.0, path.display());

    let model = Model::<f32>::load(&path)?;
    let first = table.subset(&[0])?.without(&[target])?;
    println!("the first row is {:?}", model.label_table(&first)?.get(0).unwrap_or("?"));
    Ok(())
}

/// Nothing counts as missing that is not declared.
fn reader() -> Csv {
    Csv { missing: ["", "?", "NA"].map(String::from).to_vec(), ..Csv::default() }
}

/// Numbers as by default: gaps filled with the mean, then scaled. Text is one-hot; what no training
/// row has becomes zeros in place of an error.
fn pipeline() -> Pipeline {
    let mut pipeline = Pipeline::default();
    let one_hot = OneHot { unknown: Unknown::Zeros, ..OneHot::default() };
    let steps = Steps::Text { impute: None, encoder: Encoder::OneHot(one_hot) };
    pipeline.groups[1] = Group { columns: Columns::Kind(Kind::Text), steps };
    pipeline
}

fn train(table: &Table, target: &str) -> Result<(Model<f32>, f64)> {
    let answers = table.labels(target)?;
    let labels = Labels::fit(target, &answers)?;
    let split = Split { valid: 0.2, test: 0.2, stratified: true, seed: 1 };
    let parts = split.indices_by_class(&labels.encode(&answers)?)?;
    let part = |rows: &[usize]| -> Result<(Table, Vec<u32>)> {
        let rows = table.subset(rows)?;
        let classes = labels.encode(&rows.labels(target)?)?;
        Ok((rows.without(&[target])?, classes))
    };
    let [(train, y), (valid, y_valid), (test, y_test)] =
        [part(&parts.train)?, part(&parts.valid)?, part(&parts.test)?];

    let pipeline = pipeline().fit(&train)?; // sees the training rows alone
    let [x, x_valid] = [pipeline.transform(&train)?, pipeline.transform(&valid)?];
    let (features, classes) = (x.nrows(), labels.names().len());
    println!("{} rows to learn from, {features} features, {classes} classes", y.len());

    let layers = [Dense::new(32, Activation::Relu).into(), Dense::linear(classes).into()];
    let network = Network::<f32>::new(features, layers)?;
    let mut run = Run::new(network, Config { seed: 1, ..Config::default() }, Threads::one())?;
    let patience = EarlyStopping { patience: 10, ..EarlyStopping::default() };
    let fit = Fit { epochs: 200, stop: vec![patience.into()], ..Fit::default() };
    let samples = Samples::new(x.as_view(), Targets::Classes(&y))?;
    let watched = Samples::new(x_valid.as_view(), Targets::Classes(&y_valid))?;
    let outcome = run.fit(samples, Some(watched), &fit, &mut [])?;
    println!("{outcome:?} after {} epochs", run.epochs());

    let model = Model { pipeline: Some(pipeline), labels: Some(labels), ..Model::of(&run)? };
    let found = model.classes(model.inputs(&test)?.as_view())?;
    let confusion = Confusion::new(classes, &y_test, &found, None)?;
    Ok((model, confusion.accuracy()))
}

/// 600 pieces of fruit whose weights were not always taken.
fn fruit() -> Result<Table> {
    let mut csv = String::from("length in cm,weight in g,colour,kind\n");
    for i in 0..600_u32 {
        let spread = f64::from(i * 37 % 100) / 100.0;
        let (kind, length, weight, colours) = match i % 3 {
            0 => ("apple", 6.0 + 2.0 * spread, 100.0 + 80.0 * spread, ["red", "green"]),
            1 => ("lemon", 6.0 + 3.0 * spread, 70.0 + 50.0 * spread, ["yellow", "green"]),
            _ => ("banana", 13.0 + 9.0 * spread, 90.0 + 60.0 * spread, ["yellow", "green"]),
        };
        let weight = if i % 11 == 0 { String::new() } else { format!("{weight:.0}") };
        let colour = colours[usize::from(i % 7 == 0)];
        csv += &format!("{length:.1},{weight},{colour},{kind}\n");
    }
    Ok(reader().from_reader(csv.as_bytes(), "fruit")?)
}
