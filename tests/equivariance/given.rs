//! Numbers whose sums are exact, and how responses are compared.

use crate::common::{On, largest};
use burn::module::RunningState;
use burn::tensor::Tensor;
use fireproof::base::{Purpose, Seed};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::{GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, LiftingConv2d};

pub const GROUPS: [Group; 2] = [Group::P4, Group::P4m];

pub fn groups(on: &On) -> &'static [Group] {
    on.among(&GROUPS, &[Group::P4m])
}

pub const LIMIT: f32 = (1 << 24) as f32;

/// (kernel, stride, padding, dilation, image size) on which layers are exact.
pub const SETTINGS: [(usize, usize, usize, usize, [usize; 2]); 8] = [
    (3, 1, 0, 1, [7, 7]),
    (3, 1, 1, 1, [6, 9]),
    (3, 2, 1, 1, [9, 9]),
    (3, 1, 2, 2, [8, 8]),
    (1, 1, 0, 1, [5, 5]),
    (1, 2, 0, 1, [7, 5]),
    (2, 1, 0, 1, [6, 6]),
    (4, 2, 1, 1, [8, 10]),
];

pub fn draw<const D: usize>(
    on: &On,
    shape: [usize; D],
    id: u64,
    value: impl Fn(f64) -> f64,
) -> Tensor<D> {
    let mut draws = Seed(2002).draws(Purpose::Weights, id, 0);
    let count = shape.iter().product();
    let values = (0..count)
        .map(|_| value(draws.uniform(-1.0, 1.0)) as f32)
        .collect();
    on.tensor(values, shape)
}

/// Whole numbers from −bound to bound.
pub fn whole<const D: usize>(on: &On, shape: [usize; D], id: u64, bound: i32) -> Tensor<D> {
    draw(on, shape, id, |u| (u * (f64::from(bound) + 0.5)).round())
}

pub fn real<const D: usize>(on: &On, shape: [usize; D], id: u64) -> Tensor<D> {
    draw(on, shape, id, |u| u)
}

pub fn assert_same<const D: usize>(of_moved: Tensor<D>, moved: Tensor<D>, what: &str) {
    assert_eq!(of_moved.dims(), moved.dims(), "{what}");
    if Numerics::current() == Numerics::Fast {
        return assert_close(of_moved, moved, what);
    }
    assert!(
        of_moved.to_data() == moved.to_data(),
        "{what}: not bit-equal"
    );
}

pub fn assert_close<const D: usize>(of_moved: Tensor<D>, moved: Tensor<D>, what: &str) {
    let scale = largest(moved.clone());
    let error = largest(of_moved - moved) / scale;
    assert!(
        scale > 0.0 && error <= 1e-5,
        "{what}: relative error {error}"
    );
}

/// No partial sum of the convolution can reach 2²⁴ units, in any order.
pub fn assert_sums_lifting(conv: &LiftingConv2d, images: &Tensor<4>) {
    let sums = conv
        .clone()
        .with_weight(conv.weight().abs())
        .with_bias(conv.bias().expect("a bias").abs());
    assert!(largest(sums.forward(images.clone().abs())) < LIMIT);
}

/// As above; inputs are multiples of `unit`.
pub fn assert_sums_group(conv: &GroupConv2d, features: &Tensor<5>, unit: f32) {
    let sums = conv
        .clone()
        .with_weight(conv.weight().abs())
        .with_bias(conv.bias().expect("a bias").abs());
    assert!(largest(sums.forward(features.clone().abs())) / unit < LIMIT);
}

/// Batch norm in inference mode that computes (x − mean) · scale + shift without rounding:
/// variance and epsilon sum to 1, and the scale is a power of two.
pub fn dyadic_norm(on: &On, group: Group, channels: usize, scale: f32) -> GroupBatchNorm {
    let device = on.device();
    let constant = |value: f32| Tensor::<1>::full([channels], value, &device);
    let mut layer = GroupBatchNormConfig::new(group, channels)
        .with_epsilon(0.25)
        .init(&device);
    layer.norm.running_mean = RunningState::new(whole(on, [channels], 91, 3));
    layer.norm.running_var = RunningState::new(constant(0.75));
    layer.norm.gamma = layer.norm.gamma.map(|_| constant(scale));
    layer.norm.beta = layer.norm.beta.map(|_| whole(on, [channels], 92, 3));
    layer
}
