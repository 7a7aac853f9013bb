use crate::attack::{Attack, AttackSpec, Keep, Pgd};
use crate::base::{Batch, Error, Result, named};
use crate::curriculum::Stage;
use crate::train::{Objective, StagedBatch, Step, Student};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Cross-entropy of attacked images (Madry et al. 2018, "Towards deep learning models resistant to
/// adversarial attacks", equation 2.1).
///
/// The attack is PGD in the ℓ∞ ball with a random start and the last iterate, on a copy of the
/// model in inference mode, with the stage's ε, steps and step size; a stage with ε = 0 or no steps
/// attacks nothing. Only the attacked images are learnt from, in training mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgdTraining {}

impl PgdTraining {
    // The one place that says which attack a stage has. An attack of the user's choice belongs
    // here: its ε, steps and step size are the stage's.
    fn pgd(&self, stage: &Stage) -> Option<Pgd> {
        let attacked = stage.epsilon != 0.0 && stage.steps != 0;
        attacked.then(|| {
            Pgd::linf(stage.epsilon)
                .with_steps(stage.steps)
                .with_step_size(stage.step_size)
                .with_keep(Keep::Last)
        })
    }

    /// The images that are learnt from. The attack's gradients have the thread's
    /// [`Numerics`](crate::kernel::Numerics).
    fn images(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Tensor<4>> {
        let batch = &staged.batch;
        let Some(attack) = self.pgd(&staged.stage) else {
            return Ok(batch.images.clone());
        };
        let plain = Batch {
            images: batch.images.clone().without_autodiff(),
            labels: batch.labels.clone().without_autodiff(),
            ids: batch.ids.clone(),
            bounds: batch.bounds,
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

    fn settings(&self) -> Value {
        named::<dyn Objective>("pgd_training", self)
    }

    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.pgd(stage).map(AttackSpec::from)
    }
}
