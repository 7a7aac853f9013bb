//! Operations in every form in which a graph asks for them, against Burn's.

use super::given::{apart, between, draws, noise, options};
use crate::common::{On, bits, values};
use burn::tensor::Tensor;
use burn::tensor::ops::MaxPoolOptions;
use fireproof::kernel::{self, Filters, LinfStep, Path};

on_every_device![
    value_linf_step_is_the_composed_one_to_the_bit,
    value_add_scaled_is_the_composed_one_to_the_bit,
    value_and_gradient_of_group_max_are_the_composed_ones_to_the_bit,
    value_views_are_read_as_shown,
    gradient_of_relu_passes_where_the_output_is_nan,
    gradient_with_few_parents_views_and_checkpointing,
    value_filters_and_results_are_shared_safely,
    error_channels_that_do_not_fit: "channels",
    error_bias_that_does_not_fit: "one bias per output",
    error_sums_that_do_not_fit: "the shape of what is added",
    error_negative_radius: "a radius is at least 0",
];

// Oracle: the composed operations, bit for bit, at zeros, ties and the ends of ball and bounds.
fn value_linf_step_is_the_composed_one_to_the_bit(on: &On) {
    let device = on.device();
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
            assert!(!on.is("flex") || ran[0].path == Path::Kernel);
            assert_eq!(values(got), values(kernel::composed(run)), "{step:?}");
        }
    }
}

// Oracle: Burn's product and sum, bit for bit.
fn value_add_scaled_is_the_composed_one_to_the_bit(on: &On) {
    let device = on.device();
    for seed in 0..on.pick(200, 3) {
        let draws = &mut draws(45_000 + seed);
        let shape = [
            between(draws, 1, 9),
            between(draws, 1, 9),
            between(draws, 1, 600),
        ];
        let [x, y]: [Tensor<3>; 2] = std::array::from_fn(|_| noise(shape, draws, &device));
        let factor = draws.uniform(-2.0, 2.0);
        let run = || kernel::add_scaled(x.clone(), y.clone(), factor);
        let (got, ran) = kernel::record(run);
        assert!(!on.is("flex") || ran[0].path == Path::Kernel);
        assert_eq!(
            values(got),
            values(kernel::composed(run)),
            "{shape:?}, {factor}"
        );
    }
}

// Oracle: Burn's `max_dim`, bit for bit, with many equal components, and zeros of both signs in numbers and gradients;
// many channels per piece of work, a channel, all components that there can be, and more, which is Burn's path.
fn value_and_gradient_of_group_max_are_the_composed_ones_to_the_bit(on: &On) {
    let device = on.device().autodiff();
    let given = [[2, 3, 8, 64, 64], [1, 2, 255, 3, 5], [1, 2, 256, 3, 5]];
    for seed in 0..on.pick(2_000, 3) {
        let draws = &mut draws(47_000 + seed);
        let group = [1, 4, 8, between(draws, 2, 20)][between(draws, 0, 3)];
        let [batch, channels] = [between(draws, 1, 9), between(draws, 1, 20)];
        let [height, width] = [between(draws, 1, 30), between(draws, 1, 30)];
        let drawn = [batch, channels, group, height, width];
        let shape = given.get(seed as usize).copied().unwrap_or(drawn);
        let [batch, channels, group, height, width] = shape;
        let x: Tensor<5> = noise(shape, draws, &device);
        let x = match between(draws, 0, 2) {
            0 => x,
            1 => x.round(),
            _ => x.clone().sign() * 0.0,
        };
        let slope: Tensor<4> = noise([batch, channels, height, width], draws, &device);
        let slope = match between(draws, 0, 1) {
            0 => slope,
            _ => slope.clone().sign() * 0.0,
        };
        let run = || {
            let x = x.clone().detach().require_grad();
            let y = kernel::group_max(x.clone());
            let gradients = (y.clone() * slope.clone()).sum().backward();
            [bits(y.inner()), bits(x.grad(&gradients).unwrap())]
        };
        let (got, ran) = kernel::record(run);
        assert!(!on.is("flex") || (ran[0].path == Path::Kernel) == (group < 256));
        assert!(got == kernel::composed(run), "case {seed}, {shape:?}");
    }
    // A NaN is the largest, and the gradient goes to the first.
    let x = Tensor::<1>::from_floats([1.0, f32::NAN, f32::NAN, 2.0], &device);
    let x = x.reshape([1, 1, 4, 1, 1]).require_grad();
    let y = kernel::group_max(x.clone());
    assert!(!on.is("flex") || values(y.clone())[0].is_nan());
    let gradients = y.sum().backward();
    let gradient = values(x.grad(&gradients).unwrap());
    assert!(
        !on.is("flex") || gradient == [0.0, 1.0, 0.0, 0.0],
        "{gradient:?}"
    );
}

