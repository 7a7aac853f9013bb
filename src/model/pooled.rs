use super::Head;
use crate::group::Group;
use crate::nn::{GroupPoolConfig, GroupReduction};
use burn::tensor::Tensor;

/// What a head makes of features by means over all places.
pub(super) trait Pooled {
    /// How many numbers it gives.
    fn features(self, channels: usize, group: Group) -> usize;

    /// Features `[batch, channel, group, height, width]` as rows.
    fn means(self, features: Tensor<5>) -> Tensor<2>;
}

impl Pooled for Head {
    fn features(self, channels: usize, group: Group) -> usize {
        match self {
            Self::Flattened => channels * group.size(),
            Self::Pooled => channels,
        }
    }

    fn means(self, features: Tensor<5>) -> Tensor<2> {
        match self {
            Self::Flattened => {
                let places: Tensor<3> = features.flatten::<4>(3, 4).flatten(1, 2);
                places.mean_dim(2).squeeze_dim(2)
            }
            Self::Pooled => {
                let pool = GroupPoolConfig::new(GroupReduction::Max).init();
                pool.forward_global(features)
            }
        }
    }
}
