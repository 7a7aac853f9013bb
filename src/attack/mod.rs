//! Attacks on frozen classifiers.
//!
//! A [`Frozen`] classifier, a [`Batch`](crate::base::Batch) and a [`Seed`](crate::base::Seed) go in,
//! [`Found`] comes out:
//!
//! ```
//! use burn::tensor::{Int, Tensor};
//! use fireproof::attack::{Attack, Frozen, Pgd};
//! use fireproof::base::{Batch, Seed};
//!
//! // Two classes: the image is brighter or darker than 1/2 on average.
//! let victim = Frozen::from_fn(|images: Tensor<4>| {
//!     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
//!     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
//! });
//! let device = fireproof::device();
//! let images = Tensor::cat(
//!     vec![Tensor::full([1, 1, 8, 8], 0.55, &device), Tensor::full([1, 1, 8, 8], 0.75, &device)],
//!     0,
//! );
//! let batch = Batch::new(images, Tensor::<1, Int>::ones([2], &device))?;
//!
//! let found = Pgd::linf(0.1).attack(&victim, &batch, Seed(7))?;
//! assert_eq!(found.fooled, [true, false]);
//! assert_eq!(found.robust_accuracy(), 0.5);
//! # Ok::<(), fireproof::base::Error>(())
//! ```
//!
//! By gradients: [`Fgsm`], [`Pgd`] and [`Apgd`]; by logits alone: [`Square`]. In [`Linf`], [`L2`], [`L1`]
//! or a [`Norm`] of one's own. [`AutoAttack`] is what a robust accuracy is published with; [`Attack::run`]
//! attacks whole image sets.
//!
//! On poses: [`GridSearch`], [`RandomSearch`], [`PoseSearch`], [`PoseGradient`] and, as a certificate,
//! [`Orbit`]; on poses and pixels: [`JointPgd`], [`RandomPose::before`], [`Affine`] and what
//! [`Attack::then`] and [`Attack::or`] make of both.
//!
//! For random victims, and those whose gradients are masked, the victim says what a gradient is:
//! [`Frozen::random`], [`Frozen::through_approximated`], [`Frozen::with_gradients_of`].
//!
//! Attacks are plain serialisable values without a model; an [`AttackSpec`] is any of them, in
//! files by name. [`Attack::restarts`], [`Attack::or`] and [`Attack::then`] join them.
//!
//! Minimum-norm attacks, [`Fab`] above all, look for the nearest image that fools: their
//! [`Found::distance`] gives the accuracy at every ε at once, by [`Found::accuracy_at`].
//!
//! Whether such a number can be trusted, [`diagnosis`] asks: of gradients, losses, inputs and outputs.
//!
//! To add one, implement [`Attack::search`] on a [`Trial`], which makes and counts passes, keeps the
//! best candidates and gives the verdict; a gradient attack is an [`Ascent`] in a [`Space`] with a
//! [`StepRule`]. Inside this crate that is a file and a line in the registry of `spec.rs`; a
//! [`Norm`] is a file and a line in `norm/mod.rs`, a [`Loss`] one in `loss/mod.rs`, a choice of
//! [`Targets`] one in `targets/mod.rs`; from outside it is [`Registry::add`](crate::base::Registry::add).

mod accuracy_curve;
mod adaptive_step;
mod adversaries;
mod alike;
mod apgd;
mod ascent;
#[allow(clippy::module_inception)]
mod attack;
mod auto;
mod ball;
mod best_point;
mod budget;
mod candidate;
pub mod diagnosis;
mod diversified;
mod each_target;
mod ensemble;
mod fgsm;
mod found;
mod friendly;
mod frozen;
mod goal;
mod keep;
mod label;
mod loss;
mod malt;
mod mask;
mod masked;
mod momentum;
mod msd;
mod nearest;
mod norm;
mod part;
mod per_image;
mod pgd;
mod pose;
mod restarts;
mod rows;
mod run;
mod sequence;
mod settings;
mod space;
mod sparse_step;
mod spec;
mod square;
mod targets;
mod trial;

pub use accuracy_curve::AccuracyCurve;
pub use adaptive_step::AdaptiveStep;
pub use adversaries::Adversaries;
pub use apgd::Apgd;
pub use ascent::{Ascent, FixedStep, Here, StepRule};
pub use attack::{Attack, Cost};
pub use auto::{AutoAttack, Version};
pub use ball::{BALL_TOLERANCE, Ball, verify};
pub use budget::Budget;
pub use candidate::Candidate;
pub use each_target::EachTarget;
pub use ensemble::Ensemble;
pub use fgsm::Fgsm;
pub use found::Found;
pub use friendly::FriendlyPgd;
pub use frozen::{Frozen, LossGradient};
pub use goal::{Goal, NO_CLASS, Nearest, predicted_classes};
pub use keep::Keep;
pub use loss::{CrossEntropy, Dlr, Kl, Loss, LossSpec, Margin, ProbabilityMargin, Reference};
pub use malt::Malt;
pub use mask::Mask;
pub use masked::Masked;
pub use momentum::Momentum;
pub use msd::Msd;
pub use nearest::{CarliniWagner, Ddn, DeepFool, Fab, Fmn, Geometry, Plane};
pub use norm::{Inside, L1, L2, Limits, Linf, Norm, NormSpec};
pub use part::Part;
pub use per_image::PerImage;
pub use pgd::Pgd;
pub use pose::{
    Affine, GridSearch, InRandomPose, JointPgd, Orbit, PoseGradient, PoseSearch, PoseSpace,
    RandomPose, RandomSearch,
};
pub use restarts::Restarts;
pub use run::{Outcome, PartOutcome, Progress, Run, Whole};
pub use sequence::Sequence;
pub use space::{PixelSpace, Space};
pub use sparse_step::SparseStep;
pub use spec::AttackSpec;
pub use square::{Square, Squares};
pub use targets::{
    Choice, FixedTarget, GivenTargets, KthBest, LeastLikely, NextClass, RandomTarget, Targets,
    TargetsSpec,
};
pub use trial::{Pass, Trial};
