//! What stands between the products: activations, losses, dropout, the optimizer's pass, the gather,
//! and whole predictions.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slalom::layers::{Backward, Forward, Layer, Mode, Pass};
use slalom::optim::{Block, Optimizer, Rule};
use slalom::prelude::*;
use slalom::tensor::{Purpose, permutation, stream};
use slalom::train::Source;

const ROWS: usize = 512;
const SAMPLES: usize = 128;

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7) % 17) as f32 * 0.1 - 0.8).collect()
}

fn activations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("activation 512 b128");
    group.throughput(Throughput::Elements((ROWS * SAMPLES) as u64));
    let (x, mut y) = (numbers(ROWS * SAMPLES), numbers(ROWS * SAMPLES));
    let all = [
        ("relu", Activation::Relu),
        ("tanh", Activation::Tanh),
        ("sigmoid", Activation::Sigmoid),
        ("gelu", Activation::Gelu),
    ];
    for (name, activation) in all {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(&x);
                activation.apply(&mut y);
            });
        });
    }
    group.finish();
}

fn losses(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("softmax cross-entropy 10 classes");
    for samples in [16, 128, 1024] {
        let outputs = Matrix::from_vec(10, samples, numbers(10 * samples));
        let mut dy = outputs.clone();
        let classes: Vec<u32> = (0..samples as u32).map(|i| i % 10).collect();
        group.throughput(Throughput::Elements((10 * samples) as u64));
        group.bench_function(format!("b{samples}"), |bencher| {
            bencher.iter(|| {
                let (targets, dy) = (Targets::Classes(&classes), Some(dy.as_view_mut()));
                Loss::default().evaluate(outputs.as_view(), targets, None, dy)
            });
        });
    }
    group.finish();
}

fn dropout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dropout 512 b128");
    group.throughput(Throughput::Elements((ROWS * SAMPLES) as u64));
    let threads = Threads::new(2).expect("two threads");
    let pass = Pass { mode: Mode::Train { seed: 1, step: 0 }, layer: 1, threads: &threads };
    let x = Matrix::from_vec(ROWS, SAMPLES, numbers(ROWS * SAMPLES));
    let (mut y, mut cache) = (numbers(ROWS * SAMPLES), numbers(ROWS * SAMPLES));
    let layer = Dropout::new(0.2);
    group.bench_function("forward", |bencher| {
        bencher.iter(|| {
            let (y, cache) = (&mut y[..], &mut cache[..]);
            layer.forward(Forward { params: &[], x: x.as_view(), y, cache }, &pass);
        });
    });
    let (mut dy, mut dx) = (numbers(ROWS * SAMPLES), numbers(ROWS * SAMPLES));
    group.bench_function("backward", |bencher| {
        bencher.iter(|| {
            let at = Backward {
                params: &[],
                x: x.as_view(),
                y: &y,
                dy: &mut dy,
                dx: Some(&mut dx),
                grads: &mut [],
                cache: &mut cache,
                late: None,
            };
            layer.backward(at, &pass);
        });
    });
    group.finish();
}

fn optimizers(criterion: &mut Criterion) {
    let threads = Threads::new(2).expect("two threads");
    let rules: [(&str, Rule); 2] = [
        ("sgd momentum", Sgd { momentum: 0.9, ..Sgd::default() }.into()),
        ("adam", Adam::default().into()),
    ];
    for count in [131, 101_770, 1 << 20] {
        let mut group = criterion.benchmark_group(format!("optimizer pass {count}"));
        group.throughput(Throughput::Elements(count as u64));
        for (name, rule) in &rules {
            let blocks = vec![Block::new("w", 0..count)];
            let mut optimizer =
                Optimizer::<f32>::new(rule.clone(), blocks, None).expect("a valid optimizer");
            let (mut params, grads) = (numbers(count), numbers(count));
            group.bench_function(*name, |bencher| {
                bencher.iter(|| {
                    let run = &|tasks, work: &(dyn Fn(usize) + Sync)| threads.run(tasks, work);
                    optimizer.step_with(1e-6, &mut params, &grads, run)
                });
            });
        }
        group.finish();
    }
}

fn gather(criterion: &mut Criterion) {
    let x = Matrix::from_vec(784, 20_000, numbers(784 * 20_000));
    let classes = vec![0; 20_000];
    let samples = Samples::new(x.as_view(), Targets::Classes(&classes)).expect("valid samples");
    let order = permutation(20_000, &mut stream(0, Purpose::Shuffle, [0, 0]));
    let mut group = criterion.benchmark_group("gather 784");
    for count in [32, 128] {
        let mut inputs = numbers(784 * count);
        let mut batches = order.chunks_exact(count).cycle();
        group.throughput(Throughput::Bytes((4 * 784 * count) as u64));
        group.bench_function(format!("b{count}"), |bencher| {
            bencher.iter(|| {
                let chosen = batches.next().expect("endless");
                Source::gather(&samples, chosen, &mut inputs)
            });
        });
    }
    group.finish();
}

fn predictions(criterion: &mut Criterion) {
    let layers = [Dense::new(128, Activation::Relu).into(), Dense::linear(10).into()];
    let network = Network::<f32>::new(784, layers).expect("a valid network");
    let (params, threads) = (network.init(0), Threads::new(2).expect("two threads"));
    let mut group = criterion.benchmark_group("predict 784-128-10");
    group.sample_size(20);
    for samples in [1, 10_000] {
        let x = Matrix::from_vec(784, samples, numbers(784 * samples));
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function(format!("{samples} samples"), |bencher| {
            bencher.iter(|| network.predict(&params, x.as_view(), &threads));
        });
    }
    group.finish();
}

criterion_group!(benches, activations, losses, dropout, optimizers, gather, predictions);
criterion_main!(benches);
