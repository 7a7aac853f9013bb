use super::ResidualPath;
use crate::base::Result;
use crate::nn::{
    Behind, Followed, GroupAvgPool2d, GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, Layer,
    LayerConfig,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Configuration of a [`BasicBlock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicBlockConfig(pub ResidualPath);

/// Two 3×3 convolutions, each with a batch normalisation, beside the input itself (He et al. 2015,
/// "Deep Residual Learning for Image Recognition", figure 2): `relu(f(x) + x)`.
///
/// Where size or channels change, the input goes through a 1×1 convolution with a normalisation
/// first.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::{group::Group, nn::*};
///
/// let config = BasicBlockConfig(ResidualPath {
///     group: Group::P4m,
///     channels: [4, 6],
///     stride: 2,
///     downsampling: Downsampling::Pooled,
/// });
/// assert_eq!(config.check([8, 8])?, [4, 4]);
/// let block = config.init(&fireproof::device());
/// let features = block.forward(Tensor::ones([1, 4, 8, 8, 8], &fireproof::device()));
/// assert_eq!(features.dims(), [1, 6, 8, 4, 4]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct BasicBlock {
    conv1: GroupConv2d,
    norm1: GroupBatchNorm,
    pool: Option<GroupAvgPool2d>,
    conv2: GroupConv2d,
    norm2: GroupBatchNorm,
    shortcut: Option<Shortcut>,
}

/// The way beside the convolutions where it is not the identity.
#[derive(Module, Debug)]
struct Shortcut {
    pool: Option<GroupAvgPool2d>,
    conv: GroupConv2d,
    norm: GroupBatchNorm,
}

impl BasicBlockConfig {
    fn norm(&self) -> GroupBatchNormConfig {
        GroupBatchNormConfig::new(self.0.group, self.0.channels[1])
    }
}

impl LayerConfig for BasicBlockConfig {
    type Layer = BasicBlock;

    fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        self.0.check(size)
    }

    fn num_params(&self) -> usize {
        let path = self.0;
        let beside = path.beside().map(|beside| (beside, self.norm()));
        path.first().num_params()
            + path.second().num_params()
            + 2 * self.norm().num_params()
            + beside.num_params()
    }

    fn init(&self, device: &Device) -> BasicBlock {
        let path = self.0;
        let (conv1, pool) = path.first().init(device);
        let shortcut = path.beside().map(|beside| {
            let (pool, conv) = beside.init(device);
            let norm = self.norm().init(device);
            Shortcut { pool, conv, norm }
        });
        BasicBlock {
            conv1,
            norm1: self.norm().init(device),
            pool,
            conv2: path.second().init(device),
            norm2: self.norm().init(device),
            shortcut,
        }
    }
}

impl Layer for BasicBlock {
    type Input = Tensor<5>;
    type Output = Tensor<5>;

    fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        let behind = |norm, beside, relu| Behind {
            norm: Some(norm),
            beside,
            relu,
        };
        let first = behind(&self.norm1, None, true);
        let hidden = self.conv1.forward_followed(input.clone(), first);
        let beside = match &self.shortcut {
            None => input,
            Some(Shortcut { pool, conv, norm }) => {
                conv.forward_followed(pool.forward(input), behind(norm, None, false))
            }
        };
        let second = behind(&self.norm2, Some(beside), true);
        self.conv2
            .forward_followed(self.pool.forward(hidden), second)
    }
}