// Views that are not in row order are read as what they show.
fn value_views_are_read_as_shown(on: &On) {
    let device = on.device();
    let draws = &mut draws(60_000);
    let wide = noise([3, 9, 12, 10], draws, &device);
    let view = wide.swap_dims(0, 1).narrow(2, 1, 8).flip([3]);
    let copy = Tensor::<4>::from_data(view.to_data(), &device);
    let filters = Filters::new(noise([4, 3, 3, 3], draws, &device), None);
    let run = |x: Tensor<4>| values(kernel::conv2d(x, &filters, options(0), true));
    assert_eq!(run(view.clone()), run(copy.clone()));
    let pool = |x: Tensor<4>| values(kernel::max_pool2d(x, MaxPoolOptions::new([2, 2]), true));
    assert_eq!(pool(view.clone()), pool(copy.clone()));
    let group = |x: Tensor<4>| values(kernel::group_max(x.reshape([3, 3, 3, 8, 10])));
    assert_eq!(group(view.clone()), group(copy.clone()));
    let last = |x: Tensor<4>| values(kernel::group_max(x.unsqueeze_dim(2)));
    assert_eq!(last(view.clone()), last(copy.clone()));
    assert_eq!(values(kernel::relu(view)), values(kernel::relu(copy)));
}

// Oracle: Burn's operations. A NaN passes relu, and so does the gradient there.
fn gradient_of_relu_passes_where_the_output_is_nan(on: &On) {
    let device = on.device().autodiff();
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
        let weight = Tensor::<2>::eye(4, &on.device());
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
fn gradient_with_few_parents_views_and_checkpointing(on: &On) {
    let plain = on.device();
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
            let affine = kernel::Affine {
                scale: noise([4], draws, &device).require_grad(),
                shift: noise([4], draws, &device),
            };
            let scale = affine.scale.clone();
            // Its input is a view, too.
            let turned = kernel::batch_norm_train(y.clone().swap_dims(2, 3), affine, 1e-5, true);
            let y = y.clone() + turned.0.swap_dims(2, 3);
            let four = y
                .clone()
                .unsqueeze_dim::<5>(2)
                .repeat_dim(2, 2)
                .swap_dims(3, 4);
            let y = y.clone() + kernel::group_max(four).swap_dims(2, 3);
            let pooled = kernel::max_pool2d(y.clone(), MaxPoolOptions::new([3, 3]), false);
            let features = pooled.swap_dims(2, 3).flatten::<2>(1, 3).narrow(0, 1, 2);
            let weight = noise([5, 48], draws, &device).require_grad();
            let y = kernel::linear(features, weight.clone().transpose(), None, true);
            let gradients = (y.clone() * noise([2, 5], draws, &device)).sum().backward();
            [
                values(y),
                values(scale.grad(&gradients).unwrap()),
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
fn value_filters_and_results_are_shared_safely(on: &On) {
    let device = on.device().autodiff();
    let draws = &mut draws(90_000);
    let filters = Filters::new(noise([9, 8, 3, 3], draws, &on.device()), None);
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

fn error_channels_that_do_not_fit(on: &On) {
    let device = on.device();
    let filters = Filters::new(Tensor::ones([2, 3, 3, 3], &device), None);
    kernel::conv2d(
        Tensor::ones([1, 4, 5, 5], &device),
        &filters,
        options(0),
        false,
    );
}

fn error_bias_that_does_not_fit(on: &On) {
    let device = on.device();
    Filters::new(
        Tensor::ones([2, 3, 3, 3], &device),
        Some(Tensor::ones([3], &device)),
    );
}

// As many numbers as the convolution has, and a batch's worth that Burn would take for all images.
fn error_sums_that_do_not_fit(on: &On) {
    let device = on.device();
    let filters = Filters::new(Tensor::ones([2, 3, 1, 1], &device), None);
    let x = || Tensor::ones([2, 3, 4, 6], &device);
    let sum = |shape: [usize; 4]| {
        let beside = Tensor::ones(shape, &device);
        kernel::conv2d_add(x(), &filters, options(0), beside, false)
    };
    assert_eq!(sum([2, 2, 4, 6]).dims(), [2, 2, 4, 6]);
    let turned = std::panic::AssertUnwindSafe(|| sum([2, 2, 6, 4]));
    assert!(std::panic::catch_unwind(turned).is_err());
    sum([1, 2, 4, 6]);
}

fn error_negative_radius(on: &On) {
    let images = Tensor::<4>::ones([1, 1, 2, 2], &on.device());
    let step = LinfStep {
        length: 0.1,
        epsilon: -0.1,
        bounds: [0.0, 1.0],
    };
    kernel::linf_step(images.clone(), images.clone(), &images, step);
}
