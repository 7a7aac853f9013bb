use super::Head;
use crate::group::Group;
use crate::model::plain::Step;
use crate::nn::{Downsampling, GroupPoolConfig, GroupReduction, ResidualPath};
use burn::tensor::Tensor;

/// What a head makes of features by means over all places.
pub(super) trait Pooled {
    /// How many numbers it gives.
    fn features(self, channels: usize, group: Group) -> usize;

    /// Features `[batch, channel, group, height, width]` as rows.
    fn means(self, features: Tensor<5>) -> Tensor<2>;

    /// The steps of [`means`](Self::means).
    fn mean_steps(self, group: Group) -> Vec<Step>;

    /// The steps of a head that flattens features unless it pools them.
    fn steps(self, group: Group) -> Vec<Step>;
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

    fn mean_steps(self, group: Group) -> Vec<Step> {
        match self {
            Self::Flattened => vec![Step::Mean],
            Self::Pooled => vec![Step::ChannelMax { size: group.size() }, Step::Mean],
        }
    }

    fn steps(self, group: Group) -> Vec<Step> {
        match self {
            Self::Flattened => vec![Step::Flatten],
            Self::Pooled => self.mean_steps(group),
        }
    }
}

/// How a residual block halves the size, if it does.
pub(super) trait Halving {
    /// The stride of its convolutions, and the pooling beside it.
    fn halving(self) -> (usize, Option<Step>);
}

impl Halving for ResidualPath {
    fn halving(self) -> (usize, Option<Step>) {
        match (self.stride, self.downsampling) {
            (1, _) => (1, None),
            (stride, Downsampling::Strided) => (stride, None),
            (side, Downsampling::Pooled) => (1, Some(Step::AvgPool { side })),
        }
    }
}
