//! Every other layer.

use super::given::{assert_close, assert_same, dyadic_norm, groups, real, whole};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::base::Keys;
use fireproof::group::Group;
use fireproof::nn::{
    GroupAvgPool2dConfig, GroupBatchNormConfig, GroupDropoutConfig, GroupMaxPool2dConfig,
    GroupPoolConfig, GroupReduction, NormalizeConfig,
};

on_every_device![
    equivariance_pools_bit_equal,
    equivariance_normalize_bit_equal,
    equivariance_batch_norm_bit_equal_in_inference,
    equivariance_batch_norm_in_training,
    equivariance_dropout_in_training,
];

fn equivariance_pools_bit_equal(on: &On) {
    for &group in groups(on) {
        let features = whole(on, [2, 3, group.size(), 9, 7], 1, 1000);
        let max = GroupMaxPool2dConfig::new(group, 3)
            .with_stride(2)
            .with_padding(1)
            .init();
        let avg = GroupAvgPool2dConfig::new(group, 3)
            .with_stride(2)
            .with_padding(1)
            .init();
        let group_max = GroupPoolConfig::new(GroupReduction::Max).init();
        let group_mean = GroupPoolConfig::new(GroupReduction::Mean).init();
        for g in group.elements() {
            let moved = group.act_on_features(features.clone(), g);
            for (what, of_moved, response) in [
                (
                    "max",
                    max.forward(moved.clone()),
                    max.forward(features.clone()),
                ),
                (
                    "avg",
                    avg.forward(moved.clone()),
                    avg.forward(features.clone()),
                ),
            ] {
                assert_same(of_moved, group.act_on_features(response, g), what);
            }
            for (what, pool) in [("group max", &group_max), ("group mean", &group_mean)] {
                assert_same(
                    pool.forward(moved.clone()),
                    group.act_on_planes(pool.forward(features.clone()), g),
                    what,
                );
            }
        }
    }
}

fn equivariance_normalize_bit_equal(on: &On) {
    let device = on.device();
    let normalize = NormalizeConfig::new(vec![0.25, -3.0], vec![0.5, 4.0]).init(&device);
    let images = whole(on, [2, 2, 5, 4], 1, 255);
    let response = normalize.forward(images.clone());
    for g in Group::P4m.elements() {
        assert_same(
            normalize.forward(g.act_on_planes(images.clone())),
            g.act_on_planes(response.clone()),
            "normalize",
        );
    }
}

fn equivariance_batch_norm_bit_equal_in_inference(on: &On) {
    for &group in groups(on) {
        let norm = dyadic_norm(on, group, 3, 0.25);
        let features = whole(on, [2, 3, group.size(), 5, 6], 1, 1000);
        let response = norm.forward(features.clone());
        assert_eq!(
            (response.clone() * 4.0).to_data(),
            (response.clone() * 4.0).round().to_data()
        );
        for g in group.elements() {
            assert_same(
                norm.forward(group.act_on_features(features.clone(), g)),
                group.act_on_features(response.clone(), g),
                "batch norm",
            );
        }
    }
}

fn equivariance_batch_norm_in_training(on: &On) {
    let device = on.device().autodiff();
    for &group in groups(on) {
        let features = Tensor::from_inner(real(on, [4, 3, group.size(), 6, 6], 1));
        // A layer each: training updates the running statistics.
        let norm = || GroupBatchNormConfig::new(group, 3).init(&device);
        let response = norm().forward(features.clone()).inner();
        for g in group.elements() {
            let layer = norm();
            assert_close(
                layer
                    .forward(group.act_on_features(features.clone(), g))
                    .inner(),
                group.act_on_features(response.clone(), g),
                "batch norm",
            );
        }
    }
}

fn equivariance_dropout_in_training(on: &On) {
    for &group in groups(on) {
        let dropout = GroupDropoutConfig::new(0.5).init();
        let features = Tensor::from_inner(whole(on, [4, 6, group.size(), 3, 3], 1, 9));
        let keys = Keys::new(5, [3, 1, 4, 15]).with_draw(9);
        // A copy of the keys is for another pass.
        let drop = |x| dropout.forward_with(x, &keys.clone()).inner();
        let response = drop(features.clone());
        for g in group.elements() {
            assert_same(
                drop(group.act_on_features(features.clone(), g)),
                group.act_on_features(response.clone(), g),
                "dropout",
            );
        }
    }
}
