//! Convolutions: values against Burn's, gradients against differences.

use super::given::{group_conv, lifting};
use crate::common::{On, values};
use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::*;

on_every_device![
    value_p1_is_burns_convolution,
    value_folded_convolutions,
    gradient_of_group_convolutions,
];

fn value_p1_is_burns_convolution(on: &On) {
    // Oracle: burn::nn::conv::Conv2d, loaded from this crate's record and the reverse; whole numbers,
    // whose sums are exact.
    let device = on.device();
    let ours = Conv2dConfig::new([2, 3], 3)
        .with_stride(2)
        .with_padding(1)
        .with_dilation(2)
        .init(&device)
        .with_weight(on.pattern([3, 2, 3, 3], 1))
        .with_bias(on.pattern([3], 2));
    let burns = || {
        let mut conv = burn::nn::conv::Conv2dConfig::new([2, 3], [3, 3])
            .with_stride([2, 2])
            .with_padding(burn::nn::PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_dilation([2, 2])
            .init(&device);
        conv.weight = Param::from_tensor(on.pattern([3, 2, 3, 3], 3));
        conv
    };
    let images = on.pattern([2, 2, 9, 8], 5);
    let loaded = burns().load_record(ours.clone().into_record());
    let expected = loaded.forward(images.clone());
    assert_eq!(ours.forward(images.clone()).to_data(), expected.to_data());
    assert_eq!(
        ours.to_conv2d().forward(images.clone()).to_data(),
        expected.to_data()
    );

    let mut other = burns();
    other.bias = Some(Param::from_tensor(on.pattern([3], 4)));
    let loaded = ours.load_record(other.clone().into_record());
    assert_eq!(
        loaded.forward(images.clone()).to_data(),
        other.forward(images.clone()).to_data()
    );

    // The layers over p1 are the same convolution.
    let lifting = LiftingConv2dConfig::new(Group::P1, [2, 3], 3)
        .with_stride(2)
        .with_padding(1)
        .with_dilation(2)
        .init(&device)
        .load_record(other.clone().into_record());
    let expected = other.forward(images.clone());
    assert_eq!(
        lifting
            .forward(images.clone())
            .squeeze_dim::<4>(2)
            .to_data(),
        expected.to_data()
    );
    let group = GroupConv2dConfig::new(Group::P1, [2, 3], 3)
        .with_stride(2)
        .with_padding(1)
        .with_dilation(2)
        .init(&device)
        .with_weight(other.weight.val().unsqueeze_dim(2))
        .with_bias(other.bias.as_ref().unwrap().val());
    assert_eq!(
        group
            .forward(images.unsqueeze_dim(2))
            .squeeze_dim::<4>(2)
            .to_data(),
        expected.to_data()
    );
}

fn value_folded_convolutions(on: &On) {
    // Oracle: the layer itself; Burn's layer takes and gives the flattened group axis.
    for &group in on.among(&Group::ALL, &[Group::P4m]) {
        let size = group.size();
        let images = on.pattern([2, 2, 6, 5], 3);
        let layer = lifting(on, group);
        let folded = layer.to_conv2d();
        assert_eq!(folded.weight.dims(), [3 * size, 2, 3, 3]);
        assert_exact(
            folded.forward(images.clone()).reshape([2, 3, size, 4, 3]),
            layer.forward(images),
        );
        let features = on.pattern([2, 2, size, 6, 5], 3);
        let layer = group_conv(on, group);
        let folded = layer.to_conv2d();
        assert_eq!(folded.weight.dims(), [3 * size, 2 * size, 3, 3]);
        assert_exact(
            folded
                .forward(features.clone().reshape([2, 2 * size, 6, 5]))
                .reshape([2, 3, size, 6, 5]),
            layer.forward(features),
        );
    }
}

// Equal to the bit, or with fast numerics to 4e-5 of the largest value.
fn assert_exact<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
    let largest = values(expected.clone().abs().max())[0];
    let limit = match Numerics::current() {
        Numerics::Exact => 0.0,
        Numerics::Fast => 4e-5 * largest,
    };
    let off = values((found - expected).abs().max())[0];
    assert!(off <= limit, "off by {off}");
}

fn gradient_of_group_convolutions(on: &On) {
    // Oracle: differences. The response is linear in the weights and values are whole numbers, so
    // a step of 1 gives the derivative exactly; with fast numerics the difference of two sums of
    // some thousand rounds to 0.1.
    let device = on.device();
    let limit = match Numerics::current() {
        Numerics::Exact => 0.0,
        Numerics::Fast => 0.1,
    };
    let assert_eq = |found: f32, expected: f32, what: String| {
        assert!(
            (found - expected).abs() <= limit,
            "{what}: {found} for {expected}"
        );
    };
    for &group in on.among(&[Group::P4, Group::P4m], &[Group::P4]) {
        let size = group.size();
        let features = on.pattern([1, 2, size, 4, 4], 3);
        let pick = on.pattern([1, 3, size, 4, 4], 7);
        let layer = group_conv(on, group).train();
        let loss = |layer: &GroupConv2d, x: Tensor<5>| {
            (layer.forward(x) * Tensor::from_inner(pick.clone())).sum()
        };
        let input = Tensor::from_inner(features.clone()).require_grad();
        let weight = layer.weight();
        let bias = layer.bias().unwrap();
        let gradients = loss(&layer, input.clone()).backward();
        let by_weight = values(weight.grad(&gradients).unwrap());
        let by_bias = values(bias.grad(&gradients).unwrap());
        let by_input = values(input.grad(&gradients).unwrap());

        let at_start = loss(&layer, input.clone()).into_scalar::<f32>();
        let step = |count: usize, at: usize| {
            let mut unit = vec![0f32; count];
            unit[at] = 1.0;
            unit
        };
        for at in (0..by_weight.len()).step_by(17) {
            let shape = weight.dims();
            let unit = TensorData::new(step(by_weight.len(), at), shape);
            let moved = layer
                .clone()
                .with_weight(weight.clone().inner() + Tensor::from_data(unit, &device));
            let change = loss(&moved, input.clone()).into_scalar::<f32>() - at_start;
            assert_eq(change, by_weight[at], format!("{group}, weight {at}"));
        }
        for (at, &gradient) in by_bias.iter().enumerate() {
            let unit = TensorData::new(step(3, at), [3]);
            let moved = layer
                .clone()
                .with_bias(bias.clone().inner() + Tensor::from_data(unit, &device));
            let change = loss(&moved, input.clone()).into_scalar::<f32>() - at_start;
            assert_eq(change, gradient, format!("{group}, bias {at}"));
        }
        for at in (0..by_input.len()).step_by(13) {
            let unit = TensorData::new(step(by_input.len(), at), features.dims());
            let moved = features.clone() + Tensor::from_data(unit, &device);
            let change = loss(&layer, Tensor::from_inner(moved)).into_scalar::<f32>() - at_start;
            assert_eq(change, by_input[at], format!("{group}, input {at}"));
        }
    }
}
