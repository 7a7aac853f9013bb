use super::exact::flip_some;
use super::{Border, Pose, bilinear, nearest};
use crate::base::assert_alike;
use burn::tensor::Tensor;
use derive_more::Display;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How a value is made for a point between pixels.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[display(rename_all = "snake_case")]
pub enum Interpolation {
    /// The pixel under the point. Rotations are bit for bit those of Pillow's
    /// `Image.rotate(angle)`, poses with a shift those of
    /// `Image.rotate(angle, translate=(right, down))`.
    #[default]
    Nearest,
    /// The four pixels around the point, weighted linearly along each axis, as PyTorch's
    /// `grid_sample(align_corners=True)`.
    Bilinear,
}

/// Puts each image of a batch in a [`Pose`] of its own.
///
/// A pose rotates about the centre of the image, counter-clockwise as displayed, and then shifts,
/// in one sampling: no intermediate image is made, cut or rounded. What is mirrored is mirrored
/// before, exactly. Images may have any aspect ratio. The identity returns every finite pixel unchanged; whole-pixel shifts, 180° and, on
/// square images, 90° and 270° move pixels without changing one, with both interpolations.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::base::{Degrees, Pixels};
/// use fireproof::transform::{Border, Pose, Warp};
///
/// let images = Tensor::<4>::ones([2, 3, 32, 32], &fireproof::device());
/// let poses = [
///     Pose::rotation(Degrees(30.0)),
///     Pose::shift(Pixels(2.5), Pixels(-1.0)),
/// ];
/// let warp = Warp::bilinear().with_border(Border::Edge);
/// assert_eq!(warp.apply(images, &poses).dims(), [2, 3, 32, 32]);
/// assert_eq!(warp.to_string(), "bilinear sampling, border edge");
/// ```
#[derive(
    Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize, Setters,
)]
#[display("{interpolation} sampling, border {border}")]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Warp {
    /// How values between pixels are made.
    pub interpolation: Interpolation,
    /// What lies outside the image.
    pub border: Border,
}

impl Warp {
    /// Nearest-neighbour sampling with zeros outside, as Pillow's `Image.rotate`.
    pub fn nearest() -> Self {
        Self::default()
    }

    /// Bilinear sampling with zeros outside.
    pub fn bilinear() -> Self {
        Self::default().with_interpolation(Interpolation::Bilinear)
    }

    /// The images, image `i` in pose `poses[i]`. Differentiable in the images with both
    /// interpolations.
    ///
    /// # Shapes
    ///
    /// - images, output: `[batch, channel, height, width]`
    ///
    /// # Panics
    ///
    /// Panics unless there are as many poses as images, if a pose fails [`Pose::check`]
    /// (check poses that come from outside), and if [`Precision`](crate::base::Precision) does not
    /// know the images' element type.
    pub fn apply(&self, images: Tensor<4>, poses: &[Pose]) -> Tensor<4> {
        let [batch, ..] = images.dims();
        assert_alike("warp", &[("images", images.dtype())]);
        assert_eq!(poses.len(), batch, "a warp needs as many poses as images");
        for pose in poses {
            pose.check().unwrap_or_else(|error| panic!("{error}"));
        }
        if poses.is_empty() {
            return images;
        }
        let mirrored = Vec::from_iter(poses.iter().map(|pose| pose.mirrored));
        let images = flip_some(images, &mirrored);
        match self.interpolation {
            Interpolation::Nearest => nearest::sample(images, poses, self.border),
            Interpolation::Bilinear => bilinear::apply(images, poses, self.border),
        }
    }

    /// The images, each in the pose given by a row of `poses`: degrees, pixels to the right,
    /// pixels downwards. Differentiable in the images *and* the poses.
    ///
    /// The values are those of [`apply`](Warp::apply) up to the rounding of sines and cosines,
    /// which are computed on the device and in the poses' precision here, `f32` at least. Shifts beyond
    /// [`Pose::LARGEST_SHIFT`] are taken as that; a NaN makes its image NaN.
    ///
    /// # Shapes
    ///
    /// - images, output: `[batch, channel, height, width]`
    /// - poses: `[batch, 3]`
    ///
    /// # Panics
    ///
    /// Panics unless the poses are `[batch, 3]` and of the images' element type, and with [`Interpolation::Nearest`], which has
    /// no derivative in the pose.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::transform::Warp;
    ///
    /// let device = fireproof::device();
    /// let image = Tensor::<4>::from_floats([[[[0.0, 1.0, 4.0]]]], &device);
    /// // How does the middle pixel change when the image moves to the right?
    /// let pose = Tensor::<2>::from_floats([[0.0, 0.5, 0.0]], &device.autodiff()).require_grad();
    /// let middle = Warp::bilinear().apply_tensor(image, pose.clone()).slice([0..1, 0..1, 0..1, 1..2]);
    /// let slope = pose.grad(&middle.backward()).unwrap().slice([0..1, 1..2]).into_scalar::<f32>();
    /// assert_eq!(slope, -1.0);
    /// ```
    pub fn apply_tensor(&self, images: Tensor<4>, poses: Tensor<2>) -> Tensor<4> {
        let [batch, ..] = images.dims();
        assert_eq!(
            poses.dims(),
            [batch, 3],
            "poses are rows of (degrees, pixels right, pixels down), one per image"
        );
        assert_eq!(
            self.interpolation,
            Interpolation::Bilinear,
            "only bilinear sampling has a derivative in the pose"
        );
        if batch == 0 {
            return images;
        }
        bilinear::apply_tensor(images, poses, self.border)
    }
}
