//! Layers put together, and layers of one's own.

use crate::common::{On, values};
use burn::module::Module;
use burn::nn::BatchNormConfig;
use burn::tensor::Tensor;
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::*;

on_every_device![
    equivariance_of_a_layer_of_ones_own,
    value_blocks_are_their_layers,
    value_configurations_count_parameters,
];

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

fn equivariance_of_a_layer_of_ones_own(on: &On) {
    let device = on.device();
    for &group in on.among(&Group::ALL, &[Group::P4]) {
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
        let images = on.pattern([2, 2, 14, 14], 1) / 15.0;
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

fn value_blocks_are_their_layers(on: &On) {
    // Oracle: the layers one by one, with relu where it is usually drawn: before the pooling.
    let device = on.device();
    let features = on.pattern([2, 3, 4, 8, 8], 1) / 15.0;
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
            let [one, other] = [found.clone(), expected.clone()].map(values);
            // A normalisation may be folded into filters, up to rounding.
            let most = match (batch_norm, Numerics::current()) {
                (false, _) => 0.0,
                (true, Numerics::Exact) => 1e-6,
                (true, Numerics::Fast) => 1e-4,
            };
            let largest = values(expected.abs().max())[0];
            let apart = one.iter().zip(&other).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) <= most * largest);
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
    assert_eq!(
        block.forward(on.pattern([2, 3, 8, 8], 1)).dims(),
        [2, 5, 3, 3]
    );
}

fn value_configurations_count_parameters(on: &On) {
    // Oracle: the layers they make.
    fn assert_counts<C: LayerConfig>(on: &On, config: C) {
        let count = config.init(&on.device()).num_params();
        assert_eq!(config.num_params(), count);
    }
    for group in Group::ALL {
        for bias in [false, true] {
            assert_counts(
                on,
                LiftingConv2dConfig::new(group, [2, 3], 5).with_bias(bias),
            );
            assert_counts(on, GroupConv2dConfig::new(group, [2, 3], 5).with_bias(bias));
        }
        assert_counts(on, GroupBatchNormConfig::new(group, 3));
        assert_counts(on, GroupMaxPool2dConfig::new(group, 2));
        assert_counts(on, GroupAvgPool2dConfig::new(group, 2));
    }
    for bias in [false, true] {
        assert_counts(on, Conv2dConfig::new([2, 3], 5).with_bias(bias));
        assert_counts(on, LinearConfig::new([2, 3]).with_bias(bias));
    }
    assert_counts(on, BatchNormConfig::new(3));
    assert_counts(on, MaxPool2dConfig::new(2));
    assert_counts(on, GroupPoolConfig::new(GroupReduction::Mean));
    assert_counts(on, Some(NormalizeConfig::mnist()));
}
