//! The column pipeline: what belongs where, by name, and saved with the model.

use slalom_preprocess::{
    Columns, Csv, DataSet, Drop, Encoder, Fill, FittedPipeline, Group, Impute, ImputeText, Kind,
    MinMax, OneHot, Ordinal, OwnedTargets, Pipeline, Standard, Steps, Table, Unknown,
};
use slalom_tensor::Matrix;

fn table(text: &str) -> Table {
    let csv = Csv { missing: vec!["?".into()], ..Csv::default() };
    csv.from_reader(text.as_bytes(), "it").unwrap()
}

const TRAIN: &str = "age,city,pay\n30,Bern,1\n50,Basel,?\n?,Bern,3\n";

fn message(fitted: &FittedPipeline, text: &str) -> String {
    fitted.transform::<f64>(&table(text)).unwrap_err().to_string()
}

#[test]
fn the_default_standardises_numbers_and_encodes_text() {
    let fitted = Pipeline::default().fit(&table(TRAIN)).unwrap();
    assert_eq!(fitted.feature_names_out(), ["age", "pay", "city_Basel", "city_Bern"]);
    let x = fitted.transform::<f64>(&table(TRAIN)).unwrap();
    let sd = (200.0_f64 / 3.0).sqrt();
    let wanted = [-10.0 / sd, -1.0 / (2.0_f64 / 3.0).sqrt(), 0.0, 1.0];
    assert!(x.column(0).iter().zip(wanted).all(|(v, w): (&f64, f64)| (v - w).abs() < 1e-12), "{x}");
    assert_eq!(x.column(2).as_slice()[0], 0.0); // the gap became the mean
    assert_eq!(x.column(1).as_slice()[1..], [0.0, 1.0, 0.0]);
}

#[test]
fn columns_are_matched_by_name() {
    let fitted = Pipeline::default().fit(&table(TRAIN)).unwrap();
    let wanted = fitted.transform::<f64>(&table(TRAIN)).unwrap();
    let other = "pay,city,age\n1,Bern,30\n?,Basel,50\n3,Bern,?\n";
    assert_eq!(fitted.transform::<f64>(&table(other)).unwrap(), wanted);
    let error = message(&fitted, "age,citty,pay\n30,Bern,1\n");
    assert_eq!(
        error,
        "no column is called 'city': did you mean 'citty'? there are age, citty, pay"
    );
    let error = message(&fitted, "age,city,pay,new\n30,Bern,1,1\n");
    assert_eq!(error, "the fit saw no column 'new': leave it out of the table");
    let error = message(&fitted, "age,city,pay\nold,Bern,1\n");
    assert_eq!(error, "column 'age' holds text, numbers are needed");
    let error = message(&fitted, "age,city,pay\n30,7,1\n");
    assert_eq!(error, "column 'city' holds numbers, text is needed");
    let error = message(&fitted, "age,city,pay\n30,Geneva,1\n");
    assert!(error.starts_with("row 0 of column 'city' holds \"Geneva\", which the fit never saw"));
}

#[test]
fn groups_have_their_own_steps() {
    let named = |names: &[&str]| Columns::Named(names.iter().map(ToString::to_string).collect());
    let steps = vec![Impute::from(Fill::Median).into(), MinMax::default().into()];
    let pipeline = Pipeline {
        groups: vec![
            Group {
                columns: named(&["city"]),
                steps: Steps::Text {
                    impute: Some(ImputeText::MostFrequent),
                    encoder: Encoder::Ordinal(Ordinal::default()),
                },
            },
            Group {
                columns: Columns::Kind(Kind::Numbers),
                steps: Steps::Numbers { steps, indicators: true },
            },
            Group { columns: named(&["note"]), steps: Steps::Drop },
        ],
    };
    let train = table("age,city,note,pay\n30,Bern,a,1\n50,?,b,2\n?,Bern,c,3\n40,Aarau,d,5\n");
    let fitted = pipeline.fit(&train).unwrap();
    assert_eq!(fitted.feature_names_out(), ["city", "age", "pay", "age_missing"]);
    let x = fitted.transform::<f64>(&train).unwrap();
    assert_eq!(x.column(1).as_slice(), [1.0, 1.0, 0.25, 0.0]);
    assert_eq!(x.column(2).as_slice(), [1.0, 0.5, 0.5, 1.0]);
}

#[test]
fn every_column_belongs_to_one_group() {
    let numbers = Group {
        columns: Columns::Kind(Kind::Numbers),
        steps: Steps::Numbers { steps: vec![Standard::default().into()], indicators: false },
    };
    let error = |groups| Pipeline { groups }.fit(&table(TRAIN)).unwrap_err().to_string();
    assert!(error(vec![numbers.clone()]).starts_with("column 'city' belongs to 0 groups"));
    let twice = error(vec![numbers.clone(), numbers.clone()]);
    assert!(twice.starts_with("column 'age' belongs to 2 groups"), "{twice}");
    let named = Group { columns: Columns::Named(vec!["agee".into()]), steps: Steps::Drop };
    assert!(error(vec![named]).contains("did you mean 'age'?"));
    let text = Group { columns: Columns::Named(vec!["city".into()]), ..numbers.clone() };
    assert_eq!(error(vec![numbers, text]), "column 'city' holds text, numbers are needed");
}

