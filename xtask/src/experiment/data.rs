//! The data sets that experiments train on.

use std::path::PathBuf;

use anyhow::Result;
use slalom::preprocess::{Limits, OwnedTargets, idx_data_set};
use slalom::tensor::Matrix;

use super::net::Classes;
use super::table::Table;
use crate::data::{file, folder, missing};

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
    let absent: Vec<_> = files.iter().filter_map(|file| file.as_ref().err().cloned()).collect();
    match files {
        [Ok(a), Ok(b), Ok(c), Ok(d)] => Ok(Images { train: [a, b], test: [c, d] }),
        _ => Err(missing(&absent.join(", "), name)),
    }
}

/// scikit-learn's copy of a data set.
pub(crate) fn sklearn(name: &str) -> Result<Table> {
    Table::read(&file(&format!("sklearn/{name}.csv"))?)
}
