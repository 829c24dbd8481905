//! Runs as files: stopped here, resumed there, to the bit.

use slalom_layers::NetworkSpec;
use slalom_optim::{Average, Optimizer, State};
use slalom_tensor::{Scalar, Threads};

use crate::blocks::blocks;
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
        file.put("fingerprint", &self.fingerprint())?;
        Ok(file)
    }

    /// The run that a checkpoint was made of, at the batch at which it was made. With the same
    /// samples it goes on to the same bits, also on another number of threads.
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
        if run.fingerprint() != file.get("fingerprint")? {
            let reason = "it is not that of the file's contents";
            return Err(CheckpointError::invalid("fingerprint", reason).into());
        }
        Ok(run)
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