#[test]
fn a_column_of_gaps_is_named() {
    let error = Pipeline::default().fit(&table("a,b\n1,?\n2,?\n")).unwrap_err().to_string();
    assert!(error.starts_with("column 'b': every value is missing"), "{error}");
    let error =
        Pipeline::default().fit(&table(TRAIN).subset(&[]).unwrap()).unwrap_err().to_string();
    assert!(error.contains("at least 1, found 0"), "{error}");
    // read as numbers, but text in training
    let fitted = Pipeline::default().fit(&table("c\nx\n?\n")).unwrap();
    let x = fitted.transform::<f64>(&table("c\n?\n?\n")).unwrap();
    assert_eq!(x.as_slice(), [0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn a_number_too_large_for_f32_is_named() {
    let fitted = Pipeline::default().fit(&table("a\n1\n2\n")).unwrap();
    let error = fitted.transform::<f32>(&table("a\n1\n1e39\n")).unwrap_err().to_string();
    assert!(error.starts_with("row 1 of column 'a' is 1"), "{error}");
    assert!(error.ends_with("too large for f32"), "{error}");
    assert!(fitted.transform::<f64>(&table("a\n1\n1e39\n")).is_ok());
}

#[test]
fn saved_and_loaded_it_does_the_same() {
    let encoder = OneHot { unknown: Unknown::Zeros, drop: Drop::First, ..OneHot::default() };
    let mut pipeline = Pipeline::default();
    pipeline.groups[1].steps = Steps::Text { impute: None, encoder: Encoder::OneHot(encoder) };
    let config = serde_json::to_string(&pipeline).unwrap();
    assert_eq!(serde_json::from_str::<Pipeline>(&config).unwrap(), pipeline);
    let fitted = pipeline.fit(&table(TRAIN)).unwrap();
    let loaded: FittedPipeline =
        serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
    assert_eq!(loaded, fitted);
    let test = table("age,city,pay\n31.7,Geneva,0.1\n?,Basel,-3\n");
    let bits = |fitted: &FittedPipeline| {
        fitted.transform::<f32>(&test).unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(bits(&loaded), bits(&fitted));
}

#[test]
fn a_saved_pipeline_that_contradicts_itself_never_panics() {
    let fitted = Pipeline::default().fit(&table(TRAIN)).unwrap();
    let good = serde_json::to_string(&fitted).unwrap();
    let mut changed = 0;
    for (from, to) in [
        ("\"names\":[\"age\",\"pay\"]", "\"names\":[\"age\"]"),
        ("\"names\":[\"age\",\"pay\"]", "\"names\":[]"),
        ("\"names\":[\"city\"]", "\"names\":[\"city\",\"city\"]"),
        ("\"names\":[\"city\"]", "\"names\":[]"),
        ("\"indicators\":[]", "\"indicators\":[7]"),
        ("\"imputes\":[null]", "\"imputes\":[]"),
        ("\"seen\":[[", "\"seen\":[[\"x\",\"text\"],["),
    ] {
        let bad = good.replace(from, to);
        changed += usize::from(bad != good);
        if let Ok(loaded) = serde_json::from_str::<FittedPipeline>(&bad) {
            let _ = loaded.transform::<f64>(&table(TRAIN));
        }
    }
    assert_eq!(changed, 7, "{good}");
}

#[test]
fn indicators_stand_below_the_numbers_of_their_own_group() {
    let named = |name: &str| Columns::Named(vec![name.to_string()]);
    let numbers = |steps, indicators| Steps::Numbers { steps, indicators };
    let filled = vec![Impute::default().into()];
    let pipeline = Pipeline {
        groups: vec![
            Group { columns: named("age"), steps: numbers(filled.clone(), false) },
            Group { columns: named("pay"), steps: numbers(filled, true) },
            Group { columns: named("city"), steps: Steps::Drop },
        ],
    };
    let fitted = pipeline.fit(&table(TRAIN)).unwrap();
    assert_eq!(fitted.feature_names_out(), ["age", "pay", "pay_missing"]);
    let x = fitted.transform::<f64>(&table(TRAIN)).unwrap();
    assert_eq!(x.as_slice(), [30.0, 1.0, 0.0, 50.0, 2.0, 1.0, 40.0, 3.0, 0.0]);
    let kinds = [("age", Kind::Numbers), ("city", Kind::Text), ("pay", Kind::Numbers)];
    assert!(fitted.columns().iter().map(|(name, kind)| (name.as_str(), *kind)).eq(kinds));
}

#[test]
fn a_table_becomes_a_data_set() {
    let table = table(TRAIN);
    let inputs = table.without(&["city"]).unwrap();
    let labels = slalom_preprocess::Labels::fit("city", &table.labels("city").unwrap()).unwrap();
    let targets = labels.targets::<f32>(&table.labels("city").unwrap()).unwrap();
    let data = Pipeline::default().fit(&inputs).unwrap().data_set(&inputs, targets).unwrap();
    assert_eq!((data.len(), data.features()), (3, &["age".to_string(), "pay".into()][..]));
    assert_eq!(data.targets().names(), ["Basel", "Bern"]);
    assert!(data.samples().is_ok());
    let values: OwnedTargets<f32> = table.values(&["pay"]).unwrap();
    // a missing target goes into a data set, but not into training
    let data = DataSet::new(Matrix::zeros(1, 3), values).unwrap();
    let error = data.samples().unwrap_err().to_string();
    assert!(error.starts_with("the target of sample 1, output 0 is NaN"), "{error}");
}
