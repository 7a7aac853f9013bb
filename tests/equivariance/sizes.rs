//! Just the sizes that would not be exact are refused.

use super::given::{GROUPS, whole};
use crate::common::{On, largest};
use burn::tensor::Tensor;
use fireproof::kernel::Numerics;
use fireproof::nn::{GroupAvgPool2dConfig, GroupConv2dConfig, GroupMaxPool2dConfig};
use proptest::prelude::*;

on_every_device![
    equivariance_convolutions_refuse_just_the_inexact_sizes,
    equivariance_pools_refuse_just_the_inexact_sizes,
];

/// A size that a convolution accepts is exact; one that it refuses for the stride is not.
fn equivariance_convolutions_refuse_just_the_inexact_sizes(on: &On) {
    let sizes = (
        prop::sample::select(GROUPS.to_vec()),
        (1usize..=4, 1usize..=3, 0usize..=1, 1usize..=2),
        (1usize..=9, 1usize..=9),
    );
    proptest!(on.cases(96, 6), |((group, (k, s, p_share, d), (height, width)) in sizes)| {
        let p = p_share * (k - 1) / 2;
        let config = GroupConv2dConfig::new(group, [2, 2], k)
            .with_stride(s)
            .with_padding(p)
            .with_dilation(d);
        let conv = config
            .clone()
            .with_exact(false)
            .init(&on.device())
            .with_weight(whole(on, [2, 2, group.size(), k, k], 1, 9))
            .with_bias(whole(on, [2], 3, 9));
        if conv.check([height, width]).is_err() {
            // The kernel does not fit: nothing to compare.
            prop_assert!(config.footprint().check("", [height, width]).is_err());
            return Ok(());
        }
        let accepted = config.footprint().check("", [height, width]).is_ok();
        let features = whole(on, [1, 2, group.size(), height, width], 2, 255);
        let response = conv.forward(features.clone());
        // With fractions in the filters, "exact" is "within rounding": anything else is far off.
        let limit = match Numerics::current() {
            Numerics::Exact => 0.0,
            Numerics::Fast => 1e-5 * largest(response.clone()),
        };
        // A response of another shape is as far off as can be.
        let off = group.elements().map(|g| {
            let of_moved = conv.forward(group.act_on_features(features.clone(), g));
            let moved = group.act_on_features(response.clone(), g);
            match of_moved.dims() == moved.dims() {
                true => largest(of_moved - moved),
                false => f32::INFINITY,
            }
        });
        let off = off.fold(0.0, f32::max);
        prop_assert_eq!(accepted, off <= limit, "off by {} of {}", off, largest(response));
    });
}

/// The same of poolings.
fn equivariance_pools_refuse_just_the_inexact_sizes(on: &On) {
    let sizes = (
        prop::sample::select(GROUPS.to_vec()),
        (1usize..=4, 1usize..=4),
        (1usize..=9, 1usize..=9),
    );
    proptest!(on.cases(96, 6), |((group, (k, s), (height, width)) in sizes)| {
        if k > height.min(width) {
            return Ok(());
        }
        // Values grow towards one corner, so whatever is left out there is missed.
        let count = group.size() * height * width;
        let ramp = (0..count).map(|v| v as f32).collect();
        let features = on.tensor(ramp, [1, 1, group.size(), height, width]);
        let max = GroupMaxPool2dConfig::new(group, k).with_stride(s);
        let avg = GroupAvgPool2dConfig::new(group, k).with_stride(s);
        let accepted = max.init().check([height, width]).is_ok();
        prop_assert_eq!(accepted, avg.init().check([height, width]).is_ok());
        let (max, avg) = (max.with_exact(false).init(), avg.with_exact(false).init());
        let exact = |pool: &dyn Fn(Tensor<5>) -> Tensor<5>| {
            let response = pool(features.clone());
            group.elements().all(|g| {
                let of_moved = pool(group.act_on_features(features.clone(), g));
                of_moved.to_data() == group.act_on_features(response.clone(), g).to_data()
            })
        };
        prop_assert_eq!(accepted, exact(&|x| max.forward(x)));
        prop_assert_eq!(accepted, exact(&|x| avg.forward(x)));
    });
}
