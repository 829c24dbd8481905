//! Real tables through the default pipeline: rows, columns and classes are those that their
//! description counts.
//!
//! The files lie under `$SLALOM_DATA`; without it the test says that it is skipped.

use slalom_preprocess::{
    Csv, Kind, Labels, Limits, OwnedTargets, Pipeline, Split, Table, class_counts, idx_data_set,
    read_proben1,
};
use std::path::PathBuf;

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("SLALOM_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: SLALOM_DATA is not set, no real table is read");
    }
    folder
}

/// A table whose target is a class.
struct Classes {
    file: &'static str,
    /// Rows and columns of the file.
    shape: [usize; 2],
    /// Which column is the target.
    target: usize,
    /// The classes in sorted order and how many rows each has.
    classes: &'static [(&'static str, usize)],
    /// What stands for a gap.
    missing: &'static str,
    /// Lines before the table.
    skip_lines: usize,
}

impl Classes {
    const fn new(
        file: &'static str,
        shape: [usize; 2],
        target: usize,
        classes: &'static [(&'static str, usize)],
    ) -> Self {
        Self { file, shape, target, classes, missing: "?", skip_lines: 0 }
    }
}

#[rustfmt::skip]
const TABLES: &[Classes] = &[
    Classes::new("uci/adult.data.gz", [32_561, 15], 14, &[("<=50K", 24_720), (">50K", 7_841)]),
    Classes {
        skip_lines: 1,
        ..Classes::new("uci/adult.test.gz", [16_281, 15], 14, &[("<=50K.", 12_435), (">50K.", 3_846)])
    },
    Classes::new("uci/breast-cancer-wisconsin.data", [699, 11], 10, &[("2", 458), ("4", 241)]),
    Classes::new("uci/data_banknote_authentication.txt", [1_372, 5], 4, &[("0", 762), ("1", 610)]),
    Classes::new("uci/ionosphere.data", [351, 35], 34, &[("b", 126), ("g", 225)]),
    Classes::new("uci/iris.data", [150, 5], 4, &[("Iris-setosa", 50), ("Iris-versicolor", 50), ("Iris-virginica", 50)]),
    Classes::new("uci/letter-recognition.data.gz", [20_000, 17], 0, &[
        ("A", 789), ("B", 766), ("C", 736), ("D", 805), ("E", 768), ("F", 775), ("G", 773), ("H", 734), ("I", 755),
        ("J", 747), ("K", 739), ("L", 761), ("M", 792), ("N", 783), ("O", 753), ("P", 803), ("Q", 783), ("R", 758),
        ("S", 748), ("T", 796), ("U", 813), ("V", 764), ("W", 752), ("X", 787), ("Y", 786), ("Z", 734),
    ]),
    Classes::new("uci/pima-indians-diabetes.csv", [768, 9], 8, &[("0", 500), ("1", 268)]),
    Classes::new("uci/sonar.all-data", [208, 61], 60, &[("M", 111), ("R", 97)]),
    Classes::new("uci/wdbc.data", [569, 32], 1, &[("B", 357), ("M", 212)]),
    Classes::new("uci/wine.data", [178, 14], 0, &[("1", 59), ("2", 71), ("3", 48)]),
    Classes::new("uci/winequality-red.csv", [1_599, 12], 11, &[("3", 10), ("4", 53), ("5", 681), ("6", 638), ("7", 199), ("8", 18)]),
    Classes::new("uci/winequality-white.csv", [4_898, 12], 11, &[("3", 20), ("4", 163), ("5", 1457), ("6", 2198), ("7", 880), ("8", 175), ("9", 5)]),
    Classes::new("optdigits/optdigits.tes.gz", [1_797, 65], 64, &[("0", 178), ("1", 182), ("2", 177), ("3", 183), ("4", 181), ("5", 182), ("6", 181), ("7", 179), ("8", 174), ("9", 180)]),
    Classes::new("optdigits/optdigits.tra.gz", [3_823, 65], 64, &[("0", 376), ("1", 389), ("2", 380), ("3", 389), ("4", 387), ("5", 376), ("6", 377), ("7", 387), ("8", 380), ("9", 382)]),
];

#[test]
fn tables_of_classes_are_what_they_are_said_to_be() {
    let Some(folder) = data() else { return };
    for table in TABLES {
        check_classes(&folder, table);
    }
}

