//! Inputs in a file that may be larger than memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use slalom_tensor::{SampleError, Scalar, Targets};

use crate::checkpoint::to_little_endian;
use crate::weights::npy;
use crate::{Source, TrainError};

/// A source whose inputs are read from a NumPy file (`.npy`, *samples × features* in C order, of
/// the run's own scalar type) as they are needed; targets and weights are in memory.
///
/// Only one batch of inputs is in memory at a time. The file is read, not mapped: pages that were
/// looked at do not stay with the process, and a file that shrinks is an error, not a crash.
/// Samples that follow each other in a batch are read at once.
///
/// ```no_run
/// # use slalom_layers::{Dense, Network};
/// # use slalom_tensor::{Targets, Threads};
/// # use slalom_train::{Config, FileSource, Run};
/// # let classes = vec![0; 1000];
/// # let mut run = Run::new(Network::<f32>::new(64, [Dense::linear(2).into()])?, Config::default(), Threads::one())?;
/// let train = FileSource::<f32>::open("inputs.npy", Targets::Classes(&classes))?;
/// run.epoch(&train, None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileSource<'a, F: Scalar> {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the numbers begin.
    start: u64,
    features: usize,
    targets: Targets<'a, F>,
    weights: Option<&'a [F]>,
}

impl<'a, F: Scalar> FileSource<'a, F> {
    /// The samples of a file, with their targets. Their inputs are looked at when they are read.
    ///
    /// # Errors
    /// A file that cannot be read, is no such array, or is of another length than its header says;
    /// targets of another count.
    pub fn open(path: impl AsRef<Path>, targets: Targets<'a, F>) -> Result<Self, TrainError> {
        let path = path.as_ref().to_owned();
        let fail = |source| TrainError::Read { path: path.clone(), sample: None, source };
        let mut file = File::open(&path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        let mut beginning = Vec::new();
        (&mut file).take(npy::BEGINNING as u64).read_to_end(&mut beginning).map_err(fail)?;
        let (samples, features, start) = layout::<F>(&beginning, length)
            .map_err(|reason| TrainError::Array { path: path.clone(), reason })?;
        if targets.len() != samples {
            let targets = targets.len();
            return Err(SampleError::TargetCount { inputs: samples, targets }.into());
        }
        Ok(Self { path, file: Mutex::new(file), start, features, targets, weights: None })
    }

    /// The same samples, each counting as much as its weight says.
    ///
    /// # Errors
    /// Weights of another count, negative or not finite.
    pub fn weighted(self, weights: &'a [F]) -> Result<Self, TrainError> {
        let (inputs, found) = (self.targets.len(), weights.len());
        if inputs != found {
            return Err(SampleError::WeightCount { inputs, weights: found }.into());
        }
        match weights.iter().position(|w| !w.is_finite() || *w < F::zero()) {
            Some(sample) => {
                Err(SampleError::Weight { sample, value: weights[sample].wide() }.into())
            }
            None => Ok(Self { weights: Some(weights), ..self }),
        }
    }
}

impl<F: Scalar> Source<F> for FileSource<'_, F> {
    fn features(&self) -> usize {
        self.features
    }

    fn targets(&self) -> Targets<'_, F> {
        self.targets
    }

    fn weights(&self) -> Option<&[F]> {
        self.weights
    }

    fn gather(&self, chosen: &[usize], inputs: &mut [F]) -> Result<(), TrainError> {
        // whoever panicked with it moved at most its position
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = inputs;
        for run in chosen.chunk_by(|a, b| a + 1 == *b) {
            let (part, after) = rest.split_at_mut(run.len() * self.features);
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(part);
            let place = self.start + (run[0] * self.features * size_of::<F>()) as u64;
            file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(bytes)).map_err(
                |source| TrainError::Read { path: self.path.clone(), sample: Some(run[0]), source },
            )?;
            to_little_endian::<F>(bytes);
            if let Some(i) = part.iter().position(|v| !v.is_finite()) {
                let (sample, feature) = (run[0] + i / self.features, i % self.features);
                return Err(SampleError::Input { sample, feature, value: part[i].wide() }.into());
            }
            rest = after;
        }
        Ok(())
    }
}

/// Samples, features and where the numbers begin.
fn layout<F: Scalar>(beginning: &[u8], length: u64) -> Result<(usize, usize, u64), String> {
    let header = npy::header(beginning)?;
    let wanted = format!("<f{}", size_of::<F>());
    if header.descr != wanted {
        return Err(format!("its numbers are {:?}, {wanted:?} are wanted", header.descr));
    }
    let &[samples, features] = header.shape.as_slice() else {
        return Err(format!("its shape is {:?}: two dimensions are wanted", header.shape));
    };
    if header.columns_first {
        return Err("it is in Fortran order: save it with numpy.ascontiguousarray".into());
    }
    if samples == 0 || features == 0 {
        return Err(format!("its shape is {:?}: it is empty", header.shape));
    }
    let start = header.start as u64;
    let bytes = (samples as u64)
        .checked_mul(features as u64)
        .and_then(|n| n.checked_mul(size_of::<F>() as u64)?.checked_add(start));
    match bytes {
        Some(bytes) if bytes == length => Ok((samples, features, start)),
        _ => Err(format!("it declares {:?} numbers, the file has {length} bytes", header.shape)),
    }
}
