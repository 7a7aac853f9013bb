//! Images made from poses alone.

use crate::attack::Trial;
use crate::attack::rows::select;
use crate::base::Precision;
use crate::transform::{Pose, Warp};
use burn::tensor::{Tensor, TensorData};

/// The originals at these positions, which may name one several times, each in its pose, within bounds:
/// the weights of bilinear sampling may add up to a little more than 1.
pub(super) fn images(trial: &Trial, warp: Warp, positions: &[usize], poses: &[Pose]) -> Tensor<4> {
    let moved = warp.apply(select(trial.originals(), positions), poses);
    trial.bounds().clamp(moved)
}

/// The poses as a [`Candidate`](crate::attack::Candidate) has them.
pub(super) fn rows(poses: &[Pose], like: &Tensor<4>) -> Tensor<2> {
    let rows = poses.iter().flat_map(|pose| pose.to_row());
    let rows = TensorData::new(Vec::from_iter(rows), [poses.len(), 4]);
    Tensor::from_data(rows, (&like.device(), like.dtype()))
}

/// The pose in numbers of the images' element type, in which it is returned: what is made of it now can
/// be made of it again.
pub(super) fn rounded(pose: Pose, like: &Tensor<4>) -> Pose {
    let Some(precision) = Precision::of_type(like.dtype()) else {
        return pose;
    };
    Pose::from_row(pose.to_row().map(|number| precision.round(number)))
}
