//! Exact equivariance of every layer under every element of p4 and p4m.
//!
//! Oracle: the definition. The layer's response to a moved input must be its response to the
//! input, moved. With whole numbers (and powers of two) whose sums stay below 2²⁴, every product
//! and sum is exact in f32, so the two must be equal bit for bit in whatever order a backend adds.
//! Under `FIREPROOF_NUMERICS=fast` filters are transformed with fractions, and the limit is 1e-5.

use burn::module::{Module, RunningState};
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Keys, Purpose, Seed};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::{
    GroupAvgPool2dConfig, GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, GroupConv2dConfig,
    GroupDropoutConfig, GroupMaxPool2dConfig, GroupPoolConfig, GroupReduction, LiftingConv2d,
    LiftingConv2dConfig, NormalizeConfig,
};
use proptest::prelude::*;

const GROUPS: [Group; 2] = [Group::P4, Group::P4m];
const LIMIT: f32 = (1 << 24) as f32;

fn draw<const D: usize>(shape: [usize; D], id: u64, value: impl Fn(f64) -> f64) -> Tensor<D> {
    let mut draws = Seed(2002).draws(Purpose::Weights, id, 0);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| value(draws.uniform(-1.0, 1.0)) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

/// Whole numbers from −bound to bound.
fn whole<const D: usize>(shape: [usize; D], id: u64, bound: i32) -> Tensor<D> {
    draw(shape, id, |u| (u * (f64::from(bound) + 0.5)).round())
}

fn real<const D: usize>(shape: [usize; D], id: u64) -> Tensor<D> {
    draw(shape, id, |u| u)
}

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar::<f32>()
}

fn assert_same<const D: usize>(of_moved: Tensor<D>, moved: Tensor<D>, what: &str) {
    assert_eq!(of_moved.dims(), moved.dims(), "{what}");
    if Numerics::current() == Numerics::Fast {
        return assert_close(of_moved, moved, what);
    }
    assert!(
        of_moved.to_data() == moved.to_data(),
        "{what}: not bit-equal"
    );
}

fn assert_close<const D: usize>(of_moved: Tensor<D>, moved: Tensor<D>, what: &str) {
    let scale = largest(moved.clone());
    let error = largest(of_moved - moved) / scale;
    assert!(
        scale > 0.0 && error <= 1e-5,
        "{what}: relative error {error}"
    );
}

/// No partial sum of the convolution can reach 2²⁴ units, in any order.
fn assert_sums_lifting(conv: &LiftingConv2d, images: &Tensor<4>) {
    let sums = conv
        .clone()
        .with_weight(conv.weight().abs())
        .with_bias(conv.bias().expect("a bias").abs());
    assert!(largest(sums.forward(images.clone().abs())) < LIMIT);
}

/// As above; inputs are multiples of `unit`.
fn assert_sums_group(conv: &GroupConv2d, features: &Tensor<5>, unit: f32) {
    let sums = conv
        .clone()
        .with_weight(conv.weight().abs())
        .with_bias(conv.bias().expect("a bias").abs());
    assert!(largest(sums.forward(features.clone().abs())) / unit < LIMIT);
}

/// (kernel, stride, padding, dilation, image size) on which layers are exact.
const SETTINGS: [(usize, usize, usize, usize, [usize; 2]); 8] = [
    (3, 1, 0, 1, [7, 7]),
    (3, 1, 1, 1, [6, 9]),
    (3, 2, 1, 1, [9, 9]),
    (3, 1, 2, 2, [8, 8]),
    (1, 1, 0, 1, [5, 5]),
    (1, 2, 0, 1, [7, 5]),
    (2, 1, 0, 1, [6, 6]),
    (4, 2, 1, 1, [8, 10]),
];

