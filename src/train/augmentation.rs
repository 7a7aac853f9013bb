use crate::train::StagedBatch;
use crate::transform::{PoseBudget, RandomCrop, RandomFlip, TwoStep, Warp};
use burn::tensor::Tensor;
use derive_more::From;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How a random pose becomes pixels.
#[derive(Clone, Copy, Debug, From, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Rotation and shift in one sampling, as everywhere else in this crate.
    #[from]
    Joint(Warp),
    /// The published augmentation: rotation, and then a whole-pixel shift of the result; see
    /// [`TwoStep`].
    TwoStep,
}

impl Default for Motion {
    /// One sampling that takes the nearest pixel, with black beyond the border.
    fn default() -> Self {
        Self::Joint(Warp::nearest())
    }
}

/// How training images are moved before anything else happens to them.
///
/// The published pipelines are [`cifar_claim_a`](Self::cifar_claim_a),
/// [`cifar_trades`](Self::cifar_trades) and [`cifar_cusp`](Self::cifar_cusp).
///
/// Crop and flip first, then a pose drawn uniformly from the stage's budget (angle and shift), as
/// in the published code; all fresh for each image and epoch. A stage without angle and shift
/// samples nothing, so the images stay exactly as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Augmentation {
    /// How poses are sampled.
    #[setters(into)]
    pub motion: Motion,
    /// Padding of the random crop, in pixels; 0 for none. The usual one for CIFAR is 4.
    pub crop: usize,
    /// Whether images are mirrored left to right with probability ½.
    pub flip: bool,
}

impl Augmentation {
    /// Poses sampled like this; no crop, no flip.
    pub fn new(motion: impl Into<Motion>) -> Self {
        Self {
            motion: motion.into(),
            ..Self::default()
        }
    }

    /// CIFAR training, claim a of the paper (StdCNN and GCNN): rotation, and then a whole-pixel shift, in
    /// [two steps](Motion::TwoStep); no crop, no flip.
    ///
    /// At the published level a, a stage has an angle of 180°·a and a shift of a sides. The images of
    /// the published code are normalised as well: that is the model's
    /// ([`NormalizeConfig::cifar10`](crate::nn::NormalizeConfig::cifar10)). Its test images are moved alike:
    /// [`RandomPose::published`](crate::evaluate::RandomPose::published).
    pub fn cifar_claim_a() -> Self {
        Self::new(Motion::TwoStep)
    }

    /// CIFAR training by TRADES, claim b of the paper: crop with a padding of 4, then flip. Images in
    /// `[0, 1]`, not normalised. Nothing is rotated, as long as the stages have no angle and no shift.
    pub fn cifar_trades() -> Self {
        Self::cifar_cusp()
    }

    /// CIFAR training by CuSP, claim c of the paper: crop with a padding of 4, flip, then rotation (and
    /// shift) in [two steps](Motion::TwoStep). Images in `[0, 1]`, not normalised.
    pub fn cifar_cusp() -> Self {
        Self {
            motion: Motion::TwoStep,
            crop: 4,
            flip: true,
        }
    }

    /// [`apply`](Self::apply); without a pose where what learns from the images
    /// [moves](crate::train::Objective::moves_images) them itself.
    pub(super) fn moved(&self, staged: &StagedBatch, posed: bool) -> Tensor<4> {
        match posed {
            true => self.apply(staged),
            false => self.apply(&staged.unmoved()),
        }
    }

    /// The images of the batch, cropped, mirrored and posed as the seed and the epoch have it.
    /// Outside autodiff: nothing here is learnt.
    pub fn apply(&self, staged: &StagedBatch) -> Tensor<4> {
        let mut images = staged.batch.images.clone().without_autodiff();
        let keys = staged.keys();
        if self.crop > 0 {
            images = RandomCrop::new(self.crop).apply(images, &keys);
        }
        if self.flip {
            images = RandomFlip::default().apply(images, &keys);
        }
        let budget = PoseBudget {
            angle: staged.stage.angle,
            shift: staged.stage.shift,
        };
        if budget == PoseBudget::default() {
            return images;
        }
        match self.motion {
            Motion::TwoStep => TwoStep { budget }.apply(images, &keys),
            Motion::Joint(warp) => warp.apply(images, &budget.draw(&keys)),
        }
    }
}
