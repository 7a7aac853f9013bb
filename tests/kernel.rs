//! The operations with kernels, through the public face, against Burn's operations and against
//! definitions in f64: values, gradients, sizes, errors, and what ran.
#![cfg(feature = "flex")]

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::{Draws, Purpose};
use fireproof::kernel::{self, Filters, LinfStep, Numerics, Path};
use fireproof::prelude::*;

fn draws(case: u64) -> Draws {
    Seed(33).draws(Purpose::Weights, case, 0)
}

fn noise<const D: usize>(shape: [usize; D], draws: &mut Draws, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| draws.uniform(-1.0, 1.0) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn between(draws: &mut Draws, least: usize, most: usize) -> usize {
    least + (draws.uniform(0.0, (most - least + 1) as f64) as usize).min(most - least)
}

/// Between two sizes, each magnitude as likely as the other.
fn magnitude(draws: &mut Draws, least: usize, most: usize) -> usize {
    let log = draws.uniform((least as f64).ln(), (most as f64 + 1.0).ln());
    (log.exp() as usize).clamp(least, most)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.inner().into_data().iter::<f32>().collect()
}

/// Largest difference over the root mean square of the reference.
fn error(got: &[f32], reference: impl IntoIterator<Item = f64>) -> f64 {
    let (mut worst, mut squares, mut count) = (0.0f64, 0.0, 0);
    for (got, reference) in got.iter().zip(reference) {
        let off = (f64::from(*got) - reference).abs();
        worst = if off.is_nan() {
            f64::INFINITY
        } else {
            worst.max(off)
        };
        squares += reference * reference;
        count += 1;
    }
    assert_eq!(count, got.len());
    worst / (squares / count as f64).sqrt().max(f64::MIN_POSITIVE)
}

fn apart(got: &[f32], reference: &[f32]) -> f64 {
    error(got, reference.iter().map(|&v| f64::from(v)))
}

fn options(padding: usize) -> ConvOptions<2> {
    ConvOptions::new([1, 1], [padding; 2], [1, 1], 1)
}

/// Largest error over root mean square that is promised.
fn bound(numerics: Numerics) -> f64 {
    match numerics {
        Numerics::Exact => 1e-5,
        Numerics::Fast => 4e-5,
    }
}

/// One convolution with everything that can be asked of it.
struct Case {
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    padding: usize,
    relu: bool,
    /// The gradient of the output.
    slope: Tensor<4>,
}

impl Case {
    fn random(seed: u64, device: &Device) -> Self {
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
            return Self {
                input: noise([batch, input, height, width], draws, device),
                weight,
                bias: (between(draws, 0, 1) == 0).then(|| noise([output], draws, device)),
                padding,
                relu: between(draws, 0, 1) == 0,
                slope: noise(shape, draws, device),
            };
        }
    }

    /// Output and gradients of input, filters and bias.
    fn run(&self, learning: bool) -> Vec<Vec<f32>> {
        let input = self.input.clone().require_grad();
        let (mut weight, mut bias) = (self.weight.clone(), self.bias.clone());
        if learning {
            weight = weight.require_grad();
            bias = bias.map(Tensor::require_grad);
        } else {
            weight = weight.inner();
            bias = bias.map(Tensor::inner);
        }
        let filters = Filters::new(weight.clone(), bias.clone());
        let output = kernel::conv2d(input.clone(), &filters, options(self.padding), self.relu);
        let gradients = (output.clone() * self.slope.clone()).sum().backward();
        let mut all = vec![values(output), values(input.grad(&gradients).unwrap())];
        if learning {
            all.push(values(weight.grad(&gradients).unwrap()));
            all.extend(bias.map(|bias| values(bias.grad(&gradients).unwrap())));
        }
        all
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
        let mut case = Case::random(seed, &device);
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

/// The shapes of docs/benchmarks.md: outputs, inputs, side, padding.
const SHAPES: [[usize; 4]; 8] = [
    [40, 40, 26, 0],
    [80, 40, 12, 0],
    [80, 80, 10, 0],
    [32, 32, 26, 0],
    [40, 1, 28, 0],
    [64, 64, 32, 1],
    [184, 184, 32, 1],
    [360, 360, 16, 1],
];

// Oracle: the definition in f64, at 10,000 outputs drawn at random.
#[test]
fn value_errors_of_conv2d_stay_within_their_bounds() {
    let device = Device::flex().autodiff();
    for (at, [output, input, side, padding]) in SHAPES.into_iter().enumerate() {
        let draws = &mut draws(10_000 + at as u64);
        let after = side + 2 * padding - 2;
        // Enough images for 10,000 numbers, and a part of a group of sixteen.
        let batch = 3;
        let case = Case {
            input: noise([batch, input, side, side], draws, &device),
            weight: noise([output, input, 3, 3], draws, &device),
            bias: None,
            padding,
            relu: false,
            slope: noise([batch, output, after, after], draws, &device),
        };
        let (x, w, dy) = (
            values(case.input.clone()),
            values(case.weight.clone()),
            values(case.slope.clone()),
        );
        let pixel = |planes: &[f32], plane: usize, side: usize, row: i64, column: i64| {
            let inside = 0..side as i64;
            if inside.contains(&row) && inside.contains(&column) {
                f64::from(planes[(plane * side + row as usize) * side + column as usize])
            } else {
                0.0
            }
        };
        let forward = |index: usize| {
            let (pixel_at, plane) = (index % (after * after), index / (after * after));
            let (row, column) = ((pixel_at / after) as i64, (pixel_at % after) as i64);
            let (image, o) = (plane / output, plane % output);
            let mut sum = 0.0;
            for i in 0..input {
                for tap in 0..9 {
                    let (r, c) = (
                        row + tap / 3 - padding as i64,
                        column + tap % 3 - padding as i64,
                    );
                    sum += f64::from(w[(o * input + i) * 9 + tap as usize])
                        * pixel(&x, image * input + i, side, r, c);
                }
            }
            sum
        };
        let backward = |index: usize| {
            let (pixel_at, plane) = (index % (side * side), index / (side * side));
            let (row, column) = ((pixel_at / side) as i64, (pixel_at % side) as i64);
            let (image, i) = (plane / input, plane % input);
            let mut sum = 0.0;
            for o in 0..output {
                for tap in 0..9 {
                    let (r, c) = (
                        row - tap / 3 + padding as i64,
                        column - tap % 3 + padding as i64,
                    );
                    sum += f64::from(w[(o * input + i) * 9 + tap as usize])
                        * pixel(&dy, image * output + o, after, r, c);
                }
            }
            sum
        };
        for numerics in [Numerics::Exact, Numerics::Fast] {
            let got = numerics.run(|| case.run(false));
            let mut errors = [0.0; 2];
            for (pass, got) in got.iter().enumerate() {
                // An image of one channel has fewer than 10,000 numbers: then all of them.
                let count = got.len().min(10_000);
                let picked: Vec<usize> = match count == got.len() {
                    true => (0..count).collect(),
                    false => (0..count)
                        .map(|_| between(draws, 0, got.len() - 1))
                        .collect(),
                };
                let sample: Vec<f32> = picked.iter().map(|&index| got[index]).collect();
                let exact = picked.iter().map(|&index| match pass {
                    0 => forward(index),
                    _ => backward(index),
                });
                errors[pass] = error(&sample, exact);
                assert!(
                    errors[pass] <= bound(numerics),
                    "{input} to {output} channels, {numerics}, pass {pass}: {}",
                    errors[pass]
                );
            }
            let [forward, gradient] = errors;
            println!(
                "{input:>3} to {output:>3} at {side}, {numerics:>5}: {forward:.1e}, input gradient {gradient:.1e}"
            );
        }
    }
}

// Oracle: difference quotients. A convolution is linear in its input, in its filters and in its
// bias, so that they are exact for a step of any size, but for rounding.
#[test]
fn gradient_of_conv2d_by_finite_differences() {
    let device = Device::flex().autodiff();
    for (seed, numerics) in [(1, Numerics::Exact), (2, Numerics::Fast)] {
        let draws = &mut draws(20_000 + seed);
        let input = noise([3, 9, 7, 10], draws, &device).require_grad();
        let weight = noise([11, 9, 3, 3], draws, &device).require_grad();
        let bias = noise([11], draws, &device).require_grad();
        let slope = noise([3, 11, 7, 10], draws, &device);
        let loss = |input: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>| {
            let filters = Filters::new(weight, Some(bias));
            let output = numerics.run(|| kernel::conv2d(input, &filters, options(1), false));
            output * slope.clone()
        };
        let total = |output: Tensor<4>| -> f64 { values(output).into_iter().map(f64::from).sum() };
        let here = loss(input.clone(), weight.clone(), bias.clone());
        let gradients = here.clone().sum().backward();
        let along = |gradient: Vec<f32>, step: Vec<f32>| -> f64 {
            (gradient.iter().zip(step))
                .map(|(&g, s)| f64::from(g) * f64::from(s))
                .sum()
        };
        let here = total(here);
        let (dx, dw, db) = (
            noise(input.dims(), draws, &device),
            noise(weight.dims(), draws, &device),
            noise(bias.dims(), draws, &device),
        );
        let moved = loss(input.clone() + dx.clone(), weight.clone(), bias.clone());
        let found = along(values(input.grad(&gradients).unwrap()), values(dx));
        assert!((total(moved) - here - found).abs() <= 1e-4 * found.abs().max(10.0));
        let moved = loss(input.clone(), weight.clone() + dw.clone(), bias.clone());
        let found = along(values(weight.grad(&gradients).unwrap()), values(dw));
        assert!((total(moved) - here - found).abs() <= 1e-4 * found.abs().max(10.0));
        let moved = loss(input, weight, bias.clone() + db.clone());
        let found = along(values(bias.grad(&gradients).unwrap()), values(db));
        assert!((total(moved) - here - found).abs() <= 1e-4 * found.abs().max(10.0));
    }
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

// Oracle: the composed operations, bit for bit, at zeros, ties and the ends of ball and bounds.
#[test]
fn value_linf_step_is_the_composed_one_to_the_bit() {
    let device = Device::flex();
    let draws = &mut draws(40_000);
    let originals = noise([5, 3, 9, 8], draws, &device).abs();
    let moved = originals.clone() + noise([5, 3, 9, 8], draws, &device) * 0.1;
    let gradient = (noise([5, 3, 9, 8], draws, &device) * 2.0).round();
    assert!(values(gradient.clone()).contains(&0.0));
    let all = [
        [0.0, 1.0],
        [f32::NEG_INFINITY, f32::INFINITY],
        [0.25, f32::INFINITY],
        [f32::NEG_INFINITY, 0.5],
    ];
    for bounds in all {
        for (length, epsilon) in [(0.05, 0.1), (-0.3, 0.07), (0.0, 0.0), (8.0 / 255.0, 0.3)] {
            let step = LinfStep {
                length,
                epsilon,
                bounds,
            };
            let run = || kernel::linf_step(moved.clone(), gradient.clone(), &originals, step);
            let (got, ran) = kernel::record(run);
            assert_eq!(ran[0].path, Path::Kernel);
            assert_eq!(values(got), values(kernel::composed(run)), "{step:?}");
        }
    }
}

// What has no kernel takes Burn's operations, with their results.
#[test]
fn value_everything_else_is_composed() {
    let device = Device::flex();
    let draws = &mut draws(50_000);
    let input = noise([2, 4, 9, 9], draws, &device);
    for (side, stride, padding, dilation, groups) in [
        (5, 1, 2, 1, 1),
        (1, 1, 0, 1, 1),
        (3, 2, 0, 1, 1),
        (3, 1, 3, 1, 1),
        (3, 1, 1, 2, 1),
        (3, 1, 1, 1, 2),
    ] {
        let weight = noise([6, 4 / groups, side, side], draws, &device);
        let options = ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], groups);
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

// Views that are not in row order are read as what they show.
#[test]
fn value_views_are_read_as_shown() {
    let device = Device::flex();
    let draws = &mut draws(60_000);
    let wide = noise([3, 9, 12, 10], draws, &device);
    let view = wide.swap_dims(0, 1).narrow(2, 1, 8).flip([3]);
    let copy = Tensor::<4>::from_data(view.to_data(), &device);
    let filters = Filters::new(noise([4, 3, 3, 3], draws, &device), None);
    let run = |x: Tensor<4>| values(kernel::conv2d(x, &filters, options(0), true));
    assert_eq!(run(view.clone()), run(copy.clone()));
    let pool = |x: Tensor<4>| values(kernel::max_pool2d(x, MaxPoolOptions::new([2, 2]), true));
    assert_eq!(pool(view.clone()), pool(copy.clone()));
    assert_eq!(values(kernel::relu(view)), values(kernel::relu(copy)));
}

// Oracle: Burn's operations. A NaN passes relu, and so does the gradient there.
#[test]
fn gradient_of_relu_passes_where_the_output_is_nan() {
    let device = Device::flex().autodiff();
    let pixels = [-1.0f32, 2.0, f32::NAN, 0.0].repeat(9);
    let run = || {
        let x = Tensor::<1>::from_floats(pixels.as_slice(), &device);
        let x = x.reshape([1, 1, 6, 6]).require_grad();
        let gradients = kernel::relu(x.clone()).sum().backward();
        values(x.grad(&gradients).unwrap())
    };
    assert_eq!(run(), kernel::composed(run));

    let run = || {
        let x = Tensor::<1>::from_floats(pixels.as_slice(), &device);
        let x = x.reshape([9, 4]).require_grad();
        let weight = Tensor::<2>::eye(4, &Device::flex());
        let gradients = kernel::linear(x.clone(), weight, None, true)
            .sum()
            .backward();
        values(x.grad(&gradients).unwrap())
    };
    let (kernel, composed) = (run(), kernel::composed(run));
    let nan = |all: &[f32]| all.iter().map(|v| v.is_nan()).collect::<Vec<_>>();
    assert_eq!(nan(&kernel), nan(&composed));
}

// What a graph asks for in other ways: the same as by Burn's operations.
#[test]
fn gradient_with_few_parents_views_and_checkpointing() {
    let plain = Device::flex();
    for device in [
        plain.clone().autodiff(),
        plain.clone().autodiff().gradient_checkpointing(),
    ] {
        let run = || {
            let draws = &mut draws(80_000);
            let x = noise([3, 2, 12, 9], draws, &device);
            let weight = noise([4, 2, 3, 3], draws, &plain);
            let bias = noise([4], draws, &device).require_grad();
            // Only the bias learns; the gradient of the output comes as a transposed view, and
            // the input of the linear layer as a view that begins within its memory.
            let filters = Filters::new(weight, Some(bias.clone()));
            let y = kernel::conv2d(x, &filters, options(1), true);
            let pooled = kernel::max_pool2d(y.clone(), MaxPoolOptions::new([3, 3]), false);
            let features = pooled.swap_dims(2, 3).flatten::<2>(1, 3).narrow(0, 1, 2);
            let weight = noise([5, 48], draws, &device).require_grad();
            let y = kernel::linear(features, weight.clone().transpose(), None, true);
            let gradients = (y.clone() * noise([2, 5], draws, &device)).sum().backward();
            [
                values(y),
                values(bias.grad(&gradients).unwrap()),
                values(weight.grad(&gradients).unwrap()),
            ]
        };
        let (found, expected) = (run(), kernel::composed(run));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(apart(found, expected) < 2e-5);
        }
    }
}

// One `Filters` with two paddings, and results that are copied and written to.
#[test]
fn value_filters_and_results_are_shared_safely() {
    let device = Device::flex().autodiff();
    let draws = &mut draws(90_000);
    let filters = Filters::new(noise([9, 8, 3, 3], draws, &Device::flex()), None);
    let x = noise([2, 8, 7, 7], draws, &device).require_grad();
    for padding in [1, 0, 1, 2] {
        let run = || values(kernel::conv2d(x.clone(), &filters, options(padding), false));
        assert!(apart(&run(), &kernel::composed(run)) < 2e-5);
    }
    // The output is kept for the backward pass: writing to it must write to a copy.
    let y = kernel::conv2d(x.clone(), &filters, options(1), true);
    let before = values(y.clone());
    let written = y
        .clone()
        .slice_assign([0..1, 0..1, 0..1, 0..1], Tensor::ones([1; 4], &device));
    assert_eq!(values(written)[0], 1.0);
    assert_eq!(values(y.clone()), before);
    let data = y.inner().into_data();
    assert_eq!(data.clone(), data);
}

// Oracle: exact predictions. Whatever a fast attack went by, its verdict is exact.
#[test]
fn value_verdicts_of_fast_attacks_are_exact() {
    let device = Device::flex();
    let model = CnnConfig::new(Group::P4, [1, 28, 28], 10)
        .init(&device)
        .unwrap();
    let batch = embedded_mnist()
        .test
        .batch(&(0..100).collect::<Vec<_>>(), &device);
    let exact = Frozen::new(&model).with_numerics(Numerics::Exact);
    let fast = exact.clone().with_numerics(Numerics::Fast);
    let attack = Pgd::linf(0.02).with_predicted_labels(true);
    let [by_exact, by_fast] =
        [&exact, &fast].map(|victim| attack.attack(victim, &batch, Seed(1)).unwrap());
    let clean = exact.predict(batch.images.clone());
    for found in [&by_exact, &by_fast] {
        let attacked = exact.predict(found.images.clone());
        let verdicts: Vec<bool> = clean.iter().zip(&attacked).map(|(a, b)| a != b).collect();
        assert_eq!(found.fooled, verdicts);
    }
    let (a, b) = (by_exact.fooled_count(), by_fast.fooled_count());
    println!("fooled of 100: {a} by exact gradients, {b} by fast ones");
    assert!(a > 0 && a.abs_diff(b) <= 2, "{a} {b}");
}

#[test]
#[should_panic(expected = "channels")]
fn error_channels_that_do_not_fit() {
    let device = Device::flex();
    let filters = Filters::new(Tensor::ones([2, 3, 3, 3], &device), None);
    kernel::conv2d(
        Tensor::ones([1, 4, 5, 5], &device),
        &filters,
        options(0),
        false,
    );
}

#[test]
#[should_panic(expected = "one bias per output")]
fn error_bias_that_does_not_fit() {
    let device = Device::flex();
    Filters::new(
        Tensor::ones([2, 3, 3, 3], &device),
        Some(Tensor::ones([3], &device)),
    );
}

#[test]
#[should_panic(expected = "a radius is at least 0")]
fn error_negative_radius() {
    let images = Tensor::<4>::ones([1, 1, 2, 2], &Device::flex());
    let step = LinfStep {
        length: 0.1,
        epsilon: -0.1,
        bounds: [0.0, 1.0],
    };
    kernel::linf_step(images.clone(), images.clone(), &images, step);
}

/// Gives every parameter small random values.
struct Randomise(Draws);

impl ModuleMapper for Randomise {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let random = noise(tensor.dims(), &mut self.0, &tensor.device()) * 0.1;
        Param::from_mapped_value(id, random, mapper)
    }
}

// The bits of an image's logits and gradient do not depend on its batch mates or on the threads.
#[test]
fn value_networks_do_not_depend_on_batch_or_threads() {
    use fireproof::attack::{CrossEntropy, Loss, Reference};
    use fireproof::model::{Head, SmallCnnConfig};

    let device = Device::flex();
    let cnn = |group, head| {
        let config = CnnConfig::new(group, [1, 28, 28], 10).with_head(head);
        Frozen::new(&config.init(&device).unwrap())
    };
    let small = SmallCnnConfig::new([1, 28, 28], 10).init(&device).unwrap();
    // Its last layer starts at zero, and so would all its gradients.
    let small = small.map(&mut Randomise(draws(70_000)));
    let victims = [
        cnn(Group::P4, Head::Flattened),
        cnn(Group::P1, Head::Flattened),
        // Batch norm, and a mean over space.
        cnn(Group::P4m, Head::Pooled),
        Frozen::new(&small),
    ];
    let places: Vec<usize> = (0..70).collect();
    let batch = embedded_mnist().test.batch(&places, &device);
    for (victim, numerics) in victims
        .iter()
        .flat_map(|victim| [(victim, Numerics::Exact), (victim, Numerics::Fast)])
    {
        let victim = victim.clone().with_numerics(numerics);
        let run = |first: usize, count: usize| {
            let part = |labels: Tensor<1, burn::tensor::Int>| labels.narrow(0, first, count);
            let loss = |logits| {
                CrossEntropy.per_image(logits, &Reference::new(part(batch.labels.clone())))
            };
            let images = batch.images.clone().narrow(0, first, count);
            let found = victim.loss_gradient(images, loss).unwrap();
            (values(found.logits), values(found.gradient))
        };
        let (logits, gradient) = run(0, 70);
        assert!(
            gradient
                .chunks(784)
                .all(|image| image.iter().any(|&g| g != 0.0))
        );
        for (first, count) in [
            (0, 1),
            (69, 1),
            (13, 2),
            (5, 7),
            (16, 16),
            (30, 33),
            (1, 64),
        ] {
            let part = run(first, count);
            assert_eq!(part.0[..], logits[first * 10..][..count * 10]);
            assert_eq!(part.1[..], gradient[first * 784..][..count * 784]);
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let again = pool.build().unwrap().install(|| run(0, 70));
            assert_eq!(
                again,
                (logits.clone(), gradient.clone()),
                "{threads} threads"
            );
        }
    }
}
