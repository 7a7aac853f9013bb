//! Layers with given weights.

use crate::common::On;
use fireproof::group::Group;
use fireproof::nn::*;

pub fn lifting(on: &On, group: Group) -> LiftingConv2d {
    LiftingConv2dConfig::new(group, [2, 3], 3)
        .init(&on.device())
        .with_weight(on.pattern([3, 2, 3, 3], 1))
        .with_bias(on.pattern([3], 2))
}

pub fn group_conv(on: &On, group: Group) -> GroupConv2d {
    GroupConv2dConfig::new(group, [2, 3], 3)
        .with_padding(1)
        .init(&on.device())
        .with_weight(on.pattern([3, 2, group.size(), 3, 3], 1))
        .with_bias(on.pattern([3], 2))
}
