//! The data sets that experiments read, from the folder that `SLALOM_DATA` names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use slalom::preprocess::{Limits, OwnedTargets, idx_data_set};
use slalom::tensor::Matrix;

use super::net::Classes;

/// The folder of the data sets: `$SLALOM_DATA`, or where `data fetch` puts them.
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("SLALOM_DATA") {
        Some(folder) => folder.into(),
        None => crate::root().join("target/data"),
    }
}

/// A file of the folder, or an error that says what to do.
pub(crate) fn file(path: &str) -> Result<PathBuf> {
    let folder = folder();
    let file = folder.join(path);
    if file.is_file() {
        return Ok(file);
    }
    Err(missing_error(path, path.split('/').next().unwrap_or(path)))
}

fn missing_error(what: &str, set: &str) -> anyhow::Error {
    let folder = folder();
    let how = match std::env::var_os("SLALOM_DATA") {
        Some(_) => "which SLALOM_DATA names",
        None => "SLALOM_DATA is not set",
    };
    let fetch = match crate::data::can_fetch(set) {
        true => format!(", or run `cargo xtask data fetch {set}`"),
        false => String::new(),
    };
    anyhow!(
        "no {what} in {} ({how}): set SLALOM_DATA to the folder that holds {set}/{fetch}",
        folder.display()
    )
}

/// The 1,797 digits that ship inside a dependency, pixels from 0 to 1: no file is needed.
pub(crate) fn digits() -> Classes<f32> {
    let set = smartcore::dataset::digits::load_dataset();
    let pixels = set.data.into_iter().map(|pixel| pixel / 16.0).collect();
    let x = Matrix::from_vec(set.num_features, set.num_samples, pixels);
    Classes { x, classes: set.target.iter().map(|&class| class as u32).collect() }
}

/// Training and test images of a data set in MNIST's form, pixels from 0 to 1.
pub(crate) fn image_classes(name: &str) -> Result<[Classes<f32>; 2]> {
    let files = images(name)?;
    let load = |files: &[PathBuf; 2]| -> Result<Classes<f32>> {
        let data = idx_data_set::<f32>(&files[0], &files[1], 10, &Limits::default())?;
        let (mut x, targets, _) = data.into_parts();
        x.iter_mut().for_each(|pixel| *pixel /= 255.0);
        let OwnedTargets::Classes { indices, .. } = targets else { unreachable!("labels") };
        Ok(Classes { x, classes: indices })
    };
    Ok([load(&files.train)?, load(&files.test)?])
}

/// The files of a data set in MNIST's form: images and labels.
pub(crate) struct Images {
    pub(crate) train: [PathBuf; 2],
    pub(crate) test: [PathBuf; 2],
}

/// MNIST's four files, plain or gzip, or an error that says which are missing and where.
pub(crate) fn images(name: &str) -> Result<Images> {
    let find = |part: &str, kind: &str| -> Result<PathBuf, String> {
        let plain = folder().join(name).join(format!("{part}-{kind}-ubyte"));
        let packed = plain.with_extension("gz");
        let found = [plain, packed].into_iter().find(|path| path.is_file());
        found.ok_or(format!("{name}/{part}-{kind}-ubyte[.gz]"))
    };
    let files = [
        find("train", "images-idx3"),
        find("train", "labels-idx1"),
        find("t10k", "images-idx3"),
        find("t10k", "labels-idx1"),
    ];
    let missing: Vec<_> = files.iter().filter_map(|file| file.as_ref().err().cloned()).collect();
    match files {
        [Ok(a), Ok(b), Ok(c), Ok(d)] => Ok(Images { train: [a, b], test: [c, d] }),
        _ => Err(missing_error(&missing.join(", "), name)),
    }
}

/// A table of numbers whose last column is a class.
pub(crate) struct Table {
    /// *features × samples*
    pub(crate) x: Matrix<f64>,
    pub(crate) classes: Vec<u32>,
    /// The classes' names, in order: as numbers if all are, as text if not.
    pub(crate) names: Vec<String>,
}

