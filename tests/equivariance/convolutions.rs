//! Convolutions of every setting.

use super::given::{
    SETTINGS, assert_close, assert_same, assert_sums_group, assert_sums_lifting, groups, real,
    whole,
};
use crate::common::On;
use fireproof::nn::{GroupConv2dConfig, LiftingConv2dConfig};

on_every_device![
    equivariance_convolutions_bit_equal,
    equivariance_convolutions_with_random_weights,
];

/// A convolution of one of the settings, whose weights and bias are whole numbers.
macro_rules! conv {
    ($config:ident, $group:ident, $setting:ident, $on:ident, $weight:expr) => {{
        let (k, stride, padding, dilation, _) = $setting;
        $config::new($group, [2, 3], k)
            .with_stride(stride)
            .with_padding(padding)
            .with_dilation(dilation)
            .init(&$on.device())
            .with_weight(whole($on, $weight, 1, 7))
            .with_bias(whole($on, [3], 2, 7))
    }};
}

fn equivariance_convolutions_bit_equal(on: &On) {
    for &group in groups(on) {
        for &setting in on.among(&SETTINGS, &SETTINGS[1..3]) {
            let (k, _, _, _, [height, width]) = setting;
            let size = group.size();
            let lifting = conv!(LiftingConv2dConfig, group, setting, on, [3, 2, k, k]);
            let conv = conv!(GroupConv2dConfig, group, setting, on, [3, 2, size, k, k]);
            let images = whole(on, [2, 2, height, width], 3, 255);
            let features = whole(on, [2, 2, size, height, width], 3, 255);
            assert_sums_lifting(&lifting, &images);
            assert_sums_group(&conv, &features, 1.0);
            let lifted = lifting.forward(images.clone());
            let response = conv.forward(features.clone());
            for g in group.elements() {
                let what = format!("{group}, k s p d = {setting:?}, {g}");
                assert_same(
                    lifting.forward(group.act_on_planes(images.clone(), g)),
                    group.act_on_features(lifted.clone(), g),
                    &format!("lifting, {what}"),
                );
                assert_same(
                    conv.forward(group.act_on_features(features.clone(), g)),
                    group.act_on_features(response.clone(), g),
                    &format!("group convolution, {what}"),
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
            .with_weight(real(on, [8, 3, 3, 3], 1))
            .with_bias(real(on, [8], 4));
        let conv = GroupConv2dConfig::new(group, [8, 8], 5)
            .init(&device)
            .with_weight(real(on, [8, 8, group.size(), 5, 5], 2))
            .with_bias(real(on, [8], 5));
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
