//! Kernels on random sizes against Burn's own operations.
//!
//! On Flex alone, which has kernels: elsewhere Burn's operations would be compared with themselves.

use super::given::{Case, apart, between, bound, draws, noise};
use crate::common::values;
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::Draws;
use fireproof::kernel::{self, Filters, Numerics, Path};

/// Between two sizes, each magnitude as likely as the other.
fn magnitude(draws: &mut Draws, least: usize, most: usize) -> usize {
    let log = draws.uniform((least as f64).ln(), (most as f64 + 1.0).ln());
    (log.exp() as usize).clamp(least, most)
}

fn random_case(seed: u64, device: &Device) -> Case {
    let draws = &mut draws(seed);
    loop {
        let batch = magnitude(draws, 1, 40);
        let [output, input] = [magnitude(draws, 1, 100), magnitude(draws, 1, 100)];
        let [height, width] = [magnitude(draws, 1, 65), magnitude(draws, 1, 33)];
        let padding = between(draws, 0, 2);
        let products = batch * output * input * height * width * 9;
        let fits = height + 2 * padding >= 3 && width + 2 * padding >= 3;
        // Burn's operations take most of the time.
        if !fits || products > 12_000_000 {
            continue;
        }
        let shape = [
            batch,
            output,
            height + 2 * padding - 2,
            width + 2 * padding - 2,
        ];
        let weight = noise([output, input, 3, 3], draws, device);
        return Case {
            input: noise([batch, input, height, width], draws, device),
            weight,
            bias: (between(draws, 0, 1) == 0).then(|| noise([output], draws, device)),
            padding,
            relu: between(draws, 0, 1) == 0,
            slope: noise(shape, draws, device),
        };
    }
}

// Oracle: Burn's own convolution. Relu's kink is no concern: where the two disagree about the sign
// of an output the output is nearly zero, and one product more or less in a gradient is not; so
// gradients are compared without relu, and with relu against the gradient of the kernel's own
// output.
#[test]
fn value_and_gradient_of_conv2d_on_random_sizes() {
    let device = Device::flex().autodiff();
    let mut worst = [0.0f64; 2];
    for seed in 0..2000 {
        let mut case = random_case(seed, &device);
        let relu = std::mem::replace(&mut case.relu, false);
        let (reference, ran) = kernel::record(|| kernel::composed(|| case.run(true)));
        assert!(ran.iter().all(|ran| ran.path == Path::Composed));
        for numerics in [Numerics::Exact, Numerics::Fast] {
            case.relu = false;
            let (learnt, ran) = kernel::record(|| numerics.run(|| case.run(true)));
            assert!(ran.iter().all(|ran| ran.path == Path::Kernel));
            assert_eq!(learnt.len(), reference.len());
            for (got, reference) in learnt.iter().zip(&reference) {
                let off = apart(got, reference);
                // Both round; few numbers have a root mean square far from their largest one.
                assert!(
                    off <= 2.0 * bound(numerics),
                    "case {seed} {numerics}: {off}"
                );
                worst[numerics as usize] = worst[numerics as usize].max(off);
            }
            // Filters that learn and filters that do not: the same bits.
            let still = numerics.run(|| case.run(false));
            assert_eq!(still[..], learnt[..2], "case {seed} {numerics}");
            if relu {
                // Relu in the convolution and relu after it: the same bits.
                case.relu = true;
                let fused = numerics.run(|| case.run(true));
                let positive: Vec<f32> = learnt[0].iter().map(|v| v.max(0.0)).collect();
                assert_eq!(fused[0], positive, "case {seed} {numerics}");
                let open = positive.iter().map(|&v| f32::from(u8::from(v > 0.0)));
                let open = TensorData::new(open.collect::<Vec<f32>>(), case.slope.dims());
                let slope = case.slope.clone();
                case.slope = slope.clone() * Tensor::from_data(open, &device);
                case.relu = false;
                let gated = numerics.run(|| case.run(true));
                assert_eq!(fused[1..], gated[1..], "case {seed} {numerics}");
                case.slope = slope;
            }
        }
    }
    println!(
        "largest difference from Burn's operations: {:.1e} exact, {:.1e} fast",
        worst[0], worst[1]
    );
}

