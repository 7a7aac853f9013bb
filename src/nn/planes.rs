use crate::group::Group;
use burn::tensor::Tensor;

/// Features that operations on planes can work on: a group axis becomes one with the channels.
pub(crate) trait Planes {
    /// The features as `[batch, channel · group, height, width]`.
    ///
    /// # Panics
    ///
    /// Panics if the group axis is wrong.
    fn into_planes(self, group: Group) -> Tensor<4>;

    /// The reverse of [`into_planes`](Planes::into_planes).
    fn from_planes(planes: Tensor<4>, group: Group) -> Self;
}

impl Planes for Tensor<4> {
    fn into_planes(self, _: Group) -> Tensor<4> {
        self
    }

    fn from_planes(planes: Tensor<4>, _: Group) -> Self {
        planes
    }
}

impl Planes for Tensor<5> {
    fn into_planes(self, group: Group) -> Tensor<4> {
        let [batch, channels, size, height, width] = self.dims();
        assert_eq!(size, group.size(), "group axis of features for {group}");
        self.reshape([batch, channels * size, height, width])
    }

    fn from_planes(planes: Tensor<4>, group: Group) -> Self {
        let [batch, channels, height, width] = planes.dims();
        let size = group.size();
        planes.reshape([batch, channels / size, size, height, width])
    }
}
