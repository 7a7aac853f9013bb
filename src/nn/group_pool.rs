use crate::nn::layer::layer;
use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;

/// How a [`GroupPool`] combines the components of a channel.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum GroupReduction {
    /// The largest component.
    Max,
    /// The mean of the components.
    Mean,
}

/// Configuration of a [`GroupPool`].
#[derive(Config, Debug)]
pub struct GroupPoolConfig {
    /// How components are combined.
    pub reduction: GroupReduction,
}

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
            GroupReduction::Max => features.max_dim(2),
            GroupReduction::Mean => features.mean_dim(2),
        }
        .squeeze_dim(2)
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
