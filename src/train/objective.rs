use crate::attack::{Frozen, Keep, Pgd};
use crate::base::{Batch, Classifier, Error, Keys, Purpose, Result};
use crate::curriculum::Stage;
use crate::kernel::Numerics;
use crate::train::StagedBatch;
use burn::module::Module;
use burn::tensor::{Device, ExecutionError, Int, Tensor, activation::log_softmax};
use burn::train::ItemLazy;
use burn::train::metric::{AccuracyInput, Adaptor, LossInput};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What a model learns from a batch of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Objective {
    /// Cross-entropy of the images as they are.
    #[default]
    Natural,
    /// Cross-entropy of attacked images (Madry et al. 2018, "Towards deep learning models resistant
    /// to adversarial attacks", equation 2.1).
    ///
    /// The attack is PGD in the ℓ∞ ball with a random start and the last iterate, on a copy of the
    /// model in inference mode, with the stage's ε, steps and step size; a stage with ε = 0 or no
    /// steps attacks nothing. Only the attacked images are learnt from, in training mode.
    PgdTraining,
}

impl Objective {
    /// The attack of this stage, if it has one.
    pub fn attack(&self, stage: &Stage) -> Option<Pgd> {
        match self {
            Self::Natural => None,
            Self::PgdTraining if stage.epsilon == 0.0 || stage.steps == 0 => None,
            Self::PgdTraining => Some(
                Pgd::linf(stage.epsilon)
                    .with_steps(stage.steps)
                    .with_step_size(stage.step_size)
                    .with_keep(Keep::Last),
            ),
        }
    }

    /// The loss of a batch whose images have been moved already, and the logits it comes from.
    ///
    /// An attack's gradients have the thread's [`Numerics`]; the pass that is learnt from is exact.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the stage makes no sense as an attack, [`Error::Training`] if the
    /// attack fails on this model or these images.
    pub fn score<M>(&self, model: &M, staged: &StagedBatch) -> Result<Scored>
    where
        M: Module + Classifier + 'static,
    {
        let batch = &staged.batch;
        let images = match self.attack(&staged.stage) {
            None => batch.images.clone(),
            Some(attack) => {
                let plain = Batch {
                    images: batch.images.clone().without_autodiff(),
                    labels: batch.labels.clone().without_autodiff(),
                    ids: batch.ids.clone(),
                    bounds: batch.bounds,
                };
                let seed = staged.seed.derive(staged.epoch as u64);
                attack
                    .perturb(&Frozen::new(model), &plain, seed)
                    .map_err(|error| match error {
                        Error::Setting { .. } => error,
                        other => Error::Training(format!("epoch {}: {other}", staged.epoch)),
                    })?
            }
        };
        // On autodiff, or batch norm and dropout would not know that this is training.
        let images = Tensor::from_inner(images);
        let keys = Keys::new(staged.seed, batch.ids.clone()).with_draw(staged.epoch as u64);
        let seed = keys.draws(Purpose::Dropout, 0).next();
        let logits = seeded(&images.device(), seed, || {
            Numerics::Exact.run(|| model.training_logits(images, &keys))
        });
        Ok(Scored::cross_entropy(logits, batch.labels.clone()))
    }
}

/// Runs what may draw from Burn's generator, which is one for the whole process on some backends:
/// seeded, and with no other training in between.
pub(super) fn seeded<T>(device: &Device, seed: u64, run: impl FnOnce() -> T) -> T {
    static GENERATOR: Mutex<()> = Mutex::new(());
    // A panic of another training leaves nothing behind that seeding would not mend.
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    run()
}

/// Logits with their losses: what a step hands to burn-train's metrics.
#[derive(Debug)]
pub struct Scored {
    /// The loss of each image `[batch]`, so that metrics weigh a partial batch rightly.
    pub losses: Tensor<1>,
    /// Logits `[batch, classes]`.
    pub logits: Tensor<2>,
    /// True classes `[batch]`.
    pub labels: Tensor<1, Int>,
}

impl Scored {
    /// The cross-entropy of each image, in nats.
    pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        let chosen = labels.clone().unsqueeze_dim(1);
        let losses = log_softmax(logits.clone(), 1).gather(1, chosen);
        Self {
            losses: -losses.squeeze_dim(1),
            logits,
            labels,
        }
    }
}

impl ItemLazy for Scored {
    fn sync(self) -> std::result::Result<Self, ExecutionError> {
        self.losses.device().flush()?;
        Ok(Self {
            losses: self.losses.without_autodiff(),
            logits: self.logits.without_autodiff(),
            labels: self.labels.without_autodiff(),
        })
    }
}

impl Adaptor<LossInput> for Scored {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.losses.clone())
    }
}

impl Adaptor<AccuracyInput> for Scored {
    fn adapt(&self) -> AccuracyInput {
        AccuracyInput::new(self.logits.clone(), self.labels.clone())
    }
}
