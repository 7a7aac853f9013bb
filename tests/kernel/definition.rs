//! Convolutions against their definition in f64.

use super::given::{Case, between, bound, draws, error, noise, options};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::kernel::{self, Filters, Numerics};

on_every_device![
    value_errors_of_conv2d_stay_within_their_bounds,
    gradient_of_conv2d_by_finite_differences,
];

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
fn value_errors_of_conv2d_stay_within_their_bounds(on: &On) {
    let device = on.device().autodiff();
    for (at, &[output, input, side, padding]) in
        on.among(&SHAPES, &[[3, 2, 7, 1]]).iter().enumerate()
    {
        let draws = &mut draws(10_000 + at as u64);
        let after = side + 2 * padding - 2;
        // Enough images for 10,000 numbers, and a part of a group of sixteen.
        let batch = 3;
        let case = Case {
            input: noise([batch, input, side, side], draws, &device),
            weight: noise([output, input, 3, 3], draws, &device),
            bias: None,
            options: options(padding),
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
        // Image, channel, row and column of a number.
        let place = |index: usize, channels: usize, side: usize| {
            let (at, plane) = (index % (side * side), index / (side * side));
            let [row, column] = [at / side, at % side].map(|at| at as i64);
            (plane / channels, plane % channels, row, column)
        };
        let forward = |index: usize| {
            let (image, o, row, column) = place(index, output, after);
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
            let (image, i, row, column) = place(index, input, side);
            let mut sum = 0.0;
            for o in 0..output {
                for tap in 0..9 {
                    let weight = w[(o * input + i) * 9 + tap as usize];
                    let (down, right) = (tap / 3 - padding as i64, tap % 3 - padding as i64);
                    let plane = image * output + o;
                    sum += f64::from(weight) * pixel(&dy, plane, after, row - down, column - right);
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
fn gradient_of_conv2d_by_finite_differences(on: &On) {
    let device = on.device().autodiff();
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
