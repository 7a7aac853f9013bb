//! Batch normalisation: bit for bit what Burn's operations give.
//!
//! On Flex alone, which has the kernel: elsewhere Burn's operations would be compared with themselves.

use super::given::{between, draws, noise};
use crate::common::bits;
use burn::tensor::{Device, Tensor};
use fireproof::kernel::{
    self, Affine, Path, Statistics, batch_norm, batch_norm_train, batch_norm_train_add,
};

/// What a pass normalises by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Given,
    Own,
    OwnAndAdd,
}

/// Output, statistics and gradients of a pass of random size, as bits.
fn run(seed: u64, by: By) -> Vec<Vec<u32>> {
    let device = Device::flex().autodiff();
    let draws = &mut draws(seed);
    let [batch, channels] = [between(draws, 1, 9), between(draws, 1, 20)];
    let [height, width] = [between(draws, 1, 30), between(draws, 1, 30)];
    let relu = between(draws, 0, 1) == 1;
    let drawn = [batch, channels, height, width];
    // The first are of planes, and of rows of planes, that several threads share.
    let given = [[2, 2, 200, 200], [300, 1, 19, 17]];
    let shape = given.get(seed as usize).copied().unwrap_or(drawn);
    let [_, channels, ..] = shape;
    let x: Tensor<4> = noise(shape, draws, &device).require_grad();
    let slope: Tensor<4> = noise(shape, draws, &device);
    let mut of_channels = || noise([channels], draws, &device);
    let [scale, shift, mean, spread]: [Tensor<1>; 4] = std::array::from_fn(|_| of_channels());
    let variance = spread.clone() * spread;
    if by == By::Given {
        let affine = Affine { scale, shift };
        let y = batch_norm(x.clone(), affine, Statistics { mean, variance }, 1e-5, relu);
        let gradients = (y.clone() * slope).sum().backward();
        return vec![bits(y.inner()), bits(x.grad(&gradients).unwrap())];
    }
    let [scale, shift] = [scale.require_grad(), shift.require_grad()];
    let affine = Affine {
        scale: scale.clone(),
        shift: shift.clone(),
    };
    let beside: Tensor<4> = noise(shape, draws, &device).require_grad();
    let (y, found) = match by {
        By::OwnAndAdd => batch_norm_train_add(x.clone(), affine, 1e-5, beside.clone(), relu),
        _ => batch_norm_train(x.clone(), affine, 1e-5, relu),
    };
    let gradients = (y.clone() * slope).sum().backward();
    let beside = beside.grad(&gradients);
    assert_eq!(beside.is_some(), by == By::OwnAndAdd);
    vec![
        beside.map(bits).unwrap_or_default(),
        bits(y.inner()),
        bits(found.mean.inner()),
        bits(found.variance.inner()),
        bits(x.grad(&gradients).unwrap()),
        bits(scale.grad(&gradients).unwrap()),
        bits(shift.grad(&gradients).unwrap()),
    ]
}

// Oracle: Burn's operations, `module::batch_norm` and `batch_norm_train`, and its relu.
#[test]
fn value_and_gradient_of_batch_norm_to_the_bit() {
    for seed in 0..2_000 {
        for by in [By::Given, By::Own, By::OwnAndAdd] {
            let (found, ran) = kernel::record(|| run(seed, by));
            assert!(ran.iter().all(|ran| ran.path == Path::Kernel), "{ran:?}");
            let expected = kernel::composed(|| run(seed, by));
            assert!(found == expected, "case {seed}, {by:?}");
        }
    }
}

// Oracle: Burn's operations, which differentiate in all that is given.
#[test]
fn convention_given_statistics_that_learn_are_burns() {
    let device = Device::flex().autodiff();
    let ones = || Tensor::<1>::ones([2], &device);
    let scale = ones().require_grad();
    let affine = Affine {
        scale: scale.clone(),
        shift: ones(),
    };
    let statistics = Statistics {
        mean: ones(),
        variance: ones(),
    };
    let x = noise([3, 2, 4, 4], &mut draws(1), &device);
    let (y, ran) = kernel::record(|| batch_norm(x, affine, statistics, 1e-5, false));
    assert_eq!(ran[0].path, Path::Composed);
    assert!(scale.grad(&y.sum().backward()).is_some());
}

#[test]
#[should_panic(expected = "one number per channel")]
fn error_channels_do_not_fit() {
    let device = Device::flex();
    let ones = |count: usize| Tensor::<1>::ones([count], &device);
    let affine = Affine {
        scale: ones(2),
        shift: ones(3),
    };
    let _ = batch_norm_train(Tensor::ones([1, 2, 3, 3], &device), affine, 1e-5, false);
}

#[test]
#[should_panic(expected = "the shape of what is added")]
fn error_what_is_added_does_not_fit() {
    let device = Device::flex();
    let ones = || Tensor::<1>::ones([2], &device);
    let affine = Affine {
        scale: ones(),
        shift: ones(),
    };
    let x = Tensor::ones([1, 2, 3, 3], &device);
    let _ = batch_norm_train_add(x, affine, 1e-5, Tensor::ones([1, 2, 3, 4], &device), false);
}
