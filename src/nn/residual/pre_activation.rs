use super::ResidualPath;
use crate::base::Result;
use crate::nn::{
    Behind, Followed, GroupAvgPool2d, GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, Layer,
    LayerConfig,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Configuration of a [`PreActivationBlock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreActivationBlockConfig(pub ResidualPath);

/// Two 3×3 convolutions beside the input itself, each *after* a batch normalisation and relu (He et
/// al. 2016, "Identity Mappings in Deep Residual Networks", figure 1b): `x + f(x)`.
///
/// Where size or channels change, it is the input after the first normalisation and relu that goes
/// through a 1×1 convolution (Zagoruyko and Komodakis 2016, "Wide Residual Networks", as published
/// with TRADES).
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::{group::Group, nn::*};
///
/// let config = PreActivationBlockConfig(ResidualPath {
///     group: Group::P1,
///     channels: [4, 6],
///     stride: 2,
///     downsampling: Downsampling::Strided,
/// });
/// let block = config.init(&fireproof::device());
/// let features = block.forward(Tensor::ones([1, 4, 1, 8, 8], &fireproof::device()));
/// assert_eq!(features.dims(), [1, 6, 1, 4, 4]);
/// ```
#[derive(Module, Debug)]
pub struct PreActivationBlock {
    norm1: GroupBatchNorm,
    conv1: GroupConv2d,
    pool: Option<GroupAvgPool2d>,
    norm2: GroupBatchNorm,
    conv2: GroupConv2d,
    shortcut: Option<(Option<GroupAvgPool2d>, GroupConv2d)>,
}

impl PreActivationBlockConfig {
    fn norms(&self) -> [GroupBatchNormConfig; 2] {
        self.0
            .channels
            .map(|channels| GroupBatchNormConfig::new(self.0.group, channels))
    }
}

impl LayerConfig for PreActivationBlockConfig {
    type Layer = PreActivationBlock;

    fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        self.0.check(size)
    }

    fn num_params(&self) -> usize {
        let (path, [norm1, norm2]) = (self.0, self.norms());
        (norm1, path.first()).num_params()
            + (norm2, path.second()).num_params()
            + path.beside().num_params()
    }

    fn init(&self, device: &Device) -> PreActivationBlock {
        let (path, [norm1, norm2]) = (self.0, self.norms());
        let (conv1, pool) = path.first().init(device);
        PreActivationBlock {
            norm1: norm1.init(device),
            conv1,
            pool,
            norm2: norm2.init(device),
            conv2: path.second().init(device),
            shortcut: path.beside().init(device),
        }
    }
}

impl Layer for PreActivationBlock {
    type Input = Tensor<5>;
    type Output = Tensor<5>;

    fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        let active = self.norm1.forward_relu(input.clone());
        let hidden = match &self.pool {
            None => {
                let behind = Behind {
                    norm: Some(&self.norm2),
                    beside: None,
                    relu: true,
                };
                self.conv1.forward_followed(active.clone(), behind)
            }
            Some(pool) => {
                let pooled = pool.forward(self.conv1.forward(active.clone()));
                self.norm2.forward_relu(pooled)
            }
        };
        let beside = match &self.shortcut {
            None => input,
            Some((pool, conv)) => conv.forward(pool.forward(active)),
        };
        let behind = Behind::<GroupBatchNorm, _> {
            norm: None,
            beside: Some(beside),
            relu: false,
        };
        self.conv2.forward_followed(hidden, behind)
    }
}
