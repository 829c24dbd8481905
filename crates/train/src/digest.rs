//! Which samples a run is trained on: short hashes, so that a resumed run refuses others.

use serde::{Deserialize, Serialize};
use slalom_tensor::{Scalar, Targets, Threads, View};

use crate::{Fingerprint, Run, Source, TrainError};

/// What is remembered of a training set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Digest {
    samples: u64,
    features: u64,
    targets: Fingerprint,
    /// None where they are not in memory.
    inputs: Option<Fingerprint>,
}

/// Numbers that one task hashes. A part of the digest: another length gives another one.
const PIECE: usize = 1 << 18;

impl Digest {
    /// One reading of all that is in memory, shared between the threads.
    pub(crate) fn of<F: Scalar>(source: &impl Source<F>, threads: &Threads) -> Self {
        let targets = source.targets();
        let inputs = source.range(0, targets.len()).map(|(inputs, _)| hash(inputs, threads));
        let weights = source.weights().unwrap_or(&[]);
        let answers = match targets {
            Targets::Classes(classes) => {
                Fingerprint::of_parts([("classes", bytemuck::cast_slice(classes))])
            }
            Targets::Values(values) => hash(values, threads),
        };
        let parts = [("", &answers.as_bytes()[..]), ("weights", bytemuck::cast_slice(weights))];
        Self {
            samples: targets.len() as u64,
            features: source.features() as u64,
            targets: Fingerprint::of_parts(parts),
            inputs,
        }
    }

    /// What differs, a line each.
    fn differences(&self, there: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |what: &str, here: String, there: String| {
            if here != there {
                lines.push(format!("{what}: {here} here, {there} there"));
            }
        };
        compare("samples", self.samples.to_string(), there.samples.to_string());
        compare("features", self.features.to_string(), there.features.to_string());
        compare("hash of targets and weights", short(&self.targets), short(&there.targets));
        if let (Some(here), Some(there)) = (&self.inputs, &there.inputs) {
            compare("hash of inputs", short(here), short(there));
        }
        lines
    }
}

fn short(hash: &Fingerprint) -> String {
    hash.to_string()[..12].into()
}

/// The hash of a matrix, of hashes of groups of columns that its shape alone decides.
fn hash<F: Scalar>(matrix: View<'_, F>, threads: &Threads) -> Fingerprint {
    let columns = PIECE.div_ceil(matrix.nrows().max(1));
    let mut hashes = vec![[0; 32]; matrix.ncols().div_ceil(columns)];
    threads.pieces(&mut hashes, 1, &|piece, hash| {
        let first = piece * columns;
        let columns = matrix.columns(first, columns.min(matrix.ncols() - first));
        // in one place: BLAKE3 is several times as fast on a long input as on many short ones
        let numbers: Vec<F> = columns.iter().copied().collect();
        hash[0] = *blake3::hash(bytemuck::cast_slice(&numbers)).as_bytes();
    });
    Fingerprint::of_parts([("", bytemuck::cast_slice(&hashes))])
}

impl<F: Scalar> Run<F> {
    /// Takes the next samples for the run's own, whatever it was trained on before.
    ///
    /// A resumed run refuses other training samples than those it began with
    /// ([`TrainError::Data`]): say this if they are to be others, such as new ones or those of the
    /// next epoch where each has its own.
    pub fn accept_data(&mut self) {
        self.data = None;
    }

    /// Looks at the training samples, once a process: they are remembered, or must be those that
    /// are.
    pub(crate) fn recognise(&mut self, train: &impl Source<F>) -> Result<(), TrainError> {
        let found = Digest::of(train, &self.threads);
        if let Some(known) = self.data {
            let differences = found.differences(&known);
            if !differences.is_empty() {
                return Err(TrainError::Data { differences });
            }
        }
        (self.data, self.recognised) = (Some(found), true);
        Ok(())
    }
}
