use crate::base::config;
use crate::kernel;
use crate::nn::layer::layer;
use burn::module::Module;
use burn::tensor::Tensor;
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How a [`GroupPool`] combines the components of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupReduction {
    /// The largest component.
    Max,
    /// The mean of the components.
    Mean,
}

/// Configuration of a [`GroupPool`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct GroupPoolConfig {
    /// How components are combined.
    pub reduction: GroupReduction,
}

config!(GroupReduction, GroupPoolConfig);

impl GroupPoolConfig {
    /// The layer.
    pub fn init(&self) -> GroupPool {
        GroupPool {
            reduction: self.reduction,
        }
    }
}

/// Pools features over their group axis. Moving the input then moves the output as an image.
#[doc(alias = "GroupPooling")]
#[derive(Module, Debug)]
pub struct GroupPool {
    #[module(skip)]
    reduction: GroupReduction,
}

impl GroupPool {
    /// Features without a group axis.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, channel, group, height, width]`
    /// - output: `[batch, channel, height, width]`
    pub fn forward(&self, features: Tensor<5>) -> Tensor<4> {
        match self.reduction {
            GroupReduction::Max => kernel::group_max(features),
            // Burn's is as fast as a copy.
            GroupReduction::Mean => features.mean_dim(2).squeeze_dim(2),
        }
    }

    /// The mean of [`forward`](Self::forward) over all places: numbers that no motion changes.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, channel, group, height, width]`
    /// - output: `[batch, channel]`
    pub fn forward_global(&self, features: Tensor<5>) -> Tensor<2> {
        let places: Tensor<3> = self.forward(features).flatten(2, 3);
        places.mean_dim(2).squeeze_dim(2)
    }
}

layer! {
    GroupPoolConfig => GroupPool, 5 => 4;
    init: |config, _| config.init(), params: |_| 0
}
