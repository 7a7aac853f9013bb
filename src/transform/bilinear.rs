//! Poses as the motions along which images are sampled bilinearly.

use super::{Border, Pose};
use crate::base::{assert_alike, widened};
use crate::kernel::warp_bilinear;
use burn::tensor::{Tensor, TensorData};

/// `images` in their `poses`, differentiable in the images. Sines and cosines are computed in
/// `f64` on the host. The caller has checked that the poses are finite and as many as the images,
/// and that there are some.
pub(super) fn apply(images: Tensor<4>, poses: &[Pose], border: Border) -> Tensor<4> {
    let rows = poses.iter().flat_map(|pose| {
        let (cos, sin) = cos_sin(pose.angle.0);
        [cos, sin, pose.right.0, pose.down.0]
    });
    let motions = TensorData::new(rows.collect::<Vec<f64>>(), [poses.len(), 4]);
    let dtype = images.dtype();
    // Sampling is in f32 at least, so poses are too.
    let images = widened(images);
    let motions = Tensor::from_data(motions, (&images.device(), images.dtype()));
    warp_bilinear(images, motions, border).cast(dtype)
}

/// `images` in `poses` `[batch, 3]` (degrees, pixels right, pixels down), differentiable in both.
pub(super) fn apply_tensor(images: Tensor<4>, poses: Tensor<2>, border: Border) -> Tensor<4> {
    let (dtype, [batch, ..]) = (images.dtype(), images.dims());
    assert_alike("warp", &[("images", dtype), ("poses", poses.dtype())]);
    let (images, poses) = (widened(images), widened(poses));
    let column = |at: usize| poses.clone().slice([0..batch, at..at + 1]);
    let (cos, sin) = cos_sin_tensor(column(0));
    // Farther out, folding a coordinate back into the image would leave only rounding errors.
    let limit = Pose::LARGEST_SHIFT.0;
    let shifts = poses.slice([0..batch, 1..3]).clamp(-limit, limit);
    let motions = Tensor::cat(vec![cos, sin, shifts], 1);
    warp_bilinear(images, motions, border).cast(dtype)
}

/// Cosine and sine, exactly 0 and ±1 at multiples of 90°.
fn cos_sin(degrees: f64) -> (f64, f64) {
    let degrees = degrees.rem_euclid(360.0);
    let quarter_turns = (degrees / 90.0).round();
    let (sin, cos) = (degrees - 90.0 * quarter_turns).to_radians().sin_cos();
    match quarter_turns as u32 % 4 {
        0 => (cos, sin),
        1 => (-sin, cos),
        2 => (-cos, -sin),
        _ => (sin, -cos),
    }
}

/// [`cos_sin`] on a tensor, differentiable.
fn cos_sin_tensor(degrees: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let quarter_turns = (degrees.clone().without_autodiff() / 90.0).round();
    let rest = (degrees - quarter_turns.clone() * 90.0) * (std::f64::consts::PI / 180.0);
    let (cos, sin) = (rest.clone().cos(), rest.sin());
    let phase = quarter_turns.clone() - (quarter_turns / 4.0).floor() * 4.0;
    // Phases 0, 1, 2, 3 have the cosines 1, 0, -1, 0 and the sines 0, 1, 0, -1.
    let turn_cos = (phase.clone() - 2.0).abs() - 1.0;
    let turn_sin = (phase - 1.0).abs().neg() + 1.0;
    (
        cos.clone() * turn_cos.clone() - sin.clone() * turn_sin.clone(),
        cos * turn_sin + sin * turn_cos,
    )
}
