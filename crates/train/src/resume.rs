//! Runs as files: stopped here, resumed there, to the bit.

use slalom_layers::{Network, NetworkSpec};
use slalom_optim::{Average, Optimizer, State};
use slalom_tensor::{Scalar, Threads};

use crate::blocks::{Weights, blocks};
use crate::checkpoint::{Checkpoint, CheckpointError, Kind, body};
use crate::run::{Best, Progress};
use crate::{Config, Fingerprint, Run, TrainError};

impl<F: Scalar> Run<F> {
    /// Everything that the run needs to go on elsewhere, to the bit.
    ///
    /// # Errors
    /// A network of boxed layers, which a file cannot describe.
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let spec = self.network.spec().ok_or(TrainError::NoSpecs)?;
        let mut file = Checkpoint::new::<F>(Kind::Run);
        file.put_json("network", &spec)?;
        file.put_json("config", &self.config)?;
        file.put("progress", &self.progress)?;
        file.put("history", &self.history)?;
        file.put_slab("params", &self.params);
        file.put("optimizer", self.optimizer.state())?;
        if let Some(average) = &self.average {
            file.put("average", average)?;
        }
        if let Some(best) = &self.best {
            file.put("best", &(best.epoch, best.loss))?;
            file.put_slab("best.params", &best.params);
        }
        if let Some(data) = &self.data {
            file.put("data", data)?;
        }
        file.put("fingerprint", &self.fingerprint())?;
        Ok(file)
    }

    /// The run that a checkpoint was made of, at the batch at which it was made. With the same
    /// samples it goes on to the same bits, also on another number of threads; with others it does
    /// not go on, unless [`accept_data`](Run::accept_data) says so.
    ///
    /// # Errors
    /// A file of another kind or scalar type, or one whose parts do not belong together.
    pub fn resume(file: &Checkpoint, threads: Threads) -> Result<Self, TrainError> {
        file.expect(Kind::Run)?;
        let network = file.get_json::<NetworkSpec>("network")?.build()?;
        let config: Config = file.get_json("config")?;
        let state: State<F> = file.get("optimizer")?;
        let numbers = state.slots.iter().flatten();
        if let Some((index, value)) = numbers.enumerate().find(|(_, v)| !v.is_finite()) {
            let (name, value) = ("optimizer".into(), value.wide());
            return Err(CheckpointError::NotFinite { name, index, value }.into());
        }
        let optimizer =
            Optimizer::resume(config.rule.clone(), blocks(&network, &config), config.clip, state)?;
        let params: Vec<F> = file.slab("params")?;
        let mut run = Self::with_params(network, params, config, threads)?;
        (run.progress, run.history) = (file.get("progress")?, file.get("history")?);
        run.losses = run.history.losses();
        run.optimizer = optimizer;
        if run.average.is_some() {
            let average: Average<F> = file.get("average")?;
            average.write(&mut run.params.clone())?; // refuses another length
            run.average = Some(average);
        }
        if file.contains("best") {
            let (epoch, loss) = file.get("best")?;
            let params = file.slab("best.params")?;
            run.network.check(&params, run.network.inputs())?;
            run.best = Some(Best { epoch, loss, params });
        }
        if file.contains("data") {
            run.data = Some(file.get("data")?);
        }
        if run.fingerprint() != file.get("fingerprint")? {
            let reason = "it is not that of the file's contents";
            return Err(CheckpointError::invalid("fingerprint", reason).into());
        }
        Ok(run)
    }

    /// [`resume`](Run::resume), where the run must be of this network and configuration: for
    /// programs that build both and go on from a file if there is one.
    ///
    /// ```
    /// # use slalom_layers::{Dense, Network};
    /// # use slalom_tensor::Threads;
    /// # use slalom_train::{Config, Run};
    /// let network = || Network::<f64>::new(1, [Dense::linear(2).into()]);
    /// let file = Run::new(network()?, Config::default(), Threads::one())?.checkpoint()?;
    /// let slower = Config { rate: 1e-4.into(), ..Config::default() };
    /// let error = Run::resume_as(&file, &network()?, &slower, Threads::one()).unwrap_err();
    /// assert!(error.to_string().starts_with("the saved run is another: rate: "));
    /// let mut run = Run::<f64>::resume(&file, Threads::one())?; // as it is
    /// run.reconfigure(slower)?; // on purpose
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`resume`](Run::resume); [`TrainError::Resume`] names what differs.
    pub fn resume_as(
        file: &Checkpoint,
        network: &Network<F>,
        config: &Config,
        threads: Threads,
    ) -> Result<Self, TrainError> {
        let run = Self::resume(file, threads)?;
        let mut differences = config.differences(&run.config);
        if network.spec() != run.network.spec() {
            let described = |network: &Network<F>| {
                let specs = network.specs().unwrap_or(&[]);
                format!("{} inputs and {specs:?}", network.inputs())
            };
            let (here, there) = (described(network), described(&run.network));
            differences.insert(0, format!("network: {here} here, {there} there"));
        }
        match differences.is_empty() {
            true => Ok(run),
            false => Err(TrainError::Resume { differences }),
        }
    }

    /// Goes on with another configuration, on purpose: a new learning rate, say. The run is then
    /// another one ([`verify`](Run::verify) cannot repeat it). Another average of the parameters
    /// begins anew.
    ///
    /// # Errors
    /// A field out of its range; [`TrainError::Fixed`]: another rule than the one whose memory the
    /// run has, or, within an epoch, what decides about its batches. The run is then as before.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), TrainError> {
        config.validate()?;
        let old = &self.config;
        if config.rule.name() != old.rule.name() {
            let reason = "the optimizer's memory is of another: begin a run with these parameters";
            return Err(TrainError::Fixed { field: "rule", reason });
        }
        let fixed = [
            ("seed", config.seed != old.seed),
            ("batch", config.batch != old.batch),
            ("shuffle", config.shuffle != old.shuffle),
            ("drop_last", config.drop_last != old.drop_last),
        ];
        if let Some((field, _)) = fixed.iter().find(|(_, other)| *other && self.batch() > 0) {
            return Err(TrainError::Fixed {
                field,
                reason: "the epoch is under way: end it first",
            });
        }
        let (blocks, state) = (blocks(&self.network, &config), self.optimizer.state().clone());
        let optimizer = Optimizer::resume(config.rule.clone(), blocks, config.clip, state)?;
        let weights = Weights::new(&self.network, &config)?;
        if config.averaging != old.averaging {
            let length = self.params.len();
            let average = config.averaging.map(|averaging| Average::new(averaging, length));
            self.average = average.transpose()?;
        }
        (self.optimizer, self.weights, self.config) = (optimizer, weights, config);
        Ok(())
    }

    /// A hash over network, configuration, parameters, optimizer, history and the place in the
    /// epoch: two runs share it if and only if they are the same, whatever the time they took.
    pub fn fingerprint(&self) -> Fingerprint {
        let encoded = |what, value: Result<Vec<u8>, _>| -> (&str, Vec<u8>) {
            (what, value.expect("plain data can be serialised"))
        };
        let progress = Progress { seconds: 0.0, ..self.progress };
        let parts = [
            encoded("network", body::encode("network", &self.network.spec())),
            encoded("config", body::encode("config", &self.config)),
            ("params", bytemuck::cast_slice(&self.params).to_vec()),
            encoded("optimizer", body::encode("optimizer", self.optimizer.state())),
            encoded("average", body::encode("average", &self.average)),
            encoded("progress", body::encode("progress", &progress)),
            ("history", self.history.fingerprint().as_bytes().to_vec()),
        ];
        Fingerprint::of_parts(parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
    }
}
