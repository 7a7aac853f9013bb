//! Every operation with a kernel, against Burn's operations: `cargo bench --bench kernels`.
//!
//! Each case runs as `exact`, `fast` (where numerics matter) and `composed`, and first says which
//! path it takes. Throughputs of convolutions are multiplications and additions of a direct sum per
//! second. Compare times within one run only; `benches/peer` compares with PyTorch.

use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fireproof::base::{Degrees, Pixels};
use fireproof::kernel::{self, Filters, LinfStep, Numerics};
use fireproof::transform::{Pose, Warp};
use std::hint::black_box;
use std::time::Duration;

/// Batch, outputs, inputs, side, padding.
const CONVOLUTIONS: [[usize; 5]; 8] = [
    [128, 40, 40, 26, 0],
    [128, 80, 40, 12, 0],
    [128, 80, 80, 10, 0],
    [128, 32, 32, 26, 0],
    [128, 40, 1, 28, 0],
    [64, 64, 64, 32, 1],
    [32, 184, 184, 32, 1],
    [32, 360, 360, 16, 1],
];

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// The ways in which an operation runs.
#[derive(Clone, Copy)]
enum Way {
    Kernel(Numerics),
    Composed,
}

impl Way {
    fn run<R: Send>(self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Kernel(numerics) => numerics.run(work),
            Self::Composed => kernel::composed(work),
        }
    }
}

const NUMERICS: [(&str, Way); 3] = [
    ("exact", Way::Kernel(Numerics::Exact)),
    ("fast", Way::Kernel(Numerics::Fast)),
    ("composed", Way::Composed),
];
const PATHS: [(&str, Way); 2] = [
    ("kernel", Way::Kernel(Numerics::Exact)),
    ("composed", Way::Composed),
];

/// One case in all its ways, after a line that says which paths they take.
fn case(
    criterion: &mut Criterion,
    name: &str,
    operations: Option<u64>,
    ways: &[(&str, Way)],
    mut work: impl FnMut() + Send,
) {
    let mut bench = criterion.benchmark_group(name);
    bench.sample_size(10);
    bench.warm_up_time(Duration::from_millis(300));
    bench.measurement_time(Duration::from_secs(1));
    if let Some(operations) = operations {
        bench.throughput(Throughput::Elements(operations));
    }
    for &(label, way) in ways {
        let ((), ran) = kernel::record(|| way.run(&mut work));
        let ran: Vec<String> = ran
            .iter()
            .map(|ran| format!("{} by {:?}", ran.operation, ran.path))
            .collect();
        println!("{name}/{label}: {}", ran.join(", "));
        bench.bench_function(BenchmarkId::from_parameter(label), |b| {
            b.iter(|| way.run(&mut work))
        });
    }
    bench.finish();
}

fn convolutions(criterion: &mut Criterion) {
    let device = Device::flex();
    for [batch, output, input, side, padding] in CONVOLUTIONS {
        let after = side + 2 * padding - 2;
        let operations = (2 * batch * output * input * 9 * after * after) as u64;
        let name = format!("conv2d/{input}-{output}@{side}");
        let x = random([batch, input, side, side], &device);
        let weight = random([output, input, 3, 3], &device);
        let bias = random([output], &device);
        let options = ConvOptions::new([1, 1], [padding; 2], [1, 1], 1);
        let still = Filters::new(weight.clone(), Some(bias));
        let of =
            |x: Tensor<4>, filters: &Filters| kernel::conv2d(x, filters, options.clone(), false);

        case(
            criterion,
            &format!("{name}/forward"),
            Some(operations),
            &NUMERICS,
            || drop(black_box(of(x.clone(), &still))),
        );
        let tracked = Tensor::from_inner(x.clone()).require_grad();
        case(
            criterion,
            &format!("{name}/forward_and_input_gradient"),
            Some(2 * operations),
            &NUMERICS,
            || drop(black_box(of(tracked.clone(), &still).sum().backward())),
        );
        let learning = Filters::new(Tensor::from_inner(weight).require_grad(), None);
        let x = Tensor::from_inner(x);
        case(
            criterion,
            &format!("{name}/forward_and_weight_gradient"),
            Some(2 * operations),
            &NUMERICS,
            || drop(black_box(of(x.clone(), &learning).sum().backward())),
        );
    }
}

