//! How the published perceptrons of [`super::mnist_tables`] are trained, each as its source says.

use anyhow::Result;
use slalom::layers::{
    Activation, BinaryCrossEntropy, Dense, Dropout, Init, Kind, LayerSpec, Loss, MeanSquaredError,
};
use slalom::optim::{Adam, Block, Optimizer, RmsProp, Sgd};
use slalom::preprocess::{Fit as _, Standard, Transform as _, one_hot};
use slalom::tensor::{Matrix, Purpose, Targets, Threads, stream};

use super::sklearn_mlp::{MlpClassifier, sgd};
use crate::experiment::cell::Outcome;
use crate::experiment::net::{Classes, Net, Recipe, Trainer, accuracy, order, perceptron};
use crate::experiment::numpy::RandomState;

/// Training and test samples.
pub(super) struct Data {
    pub(super) train: Classes<f32>,
    pub(super) test: Classes<f32>,
}

/// A run: its seed, its epochs and the thread it computes with.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) seed: u64,
    pub(super) epochs: u64,
    pub(super) threads: &'a Threads,
}

/// Test accuracy in percent after each epoch.
pub(super) type Curve = Result<Vec<f64>>;

/// Nielsen's training images: the first 50,000, the rest is for validation.
const NIELSEN: usize = 50_000;

/// Nielsen's chapter 1: sigmoid outputs, squared error, rate 3; his biases are N(0, 1), and so are
/// his weights, or N(0, 1/inputs) where `small`.
pub(super) fn nielsen_squares(data: &Data, hidden: usize, small: bool, run: Run<'_>) -> Curve {
    let layers = [hidden, 10].map(|units| LayerSpec::from(Dense::new(units, Activation::Sigmoid)));
    // the mean over ten outputs is a fifth of his half sum: rate 3 is 15 here
    let loss = Loss::from(MeanSquaredError {});
    Sigmoids { layers: layers.into(), loss, rate: 15.0, l2: 0.0 }.train(data, small, run)
}

/// His chapter 3: cross-entropy of sigmoid outputs, weights N(0, 1/inputs), L2 by λ, rate 0.1.
pub(super) fn nielsen_entropy(data: &Data, lambda: f64, run: Run<'_>) -> Curve {
    let layers = perceptron(&[100], Activation::Sigmoid, 10);
    let loss = Loss::from(BinaryCrossEntropy::default());
    // he divides λ by the number of training samples; the mean over ten outputs is a tenth of his sum
    let l2 = lambda / NIELSEN.min(data.train.len()) as f64 / 10.0;
    Sigmoids { layers, loss, rate: 1.0, l2 }.train(data, true, run)
}

/// Networks with one target value for each output.
struct Sigmoids {
    layers: Vec<LayerSpec>,
    loss: Loss,
    rate: f64,
    l2: f64,
}

impl Sigmoids {
    fn train(self, data: &Data, small: bool, run: Run<'_>) -> Curve {
        let mut net = Net::<f32>::new(784, self.layers, self.loss, 10, run.seed)?;
        let mut rng = stream(run.seed, Purpose::Init, [2, 0]);
        for block in net.network.blocks() {
            let fan_in = if small && block.kind == Kind::Weight { block.shape.1 } else { 1 };
            let deviation = (1.0 / fan_in as f64).sqrt();
            let part = &mut net.params[block.range.clone()];
            Init::Normal { deviation }.fill(block.shape, part, &mut rng);
        }
        let blocks = net.network.blocks().iter().map(|block| Block {
            l2: self.l2,
            exempt: block.kind != Kind::Weight,
            ..Block::new(&block.name, block.range.clone())
        });
        let mut optimizer = Optimizer::new(Sgd::default(), blocks.collect(), None)?;
        let count = NIELSEN.min(data.train.len());
        let targets: Matrix<f32> = one_hot(&data.train.classes[..count], 10)?;
        let (mut x, mut y) = (Matrix::zeros(784, 10), Matrix::zeros(10, 10));
        let mut curve = Vec::new();
        for epoch in 0..run.epochs {
            for chosen in order(count, run.seed, epoch).chunks_exact(10) {
                for (to, &from) in chosen.iter().enumerate() {
                    x.column_mut(to).copy_from(&data.train.x.column(from));
                    y.column_mut(to).copy_from(&targets.column(from));
                }
                net.gradient(x.as_view(), Targets::Values(y.as_view()), run.threads);
                optimizer.step(self.rate, &mut net.params, &net.grads)?;
            }
            let outputs = net.network.predict(&net.params, data.test.x.as_view(), run.threads)?;
            curve.push(100.0 * accuracy(&outputs, &data.test.classes));
        }
        Ok(curve)
    }
}

/// His chapter 6: softmax and log-likelihood, no L2, his images, rate 0.1.
pub(super) fn nielsen_softmax(data: &Data, run: Run<'_>) -> Curve {
    let first: Vec<usize> = (0..NIELSEN.min(data.train.len())).collect();
    let data = Data { train: data.train.subset(&first), test: data.test.clone() };
    let layers = vec![
        Dense { init: Init::LecunNormal, ..Dense::new(100, Activation::Sigmoid) }.into(),
        Dense { init: Init::LecunNormal, ..Dense::linear(10) }.into(),
    ];
    train(&data, layers, &Recipe::new(Sgd::default(), 0.1, 10), run, |_| None)
}

