//! The model: all that a prediction needs, in one file.

use std::path::Path;

use slalom_layers::{LayerError, Network, NetworkSpec};
use slalom_preprocess::{
    FittedPipeline, FittedScaler, Labels, PreprocessError, Table, Text, Transform,
};
use slalom_tensor::{Matrix, Scalar, Threads, View};
use slalom_train::checkpoint::{Checkpoint, CheckpointError, Kind};
use slalom_train::{Run, TrainError};

/// A network with its parameters and, where there are any, the fitted pipeline in front of it, the
/// scaling of its targets and the names of its classes: what a file holds that is enough to predict.
///
/// ```
/// use slalom::Model;
/// use slalom::preprocess::{Csv, Labels, Pipeline};
/// use slalom::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let csv = "age,city,bought\n30,Bern,no\n50,Basel,yes\n45,Basel,yes\n25,Bern,no\n";
/// let table = Csv::default().from_reader(csv.as_bytes(), "shop")?;
/// let bought = table.labels("bought")?;
/// let (labels, table) = (Labels::fit("bought", &bought)?, table.without(&["bought"])?);
/// let pipeline = Pipeline::default().fit(&table)?;
/// let x = pipeline.transform::<f32>(&table)?;
/// let classes = labels.encode(&bought)?;
///
/// let network = Network::<f32>::new(x.nrows(), [Dense::linear(2).into()])?;
/// let mut run = Run::new(network, Config { rate: 0.1.into(), ..Config::default() }, Threads::one())?;
/// let train = Samples::new(x.as_view(), Targets::Classes(&classes))?;
/// run.fit(train, None, &Fit { epochs: 50, ..Fit::default() }, &mut [])?;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("shop.slalom");
/// Model { pipeline: Some(pipeline), labels: Some(labels), ..Model::of(&run)? }.save(&path)?;
///
/// let model = Model::<f32>::load(&path)?; // the file alone
/// let new = Csv::default().from_reader("city,age\nBasel,48\n".as_bytes(), "new")?;
/// assert_eq!(model.label_table(&new)?.get(0), Some("yes"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Model<F: Scalar> {
    /// The network.
    pub network: Network<F>,
    /// Its parameters.
    pub params: Vec<F>,
    /// What turns a table into the network's inputs.
    pub pipeline: Option<FittedPipeline>,
    /// How targets were scaled before training: predictions are turned back.
    pub targets: Option<FittedScaler>,
    /// The names of the classes.
    pub labels: Option<Labels>,
    /// The threads that share the work.
    pub threads: Threads,
}

/// Why a model cannot be made, stored or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The network, or inputs that do not fit it.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The run that it is of.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The pipeline, or a table that does not fit it.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Something that the model was made without.
    #[error("the model has no {0}")]
    Without(&'static str),
    /// Parts of other sizes than the network.
    #[error("the {part} has {found} {what}, the network {wanted}")]
    Size {
        /// Which part.
        part: &'static str,
        /// What is counted.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many the network has.
        wanted: usize,
    },
}

impl<F: Scalar> Model<F> {
    /// The model that a run has trained, as its parameters are now; without pipeline and names.
    ///
    /// # Errors
    /// A network that a file cannot describe.
    pub fn of(run: &Run<F>) -> Result<Self, ModelError> {
        let spec = run.network().spec().ok_or(TrainError::NoSpecs)?;
        Ok(Self::new(spec.build()?, run.params().to_vec()))
    }

    /// A network and its parameters, on the calling thread.
    pub fn new(network: Network<F>, params: Vec<F>) -> Self {
        let threads = Threads::one();
        Self { network, params, pipeline: None, targets: None, labels: None, threads }
    }

    /// The network's outputs, *outputs × samples*; values in the unit of the targets.
    ///
    /// # Errors
    /// Inputs of another width than the network's.
    pub fn predict(&self, x: View<'_, F>) -> Result<Matrix<F>, ModelError> {
        let mut outputs = self.network.predict(&self.params, x, &self.threads)?;
        if let Some(targets) = &self.targets {
            targets.inverse(outputs.as_view_mut())?;
        }
        Ok(outputs)
    }

