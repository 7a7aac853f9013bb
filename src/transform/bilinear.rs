//! Bilinear sampling, differentiable in the image and in the pose.
//!
//! The border extends the image to an infinite lattice; the value at a point is the bilinear
//! interpolation of the four pixels around it. Everything is in pixel coordinates, so that the
//! aspect ratio needs no correction.

use super::gather::{gather, suits};
use super::{Border, Pose};
use crate::kernel::{self, choose};
use burn::tensor::{Tensor, TensorData};

/// `images` in their `poses`, differentiable in the images. Sines and cosines are computed in
/// `f64` on the host. The caller has checked that the poses are finite and as many as the images,
/// and that there are some.
pub(super) fn apply(images: Tensor<4>, poses: &[Pose], border: Border) -> Tensor<4> {
    let rows = poses.iter().flat_map(|pose| {
        let (cos, sin) = cos_sin(pose.angle.0);
        [cos, sin, pose.right.0, pose.down.0].map(|value| value as f32)
    });
    let motions = TensorData::new(rows.collect::<Vec<f32>>(), [poses.len(), 4]);
    let motions = Tensor::from_data(motions, &images.device());
    warp(images, motions, border)
}

/// `images` in `poses` `[batch, 3]` (degrees, pixels right, pixels down), differentiable in both.
pub(super) fn apply_tensor(images: Tensor<4>, poses: Tensor<2>, border: Border) -> Tensor<4> {
    let [batch, ..] = images.dims();
    let column = |at: usize| poses.clone().slice([0..batch, at..at + 1]);
    let (cos, sin) = cos_sin_tensor(column(0));
    // Farther out, folding a coordinate back into the image would leave only rounding errors.
    let limit = Pose::LARGEST_SHIFT.0;
    let shifts = poses.slice([0..batch, 1..3]).clamp(-limit, limit);
    let motions = Tensor::cat(vec![cos, sin, shifts], 1);
    warp(images, motions, border)
}

/// `images` moved by `motions` `[batch, 4]`: cosine and sine of the angle, pixels right and down.
fn warp(images: Tensor<4>, motions: Tensor<2>, border: Border) -> Tensor<4> {
    match choose("warp", || suits(&images) && kernel::suits(&motions)) {
        #[cfg(feature = "flex")]
        crate::kernel::Path::Kernel => {
            crate::kernel::warp::warp_bilinear(images, motions, border.outside())
        }
        _ => {
            let [batch, _, height, width] = images.dims();
            let column = |at: usize| {
                let column = motions.clone().slice([0..batch, at..at + 1]);
                column.reshape([batch, 1, 1])
            };
            let motion = Motion {
                cos: column(0),
                sin: column(1),
                right: column(2),
                down: column(3),
            };
            let [x, y] = motion.sources(height, width);
            sample(images, x, y, border)
        }
    }
}

/// One motion per image, each field `[batch, 1, 1]`.
struct Motion {
    cos: Tensor<3>,
    sin: Tensor<3>,
    right: Tensor<3>,
    down: Tensor<3>,
}

impl Motion {
    /// For each output pixel the source's column and row, `[batch, height, width]`: the shift
    /// undone, then the rotation about the centre.
    fn sources(self, height: usize, width: usize) -> [Tensor<3>; 2] {
        let device = self.cos.device();
        let centred = |length: usize, shape: [usize; 3]| {
            let half = (length as f32 - 1.0) / 2.0;
            let offsets: Vec<f32> = (0..length).map(|at| at as f32 - half).collect();
            let offsets = Tensor::<3>::from_data(TensorData::new(offsets, shape), &device);
            (offsets, half)
        };
        let (x, centre_x) = centred(width, [1, 1, width]);
        let (y, centre_y) = centred(height, [1, height, 1]);
        let x = x - self.right;
        let y = y - self.down;
        [
            (x.clone() * self.cos.clone() + centre_x) - y.clone() * self.sin.clone(),
            x * self.sin + (y * self.cos + centre_y),
        ]
    }
}

/// The values of `images` at the points (`x`, `y`) in pixels from the centre of the first pixel.
///
/// # Shapes
///
/// - images: `[batch, channel, height, width]`
/// - x, y: `[batch, rows, columns]`
/// - output: `[batch, channel, rows, columns]`
fn sample(images: Tensor<4>, x: Tensor<3>, y: Tensor<3>, border: Border) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let [_, rows, columns] = x.dims();
    let shape = [batch, 1, rows * columns];
    let x = x.reshape(shape);
    let y = y.reshape(shape);

    let (column, across) = border.split(x, width);
    let (row, along) = border.split(y, height);
    let extended = border.extend(images);
    let [_, _, extended_height, stride] = extended.dims();
    // A coordinate that is NaN makes its value NaN by the weights; its index must still be one.
    let last = extended_height * stride - stride - 2;
    let index = (row * stride as i64 + column).clamp(0, last as i64);

    let pixel = |offset: usize| gather(extended.clone(), index.clone() + offset as i64);
    let upper = between(pixel(0), pixel(1), across.clone());
    let lower = between(pixel(stride), pixel(stride + 1), across);
    between(upper, lower, along).reshape([batch, channels, rows, columns])
}

// In this form two equal values give exactly themselves, and weight 0 gives exactly the first.
fn between(first: Tensor<3>, second: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    first.clone() + (second - first) * weight
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
