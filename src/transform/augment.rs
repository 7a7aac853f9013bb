use super::exact::flip_some;
use super::{Pose, PoseBudget, Warp};
use crate::base::{Degrees, Error, Keys, Pixels, Purpose, Result};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Pads with zeros on all sides and crops back to the size at a random place: the usual
/// augmentation for CIFAR, with a padding of 4 (torchvision's `RandomCrop(32, padding=4)`).
///
/// That is a shift by whole pixels, uniform over −padding ..= padding along each axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// Zeros added on each side, in pixels.
    pub padding: usize,
}

impl RandomCrop {
    /// A crop after padding with this many pixels on each side.
    pub fn new(padding: usize) -> Self {
        Self { padding }
    }

    /// The shift of each image.
    pub fn draw(&self, keys: &Keys) -> Vec<Pose> {
        keys.each(Purpose::Crop, |draws| {
            let mut shift = || {
                let start = draws.below(2 * self.padding as u64 + 1);
                Pixels(self.padding as f64 - start as f64)
            };
            let (right, down) = (shift(), shift());
            Pose::shift(right, down)
        })
    }

    /// The images `[batch, channel, height, width]`, each cropped by its own draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are keys for as many images.
    pub fn apply(&self, images: Tensor<4>, keys: &Keys) -> Tensor<4> {
        Warp::nearest().apply(images, &self.draw(keys))
    }
}

/// Exchanges left and right at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFlip {
    /// The probability of a flip, in `[0, 1]`.
    pub probability: f64,
}

impl Default for RandomFlip {
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl RandomFlip {
    /// A flip with this probability.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it is not in `[0, 1]`.
    pub fn new(probability: f64) -> Result<Self> {
        let flip = Self { probability };
        flip.check()?;
        Ok(flip)
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if the probability is not in `[0, 1]`.
    pub fn check(&self) -> Result<()> {
        let probability = self.probability;
        let valid = (0.0..=1.0).contains(&probability);
        Error::unless(
            valid,
            "random flip: probability",
            probability,
            "a number in [0, 1]",
        )
    }

    /// Whether each image is flipped.
    pub fn draw(&self, keys: &Keys) -> Vec<bool> {
        keys.each(Purpose::Flip, |draws| draws.chance(self.probability))
    }

    /// The images `[batch, channel, height, width]`, each flipped or not by its own draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are keys for as many images.
    pub fn apply(&self, images: Tensor<4>, keys: &Keys) -> Tensor<4> {
        let count = images.dims()[0];
        assert_eq!(keys.len(), count, "a flip needs as many keys as images");
        flip_some(images, &self.draw(keys))
    }
}

/// The published augmentation: Pillow's rotation by a uniform angle, and *then*, on the result, a
/// uniform shift rounded to whole pixels, both with zeros outside.
///
/// It is torchvision's pipeline of the reference code: `rotate(random.random()·2θ − θ)` followed
/// by `RandomAffine(degrees=0, translate=(a, a))` on images with sides of shift / a pixels. Unlike
/// one [`Pose`], which rotates and shifts in one sampling, the rotation here cuts off corners
/// before a shift could bring them back into the frame.
///
/// Evaluations draw it by [`RandomPose::with_two_step`](crate::evaluate::RandomPose).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TwoStep {
    /// Largest rotation and shift.
    pub budget: PoseBudget,
}

impl TwoStep {
    /// Rotations up to ±`angle`, then shifts up to ±`shift` along each axis.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if one of them is negative or not finite.
    pub fn new(angle: Degrees, shift: Pixels) -> Result<Self> {
        Ok(Self {
            budget: PoseBudget::new(angle, shift)?,
        })
    }

    /// The rotations and the whole-pixel shifts of all images.
    pub fn draw(&self, keys: &Keys) -> [Vec<Pose>; 2] {
        Self::steps(&self.budget.draw(keys))
    }

    /// The rotations and the whole-pixel shifts that these poses are taken as.
    pub fn steps(poses: &[Pose]) -> [Vec<Pose>; 2] {
        // Python rounds halves to even.
        let whole = |shift: Pixels| Pixels(shift.0.round_ties_even());
        let rotation = |pose: &Pose| Pose::rotation(pose.angle);
        let shift = |pose: &Pose| Pose::shift(whole(pose.right), whole(pose.down));
        [
            poses.iter().map(rotation).collect(),
            poses.iter().map(shift).collect(),
        ]
    }

    /// The images `[batch, channel, height, width]`, each moved by its own draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are keys for as many images.
    pub fn apply(&self, images: Tensor<4>, keys: &Keys) -> Tensor<4> {
        assert_eq!(keys.len(), images.dims()[0], "as many keys as images");
        Self::move_to(images, &self.budget.draw(keys))
    }

    /// The images `[batch, channel, height, width]`, image `i` by the rotation of `poses[i]` and then
    /// by its shift, rounded to whole pixels.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many poses as images.
    pub fn move_to(images: Tensor<4>, poses: &[Pose]) -> Tensor<4> {
        let moves = |pose: &Pose| *pose != Pose::IDENTITY;
        let mut images = images;
        for step in Self::steps(poses) {
            if step.iter().any(moves) {
                images = Warp::nearest().apply(images, &step);
            }
        }
        images
    }
}