    /// The class of each sample.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn classes(&self, x: View<'_, F>) -> Result<Vec<u32>, ModelError> {
        Ok(self.network.classes(&self.params, x, &self.threads)?)
    }

    /// The probability of each class for each sample, *classes × samples*.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn probabilities(&self, x: View<'_, F>) -> Result<Matrix<F>, ModelError> {
        Ok(self.network.probabilities(&self.params, x, &self.threads)?)
    }

    /// A table's rows as the network's inputs.
    ///
    /// # Errors
    /// A model without a pipeline, or a table that does not fit it.
    pub fn inputs(&self, table: &Table) -> Result<Matrix<F>, ModelError> {
        let pipeline = self.pipeline.as_ref().ok_or(ModelError::Without("pipeline"))?;
        Ok(pipeline.transform_with(table, &self.threads)?)
    }

    /// [`predict`](Self::predict) for a table's rows.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs).
    pub fn predict_table(&self, table: &Table) -> Result<Matrix<F>, ModelError> {
        self.predict(self.inputs(table)?.as_view())
    }

    /// The class names of a table's rows.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), or a model without names.
    pub fn label_table(&self, table: &Table) -> Result<Text, ModelError> {
        let labels = self.labels.as_ref().ok_or(ModelError::Without("class names"))?;
        Ok(labels.decode(&self.classes(self.inputs(table)?.as_view())?)?)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// A network that a file cannot describe, parts that do not belong together, and what the disk
    /// says; the old file is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        Ok(self.checkpoint()?.save(path)?)
    }

    /// The model in a file; also the one in a run's checkpoint.
    ///
    /// # Errors
    /// A file that cannot be read or whose parts do not belong together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::from_checkpoint(&Checkpoint::load(path)?)
    }

    /// The model as the sections of a file.
    ///
    /// # Errors
    /// A network that a file cannot describe, or parts that do not belong together.
    pub fn checkpoint(&self) -> Result<Checkpoint, ModelError> {
        self.check()?;
        let mut file = Checkpoint::new::<F>(Kind::Model);
        file.put_json("network", &self.network.spec().ok_or(TrainError::NoSpecs)?)?;
        file.put_slab("params", &self.params);
        file.put("pipeline", &self.pipeline)?;
        file.put("targets", &self.targets)?;
        file.put("labels", &self.labels)?;
        Ok(file)
    }

    /// The model in the sections of a file.
    ///
    /// # Errors
    /// A section that is missing or damaged, or parts that do not belong together.
    pub fn from_checkpoint(file: &Checkpoint) -> Result<Self, ModelError> {
        let network = file.get_json::<NetworkSpec>("network")?.build()?;
        let mut model = Self::new(network, file.slab("params")?);
        if file.kind() == Kind::Model {
            model.pipeline = file.get("pipeline")?;
            model.targets = file.get("targets")?;
            model.labels = file.get("labels")?;
        }
        model.check()?;
        Ok(model)
    }

    /// Whether the parts belong together.
    fn check(&self) -> Result<(), ModelError> {
        self.network.check(&self.params, self.network.inputs())?;
        let size = |part, what, found, wanted| match found == wanted {
            true => Ok(()),
            false => Err(ModelError::Size { part, what, found, wanted }),
        };
        if let Some(pipeline) = &self.pipeline {
            let found = pipeline.feature_names_out().len();
            size("pipeline", "outputs", found, self.network.inputs())?;
        }
        if let Some(targets) = &self.targets {
            size("scaling of the targets", "values", targets.features(), self.network.outputs())?;
        }
        if let Some(labels) = &self.labels {
            // a single output tells two classes apart
            let wanted = self.network.outputs().max(2);
            size("list of class names", "classes", labels.names().len(), wanted)?;
        }
        Ok(())
    }
}