fn check_classes(folder: &std::path::Path, wanted: &Classes) {
    let file = wanted.file;
    let csv = Csv {
        header: false,
        missing: vec![wanted.missing.to_string()],
        skip_lines: wanted.skip_lines,
        expect_rows: Some(wanted.shape[0]),
        ..Csv::default()
    };
    let table = csv.read(&folder.join(file)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!([table.rows(), table.names().len()], wanted.shape, "{file}");

    let target = format!("x{}", wanted.target);
    let column = table.labels(&target).unwrap();
    let labels = Labels::fit(&target, &column).unwrap();
    let (names, counts): (Vec<&str>, Vec<usize>) = wanted.classes.iter().copied().unzip();
    assert_eq!(labels.names(), names, "{file}");
    let classes = labels.encode(&column).unwrap();
    assert_eq!(class_counts(&classes, names.len()).unwrap(), counts, "{file}");

    // the pipeline learns from the training part alone
    let split = Split { stratified: true, seed: 1, ..Split::default() };
    let parts = split.indices_by_class(&classes).unwrap();
    let inputs = table.without(&[&target]).unwrap();
    let train = inputs.subset(&parts.train).unwrap();
    let pipeline = tolerant().fit(&train).unwrap_or_else(|error| panic!("{file}: {error}"));
    let targets = labels.targets::<f32>(&column.subset(&parts.train).unwrap()).unwrap();
    let data = pipeline.data_set(&train, targets).unwrap();
    let samples = data.samples().unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(samples.len(), parts.train.len(), "{file}");
    check_outputs(file, &train, &data);
    let test = pipeline.transform::<f32>(&inputs.subset(&parts.test).unwrap()).unwrap();
    assert!(test.iter().all(|v| v.is_finite()), "{file}");
}

/// The default pipeline, but a category that only the test part holds is no error.
fn tolerant() -> Pipeline {
    use slalom_preprocess::{Encoder, OneHot, Steps, Unknown};
    let mut pipeline = Pipeline::default();
    for group in &mut pipeline.groups {
        if let Steps::Text { encoder, .. } = &mut group.steps {
            *encoder = Encoder::OneHot(OneHot { unknown: Unknown::Zeros, ..OneHot::default() });
        }
    }
    pipeline
}

/// One output for each number and each category; numbers with mean 0 and deviation 1 or constant.
fn check_outputs(file: &str, train: &Table, data: &slalom_preprocess::DataSet<f32>) {
    let kind = |kind| train.columns().filter(move |(_, column)| column.kind() == kind);
    let numbers = kind(Kind::Numbers).count();
    let categories: usize = kind(Kind::Text)
        .map(|(name, column)| {
            let text = train.text(name).unwrap();
            let used = text.counts().iter().filter(|&&count| count > 0).count();
            used + usize::from(column.missing() > 0)
        })
        .sum();
    assert_eq!(data.features().len(), numbers + categories, "{file}");
    let n = data.len() as f64;
    for (i, row) in data.inputs().row_iter().enumerate().take(numbers) {
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 1e-4, "{file}, feature {i}: mean {mean}");
        let constant = variance.abs() < 1e-9;
        assert!(constant || (variance - 1.0).abs() < 1e-3, "{file}, feature {i}: {variance}");
    }
    for sample in data.inputs().column_iter() {
        let ones = sample.as_slice()[numbers..].iter().filter(|&&v| v == 1.0).count();
        assert_eq!(ones, kind(Kind::Text).count(), "{file}");
    }
}

#[test]
fn gaps_of_adult_and_of_the_wisconsin_set_are_counted() {
    let Some(folder) = data() else { return };
    let csv = Csv { header: false, missing: vec!["?".into()], ..Csv::default() };
    let table = csv.read(&folder.join("uci/breast-cancer-wisconsin.data")).unwrap();
    let gaps: usize = table.columns().map(|(_, column)| column.missing()).sum();
    assert_eq!(gaps, 16);
    let undeclared = Csv { header: false, ..Csv::default() };
    let error = undeclared.read(&folder.join("uci/adult.data.gz")).unwrap_err().to_string();
    assert!(error.contains("line 15, column 'x13': \"?\" looks missing"), "{error}");
    let error = csv.read(&folder.join("uci/adult.test.gz")).unwrap_err().to_string();
    assert!(error.contains("set skip_lines"), "{error}");
}