/// Keras's mnist_mlp, with its RMSProp of that time.
pub(super) fn keras(data: &Data, run: Run<'_>) -> Curve {
    let hidden = || Dense::new(512, Activation::Relu).into();
    let layers = vec![
        hidden(),
        Dropout::new(0.2).into(),
        hidden(),
        Dropout::new(0.2).into(),
        Dense::linear(10).into(),
    ];
    let rule = RmsProp { alpha: 0.9, eps: 1e-7, ..RmsProp::default() };
    train(data, layers, &Recipe::new(rule, 0.001, 128), run, |_| None)
}

/// AlgoPerf's network on its scaled pixels; the optimizer is ours, as there.
pub(super) fn algoperf(data: &Data, run: Run<'_>) -> Curve {
    let standard = |samples: &Classes<f32>| Classes {
        x: samples.x.map(|pixel| (pixel - 0.1307) / 0.3081),
        classes: samples.classes.clone(),
    };
    let data = Data { train: standard(&data.train), test: standard(&data.test) };
    let layers = perceptron(&[128], Activation::Sigmoid, 10);
    let recipe = Recipe::new(Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() }, 0.1, 64);
    let decay = |epoch: u64| Some(0.1 * (1.0 - epoch as f64 / 10.0).max(0.05));
    train(&data, layers, &recipe, run, decay)
}

/// scikit-learn's defaults (Adam, batches of 200), on pixels as they are or standardised.
pub(super) fn fashion(
    data: &Data,
    hidden: &[usize],
    activation: Activation,
    standard: bool,
    run: Run<'_>,
) -> Curve {
    let recipe = Recipe::new(Adam::default(), 0.001, 200);
    let layers = perceptron(hidden, activation, 10);
    if !standard {
        return train(data, layers, &recipe, run, |_| None);
    }
    let scaler = Standard::default().fit(data.train.x.as_view())?;
    let mut scaled = Data { train: data.train.clone(), test: data.test.clone() };
    scaler.transform(scaled.train.x.as_view_mut())?;
    scaler.transform(scaled.test.x.as_view_mut())?;
    train(&scaled, layers, &recipe, run, |_| None)
}

/// Trains on classes; `rate` may change the learning rate before an epoch.
fn train(
    data: &Data,
    layers: Vec<LayerSpec>,
    recipe: &Recipe,
    run: Run<'_>,
    rate: impl Fn(u64) -> Option<f64>,
) -> Curve {
    let mut trainer = Trainer::new(layers, Loss::default(), recipe, &data.train, run.seed)?;
    let mut curve = Vec::new();
    for epoch in 0..run.epochs {
        if let Some(rate) = rate(epoch) {
            trainer.set_rate(rate);
        }
        trainer.epoch(epoch, run.threads, &mut |_, _, _| {});
        curve.push(100.0 * trainer.on(&data.test, run.threads)?.1);
    }
    Ok(curve)
}

/// scikit-learn's example, number for number.
///
/// The split is NumPy's permutation of all 70,000 images; its first seven tenths are not trained on.
pub(super) fn gallery(data: &Data, threads: &Threads) -> Result<Outcome> {
    let count = data.train.len() + data.test.len();
    let order = RandomState::new(0).permutation(count);
    let (test, train) = order.split_at(count * 7 / 10);
    let pick = |indices: &[usize]| {
        let mut x = Matrix::<f64>::zeros(784, indices.len());
        let mut classes = Vec::new();
        for (to, &from) in indices.iter().enumerate() {
            let (part, at) = match from.checked_sub(data.train.len()) {
                Some(at) => (&data.test, at),
                None => (&data.train, from),
            };
            // whole pixels again, so that the division by 255 is done in f64
            let pixels = part.x.column(at);
            let pixels = pixels.iter().map(|&pixel| f64::from((pixel * 255.0).round()) / 255.0);
            x.column_mut(to).iter_mut().zip(pixels).for_each(|(to, pixel)| *to = pixel);
            classes.push(part.classes[at]);
        }
        (x, classes)
    };
    let ((x, classes), (test_x, test_classes)) = (pick(train), pick(test));
    let classifier = MlpClassifier {
        hidden: vec![40],
        rule: sgd(0.9, true),
        rate: 0.2,
        epochs: 8,
        random_state: 1,
        ..MlpClassifier::default()
    };
    let fitted = classifier.fit(&x, &classes, 10, threads)?;
    let mut outcome = Outcome::default()
        .number("training accuracy", fitted.score(x.as_view(), &classes, threads)?)
        .number("test accuracy", fitted.score(test_x.as_view(), &test_classes, threads)?);
    for (epoch, loss) in fitted.losses.iter().enumerate() {
        outcome = outcome.number(&format!("loss of epoch {}", epoch + 1), *loss);
    }
    Ok(outcome)
}
