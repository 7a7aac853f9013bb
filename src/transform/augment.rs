use super::{Pose, PoseBudget, Warp, flip_horizontal};
use crate::base::{Degrees, Error, Pixels, Purpose, Result, Seed};
use burn::tensor::{Bool, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Pads with zeros on all sides and crops back to the size at a random place: the usual
/// augmentation for CIFAR, with a padding of 4 (torchvision's `RandomCrop(32, padding=4)`).
///
/// That is a shift by whole pixels, uniform over −padding ..= padding along each axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomCrop {
    /// Zeros added on each side, in pixels.
    pub padding: usize,
}

impl RandomCrop {
    /// A crop after padding with this many pixels on each side.
    pub fn new(padding: usize) -> Self {
        Self { padding }
    }

    /// The shift of image `id` in draw number `draw`.
    pub fn draw(&self, seed: Seed, id: u64, draw: u64) -> Pose {
        let mut draws = seed.draws(Purpose::Crop, id, draw);
        let mut shift = || {
            let start = draws.below(2 * self.padding as u64 + 1);
            Pixels(self.padding as f64 - start as f64)
        };
        let (right, down) = (shift(), shift());
        Pose::shift(right, down)
    }

    /// The images `[batch, channel, height, width]` with these `ids`, each cropped by its own
    /// draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many ids as images.
    pub fn apply(&self, images: Tensor<4>, ids: &[u64], seed: Seed, draw: u64) -> Tensor<4> {
        let poses: Vec<Pose> = ids.iter().map(|&id| self.draw(seed, id, draw)).collect();
        Warp::nearest().apply(images, &poses)
    }
}

/// Exchanges left and right at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// # Panics
    ///
    /// Panics if it is not in `[0, 1]`; see [`RandomFlip::check`].
    pub fn new(probability: f64) -> Self {
        let flip = Self { probability };
        if let Err(error) = flip.check() {
            panic!("{error}");
        }
        flip
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if the probability is not in `[0, 1]`.
    pub fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.probability) {
            return Ok(());
        }
        Err(Error::setting(
            "random flip: probability",
            self.probability,
            "a number in [0, 1]",
        ))
    }

    /// Whether image `id` is flipped in draw number `draw`.
    pub fn draw(&self, seed: Seed, id: u64, draw: u64) -> bool {
        seed.draws(Purpose::Flip, id, draw).chance(self.probability)
    }

    /// The images `[batch, channel, height, width]` with these `ids`, each flipped or not by its
    /// own draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many ids as images.
    pub fn apply(&self, images: Tensor<4>, ids: &[u64], seed: Seed, draw: u64) -> Tensor<4> {
        let shape = images.dims();
        assert_eq!(ids.len(), shape[0], "a flip needs as many ids as images");
        let flips: Vec<bool> = ids.iter().map(|&id| self.draw(seed, id, draw)).collect();
        if !flips.contains(&true) {
            return images;
        }
        let flips = TensorData::new(flips, [shape[0], 1, 1, 1]);
        let flips = Tensor::<4, Bool>::from_data(flips, &images.device()).expand(shape);
        images.clone().mask_where(flips, flip_horizontal(images))
    }
}

/// The published augmentation: Pillow's rotation by a uniform angle, and *then*, on the result, a
/// uniform shift rounded to whole pixels, both with zeros outside.
///
/// It is torchvision's pipeline of the reference code: `rotate(random.random()·2θ − θ)` followed
/// by `RandomAffine(degrees=0, translate=(a, a))` on images with sides of shift / a pixels. Unlike
/// one [`Pose`], which rotates and shifts in one sampling, the rotation here cuts off corners
/// before a shift could bring them back into the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TwoStep {
    /// Largest rotation and shift.
    pub budget: PoseBudget,
}

impl TwoStep {
    /// Rotations up to ±`angle`, then shifts up to ±`shift` along each axis.
    ///
    /// # Panics
    ///
    /// Panics if one of them is negative or not finite; see [`PoseBudget::check`].
    pub fn new(angle: Degrees, shift: Pixels) -> Self {
        Self {
            budget: PoseBudget::new(angle, shift),
        }
    }

    /// The rotation and the whole-pixel shift of image `id` in draw number `draw`.
    pub fn draw(&self, seed: Seed, id: u64, draw: u64) -> (Pose, Pose) {
        let pose = self.budget.draw(seed, id, draw);
        // Python rounds halves to even.
        let whole = |shift: Pixels| Pixels(shift.0.round_ties_even());
        (
            Pose::rotation(pose.angle),
            Pose::shift(whole(pose.right), whole(pose.down)),
        )
    }

    /// The images `[batch, channel, height, width]` with these `ids`, each moved by its own draw.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many ids as images.
    pub fn apply(&self, images: Tensor<4>, ids: &[u64], seed: Seed, draw: u64) -> Tensor<4> {
        let (rotations, shifts): (Vec<Pose>, Vec<Pose>) =
            ids.iter().map(|&id| self.draw(seed, id, draw)).unzip();
        let moves = |pose: &Pose| *pose != Pose::IDENTITY;
        let mut images = images;
        assert_eq!(ids.len(), images.dims()[0], "as many ids as images");
        for step in [rotations, shifts] {
            if step.iter().any(moves) {
                images = Warp::nearest().apply(images, &step);
            }
        }
        images
    }
}
