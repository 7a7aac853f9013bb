use crate::base::{assert_alike, config};
use crate::group::Group;
use crate::nn::layer::layer;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Configuration of a [`GroupBatchNorm`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct GroupBatchNormConfig {
    /// The group.
    pub group: Group,
    /// Channels of the features.
    pub channels: usize,
    /// Added to the variance; positive.
    #[new(value = "1e-5")]
    pub epsilon: f64,
    /// Share of the newest batch in the running statistics, 0 to 1.
    #[new(value = "0.1")]
    pub momentum: f64,
}

config!(GroupBatchNormConfig);

impl GroupBatchNormConfig {
    /// A layer with scale 1 and shift 0.
    ///
    /// # Panics
    ///
    /// Panics where [`BatchNormConfig::init`] does.
    pub fn init(&self, device: &Device) -> GroupBatchNorm {
        GroupBatchNorm {
            norm: BatchNormConfig::new(self.channels)
                .with_epsilon(self.epsilon)
                .with_momentum(self.momentum)
                .init(device),
            group: self.group,
        }
    }
}

/// Batch normalisation of features over a group.
///
/// A channel has one mean, variance, scale and shift for all its components: with one for each
/// component, moving the input would no longer just permute them. As in Burn, statistics are
/// those of the batch while training on an autodiff device, else the running ones.
#[derive(Module, Debug)]
pub struct GroupBatchNorm {
    /// Burn's layer, which sees group and space as one axis.
    pub norm: BatchNorm,
    #[module(skip)]
    group: Group,
}

impl GroupBatchNorm {
    /// Normalised features.
    ///
    /// # Shapes
    ///
    /// - features, output: `[batch, channel, group, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if the number of channels or the group axis is wrong, or unless features and
    /// statistics are of one element type.
    pub fn forward(&self, features: Tensor<5>) -> Tensor<5> {
        let shape @ [batch, channels, size, height, width] = features.dims();
        assert_eq!(
            size,
            self.group.size(),
            "group axis of features for {}",
            self.group
        );
        let types = [
            ("features", features.dtype()),
            ("scale", self.norm.gamma.val().dtype()),
        ];
        assert_alike("batch norm", &types);
        let flat = features.reshape([batch, channels, size * height, width]);
        self.norm.forward(flat).reshape(shape)
    }

    /// The group.
    pub fn group(&self) -> Group {
        self.group
    }
}

// Scale, shift, running mean and running variance.
layer! {
    GroupBatchNormConfig => GroupBatchNorm, 5 => 5;
    init: Self::init, params: |config| 4 * config.channels
}

// Burn's layer, for planes.
layer! {
    BatchNormConfig => BatchNorm, 4 => 4;
    init: Self::init, params: |config| 4 * config.num_features
}
