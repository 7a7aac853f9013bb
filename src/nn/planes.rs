use crate::group::Group;
use burn::tensor::Tensor;

/// Features with channel and group axis as one, as operations on planes want them.
///
/// # Panics
///
/// Panics if the group axis is wrong.
pub(crate) fn flatten(features: Tensor<5>, group: Group) -> Tensor<4> {
    let [batch, channels, size, height, width] = features.dims();
    assert_eq!(size, group.size(), "group axis of features for {group}");
    features.reshape([batch, channels * size, height, width])
}

/// The reverse of [`flatten`].
pub(crate) fn unflatten(planes: Tensor<4>, group: Group) -> Tensor<5> {
    let [batch, channels, height, width] = planes.dims();
    let size = group.size();
    planes.reshape([batch, channels / size, size, height, width])
}
