//! A whole network, and its frozen copy.

use super::given::{
    LIMIT, assert_close, assert_same, assert_sums_group, assert_sums_lifting, dyadic_norm, groups,
    real, whole,
};
use crate::common::{On, largest};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::group::Group;
use fireproof::nn::{
    GroupBatchNorm, GroupConv2d, GroupConv2dConfig, GroupMaxPool2dConfig, GroupPoolConfig,
    GroupReduction, LiftingConv2d, LiftingConv2dConfig,
};

on_every_device![
    equivariance_network_bit_equal,
    equivariance_network_with_random_weights,
    equivariance_of_frozen_copies,
];

/// Four convolutions with batch norm between them, a max pooling and strides.
struct Network {
    lifting: LiftingConv2d,
    convs: [GroupConv2d; 3],
    norms: [GroupBatchNorm; 3],
    group: Group,
}

impl Network {
    fn new(on: &On, group: Group, weights: impl Fn([usize; 5], u64) -> Tensor<5>) -> Self {
        let device = on.device();
        let conv = |channels: [usize; 2], k, stride, padding, id| {
            GroupConv2dConfig::new(group, channels, k)
                .with_stride(stride)
                .with_padding(padding)
                .init(&device)
                .with_weight(weights([channels[1], channels[0], group.size(), k, k], id))
                .with_bias(whole(on, [channels[1]], id + 50, 2))
        };
        Self {
            lifting: LiftingConv2dConfig::new(group, [1, 2], 3)
                .with_padding(1)
                .init(&device)
                .with_weight(weights([2, 1, 1, 3, 3], 1).squeeze_dim(2))
                .with_bias(whole(on, [2], 51, 2)),
            convs: [
                conv([2, 2], 3, 1, 0, 2),
                conv([2, 3], 3, 2, 1, 3),
                conv([3, 2], 1, 1, 0, 4),
            ],
            norms: [1.0, 0.5, 0.25]
                .map(|scale| dyadic_norm(on, group, if scale == 0.25 { 3 } else { 2 }, scale)),
            group,
        }
    }

    /// Every intermediate response: the size of the sums is checked if `whole`.
    fn forward(&self, images: Tensor<4>, whole: bool) -> Tensor<5> {
        // All layers are checked against sizes too: 16, 16, 14, 7, 4, 4.
        let pool = GroupMaxPool2dConfig::new(self.group, 2).init();
        if whole {
            assert_sums_lifting(&self.lifting, &images);
        }
        let x = self.lifting.forward(images);
        let x = self.norms[0].forward(x).clamp_min(0.0);
        let conv = |layer: usize, x: Tensor<5>, unit: f32| {
            if whole {
                assert_sums_group(&self.convs[layer], &x, unit);
            }
            self.convs[layer].forward(x)
        };
        let x = conv(0, x, 1.0);
        let x = self.norms[1].forward(x).clamp_min(0.0);
        let x = pool.forward(x);
        let x = conv(1, x, 0.5);
        let x = self.norms[2].forward(x).clamp_min(0.0);
        conv(2, x, 0.125)
    }
}

fn equivariance_network_bit_equal(on: &On) {
    for &group in groups(on) {
        let network = Network::new(on, group, |shape, id| whole(on, shape, id, 1));
        let images = whole(on, [2, 1, 16, 16], 9, 15);
        let response = network.forward(images.clone(), true);
        assert_eq!(response.dims(), [2, 2, group.size(), 4, 4]);
        assert!(largest(response.clone()) > 0.0);
        let group_pool = GroupPoolConfig::new(GroupReduction::Max).init();
        let pooled = |response: Tensor<5>| {
            let summed = group_pool.forward(response).flatten::<3>(2, 3).sum_dim(2);
            assert!(largest(summed.clone()) < LIMIT / 8.0);
            summed
        };
        for g in group.elements() {
            let of_moved = network.forward(group.act_on_planes(images.clone(), g), true);
            let moved = group.act_on_features(response.clone(), g);
            assert_same(of_moved.clone(), moved, &format!("{group}, {g}"));
            // Pooled over group and space, nothing of the motion is left.
            assert_same(pooled(of_moved), pooled(response.clone()), "pooled");
        }
    }
}

fn equivariance_network_with_random_weights(on: &On) {
    for &group in groups(on) {
        let network = Network::new(on, group, |shape, id| real(on, shape, id));
        let images = real(on, [2, 1, 16, 16], 9);
        let response = network.forward(images.clone(), false);
        for g in group.elements() {
            assert_close(
                network.forward(group.act_on_planes(images.clone(), g), false),
                group.act_on_features(response.clone(), g),
                &format!("{group}, {g}"),
            );
        }
    }
}

fn equivariance_of_frozen_copies(on: &On) {
    // Prepared filters are those of the layer: a frozen copy is exact too, on its second use.
    let group = Group::P4m;
    let network = Network::new(on, group, |shape, id| whole(on, shape, id, 1));
    let frozen = Network {
        lifting: network.lifting.valid(),
        convs: network.convs.valid(),
        norms: network.norms.valid(),
        group,
    };
    let images = whole(on, [1, 1, 16, 16], 9, 15);
    let response = network.forward(images.clone(), true);
    for g in group.elements() {
        let of_moved = frozen.forward(group.act_on_planes(images.clone(), g), false);
        assert_same(
            of_moved,
            group.act_on_features(response.clone(), g),
            "frozen",
        );
    }
}