#[test]
fn housing_and_abalone_are_regressions() {
    let Some(folder) = data() else { return };
    let csv = Csv { missing: vec![String::new()], ..Csv::default() };
    let table = csv.read(&folder.join("california-housing/housing.csv.gz")).unwrap();
    assert_eq!((table.rows(), table.names().len()), (20_640, 10));
    assert_eq!(table.column("total_bedrooms").unwrap().missing(), 207);
    assert_eq!(table.column("ocean_proximity").unwrap().kind(), Kind::Text);
    let inputs = table.without(&["median_house_value"]).unwrap();
    let fitted = Pipeline::default().fit(&inputs).unwrap();
    let targets = table.values::<f32>(&["median_house_value"]).unwrap();
    let data = fitted.data_set(&inputs, targets).unwrap();
    assert_eq!(data.samples().unwrap().len(), 20_640);
    check_outputs("housing.csv.gz", &inputs, &data);

    let plain = Csv { header: false, ..Csv::default() };
    let table = plain.read(&folder.join("california-housing/cal_housing.data.gz")).unwrap();
    assert_eq!((table.rows(), table.names().len()), (20_640, 9));
    let table = plain.read(&folder.join("uci/abalone.data")).unwrap();
    assert_eq!((table.rows(), table.names().len()), (4_177, 9));
    assert_eq!(table.text("x0").unwrap().values(), ["M", "F", "I"]);
    Pipeline::default().fit(&table.without(&["x8"]).unwrap()).unwrap();
}

#[test]
fn proben1_comes_in_its_fixed_parts() {
    let Some(folder) = data() else { return };
    // inputs, outputs, parts, whether the outputs are classes
    let sets: [(&str, [usize; 5], bool); 15] = [
        ("building", [14, 3, 2104, 1052, 1052], false),
        ("cancer", [9, 2, 350, 175, 174], true),
        ("card", [51, 2, 345, 173, 172], true),
        ("diabetes", [8, 2, 384, 192, 192], true),
        ("flare", [24, 3, 533, 267, 266], false),
        ("gene", [120, 3, 1588, 794, 793], true),
        ("glass", [9, 6, 107, 54, 53], true),
        ("heart", [35, 2, 460, 230, 230], true),
        ("hearta", [35, 1, 460, 230, 230], false),
        ("heartac", [35, 1, 152, 76, 75], false),
        ("heartc", [35, 2, 152, 76, 75], true),
        ("horse", [58, 3, 182, 91, 91], true),
        ("mushroom", [125, 2, 4062, 2031, 2031], true),
        ("soybean", [82, 19, 342, 171, 170], true),
        ("thyroid", [21, 3, 3600, 1800, 1800], true),
    ];
    for (name, [inputs, outputs, train, valid, test], classes) in sets {
        for variant in 1..=3 {
            let file = folder.join(format!("proben1/{name}{variant}.dt.gz"));
            let parts = read_proben1::<f64>(&file, &Limits::default()).unwrap();
            let found = [&parts.train, &parts.valid, &parts.test].map(|part| {
                assert_eq!(part.features().len(), inputs, "{name}{variant}");
                assert_eq!(part.targets().names().len(), outputs, "{name}{variant}");
                let is_class = matches!(part.targets(), OwnedTargets::Classes { .. });
                assert_eq!(is_class, classes, "{name}{variant}");
                part.samples().unwrap().len()
            });
            assert_eq!(found, [train, valid, test], "{name}{variant}");
        }
    }
}

#[test]
fn images_have_their_label_counts() {
    let Some(folder) = data() else { return };
    let counts = [
        ("mnist/t10k", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
        ("fashion-mnist/t10k", [1000; 10]),
        ("mnist/train", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("fashion-mnist/train", [6000; 10]),
    ];
    for (name, wanted) in counts {
        let images = folder.join(format!("{name}-images-idx3-ubyte.gz"));
        let labels = folder.join(format!("{name}-labels-idx1-ubyte.gz"));
        let data = idx_data_set::<f32>(&images, &labels, 10, &Limits::default()).unwrap();
        let OwnedTargets::Classes { indices, .. } = data.targets() else { panic!("no classes") };
        assert_eq!(class_counts(indices, 10).unwrap(), wanted, "{name}");
        assert_eq!(data.inputs().shape(), (784, wanted.iter().sum()), "{name}");
        assert!(data.inputs().iter().all(|&v| (0.0..=255.0).contains(&v) && v.fract() == 0.0));
    }
}
