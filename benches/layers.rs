//! Layers against plain ones of the same size: `cargo bench --bench layers`.
//!
//! `group_conv/frozen` has its filters prepared, as in an attack; `group_conv/expanding` expands
//! them in every pass, as in training; `plain_conv` is Burn's convolution with the same filters,
//! and so the floor. Compare times within one run only.

use burn::module::Module;
use burn::nn::{BatchNormConfig, pool::MaxPool2dConfig};
use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fireproof::group::Group;
use fireproof::nn::*;
use std::hint::black_box;

const BATCH: usize = 32;
const CHANNELS: usize = 10;
const SIDE: usize = 26;

fn features(group: Group, device: &Device) -> Tensor<5> {
    let shape = [BATCH, CHANNELS, group.size(), SIDE, SIDE];
    Tensor::random(shape, Distribution::Default, device)
}

/// Waits for the device: GPUs answer before they have computed.
fn done<const D: usize>(tensor: Tensor<D>, device: &Device) {
    black_box(tensor);
    device.sync().expect("the device finishes");
}

fn convolutions(c: &mut Criterion) {
    let device = fireproof::device();
    for pass in ["forward", "input_gradient"] {
        let mut bench = c.benchmark_group(format!("convolution/{pass}"));
        bench.sample_size(20);
        for group in Group::ALL {
            let x = features(group, &device);
            let planes = x
                .clone()
                .reshape([BATCH, CHANNELS * group.size(), SIDE, SIDE]);
            let learning = GroupConv2dConfig::new(group, [CHANNELS, CHANNELS], 3)
                .init(&device)
                .train();
            let frozen = learning.valid();
            let plain = frozen.to_conv2d().no_grad();
            if pass == "forward" {
                bench.bench_function(BenchmarkId::new("group_conv/frozen", group), |b| {
                    b.iter(|| done(frozen.forward(x.clone()), &device))
                });
                bench.bench_function(BenchmarkId::new("group_conv/expanding", group), |b| {
                    b.iter(|| done(learning.forward(x.clone()), &device))
                });
                bench.bench_function(BenchmarkId::new("plain_conv", group), |b| {
                    b.iter(|| done(plain.forward(planes.clone()), &device))
                });
            } else {
                bench.bench_function(BenchmarkId::new("group_conv/frozen", group), |b| {
                    b.iter(|| done(gradient(x.clone(), |x| frozen.forward(x)), &device))
                });
                bench.bench_function(BenchmarkId::new("plain_conv", group), |b| {
                    b.iter(|| done(gradient(planes.clone(), |x| plain.forward(x)), &device))
                });
            }
        }
    }
}

fn gradient<const D: usize, const E: usize>(
    input: Tensor<D>,
    layer: impl Fn(Tensor<D>) -> Tensor<E>,
) -> Tensor<D> {
    let input = Tensor::from_inner(input).require_grad();
    let gradients = layer(input.clone()).sum().backward();
    input.grad(&gradients).expect("a gradient")
}

fn norms_and_pools(c: &mut Criterion) {
    let device = fireproof::device();
    let group = Group::P4;
    let x = features(group, &device);
    let planes = x
        .clone()
        .reshape([BATCH, CHANNELS * group.size(), SIDE, SIDE]);

    let mut bench = c.benchmark_group("other_layers");
    bench.sample_size(20);
    let norm = GroupBatchNormConfig::new(group, CHANNELS).init(&device);
    bench.bench_function("group_batch_norm", |b| {
        b.iter(|| done(norm.forward(x.clone()), &device))
    });
    let norm = BatchNormConfig::new(CHANNELS * group.size()).init(&device);
    bench.bench_function("plain_batch_norm", |b| {
        b.iter(|| done(norm.forward(planes.clone()), &device))
    });
    let pool = GroupMaxPool2dConfig::new(group, 2).init();
    bench.bench_function("group_max_pool", |b| {
        b.iter(|| done(pool.forward(x.clone()), &device))
    });
    let pool = MaxPool2dConfig::new([2, 2]).init();
    bench.bench_function("plain_max_pool", |b| {
        b.iter(|| done(pool.forward(planes.clone()), &device))
    });
    let pool = GroupAvgPool2dConfig::new(group, 2).init();
    bench.bench_function("group_avg_pool", |b| {
        b.iter(|| done(pool.forward(x.clone()), &device))
    });
    for reduction in [GroupReduction::Max, GroupReduction::Mean] {
        let pool = GroupPoolConfig::new(reduction).init();
        bench.bench_function(format!("group_pool/{reduction:?}"), |b| {
            b.iter(|| done(pool.forward(x.clone()), &device))
        });
    }
}

criterion_group!(benches, convolutions, norms_and_pools);
criterion_main!(benches);