fn others(criterion: &mut Criterion) {
    let device = Device::flex();
    let x = random([128, 40, 24, 24], &device);
    let tracked = Tensor::from_inner(x.clone()).require_grad();
    let max = MaxPoolOptions::new([2, 2]);
    let average = AvgPoolOptions::new([2, 2]);
    case(criterion, "max_pool2d/forward", None, &PATHS, || {
        drop(black_box(kernel::max_pool2d(x.clone(), max.clone(), true)))
    });
    case(criterion, "max_pool2d/both", None, &PATHS, || {
        let y = kernel::max_pool2d(tracked.clone(), max.clone(), true);
        drop(black_box(y.sum().backward()))
    });
    case(criterion, "avg_pool2d/both", None, &PATHS, || {
        let y = kernel::avg_pool2d(tracked.clone(), average.clone());
        drop(black_box(y.sum().backward()))
    });
    let features = random([128, 10, 4, 24, 24], &device);
    let features = Tensor::from_inner(features).require_grad();
    case(criterion, "group_max/both", None, &PATHS, || {
        drop(black_box(
            kernel::group_max(features.clone()).sum().backward(),
        ))
    });
    case(criterion, "relu/both", None, &PATHS, || {
        drop(black_box(kernel::relu(tracked.clone()).sum().backward()))
    });

    let features = Tensor::from_inner(random([128, 1280], &device)).require_grad();
    let (weight, bias) = (random([1280, 50], &device), random([50], &device));
    case(criterion, "linear/both", None, &PATHS, || {
        let y = kernel::linear(features.clone(), weight.clone(), Some(bias.clone()), true);
        drop(black_box(y.sum().backward()))
    });

    let images = random([128, 1, 28, 28], &device);
    let gradient = random([128, 1, 28, 28], &device);
    let step = LinfStep {
        length: 0.025,
        epsilon: 0.1,
        bounds: [0.0, 1.0],
    };
    case(criterion, "linf_step", None, &PATHS, || {
        let images = images.clone();
        drop(black_box(kernel::linf_step(
            images.clone(),
            gradient.clone(),
            &images,
            step,
        )))
    });
}

fn warps(criterion: &mut Criterion) {
    let device = Device::flex();
    for shape in [[128, 1, 28, 28], [128, 3, 32, 32], [32, 40, 28, 28]] {
        let [batch, channels, side, _] = shape;
        let images = random(shape, &device);
        let poses: Vec<Pose> = (0..batch)
            .map(|at| Pose {
                angle: Degrees(at as f64 * 7.3 - 90.0),
                right: Pixels(at as f64 * 0.1 - 3.0),
                down: Pixels(2.0 - at as f64 * 0.07),
                ..Pose::IDENTITY
            })
            .collect();
        let name = |what: &str| format!("warp/{batch}x{channels}x{side}x{side}/{what}");
        for (kind, warp) in [("nearest", Warp::nearest()), ("bilinear", Warp::bilinear())] {
            case(
                criterion,
                &name(&format!("{kind}/forward")),
                None,
                &PATHS,
                || drop(black_box(warp.apply(images.clone(), &poses))),
            );
            let tracked = Tensor::from_inner(images.clone()).require_grad();
            case(
                criterion,
                &name(&format!("{kind}/both")),
                None,
                &PATHS,
                || {
                    drop(black_box(
                        warp.apply(tracked.clone(), &poses).sum().backward(),
                    ))
                },
            );
        }
        let rows: Vec<f32> = (poses.iter())
            .flat_map(|pose| [pose.angle.0, pose.right.0, pose.down.0].map(|v| v as f32))
            .collect();
        let rows = Tensor::<1>::from_floats(rows.as_slice(), &device).reshape([batch, 3]);
        let images = Tensor::from_inner(images).require_grad();
        let rows = Tensor::from_inner(rows).require_grad();
        case(
            criterion,
            &name("bilinear/both_with_poses"),
            None,
            &PATHS,
            || {
                let y = Warp::bilinear().apply_tensor(images.clone(), rows.clone());
                drop(black_box(y.sum().backward()))
            },
        );
    }
}

criterion_group!(benches, convolutions, others, warps);
criterion_main!(benches);
