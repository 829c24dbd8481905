//! The trainings that are measured: sizes, batches and optimizers from tiny to wide, on random data.

use anyhow::Result;
use slalom::prelude::*;
use slalom::tensor::{Purpose, stream, uniform};

/// One training.
#[derive(Clone, Debug)]
pub(super) struct Workload<'a> {
    pub(super) name: &'static str,
    pub(super) samples: usize,
    /// Inputs, hidden layers, classes.
    pub(super) sizes: &'a [usize],
    pub(super) batch: usize,
    pub(super) rule: Rule,
    /// Rate of the dropout behind each hidden layer.
    pub(super) dropout: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    SgdMomentum,
    Adam,
}

#[rustfmt::skip]
pub(super) const WORKLOADS: [Workload<'_>; 6] = {
    use Rule::{Adam, SgdMomentum};
    [
        Workload { name: "iris 4-16-3 b16 adam", samples: 144, sizes: &[4, 16, 3], batch: 16, rule: Adam, dropout: 0.0 },
        Workload { name: "mnist 784-128-10 b1 sgdm", samples: 2000, sizes: &[784, 128, 10], batch: 1, rule: SgdMomentum, dropout: 0.0 },
        Workload { name: "mnist 784-128-10 b32 sgdm", samples: 20000, sizes: &[784, 128, 10], batch: 32, rule: SgdMomentum, dropout: 0.0 },
        Workload { name: "mnist 784-512-512-10 b128 adam drop", samples: 20000, sizes: &[784, 512, 512, 10], batch: 128, rule: Adam, dropout: 0.2 },
        Workload { name: "mnist 784-2048-2048-10 b1024 adam", samples: 8192, sizes: &[784, 2048, 2048, 10], batch: 1024, rule: Adam, dropout: 0.0 },
        Workload { name: "dropout 784-1024-1024-2048-10 b100", samples: 6000, sizes: &[784, 1024, 1024, 2048, 10], batch: 100, rule: SgdMomentum, dropout: 0.5 },
    ]
};

/// Random inputs in [0, 1) and classes.
pub(super) struct Data {
    inputs: Matrix<f32>,
    classes: Vec<u32>,
}

impl Data {
    pub(super) fn samples(&self) -> Result<Samples<'_, f32>> {
        Ok(Samples::new(self.inputs.as_view(), Targets::Classes(&self.classes))?)
    }
}

impl Workload<'_> {
    pub(super) fn data(&self) -> Data {
        let mut rng = stream(0, Purpose::Data, [0, 0]);
        let classes = self.sizes[self.sizes.len() - 1] as f64;
        let features = self.sizes[0];
        Data {
            inputs: Matrix::from_fn(features, self.samples, |_, _| uniform(&mut rng) as f32),
            classes: (0..self.samples).map(|_| (uniform(&mut rng) * classes) as u32).collect(),
        }
    }

    pub(super) fn network(&self) -> Result<Network<f32>> {
        let [inputs, hidden @ .., classes] = self.sizes else { unreachable!("at least two sizes") };
        let mut layers = Vec::new();
        for &units in hidden {
            let init = Init::HeNormal;
            layers.push(Dense { init, ..Dense::new(units, Activation::Relu) }.into());
            if self.dropout > 0.0 {
                layers.push(Dropout::new(self.dropout).into());
            }
        }
        layers.push(Dense::linear(*classes).into());
        Ok(Network::new(*inputs, layers)?)
    }

    /// The run that a user would make: the defaults but for optimizer and batch.
    pub(super) fn run(&self, threads: usize) -> Result<Run<f32>> {
        let batch = Batch::Size(self.batch);
        let config = match self.rule {
            Rule::Adam => Config { batch, ..Config::default() },
            Rule::SgdMomentum => {
                let rule = Sgd { momentum: 0.9, ..Sgd::default() }.into();
                Config { batch, rule, rate: 0.01.into(), ..Config::default() }
            }
        };
        let config = Config { drop_last: true, ..config };
        Ok(Run::new(self.network()?, config, Threads::new(threads)?)?)
    }

    pub(super) fn steps(&self) -> usize {
        self.samples / self.batch
    }

    pub(super) fn parameters(&self) -> usize {
        self.sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// Floating-point operations of the products of one step: forward, by the weights and, but for
    /// the first layer, by the inputs. Those with zeros count, though they are left out where they are
    /// many.
    pub(super) fn flop(&self) -> f64 {
        let weights: usize = self.sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        (self.batch * (6 * weights - 2 * self.sizes[0] * self.sizes[1])) as f64
    }

    /// Bytes that a step cannot but move: the weights read twice, the gradient written and read,
    /// parameters and the rule's slots read and written, the batch read and written.
    pub(super) fn bytes(&self) -> f64 {
        let slots = match self.rule {
            Rule::SgdMomentum => 1,
            Rule::Adam => 2,
        };
        (4 * (self.parameters() * (2 + 2 + 2 + 2 * slots) + 2 * self.batch * self.sizes[0])) as f64
    }
}
