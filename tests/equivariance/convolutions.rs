//! Convolutions of every setting.

use super::given::{
    SETTINGS, assert_close, assert_same, assert_sums_group, assert_sums_lifting, groups, real,
    whole,
};
use crate::common::On;
use fireproof::nn::{GroupConv2dConfig, LiftingConv2dConfig};

on_every_device![
    equivariance_lifting_conv_bit_equal,
    equivariance_group_conv_bit_equal,
    equivariance_convolutions_with_random_weights,
];

fn equivariance_lifting_conv_bit_equal(on: &On) {
    let device = on.device();
    for &group in groups(on) {
        for &(k, s, p, d, [height, width]) in on.among(&SETTINGS, &SETTINGS[1..3]) {
            let conv = LiftingConv2dConfig::new(group, [2, 3], k)
                .with_stride(s)
                .with_padding(p)
                .with_dilation(d)
                .init(&device)
                .with_weight(whole(on, [3, 2, k, k], 1, 7))
                .with_bias(whole(on, [3], 2, 7));
            let images = whole(on, [2, 2, height, width], 3, 255);
            assert_sums_lifting(&conv, &images);
            let response = conv.forward(images.clone());
            for g in group.elements() {
                assert_same(
                    conv.forward(group.act_on_planes(images.clone(), g)),
                    group.act_on_features(response.clone(), g),
                    &format!("{group}, k={k} s={s} p={p} d={d}, {g}"),
                );
            }
        }
    }
}

fn equivariance_group_conv_bit_equal(on: &On) {
    let device = on.device();
    for &group in groups(on) {
        for &(k, s, p, d, [height, width]) in on.among(&SETTINGS, &SETTINGS[1..3]) {
            let conv = GroupConv2dConfig::new(group, [2, 3], k)
                .with_stride(s)
                .with_padding(p)
                .with_dilation(d)
                .init(&device)
                .with_weight(whole(on, [3, 2, group.size(), k, k], 1, 7))
                .with_bias(whole(on, [3], 2, 7));
            let features = whole(on, [2, 2, group.size(), height, width], 3, 255);
            assert_sums_group(&conv, &features, 1.0);
            let response = conv.forward(features.clone());
            for g in group.elements() {
                assert_same(
                    conv.forward(group.act_on_features(features.clone(), g)),
                    group.act_on_features(response.clone(), g),
                    &format!("{group}, k={k} s={s} p={p} d={d}, {g}"),
                );
            }
        }
    }
}

fn equivariance_convolutions_with_random_weights(on: &On) {
    let device = on.device();
    for &group in groups(on) {
        let lifting = LiftingConv2dConfig::new(group, [3, 8], 3)
            .init(&device)
            .with_weight(real(on, [8, 3, 3, 3], 1));
        let conv = GroupConv2dConfig::new(group, [8, 8], 5)
            .init(&device)
            .with_weight(real(on, [8, 8, group.size(), 5, 5], 2));
        let images = real(on, [2, 3, 12, 12], 3);
        let features = lifting.forward(images.clone());
        let response = conv.forward(features.clone());
        for g in group.elements() {
            let moved = group.act_on_planes(images.clone(), g);
            let of_moved = lifting.forward(moved);
            let moved = group.act_on_features(features.clone(), g);
            assert_close(of_moved, moved.clone(), &format!("lifting, {group}, {g}"));
            assert_close(
                conv.forward(moved),
                group.act_on_features(response.clone(), g),
                &format!("group convolution, {group}, {g}"),
            );
        }
    }
}