#[test]
fn equivariance_lifting_conv_bit_equal() {
    let device = fireproof::device();
    for group in GROUPS {
        for (k, s, p, d, [height, width]) in SETTINGS {
            let conv = LiftingConv2dConfig::new(group, [2, 3], k)
                .with_stride(s)
                .with_padding(p)
                .with_dilation(d)
                .init(&device)
                .with_weight(whole([3, 2, k, k], 1, 7))
                .with_bias(whole([3], 2, 7));
            let images = whole([2, 2, height, width], 3, 255);
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

#[test]
fn equivariance_group_conv_bit_equal() {
    let device = fireproof::device();
    for group in GROUPS {
        for (k, s, p, d, [height, width]) in SETTINGS {
            let conv = GroupConv2dConfig::new(group, [2, 3], k)
                .with_stride(s)
                .with_padding(p)
                .with_dilation(d)
                .init(&device)
                .with_weight(whole([3, 2, group.size(), k, k], 1, 7))
                .with_bias(whole([3], 2, 7));
            let features = whole([2, 2, group.size(), height, width], 3, 255);
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

#[test]
fn equivariance_convolutions_with_random_weights() {
    let device = fireproof::device();
    for group in GROUPS {
        let lifting = LiftingConv2dConfig::new(group, [3, 8], 3)
            .init(&device)
            .with_weight(real([8, 3, 3, 3], 1));
        let conv = GroupConv2dConfig::new(group, [8, 8], 5)
            .init(&device)
            .with_weight(real([8, 8, group.size(), 5, 5], 2));
        let images = real([2, 3, 12, 12], 3);
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

#[test]
fn equivariance_pools_bit_equal() {
    for group in GROUPS {
        let features = whole([2, 3, group.size(), 9, 7], 1, 1000);
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

#[test]
fn equivariance_normalize_bit_equal() {
    let device = fireproof::device();
    let normalize = NormalizeConfig::new(vec![0.25, -3.0], vec![0.5, 4.0]).init(&device);
    let images = whole([2, 2, 5, 4], 1, 255);
    let response = normalize.forward(images.clone());
    for g in Group::P4m.elements() {
        assert_same(
            normalize.forward(g.act_on_planes(images.clone())),
            g.act_on_planes(response.clone()),
            "normalize",
        );
    }
}

/// Batch norm in inference mode that computes (x − mean) · scale + shift without rounding:
/// variance and epsilon sum to 1, and the scale is a power of two.
fn dyadic_norm(group: Group, channels: usize, scale: f32) -> GroupBatchNorm {
    let device = fireproof::device();
    let constant = |value: f32| Tensor::<1>::full([channels], value, &device);
    let mut layer = GroupBatchNormConfig::new(group, channels)
        .with_epsilon(0.25)
        .init(&device);
    layer.norm.running_mean = RunningState::new(whole([channels], 91, 3));
    layer.norm.running_var = RunningState::new(constant(0.75));
    layer.norm.gamma = layer.norm.gamma.map(|_| constant(scale));
    layer.norm.beta = layer.norm.beta.map(|_| whole([channels], 92, 3));
    layer
}

#[test]
fn equivariance_batch_norm_bit_equal_in_inference() {
    for group in GROUPS {
        let norm = dyadic_norm(group, 3, 0.25);
        let features = whole([2, 3, group.size(), 5, 6], 1, 1000);
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

#[test]
fn equivariance_batch_norm_in_training() {
    let device = fireproof::device().autodiff();
    for group in GROUPS {
        let features = Tensor::from_inner(real([4, 3, group.size(), 6, 6], 1));
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

#[test]
fn equivariance_dropout_in_training() {
    for group in GROUPS {
        let dropout = GroupDropoutConfig::new(0.5).init();
        let features = Tensor::from_inner(whole([4, 6, group.size(), 3, 3], 1, 9));
        let keys = Keys::new(5, [3, 1, 4, 15]).with_draw(9);
        let drop = |x| dropout.forward_with(x, &keys).inner();
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

/// Four convolutions with batch norm between them, a max pooling and strides.
struct Network {
    lifting: LiftingConv2d,
    convs: [GroupConv2d; 3],
    norms: [GroupBatchNorm; 3],
    group: Group,
}

impl Network {
    fn new(group: Group, weights: fn([usize; 5], u64) -> Tensor<5>) -> Self {
        let device = fireproof::device();
        let conv = |channels: [usize; 2], k, stride, padding, id| {
            GroupConv2dConfig::new(group, channels, k)
                .with_stride(stride)
                .with_padding(padding)
                .init(&device)
                .with_weight(weights([channels[1], channels[0], group.size(), k, k], id))
                .with_bias(whole([channels[1]], id + 50, 2))
        };
        Self {
            lifting: LiftingConv2dConfig::new(group, [1, 2], 3)
                .with_padding(1)
                .init(&device)
                .with_weight(weights([2, 1, 1, 3, 3], 1).squeeze_dim(2))
                .with_bias(whole([2], 51, 2)),
            convs: [
                conv([2, 2], 3, 1, 0, 2),
                conv([2, 3], 3, 2, 1, 3),
                conv([3, 2], 1, 1, 0, 4),
            ],
            norms: [1.0, 0.5, 0.25]
                .map(|scale| dyadic_norm(group, if scale == 0.25 { 3 } else { 2 }, scale)),
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

#[test]
fn equivariance_network_bit_equal() {
    for group in GROUPS {
        let network = Network::new(group, |shape, id| whole(shape, id, 1));
        let images = whole([2, 1, 16, 16], 9, 15);
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

#[test]
fn equivariance_network_with_random_weights() {
    for group in GROUPS {
        let network = Network::new(group, real);
        let images = real([2, 1, 16, 16], 9);
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

#[test]
fn equivariance_of_frozen_copies() {
    // Prepared filters are those of the layer: a frozen copy is exact too, on its second use.
    let group = Group::P4m;
    let network = Network::new(group, |shape, id| whole(shape, id, 1));
    let frozen = Network {
        lifting: network.lifting.valid(),
        convs: network.convs.valid(),
        norms: network.norms.valid(),
        group,
    };
    let images = whole([1, 1, 16, 16], 9, 15);
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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A size that a convolution accepts is exact; one that it refuses for the stride is not.
    #[test]
    fn equivariance_convolutions_refuse_just_the_inexact_sizes(
        group in prop::sample::select(GROUPS.to_vec()),
        k in 1usize..=4,
        s in 1usize..=3,
        p_share in 0usize..=1,
        d in 1usize..=2,
        height in 1usize..=9,
        width in 1usize..=9,
    ) {
        let p = p_share * (k - 1) / 2;
        let config = GroupConv2dConfig::new(group, [2, 2], k)
            .with_stride(s)
            .with_padding(p)
            .with_dilation(d);
        let conv = config
            .clone()
            .with_exact(false)
            .init(&fireproof::device())
            .with_weight(whole([2, 2, group.size(), k, k], 1, 9));
        if conv.check([height, width]).is_err() {
            // The kernel does not fit: nothing to compare.
            prop_assert!(config.footprint().check("", [height, width]).is_err());
            return Ok(());
        }
        let accepted = config.footprint().check("", [height, width]).is_ok();
        let features = whole([1, 2, group.size(), height, width], 2, 255);
        let response = conv.forward(features.clone());
        // With fractions in the filters, "exact" is "within rounding": anything else is far off.
        let limit = match Numerics::current() {
            Numerics::Exact => 0.0,
            Numerics::Fast => 1e-5 * largest(response.clone()),
        };
        let exact = group.elements().all(|g| {
            let of_moved = conv.forward(group.act_on_features(features.clone(), g));
            let moved = group.act_on_features(response.clone(), g);
            of_moved.dims() == moved.dims() && largest(of_moved - moved) <= limit
        });
        prop_assert_eq!(accepted, exact);
    }

    /// The same of poolings.
    #[test]
    fn equivariance_pools_refuse_just_the_inexact_sizes(
        group in prop::sample::select(GROUPS.to_vec()),
        k in 1usize..=4,
        s in 1usize..=4,
        height in 1usize..=9,
        width in 1usize..=9,
    ) {
        if k > height.min(width) {
            return Ok(());
        }
        // Values grow towards one corner, so whatever is left out there is missed.
        let count = group.size() * height * width;
        let features = Tensor::<5>::from_data(
            TensorData::new((0..count).map(|v| v as f32).collect(), [1, 1, group.size(), height, width]),
            &fireproof::device(),
        );
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
    }
}
