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

/// Two cases of three have 3×3 neighbours, for which there is a kernel of their own.
fn random_case(seed: u64, device: &Device) -> Case {
    let draws = &mut draws(seed);
    loop {
        let batch = magnitude(draws, 1, 40);
        let [output, input] = [magnitude(draws, 1, 100), magnitude(draws, 1, 100)];
        let [height, width] = [magnitude(draws, 1, 65), magnitude(draws, 1, 33)];
        let [side, stride, dilation, padding] = match between(draws, 0, 2) {
            0 => [
                magnitude(draws, 1, 8),
                magnitude(draws, 1, 8),
                magnitude(draws, 1, 8),
                magnitude(draws, 1, 9) - 1,
            ],
            _ => [3, 1, 1, between(draws, 0, 2)],
        };
        // The root mean square of few numbers may be near zero by chance: not only a few weights, nor
        // windows that see nothing but padding, which the kernels' own tests have.
        if output * input * side * side < 9 || padding > dilation * (side - 1) {
            continue;
        }
        let products = batch * output * input * height * width * side * side;
        let extent = dilation * (side - 1) + 1;
        let after = [height, width].map(|side| (side + 2 * padding).checked_sub(extent));
        // Burn's operations take most of the time.
        let ([Some(rows), Some(columns)], true) = (after, products <= 6_000_000) else {
            continue;
        };
        let shape = [batch, output, rows / stride + 1, columns / stride + 1];
        let weight = noise([output, input, side, side], draws, device);
        return Case {
            input: noise([batch, input, height, width], draws, device),
            weight,
            bias: (between(draws, 0, 1) == 0).then(|| noise([output], draws, device)),
            options: ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], 1),
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
    for seed in 0..6000 {
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
                    "case {seed} {numerics}: {off}, {:?} {:?} {:?}",
                    case.input.dims(),
                    case.weight.dims(),
                    case.options
                );
                worst[numerics as usize] = worst[numerics as usize].max(off);
            }
            // Filters that learn and filters that do not: the same bits.
            let still = numerics.run(|| case.run(false));
            assert_eq!(still[..], learnt[..2], "case {seed} {numerics}");
            assert_sums_to_the_bit(&case, relu, numerics);
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

// Oracle: the convolution, and Burn's sum after it.
fn assert_sums_to_the_bit(case: &Case, relu: bool, numerics: Numerics) {
    let (weight, bias) = (case.weight.clone(), case.bias.clone());
    let filters = Filters::new(weight.inner(), bias.map(Tensor::inner));
    let beside = case.slope.clone().flip([0, 3]).require_grad();
    let run = |fused: bool| {
        let (input, beside) = (case.input.clone().require_grad(), beside.clone());
        let options = case.options.clone();
        let output = match (fused, relu) {
            (true, relu) => {
                kernel::conv2d_add(input.clone(), &filters, options, beside.clone(), relu)
            }
            (false, true) => {
                let sums = kernel::conv2d(input.clone(), &filters, options, false) + beside.clone();
                kernel::relu(sums)
            }
            (false, false) => {
                kernel::conv2d(input.clone(), &filters, options, false) + beside.clone()
            }
        };
        let gradients = (output.clone() * case.slope.clone()).sum().backward();
        let of = |x: &Tensor<4>| values(x.grad(&gradients).unwrap());
        [values(output), of(&input), of(&beside)]
    };
    let (fused, ran) = kernel::record(|| numerics.run(|| run(true)));
    assert_eq!(
        (ran[0].operation, ran[0].path),
        ("conv2d_add", Path::Kernel)
    );
    assert_eq!(fused, numerics.run(|| run(false)), "{:?}", case.options);
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
        (9, ConvOptions::new([1; 2], [0; 2], [1; 2], 1)),
        (3, ConvOptions::new([9; 2], [0; 2], [1; 2], 1)),
        (3, ConvOptions::new([1, 2], [0; 2], [1; 2], 1)),
        (3, ConvOptions::new([1; 2], [9; 2], [1; 2], 1)),
        (3, ConvOptions::new([1; 2], [1, 2], [1; 2], 1)),
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
