use super::alike::{called, in_two_halves, learns_from_one};
use super::inner::perturbed;
use super::overfitting;
use crate::attack::{AttackSpec, Keep, Pgd};
use crate::base::{Error, Result};
use crate::curriculum::Stage;
use crate::train::{Crafted, Objective, StagedBatch, Student};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Cross-entropy of images after one step of the gradient's sign from a random start (E. Wong, L. Rice, J. Z.
/// Kolter 2020, "Fast is better than free: Revisiting adversarial training", algorithm 3): about a fifth of
/// the passes of ten steps.
///
/// The start is uniform in the L∞ ball of the stage's ε, the step α·ε long, both clipped to valid pixels; the
/// stage's steps and step size are nothing to it, but that without a step there is no attack. The step is
/// taken on a copy of the model in inference mode; the published code leaves batch norm in training mode there.
///
/// # Catastrophic overfitting
///
/// Training by one step may end, within a few hundred steps, in a network that withstands that one step and
/// nothing else: where ε is large, without a random start or with longer steps. So every so often the network
/// is asked, before it learns from a batch, what it makes of the attacked images and of the same ones under
/// PGD with 10 steps. Both accuracies are shown with the epoch, as "one-step accuracy" and "PGD accuracy", and
/// as "catastrophic overfitting" the share of checks that found it: where PGD leaves less than half of what the
/// one step leaves, and at least 20 points less. A warning is logged each time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields, default)]
#[setters(prefix = "with_")]
pub struct FastFgsm {
    /// The length of the step in units of ε.
    pub alpha: f64,
    /// Whether it starts at a random point of the ball, and not at the image itself.
    pub random_start: bool,
    /// In one of how many steps it is checked for catastrophic overfitting, the first one of each epoch
    /// included; 0 for none.
    pub check_every: usize,
    /// How many images of the batch are checked.
    pub check_images: usize,
}

impl Default for FastFgsm {
    /// α = 1.25 from a random start; one batch of 20 is checked, by 32 images.
    fn default() -> Self {
        Self {
            alpha: 1.25,
            random_start: true,
            check_every: 20,
            check_images: 32,
        }
    }
}

impl FastFgsm {
    fn attack_at(&self, stage: &Stage) -> Option<AttackSpec> {
        let attack = Pgd::linf(stage.epsilon)
            .with_steps(1)
            .with_step_size(self.alpha * stage.epsilon)
            .with_random_start(self.random_start)
            .with_keep(Keep::Last);
        (stage.epsilon != 0.0 && stage.steps != 0).then(|| attack.into())
    }

    fn is_checked(&self, staged: &StagedBatch) -> bool {
        self.check_every > 0
            && staged
                .step
                .saturating_sub(1)
                .is_multiple_of(self.check_every)
    }
}

impl Objective for FastFgsm {
    in_two_halves!();

    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        let Some(attack) = self.attack_at(&staged.stage) else {
            return Ok(Crafted::default());
        };
        let victim = student.frozen();
        let images = perturbed(&attack, &victim, staged)?;
        let mut crafted = Crafted::of([images.clone()]);
        if self.is_checked(staged) {
            crafted.numbers = overfitting::check(&victim, staged, images, self.check_images)?;
        }
        Ok(crafted)
    }

    learns_from_one!();

    /// # Errors
    ///
    /// [`Error::Setting`] for a step size that is not a finite number above 0, and for checks without an
    /// image.
    fn check(&self) -> Result<()> {
        let alpha = self.alpha;
        let valid = alpha.is_finite() && alpha > 0.0;
        Error::unless(valid, "alpha", alpha, "a finite number above 0")?;
        let valid = self.check_every == 0 || self.check_images > 0;
        Error::unless(valid, "check_images", self.check_images, "at least 1")
    }

    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.attack_at(stage)
    }

    called!("fast_fgsm");
}
