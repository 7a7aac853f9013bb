//! The attack inside an objective, at the budgets of a stage.

use crate::attack::{AttackSpec, Frozen};
use crate::base::{Batch, Error, Result};
use crate::curriculum::Stage;
use crate::train::{Crafted, StagedBatch, Step, Student};
use crate::transform::PoseBudget;
use burn::tensor::Tensor;

/// The attack at the budgets of the stage, if there is anything that it may do there.
///
/// One on pixels has the stage's ε, steps and step size in place of its own, one on poses its angle and
/// shift, one on both all of them; where the stage has no steps, ε is 0.
///
/// # Errors
///
/// [`Error::Setting`] for an attack that does not take such a level.
pub(super) fn at_stage(attack: &AttackSpec, stage: &Stage) -> Result<Option<AttackSpec>> {
    in_proportion(attack, 1.0, stage)
}

/// The same with so many times the stage's ε and step size, for radii in another norm.
///
/// # Errors
///
/// As [`at_stage`].
pub(super) fn in_proportion(
    attack: &AttackSpec,
    times: f64,
    stage: &Stage,
) -> Result<Option<AttackSpec>> {
    let attacked = stage.epsilon != 0.0 && stage.steps != 0;
    let epsilon = match attacked {
        true => times * stage.epsilon,
        false => 0.0,
    };
    let budget = poses(stage);
    let posed = budget != PoseBudget::default();
    let (angle, shift) = (budget.angle.0, budget.shift.0);
    let level = match (attack.moves_images(), changes_pixels(attack)) {
        (false, _) if attacked => vec![epsilon],
        (true, false) if posed => vec![angle, shift],
        (true, true) if posed || attacked => vec![angle, shift, epsilon],
        _ => return Ok(None),
    };
    let attack = attack.at_level(&level)?;
    if !attacked || !changes_pixels(&attack) {
        return Ok(Some(attack));
    }
    let effort = attack.with_effort(stage.steps, times * stage.step_size);
    Ok(Some(effort.unwrap_or(attack)))
}

/// Whether the attack does more than to move images.
pub(super) fn changes_pixels(attack: &AttackSpec) -> bool {
    !attack.moves_images() || attack.ball().is_some()
}

/// The stage's poses.
pub(super) fn poses(stage: &Stage) -> PoseBudget {
    PoseBudget {
        angle: stage.angle,
        shift: stage.shift,
    }
}

/// The step's images outside autodiff, as attacks take them.
pub(super) fn plain(staged: &StagedBatch) -> Batch {
    let batch = &staged.batch;
    Batch {
        images: batch.images.clone().without_autodiff(),
        labels: batch.labels.clone().without_autodiff(),
        ..batch.clone()
    }
}

/// What the attack makes of the step's images. Its gradients have the thread's
/// [`Numerics`](crate::kernel::Numerics), its draws are those of this epoch.
///
/// # Errors
///
/// [`Error::Setting`] for an attack that makes no sense, [`Error::Training`] if it fails.
pub(super) fn perturbed(
    attack: &AttackSpec,
    victim: &Frozen,
    staged: &StagedBatch,
) -> Result<Tensor<4>> {
    let seed = staged.seed.derive(staged.epoch as u64);
    attack
        .perturb(victim, &plain(staged), seed)
        .map_err(|error| failed(error, staged))
}

/// An attack's error as a training's.
pub(super) fn failed(error: Error, staged: &StagedBatch) -> Error {
    match error {
        Error::Setting { .. } => error,
        other => Error::Training(format!("epoch {}: {other}", staged.epoch)),
    }
}

/// The images that an attack makes, if there is one.
///
/// # Errors
///
/// As [`perturbed`].
pub(super) fn craft(
    attack: Option<AttackSpec>,
    student: &dyn Student,
    staged: &StagedBatch,
) -> Result<Crafted> {
    let images = attack.map(|attack| perturbed(&attack, &student.frozen(), staged));
    Ok(Crafted::of(images.transpose()?))
}

/// A step of cross-entropy on the one batch that was crafted; on the images as they are where there is
/// none, which is what is left of every objective in a stage without budgets.
///
/// # Errors
///
/// As [`Step::down`].
pub(super) fn learn(
    student: &dyn Student,
    staged: &StagedBatch,
    crafted: &Crafted,
) -> Result<Step> {
    let images = crafted.images.first().unwrap_or(&staged.batch.images);
    let mut step = Step::on(images.clone(), student, staged)?;
    step.scored.numbers.extend(crafted.numbers.clone());
    Ok(step)
}
