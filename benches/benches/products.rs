//! Products of the shapes that training meets: forward, by the inputs, by the weights.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slalom::tensor::{Factor, Matrix, Threads, multiply};

/// Units, inputs, samples.
const SHAPES: [(usize, usize, usize); 8] = [
    (16, 4, 16),
    (128, 784, 1),
    (128, 784, 32),
    (10, 128, 32),
    (512, 784, 128),
    (512, 512, 128),
    (2048, 1024, 100),
    (2048, 2048, 1024),
];

fn products(criterion: &mut Criterion) {
    let threads = Threads::new(2).expect("two threads");
    for (units, inputs, samples) in SHAPES {
        let fill = |rows, columns| {
            Matrix::<f32>::from_fn(rows, columns, |i, j| ((i * 7 + j * 13) % 17) as f32 * 0.1 - 0.8)
        };
        let (w, x, dy) = (fill(units, inputs), fill(inputs, samples), fill(units, samples));
        let (mut y, mut dx, mut dw) =
            (fill(units, samples), fill(inputs, samples), fill(units, inputs));
        let name = format!("{units}x{inputs} b{samples}");
        let mut group = criterion.benchmark_group("product");
        group.sample_size(20);
        group.throughput(Throughput::Elements(2 * (units * inputs * samples) as u64));
        let (plain_w, plain_x) = (Factor::Plain(w.as_view()), Factor::Plain(x.as_view()));
        group.bench_function(BenchmarkId::new("forward", &name), |bencher| {
            bencher.iter(|| multiply(plain_w, plain_x, y.as_view_mut(), &threads));
        });
        let transposed_w = Factor::Transposed(w.as_view());
        group.bench_function(BenchmarkId::new("by inputs", &name), |bencher| {
            let dy = Factor::Plain(dy.as_view());
            bencher.iter(|| multiply(transposed_w, dy, dx.as_view_mut(), &threads));
        });
        group.bench_function(BenchmarkId::new("by weights", &name), |bencher| {
            let (dy, x) = (Factor::Plain(dy.as_view()), Factor::Transposed(x.as_view()));
            bencher.iter(|| multiply(dy, x, dw.as_view_mut(), &threads));
        });
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
