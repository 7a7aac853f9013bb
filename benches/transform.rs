//! Transforms on batches of 128: exact ones, nearest and bilinear, forward and with the gradient.
//!
//! `cargo bench --bench transform`

use burn::tensor::{Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fireproof::base::{Degrees, Keys, Pixels, Seed};
use fireproof::transform::{Border, PoseBudget, Warp, rot90, shift};

const BATCH: usize = 128;

fn transforms(criterion: &mut Criterion) {
    let device = fireproof::device();
    let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0)).unwrap();
    let poses = budget.draw(&Keys::new(1, 0..BATCH as u64));
    let rows: Vec<f32> = poses
        .iter()
        .flat_map(|pose| [pose.angle.0, pose.right.0, pose.down.0])
        .map(|value| value as f32)
        .collect();
    let rows = Tensor::<2>::from_data(TensorData::new(rows, [BATCH, 3]), &device);

    for shape in [[BATCH, 1, 28, 28], [BATCH, 3, 32, 32]] {
        let [_, channels, height, width] = shape;
        let mut draws = Seed(2).draws(fireproof::base::Purpose::Start, 0, 0);
        let pixels: Vec<f32> = (0..shape.iter().product())
            .map(|_| draws.uniform(0.0, 1.0) as f32)
            .collect();
        let images = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);
        let size = format!("{channels}x{height}x{width}");
        let mut group = criterion.benchmark_group("transform");
        group.throughput(Throughput::Elements(BATCH as u64));

        // `sum` and `into_scalar` wait for devices that compute in the background.
        let mut forward = |name: &str, work: &dyn Fn() -> Tensor<4>| {
            group.bench_function(BenchmarkId::new(name, &size), |bencher| {
                bencher.iter(|| work().sum().into_scalar::<f32>());
            });
        };
        forward("rot90", &|| rot90(images.clone(), 1));
        forward("shift", &|| shift(images.clone(), 2, -1, Border::Zeros));
        forward("nearest", &|| Warp::nearest().apply(images.clone(), &poses));
        forward("bilinear", &|| {
            Warp::bilinear().apply(images.clone(), &poses)
        });
        group.bench_function(BenchmarkId::new("bilinear gradient", &size), |bencher| {
            bencher.iter(|| {
                let images = Tensor::from_inner(images.clone()).require_grad();
                let rows = Tensor::from_inner(rows.clone()).require_grad();
                let loss = Warp::bilinear().apply_tensor(images.clone(), rows.clone());
                let gradients = loss.sum().backward();
                let rows = rows.grad(&gradients).expect("poses have a gradient");
                (images.grad(&gradients), rows.sum().into_scalar::<f32>())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, transforms);
criterion_main!(benches);