/// scikit-learn's copy of a data set.
pub(crate) fn sklearn(name: &str) -> Result<Table> {
    Table::read(&file(&format!("sklearn/{name}.csv"))?)
}

impl Table {
    /// Reads a CSV file: numbers, and the class in the last column. A first line whose numbers are
    /// not numbers is taken as names.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let at = path.display();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(path)
            .with_context(|| format!("cannot read {at}"))?;
        let (mut numbers, mut labels, mut features) = (Vec::new(), Vec::<String>::new(), None);
        for (line, record) in reader.records().enumerate() {
            let record = record.with_context(|| format!("{at}"))?;
            let fields: Vec<&str> = record.iter().map(str::trim).collect();
            let Some((class, inputs)) =
                fields.split_last().filter(|(_, inputs)| !inputs.is_empty())
            else {
                bail!("{at}: line {} has one column: at least a number and a class", line + 1)
            };
            let parsed: Vec<Option<f64>> = inputs.iter().map(|field| field.parse().ok()).collect();
            if line == 0 && parsed.iter().all(Option::is_none) {
                continue;
            }
            for (column, value) in parsed.iter().enumerate() {
                match value {
                    Some(value) if value.is_finite() => numbers.push(*value),
                    _ => bail!(
                        "{at}: line {}, column {}: {:?} is not a finite number",
                        line + 1,
                        column + 1,
                        inputs[column]
                    ),
                }
            }
            features = Some(inputs.len());
            labels.push(class.to_string());
        }
        let Some(features) = features else { bail!("{at} has no rows") };
        let names = distinct(&labels);
        if names.len() < 2 {
            bail!("{at} has one class only: {:?}", names[0]);
        }
        let place = |label: &String| names.iter().position(|name| name == label);
        let classes = labels.iter().filter_map(place).map(|class| class as u32).collect();
        Ok(Self { x: Matrix::from_vec(features, labels.len(), numbers), classes, names })
    }

    /// The inputs, each feature from 0 to 1 as scikit-learn's `MinMaxScaler` makes it.
    pub(crate) fn min_max(&self) -> Matrix<f64> {
        let mut x = self.x.clone();
        for mut row in x.row_iter_mut() {
            let (low, high) = (row.min(), row.max());
            let scale = if high > low { 1.0 / (high - low) } else { 1.0 };
            let shift = -low * scale;
            row.iter_mut().for_each(|v| *v = *v * scale + shift);
        }
        x
    }
}

/// The labels that occur, sorted as numbers if all are, as text if not.
fn distinct(labels: &[String]) -> Vec<String> {
    let mut names = labels.to_vec();
    names.sort();
    names.dedup();
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    if numbers.is_some() {
        let number = |name: &String| name.parse::<f64>().unwrap_or(f64::NAN);
        names.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Table::read(file.path())
    }

    #[test]
    fn tables_are_read_with_and_without_names() {
        let with = table("a,b,class\n1,2,10\n3,4,9\n5,2,10\n").unwrap();
        assert_eq!((with.x.shape(), &with.names[..]), ((2, 3), &["9".into(), "10".into()][..]));
        assert_eq!(with.classes, [1, 0, 1]);
        assert_eq!(with.min_max().as_slice(), [0.0, 0.0, 0.5, 1.0, 1.0, 0.0]);
        let without = table("1, x\n2, y\n").unwrap();
        assert_eq!((without.x.ncols(), &without.names[..]), (2, &["x".into(), "y".into()][..]));
    }

    #[test]
    fn bad_tables_are_named() {
        let error = |text: &str| format!("{:#}", table(text).err().unwrap());
        assert!(error("").ends_with("has no rows"));
        assert!(
            error("1,2,a\n1,?,b\n").ends_with("line 2, column 2: \"?\" is not a finite number")
        );
        assert!(error("1,NaN,a\n").ends_with("line 1, column 2: \"NaN\" is not a finite number"));
        assert!(error("1,a\n2,a\n").ends_with("has one class only: \"a\""));
        assert!(error("a\nb\n").contains("line 1 has one column"));
        assert!(error("1,2,a\n1,b\n").contains("2 fields"));
    }
}
