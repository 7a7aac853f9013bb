//! Layers: shapes, sizes, values, prepared filters, records, initial weights.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::BatchNormConfig;
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Error, Keys};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::*;

fn numbers<const D: usize>(shape: [usize; D], salt: i64) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count as i64)
        .map(|at| ((at * at * 7 + at * 13 + salt * 29) % 31 - 15) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

fn lifting(group: Group) -> LiftingConv2d {
    LiftingConv2dConfig::new(group, [2, 3], 3)
        .init(&fireproof::device())
        .with_weight(numbers([3, 2, 3, 3], 1))
        .with_bias(numbers([3], 2))
}

fn group_conv(group: Group) -> GroupConv2d {
    GroupConv2dConfig::new(group, [2, 3], 3)
        .with_padding(1)
        .init(&fireproof::device())
        .with_weight(numbers([3, 2, group.size(), 3, 3], 1))
        .with_bias(numbers([3], 2))
}

// Shapes and sizes.

#[test]
fn shape_of_every_layer() {
    let device = fireproof::device();
    for group in Group::ALL {
        let size = group.size();
        let images = Tensor::<4>::zeros([2, 3, 11, 9], &device);
        let conv = LiftingConv2dConfig::new(group, [3, 4], 3)
            .with_stride(2)
            .with_padding(1)
            .init(&device);
        let x = conv.forward(images);
        assert_eq!(x.dims(), [2, 4, size, 6, 5]);
        let conv = GroupConv2dConfig::new(group, [4, 5], 2)
            .with_dilation(2)
            .with_bias(false)
            .init(&device);
        let x = conv.forward(x);
        assert_eq!(x.dims(), [2, 5, size, 4, 3]);
        assert!(conv.bias().is_none());
        let x = GroupBatchNormConfig::new(group, 5).init(&device).forward(x);
        let x = GroupDropoutConfig::new(0.5).init().forward(x);
        assert_eq!(x.dims(), [2, 5, size, 4, 3]);
        let max = GroupMaxPool2dConfig::new(group, 2).with_stride(1).init();
        let avg = GroupAvgPool2dConfig::new(group, 2).with_stride(1).init();
        assert_eq!(max.forward(x.clone()).dims(), [2, 5, size, 3, 2]);
        assert_eq!(avg.forward(x.clone()).dims(), [2, 5, size, 3, 2]);
        let pool = GroupPoolConfig::new(GroupReduction::Mean).init();
        assert_eq!(pool.forward(x).dims(), [2, 5, 4, 3]);
    }
}

#[test]
fn shape_check_agrees_with_forward() {
    let device = fireproof::device();
    for stride in 1..4 {
        for [height, width] in [[7, 7], [13, 7], [10, 16]] {
            let conv = LiftingConv2dConfig::new(Group::P4, [1, 1], 3)
                .with_stride(stride)
                .with_exact(false)
                .init(&device);
            let [_, _, _, rows, columns] = conv
                .forward(Tensor::zeros([1, 1, height, width], &device))
                .dims();
            assert_eq!(conv.check([height, width]).unwrap(), [rows, columns]);
        }
    }
}

type Check = Box<dyn Fn([usize; 2]) -> fireproof::base::Result<[usize; 2]>>;

/// Every layer with a footprint, with kernel 3, stride 2 and no padding.
fn strided(group: Group, exact: bool) -> Vec<(&'static str, Check)> {
    let device = fireproof::device();
    let lifting = LiftingConv2dConfig::new(group, [1, 1], 3)
        .with_stride(2)
        .with_exact(exact)
        .init(&device);
    let conv = GroupConv2dConfig::new(group, [1, 1], 3)
        .with_stride(2)
        .with_exact(exact)
        .init(&device);
    let max = GroupMaxPool2dConfig::new(group, 3)
        .with_stride(2)
        .with_exact(exact)
        .init();
    let avg = GroupAvgPool2dConfig::new(group, 3)
        .with_stride(2)
        .with_exact(exact)
        .init();
    vec![
        ("LiftingConv2d", Box::new(move |size| lifting.check(size))),
        ("GroupConv2d", Box::new(move |size| conv.check(size))),
        ("GroupMaxPool2d", Box::new(move |size| max.check(size))),
        ("GroupAvgPool2d", Box::new(move |size| avg.check(size))),
    ]
}

#[test]
fn error_inexact_size() {
    for group in [Group::P4, Group::P4m] {
        for (name, check) in strided(group, true) {
            assert_eq!(check([9, 13]).unwrap(), [4, 6]);
            for size in [[8, 8], [9, 8], [8, 9]] {
                let error = check(size).unwrap_err();
                let text = error.to_string();
                let Error::Size {
                    height,
                    width,
                    works,
                    ..
                } = error
                else {
                    panic!("{text}");
                };
                assert_eq!([height, width], size);
                assert!(
                    text.starts_with(&format!("{name} ({group}, k=3, s=2, p=0, d=1)")),
                    "{text}"
                );
                assert!(text.contains("mod s = 1"), "{text}");
                for side in works {
                    assert!(check([side, side]).is_ok(), "{text}");
                }
            }
            let Error::Size { works, .. } = check([8, 8]).unwrap_err() else {
                unreachable!()
            };
            assert_eq!(works, [7, 9]);
        }
    }
}

#[test]
fn error_kernel_larger_than_image() {
    let plain = Conv2dConfig::new([1, 1], 3).init(&fireproof::device());
    let pool = MaxPool2dConfig::new(3).init();
    let mut layers = strided(Group::P4, true);
    layers.push(("MaxPool2d", Box::new(move |size| pool.check(size))));
    layers.push(("Conv2d", Box::new(move |size| plain.check(size))));
    for (name, check) in layers {
        let text = check([2, 5]).unwrap_err().to_string();
        assert!(
            text.contains(name) && text.contains("the kernel spans 3 pixels"),
            "{text}"
        );
    }
}

#[test]
fn value_inexact_sizes_pass_where_nothing_is_promised() {
    // Over p1 there is no turn to commute with; elsewhere one can opt out.
    for (name, check) in strided(Group::P1, true) {
        assert_eq!(check([8, 8]).unwrap(), [3, 3], "{name}");
    }
    for (name, check) in strided(Group::P4m, false) {
        assert_eq!(check([8, 8]).unwrap(), [3, 3], "{name}");
    }
}

#[test]
#[should_panic(expected = "sizes that work: 7×7, 9×9")]
fn error_forward_refuses_what_check_refuses() {
    let conv = LiftingConv2dConfig::new(Group::P4, [1, 1], 3)
        .with_stride(2)
        .init(&fireproof::device());
    conv.forward(Tensor::zeros([1, 1, 8, 8], &fireproof::device()));
}

#[test]
#[should_panic(expected = "group axis of features for p4m")]
fn error_features_of_another_group() {
    group_conv(Group::P4m).forward(Tensor::zeros([1, 2, 4, 5, 5], &fireproof::device()));
}

#[test]
fn error_asymmetric_padding() {
    // Padding is one number: settings that ask for more are refused.
    let json = serde_json::to_value(GroupConv2dConfig::new(Group::P4, [1, 1], 3)).unwrap();
    assert!(serde_json::from_value::<GroupConv2dConfig>(json.clone()).is_ok());
    for padding in [serde_json::json!([1, 2]), serde_json::json!("Same")] {
        let mut asymmetric = json.clone();
        asymmetric["padding"] = padding;
        assert!(serde_json::from_value::<GroupConv2dConfig>(asymmetric).is_err());
    }
}

#[test]
#[should_panic(expected = "a window of 2 pixels could lie in the padding of 2 alone")]
fn error_pool_padding() {
    GroupMaxPool2dConfig::new(Group::P4, 2)
        .with_padding(2)
        .init();
}

// Values.

#[test]
fn value_p1_is_burns_convolution() {
    // Oracle: burn::nn::conv::Conv2d, loaded from this crate's record and the reverse.
    let device = fireproof::device();
    let ours = Conv2dConfig::new([2, 3], 3)
        .with_stride(2)
        .with_padding(1)
        .with_dilation(2)
        .init(&device);
    let burns = || {
        burn::nn::conv::Conv2dConfig::new([2, 3], [3, 3])
            .with_stride([2, 2])
            .with_padding(burn::nn::PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_dilation([2, 2])
            .init(&device)
    };
    let images = numbers([2, 2, 9, 8], 5) / 7.0;
    let loaded = burns().load_record(ours.clone().into_record());
    let expected = loaded.forward(images.clone());
    assert_eq!(ours.forward(images.clone()).to_data(), expected.to_data());
    assert_eq!(
        ours.to_conv2d().forward(images.clone()).to_data(),
        expected.to_data()
    );

    let other = burns();
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

#[test]
fn value_folded_convolutions() {
    // Oracle: the layer itself; Burn's layer takes and gives the flattened group axis.
    for group in Group::ALL {
        let size = group.size();
        let images = numbers([2, 2, 6, 5], 3);
        let layer = lifting(group);
        let folded = layer.to_conv2d();
        assert_eq!(folded.weight.dims(), [3 * size, 2, 3, 3]);
        assert_exact(
            folded.forward(images.clone()).reshape([2, 3, size, 4, 3]),
            layer.forward(images),
        );
        let features = numbers([2, 2, size, 6, 5], 3);
        let layer = group_conv(group);
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

#[test]
fn gradient_of_group_convolutions() {
    // Oracle: differences. The response is linear in the weights and values are whole numbers, so
    // a step of 1 gives the derivative exactly; with fast numerics the difference of two sums of
    // some thousand rounds to 0.1.
    let device = fireproof::device();
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
    for group in [Group::P4, Group::P4m] {
        let size = group.size();
        let features = numbers([1, 2, size, 4, 4], 3);
        let pick = numbers([1, 3, size, 4, 4], 7);
        let layer = group_conv(group).train();
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

#[test]
fn value_batch_norm_shares_statistics_over_the_group() {
    // Oracle: mean and variance over batch, group and space, in f64 on the host.
    let device = fireproof::device();
    let layer = GroupBatchNormConfig::new(Group::P4, 3)
        .with_momentum(1.0)
        .init(&device.clone().autodiff());
    let features = numbers([2, 3, 4, 3, 2], 1);
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

#[test]
fn value_pools() {
    // Oracle: by hand, on components that count 0..8.
    let device = fireproof::device();
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

#[test]
fn value_normalize() {
    // Oracle: by hand.
    let device = fireproof::device();
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

#[test]
#[should_panic(expected = "expected 2 finite means and 2 finite positive deviations")]
fn error_normalize() {
    NormalizeConfig::new(vec![0.0, 0.0], vec![1.0, 0.0]).init(&fireproof::device());
}

// Dropout.

#[test]
fn value_dropout_drops_whole_channels() {
    // Oracle: a channel is either 0 everywhere or the input times 1/(1 − p), and p of them are 0.
    let layer = GroupDropoutConfig::new(0.25).init();
    let ones = Tensor::<5>::ones([50, 40, 4, 2, 2], &fireproof::device());
    assert_eq!(values(layer.forward(ones.clone())), values(ones.clone()));
    let learning = Tensor::from_inner(ones.clone());
    assert_eq!(
        values(layer.valid().forward(learning.clone())),
        values(ones)
    );
    let output = values(layer.forward(learning));
    let mut dropped = 0;
    for channel in output.chunks(16) {
        assert!(channel.iter().all(|&v| v == channel[0]));
        assert!(channel[0] == 0.0 || channel[0] == (4.0f64 / 3.0) as f32);
        dropped += usize::from(channel[0] == 0.0);
    }
    // 2,000 channels: 500 ± 5 deviations of 19.4.
    assert!((403..=597).contains(&dropped), "{dropped} of 2000");
}

#[test]
fn value_dropout_depends_on_named_numbers_alone() {
    let device = fireproof::device().autodiff();
    let layer = || GroupDropoutConfig::new(0.5).with_seed(3).init();
    let ones = |n| Tensor::<2>::ones([n, 32], &device);

    // Pass after pass the masks differ; another run gives them again, and a clone goes on alone.
    let first = layer();
    let run: Vec<_> = (0..3).map(|_| values(first.forward(ones(2)))).collect();
    assert!(run[0] != run[1] && run[1] != run[2]);
    let second = layer();
    assert_eq!(values(second.forward(ones(2))), run[0]);
    let clone = second.clone();
    assert_eq!(values(second.forward(ones(2))), run[1]);
    assert_eq!(values(clone.forward(ones(2))), run[1]);
    // Inference in between changes nothing.
    second.valid().forward(ones(2));
    assert_eq!(values(second.forward(ones(2))), run[2]);

    // With ids, an image's mask is the same in any batch.
    let keys = Keys::new(9, [7, 8, 9]).with_draw(1);
    let batch = values(first.forward_with(ones(3), &keys));
    let alone = values(first.forward_with(ones(1), &keys.select(&[1])));
    assert_eq!(batch[32..64], alone);
    let other = values(first.forward_with(ones(1), &keys.select(&[1]).with_draw(2)));
    assert_ne!(alone, other);
}

// Composition.

/// A residual layer as one would write it outside of this crate: `relu(x + f(x))`.
#[derive(Module, Debug)]
struct Residual {
    first: GroupBlock,
    second: (GroupConv2d, GroupBatchNorm),
}

#[derive(Clone)]
struct ResidualConfig {
    first: BlockConfig<GroupConv2dConfig>,
    second: (GroupConv2dConfig, GroupBatchNormConfig),
}

impl ResidualConfig {
    fn new(group: Group, channels: usize) -> Self {
        let conv = GroupConv2dConfig::new(group, [channels, channels], 3)
            .with_padding(1)
            .with_bias(false);
        Self {
            first: BlockConfig::new(conv.clone()).with_batch_norm(true),
            second: (conv, GroupBatchNormConfig::new(group, channels)),
        }
    }
}

impl LayerConfig for ResidualConfig {
    type Layer = Residual;

    fn check(&self, size: [usize; 2]) -> fireproof::base::Result<[usize; 2]> {
        self.second.check(self.first.check(size)?)
    }

    fn num_params(&self) -> usize {
        self.first.num_params() + self.second.num_params()
    }

    fn init(&self, device: &burn::tensor::Device) -> Residual {
        Residual {
            first: self.first.init(device),
            second: self.second.init(device),
        }
    }
}

impl Layer for Residual {
    type Input = Tensor<5>;
    type Output = Tensor<5>;

    fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        (self.second.forward(self.first.forward(input.clone())) + input).relu()
    }
}

#[test]
fn equivariance_of_a_layer_of_ones_own() {
    let device = fireproof::device();
    for group in Group::ALL {
        let lift = LiftingConv2dConfig::new(group, [2, 4], 3);
        let network = (
            BlockConfig::new(lift).with_max_pool(2),
            vec![ResidualConfig::new(group, 4); 2],
        );
        assert_eq!(network.check([14, 14]).unwrap(), [6, 6]);
        assert_eq!(network.check([15, 14]).is_ok(), group == Group::P1);
        let layers = network.init(&device);
        assert_eq!(network.num_params(), layers.num_params());
        let layers = layers.map(&mut InitialWeights::normal(3));
        let images = numbers([2, 2, 14, 14], 1) / 15.0;
        let features = layers.forward(images.clone());
        assert_eq!(features.dims(), [2, 4, group.size(), 6, 6]);
        let largest = values(features.clone().abs().max())[0];
        for g in group.elements() {
            let of_moved = layers.forward(group.act_on_planes(images.clone(), g));
            let moved = group.act_on_features(features.clone(), g);
            let off = values((of_moved - moved).abs().max())[0];
            assert!(off <= 1e-5 * largest, "{group}, {g}: {off} of {largest}");
        }
    }
}

#[test]
fn value_blocks_are_their_layers() {
    // Oracle: the layers one by one, with relu where it is usually drawn: before the pooling.
    let device = fireproof::device();
    let features = numbers([2, 3, 4, 8, 8], 1) / 15.0;
    let conv = GroupConv2dConfig::new(Group::P4, [3, 5], 3).with_padding(1);
    for batch_norm in [false, true] {
        for pool in [None, Some(2)] {
            let mut config = BlockConfig::new(conv.clone()).with_batch_norm(batch_norm);
            config.max_pool = pool;
            let block = config.init(&device).map(&mut InitialWeights::uniform(1));
            assert_eq!(config.num_params(), block.num_params());
            let x = block.conv.forward(features.clone());
            let x = block.norm.forward(x).relu();
            let expected = block.pool.forward(x);
            let found = block.forward(features.clone());
            assert_eq!(found.to_data(), expected.to_data());
            let [_, _, _, height, width] = found.dims();
            assert_eq!(config.check([8, 8]).unwrap(), [height, width]);
        }
    }

    // On planes, with Burn's batch norm.
    let conv = Conv2dConfig::new([3, 5], 3);
    let config = BlockConfig::new(conv)
        .with_batch_norm(true)
        .with_max_pool(2);
    let block: PlaneBlock = config.init(&device);
    assert_eq!(config.num_params(), block.num_params());
    assert_eq!(block.forward(numbers([2, 3, 8, 8], 1)).dims(), [2, 5, 3, 3]);
}

#[test]
fn value_configurations_count_parameters() {
    // Oracle: the layers they make.
    fn assert_counts<C: LayerConfig>(config: C) {
        let count = config.init(&fireproof::device()).num_params();
        assert_eq!(config.num_params(), count);
    }
    for group in Group::ALL {
        for bias in [false, true] {
            assert_counts(LiftingConv2dConfig::new(group, [2, 3], 5).with_bias(bias));
            assert_counts(GroupConv2dConfig::new(group, [2, 3], 5).with_bias(bias));
        }
        assert_counts(GroupBatchNormConfig::new(group, 3));
        assert_counts(GroupMaxPool2dConfig::new(group, 2));
        assert_counts(GroupAvgPool2dConfig::new(group, 2));
    }
    for bias in [false, true] {
        assert_counts(Conv2dConfig::new([2, 3], 5).with_bias(bias));
        assert_counts(LinearConfig::new([2, 3]).with_bias(bias));
    }
    assert_counts(BatchNormConfig::new(3));
    assert_counts(MaxPool2dConfig::new(2));
    assert_counts(GroupPoolConfig::new(GroupReduction::Mean));
    assert_counts(Some(NormalizeConfig::mnist()));
}

#[test]
fn value_linear_is_burns() {
    // Oracle: burn::nn::Linear, loaded from this crate's record.
    let device = fireproof::device();
    let ours = LinearConfig::new([7, 5]).init(&device);
    let burns = burn::nn::LinearConfig::new(7, 5)
        .init(&device)
        .load_record(ours.clone().into_record());
    let x = numbers([3, 7], 2) / 15.0;
    let expected = values(burns.forward(x.clone()));
    let found = values(ours.forward(x.clone()));
    let rectified = values(ours.forward_relu(x));
    for ((expected, found), rectified) in expected.iter().zip(found).zip(rectified) {
        assert!((expected - found).abs() < 1e-5);
        assert_eq!(rectified, found.max(0.0));
    }
}

// Prepared filters.

struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value * 2.0)
    }
}

#[test]
fn value_filters_are_prepared_only_for_models_that_do_not_learn() {
    for group in Group::ALL {
        let features = numbers([1, 2, group.size(), 5, 5], 1);
        let layer = group_conv(group);
        assert!(!layer.filters().is_prepared());
        let expected = values(layer.forward(features.clone()));
        assert!(layer.filters().is_prepared());

        // Learning: nothing is kept, and the values are the same.
        let learning = layer.clone().train();
        let output = learning.forward(Tensor::from_inner(features.clone()));
        assert!(!learning.filters().is_prepared());
        assert_eq!(values(output.inner()), expected);

        // Frozen on the autodiff device, and in inference mode: kept.
        for frozen in [learning.clone().freeze(), learning.valid()] {
            assert!(!frozen.filters().is_prepared());
            for _ in 0..2 {
                let input = Tensor::from_inner(features.clone()).require_grad();
                let output = frozen.forward(input.clone());
                let gradients = output.clone().sum().backward();
                assert!(input.grad(&gradients).is_some());
                assert_eq!(values(output.inner()), expected);
                assert!(frozen.filters().is_prepared());
            }
        }
    }
}

#[test]
fn value_filters_are_never_out_of_date() {
    // Oracle: a new layer with the same weights.
    let group = Group::P4;
    let device = fireproof::device();
    let features = numbers([1, 2, 4, 5, 5], 1);
    let fresh = |weight, bias| {
        let layer = group_conv(group).with_weight(weight).with_bias(bias);
        values(layer.forward(features.clone()))
    };
    let layer = group_conv(group);
    let (weight, bias) = (layer.weight(), layer.bias().unwrap());
    let start = values(layer.forward(features.clone()));

    // Mapped.
    let mapped = layer.clone().map(&mut Double);
    let doubled = fresh(weight.clone() * 2.0, bias.clone() * 2.0);
    assert_eq!(values(mapped.forward(features.clone())), doubled);
    assert_eq!(values(layer.forward(features.clone())), start);

    // Loaded.
    let loaded = layer.clone().load_record(mapped.clone().into_record());
    assert_eq!(values(loaded.forward(features.clone())), doubled);
    assert_eq!(values(layer.forward(features.clone())), start);

    // Set.
    let set = layer.clone().with_weight(weight.clone() * 3.0);
    let expected = fresh(weight.clone() * 3.0, bias.clone());
    assert_eq!(values(set.forward(features.clone())), expected);
    let set = layer.clone().with_bias(bias.clone() * 3.0);
    let expected = fresh(weight, bias * 3.0);
    assert_eq!(values(set.forward(features.clone())), expected);

    // Trained for a step, starting from a layer whose filters were prepared.
    use burn::optim::{GradientsParams, SgdConfig};
    let learning = layer.clone().train();
    let loss = learning.forward(Tensor::from_inner(features.clone())).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &learning);
    let trained = SgdConfig::new()
        .init()
        .step(1.0, learning, gradients)
        .valid();
    let expected = fresh(trained.weight(), trained.bias().unwrap());
    assert_eq!(values(trained.forward(features.clone())), expected);
    assert_ne!(expected, start);

    // Whatever may change weights or device hands on nothing.
    assert!(layer.filters().is_prepared() && layer.clone().filters().is_prepared());
    for moved in [
        layer.clone().to_device(&device),
        layer.clone().fork(&device),
        layer.clone().materialize(),
        layer.clone().no_grad(),
        layer.valid(),
    ] {
        assert!(!moved.filters().is_prepared());
        assert_eq!(values(moved.forward(features.clone())), start);
    }
}

// Records and initial weights.

#[test]
fn value_records_round_trip() {
    let device = fireproof::device();
    let features = numbers([1, 2, 8, 5, 5], 1);
    let layer = group_conv(Group::P4m);
    assert_eq!(layer.clone().into_record().len(), 2);
    let bytes = layer.clone().into_record().into_bytes().unwrap();
    let record = burn::store::ModuleRecord::from_bytes(bytes).unwrap();
    let loaded = GroupConv2dConfig::new(Group::P4m, [2, 3], 3)
        .with_padding(1)
        .init(&device)
        .load_record(record);
    assert_eq!(
        values(loaded.forward(features.clone())),
        values(layer.forward(features))
    );
}

#[test]
fn value_initial_weights_know_the_true_fan_in() {
    // Oracle: the variance 1/(3·fan_in) of a uniform distribution in ±1/√fan_in.
    let device = fireproof::device();
    for group in Group::ALL {
        let conv = GroupConv2dConfig::new(group, [16, 32], 3).init(&device);
        let lifting = LiftingConv2dConfig::new(group, [16, 32], 3).init(&device);
        let plain = Conv2dConfig::new([16, 32], 3).init(&device);
        for (weights, fan_in) in [
            (values(conv.weight()), 16 * group.size() * 9),
            (values(lifting.weight()), 16 * 9),
            (values(plain.weight()), 16 * 9),
        ] {
            let bound = 1.0 / (fan_in as f32).sqrt();
            assert!(weights.iter().all(|w| w.abs() <= bound * 1.000_001));
            let variance = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
            let ratio = variance * 3.0 * fan_in as f32;
            assert!((0.93..1.07).contains(&ratio), "{group}: {ratio}");
        }
    }
}

#[test]
fn value_display_names_the_settings() {
    let shown = lifting(Group::P4m).to_string();
    assert!(
        shown.contains("2 -> 3") && shown.contains("p4m, k=3"),
        "{shown}"
    );
}
