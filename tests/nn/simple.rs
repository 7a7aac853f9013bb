//! Batch norm, pools, normalisation and the linear layer, against their formulas.

use crate::common::{On, values};
use burn::module::Module;
use burn::nn::BatchNormConfig;
use burn::tensor::{Tensor, TensorData};
use fireproof::group::Group;
use fireproof::nn::*;

on_every_device![
    value_batch_norm_shares_statistics_over_the_group,
    value_pools,
    value_normalize,
    error_normalize: "expected 2 finite means and 2 finite positive deviations",
    value_linear_is_burns,
];

fn value_batch_norm_shares_statistics_over_the_group(on: &On) {
    // Oracle: mean and variance over batch, group and space, in f64 on the host.
    let device = on.device();
    let layer = GroupBatchNormConfig::new(Group::P4, 3)
        .with_momentum(1.0)
        .init(&device.clone().autodiff());
    let features = on.pattern([2, 3, 4, 3, 2], 1);
    let output = values(layer.forward(Tensor::from_inner(features.clone())).inner());
    let layer = layer.valid();
    let running = values(layer.norm.running_mean.value());
    let variances = values(layer.norm.running_var.value());
    let input = values(features);
    let plane = 4 * 3 * 2;
    for channel in 0..3 {
        let places =
            || (0..2).flat_map(|n| (n * 3 + channel) * plane..(n * 3 + channel + 1) * plane);
        let count = places().count() as f64;
        let mean = places().map(|at| f64::from(input[at])).sum::<f64>() / count;
        let variance = places()
            .map(|at| (f64::from(input[at]) - mean).powi(2))
            .sum::<f64>()
            / count;
        assert!((f64::from(running[channel]) - mean).abs() < 1e-5);
        assert!((f64::from(variances[channel]) / variance - 1.0).abs() < 1e-5);
        for at in places() {
            let expected = (f64::from(input[at]) - mean) / (variance + 1e-5).sqrt();
            assert!((f64::from(output[at]) - expected).abs() < 1e-5);
        }
    }
    // One scale and one shift for each channel, as an ordinary layer of three channels has.
    assert_eq!(
        layer.num_params(),
        BatchNormConfig::new(3).init(&device).num_params()
    );
}

fn value_pools(on: &On) {
    // Oracle: by hand, on components that count 0..8.
    let device = on.device();
    let ramp = TensorData::new(
        (0..32).map(|v| v as f32).collect::<Vec<_>>(),
        [1, 1, 8, 2, 2],
    );
    let features = Tensor::<5>::from_data(ramp, &device);
    let pool = |reduction| {
        GroupPoolConfig::new(reduction)
            .init()
            .forward(features.clone())
    };
    assert_eq!(values(pool(GroupReduction::Max)), [28.0, 29.0, 30.0, 31.0]);
    assert_eq!(values(pool(GroupReduction::Mean)), [14.0, 15.0, 16.0, 17.0]);
    let max = GroupMaxPool2dConfig::new(Group::P4m, 2).init();
    let expected: Vec<f32> = (0..8).map(|h| (4 * h + 3) as f32).collect();
    assert_eq!(values(max.forward(features.clone())), expected);
    let avg = GroupAvgPool2dConfig::new(Group::P4m, 2).init();
    let expected: Vec<f32> = (0..8).map(|h| 4.0 * h as f32 + 1.5).collect();
    assert_eq!(values(avg.forward(features)), expected);
}

fn value_normalize(on: &On) {
    // Oracle: by hand.
    let device = on.device();
    let layer = NormalizeConfig::new(vec![0.5, 0.25], vec![0.25, 0.5]).init(&device);
    let images = Tensor::<4>::ones([1, 2, 1, 1], &device);
    assert_eq!(values(layer.forward(images.clone())), [2.0, 1.5]);
    assert_eq!(layer.num_params(), 0);
    assert!(layer.clone().into_record().is_empty());

    // Its gradient reaches the pixels, in training and in inference.
    for layer in [layer.clone().train(), layer.valid()] {
        let images = Tensor::from_inner(images.clone()).require_grad();
        let gradients = layer.forward(images.clone()).sum().backward();
        assert_eq!(values(images.grad(&gradients).unwrap()), [4.0, 2.0]);
    }
}

fn error_normalize(on: &On) {
    NormalizeConfig::new(vec![0.0, 0.0], vec![1.0, 0.0]).init(&on.device());
}

fn value_linear_is_burns(on: &On) {
    // Oracle: burn::nn::Linear, loaded from this crate's record.
    let device = on.device();
    let ours = LinearConfig::new([7, 5]).init(&device);
    let burns = burn::nn::LinearConfig::new(7, 5)
        .init(&device)
        .load_record(ours.clone().into_record());
    let x = on.pattern([3, 7], 2) / 15.0;
    let expected = values(burns.forward(x.clone()));
    let found = values(ours.forward(x.clone()));
    let rectified = values(ours.forward_relu(x));
    for ((expected, found), rectified) in expected.iter().zip(found).zip(rectified) {
        assert!((expected - found).abs() < 1e-5);
        assert_eq!(rectified, found.max(0.0));
    }
}
