use super::alike::{called, in_two_halves, learns_from_one};
use super::inner::{plain, poses};
use super::worst::Worst;
use crate::attack::{AttackSpec, RandomSearch};
use crate::base::{Error, Keys, Purpose, Result};
use crate::curriculum::Stage;
use crate::train::{Crafted, Objective, StagedBatch, Student};
use crate::transform::{PoseBudget, Warp};
use burn::tensor::Tensor;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Training on the worst of several random poses of each image (L. Engstrom et al. 2019, "Exploring the
/// Landscape of Spatial Robustness", section 3.2: worst of 10).
///
/// Poses are uniform in the stage's angle and shift, fresh for each image and epoch; a copy of the model in
/// inference mode tells which one has the highest cross-entropy, and that one alone is learnt from, in training
/// mode. Unlike a [`RandomSearch`], which ends for an image with the first pose that fools it, all poses are
/// looked at, and the image as it is is not among them. No random pose is dealt to the images before, and ε is
/// nothing to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields, default)]
#[setters(prefix = "with_")]
pub struct WorstPose {
    /// How many poses; one is a random pose, and no pass is spent on it.
    pub poses: usize,
    /// How moved images are sampled.
    pub warp: Warp,
}

impl Default for WorstPose {
    /// Of 10 poses, sampled bilinearly with zeros outside.
    fn default() -> Self {
        Self::new(10)
    }
}

impl WorstPose {
    /// The objective with so many poses, sampled bilinearly with zeros outside.
    pub fn new(poses: usize) -> Self {
        Self {
            poses,
            warp: Warp::bilinear(),
        }
    }

    /// The worst poses, if the stage moves images at all.
    pub(super) fn images(&self, student: &dyn Student, staged: &StagedBatch) -> Option<Tensor<4>> {
        let budget = poses(&staged.stage);
        if budget == PoseBudget::default() {
            return None;
        }
        let batch = plain(staged);
        let seed = staged.seed.derive(staged.epoch as u64);
        let keys = Keys::new(seed, batch.ids.iter().copied());
        let mut draws = keys.each(Purpose::SearchedPose, |draws| draws.clone());
        let mut moved = || {
            let poses = draws.iter_mut().map(|draws| budget.draw_next(draws));
            let poses = Vec::from_iter(poses);
            let images = self.warp.apply(batch.images.clone(), &poses);
            // The weights of bilinear sampling may add up to a little more than 1.
            batch.bounds.clamp(images)
        };
        if self.poses == 1 {
            return Some(moved());
        }
        let victim = student.frozen();
        let mut worst = Worst::new(&victim, &batch.labels);
        for _ in 0..self.poses {
            worst.meet(moved());
        }
        worst.images()
    }

    pub(super) fn check_poses(&self) -> Result<()> {
        Error::unless(self.poses > 0, "poses", self.poses, "at least 1")
    }

    pub(super) fn search(&self, stage: &Stage) -> Option<AttackSpec> {
        let budget = poses(stage);
        let search = RandomSearch::new(budget, self.poses).with_warp(self.warp);
        (budget != PoseBudget::default()).then(|| search.into())
    }
}

impl Objective for WorstPose {
    in_two_halves!();

    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        Ok(Crafted::of(self.images(student, staged)))
    }

    learns_from_one!();

    fn moves_images(&self) -> bool {
        true
    }

    /// # Errors
    ///
    /// [`Error::Setting`] without a pose.
    fn check(&self) -> Result<()> {
        self.check_poses()
    }

    /// The search over the same poses.
    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.search(stage)
    }

    called!("worst_pose");
}