// Oracle: Burn's own pooling; the same additions in another order for averages.
#[test]
fn value_and_gradient_of_pooling_on_random_sizes() {
    let device = Device::flex().autodiff();
    for seed in 0..400 {
        let draws = &mut draws(30_000 + seed);
        let (size, stride) = (between(draws, 1, 5), between(draws, 1, 4));
        let shape = [
            between(draws, 1, 9),
            between(draws, 1, 7),
            between(draws, size, 65),
            between(draws, size, 33),
        ];
        let input = noise(shape, draws, &device);
        let max = MaxPoolOptions::new([size; 2]).with_stride([stride; 2]);
        let average = AvgPoolOptions::new([size; 2]).with_stride([stride; 2]);
        let run = |pool: &dyn Fn(Tensor<4>) -> Tensor<4>| {
            let input = input.clone().require_grad();
            let output = pool(input.clone());
            let weights = Tensor::arange(1..1 + output.shape().num_elements() as i64, &device);
            let weights = weights.float().reshape(output.dims()).sin();
            let gradients = (output.clone() * weights).sum().backward();
            [values(output), values(input.grad(&gradients).unwrap())]
        };
        let reference = run(&|x| max_pool2d(x, max.clone()));
        let (got, ran) = kernel::record(|| run(&|x| kernel::max_pool2d(x, max.clone(), false)));
        assert_eq!(ran[0].path, Path::Kernel);
        // Overlapping windows add their gradients in another order.
        assert_eq!(got[0], reference[0], "case {seed}");
        assert!(apart(&got[1], &reference[1]) < 1e-5, "case {seed}");
        let reference = run(&|x| burn::tensor::activation::relu(max_pool2d(x, max.clone())));
        let got = run(&|x| kernel::max_pool2d(x, max.clone(), true));
        assert_eq!(got[0], reference[0], "case {seed}");
        assert!(apart(&got[1], &reference[1]) < 1e-5, "case {seed}");
        let reference = run(&|x| avg_pool2d(x, average.clone()));
        let (got, ran) = kernel::record(|| run(&|x| kernel::avg_pool2d(x, average.clone())));
        assert_eq!(ran[0].path, Path::Kernel);
        for (got, reference) in got.iter().zip(&reference) {
            assert!(apart(got, reference) < 1e-5, "case {seed}");
        }
        let reference = run(&burn::tensor::activation::relu);
        assert_eq!(run(&kernel::relu), reference, "case {seed}");
    }
}

// What has no kernel takes Burn's operations, with their results.
#[test]
fn value_everything_else_is_composed() {
    let device = Device::flex();
    let draws = &mut draws(50_000);
    let input = noise([2, 4, 9, 9], draws, &device);
    for (side, options) in [
        (5, ConvOptions::new([1; 2], [2; 2], [1; 2], 1)),
        (1, ConvOptions::new([1; 2], [0; 2], [1; 2], 1)),
        (3, ConvOptions::new([2; 2], [0; 2], [1; 2], 1)),
        (3, ConvOptions::new([1; 2], [3; 2], [1; 2], 1)),
        (3, ConvOptions::new([1; 2], [1; 2], [2; 2], 1)),
        (3, ConvOptions::new([1; 2], [1; 2], [1; 2], 2)),
    ] {
        let weight = noise([6, 4 / options.groups, side, side], draws, &device);
        let filters = Filters::new(weight.clone(), None);
        let (got, ran) =
            kernel::record(|| kernel::conv2d(input.clone(), &filters, options.clone(), false));
        assert_eq!(ran.len(), 1);
        assert_eq!((ran[0].operation, ran[0].path), ("conv2d", Path::Composed));
        assert_eq!(
            values(got),
            values(conv2d(input.clone(), weight, None, options))
        );
    }
    let padded = MaxPoolOptions::new([3, 3]).with_padding([1, 1]);
    let (_, ran) = kernel::record(|| kernel::max_pool2d(input.clone(), padded, false));
    assert_eq!(ran[0].path, Path::Composed);
    let double = input.cast(burn::tensor::FloatDType::F64);
    let (_, ran) = kernel::record(|| kernel::relu(double));
    assert_eq!(ran[0].path, Path::Composed);
}
