use super::WorstPose;
use super::alike::{called, in_two_halves};
use super::inner::learn;
use super::losses::{check_weight, cross_entropy, kl};
use crate::attack::AttackSpec;
use crate::base::Result;
use crate::curriculum::Stage;
use crate::train::{Crafted, Objective, Scored, StagedBatch, Step, Student};
use crate::transform::Warp;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Training on the worst of several random poses, with a regulariser that holds what the network says of it to
/// what it says of the image as it is (F. Yang, Z. Wang, C. Heinze-Deml 2019, "Invariance-inducing
/// regularization using worst-case transformations suffices to boost accuracy and spatial robustness",
/// section 2).
///
/// Per image, with probabilities p of the image and q of the pose: CE(q, y) + λ·KL(p ‖ q). The pose is
/// [`WorstPose`]'s, by cross-entropy. The images and their poses pass in training mode, in this order and, where
/// the model drops, alike; the gradient goes through both p and q. That direction of the divergence, and that
/// the pose is chosen by cross-entropy and not by the divergence, is this crate's choice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct PoseKl {
    /// Weight of the divergence; at 0 this is [`WorstPose`].
    pub lambda: f64,
    /// How many poses; one is a random pose, and no pass is spent on it.
    #[serde(default = "published_poses")]
    pub poses: usize,
    /// How moved images are sampled.
    #[serde(default = "Warp::bilinear")]
    pub warp: Warp,
}

fn published_poses() -> usize {
    10
}

impl PoseKl {
    /// The objective with this weight: of 10 poses, sampled bilinearly with zeros outside.
    pub fn new(lambda: f64) -> Self {
        Self {
            lambda,
            poses: published_poses(),
            warp: Warp::bilinear(),
        }
    }

    fn worst(&self) -> WorstPose {
        WorstPose::new(self.poses).with_warp(self.warp)
    }
}

impl Objective for PoseKl {
    in_two_halves!();

    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        Ok(Crafted::of(self.worst().images(student, staged)))
    }

    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        let Some(moved) = crafted.images.first() else {
            return learn(student, staged, crafted);
        };
        let (keys, labels) = (staged.keys(), &staged.batch.labels);
        let clean = student.pass(staged.batch.images.clone(), &keys);
        let logits = student.pass(moved.clone(), &keys);
        let moved = cross_entropy(logits.clone(), labels);
        let divergence = kl(clean, logits.clone());
        let losses = moved.clone() + divergence.clone() * self.lambda;
        let scored = Scored::new(losses.clone(), logits, labels.clone())
            .with_number("moved loss", moved)
            .with_number("divergence", divergence);
        Step::down(losses.mean(), student, staged, scored)
    }

    fn moves_images(&self) -> bool {
        true
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for a weight that is negative or not finite, and
    /// without a pose.
    fn check(&self) -> Result<()> {
        check_weight("lambda", self.lambda)?;
        self.worst().check_poses()
    }

    /// The search over the same poses.
    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.worst().search(stage)
    }

    called!("pose_kl");
}
