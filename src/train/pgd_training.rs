use crate::attack::{AttackSpec, Keep, Pgd};
use crate::base::{Batch, Error, Result, named};
use crate::curriculum::Stage;
use crate::train::{Objective, StagedBatch, Step, Student};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Cross-entropy of attacked images (Madry et al. 2018, "Towards deep learning models resistant to
/// adversarial attacks", equation 2.1).
///
/// The attack runs on a copy of the model in inference mode with the stage's ε, steps and step size
/// in place of its own; a stage with ε = 0 or no steps attacks nothing. Only the attacked images are
/// learnt from, in training mode. By default it is PGD in the L∞ ball with a random start and the
/// last iterate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PgdTraining {
    /// The attack, at the level and with the steps of the stage.
    pub attack: AttackSpec,
}

impl Default for PgdTraining {
    fn default() -> Self {
        Self::new(Pgd::linf(0.0).with_keep(Keep::Last))
    }
}

impl PgdTraining {
    /// Training on what this attack finds.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
        }
    }

    fn attack_at(&self, stage: &Stage) -> Result<Option<AttackSpec>> {
        if stage.epsilon == 0.0 || stage.steps == 0 {
            return Ok(None);
        }
        let attack = self.attack.at_level(&[stage.epsilon])?;
        let effort = attack.with_effort(stage.steps, stage.step_size);
        Ok(Some(effort.unwrap_or(attack)))
    }

    /// The images that are learnt from. The attack's gradients have the thread's
    /// [`Numerics`](crate::kernel::Numerics).
    fn images(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Tensor<4>> {
        let batch = &staged.batch;
        let Some(attack) = self.attack_at(&staged.stage)? else {
            return Ok(batch.images.clone());
        };
        let plain = Batch {
            images: batch.images.clone().without_autodiff(),
            labels: batch.labels.clone().without_autodiff(),
            ..batch.clone()
        };
        let seed = staged.seed.derive(staged.epoch as u64);
        attack
            .perturb(&student.frozen(), &plain, seed)
            .map_err(|error| match error {
                Error::Setting { .. } => error,
                other => Error::Training(format!("epoch {}: {other}", staged.epoch)),
            })
    }
}

impl Objective for PgdTraining {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        Step::on(self.images(student, staged)?, student, staged)
    }

    fn check(&self) -> Result<()> {
        self.attack.check()
    }

    fn settings(&self) -> Value {
        named::<dyn Objective>("pgd_training", self)
    }

    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.attack_at(stage).ok().flatten()
    }
}
