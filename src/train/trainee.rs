use crate::base::{Classifier, Error, Result};
use crate::kernel::Numerics;
use crate::train::{Augmentation, Objective, Scored, StagedBatch};
use burn::module::{Module, ModuleDisplay};
use burn::train::{InferenceStep, TrainOutput, TrainStep};

/// A model with how its images are moved and what it learns from them: what burn-train trains.
///
/// [`Training::fit`](crate::train::Training::fit) is built on it; use it directly for a loop, an
/// optimiser or a device strategy of your own. Its parameters are the model's, under `model`.
#[derive(Module, Debug)]
pub struct Trainee<M: Module> {
    /// The model.
    pub model: M,
    #[module(skip)]
    objective: Objective,
    #[module(skip)]
    augmentation: Augmentation,
}

impl<M> Trainee<M>
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    /// A model that will learn from moved images by this objective.
    pub fn new(model: M, objective: Objective, augmentation: Augmentation) -> Self {
        Self {
            model,
            objective,
            augmentation,
        }
    }

    /// The forward and backward pass of one training step.
    ///
    /// Seeds the device's global generator before the forward pass (see [`train`](crate::train)).
    ///
    /// # Errors
    ///
    /// [`Error::Training`] if the loss is not a finite number, and what
    /// [`Objective::score`] fails with.
    pub fn learn(&self, mut staged: StagedBatch) -> Result<TrainOutput<Scored>> {
        staged.batch.images = self.augmentation.apply(&staged);
        let scored = self.objective.score(&self.model, &staged)?;
        let loss = scored.losses.clone().mean();
        let value = loss.clone().into_scalar::<f32>();
        if !value.is_finite() {
            return Err(Error::Training(format!(
                "the loss is {value} in epoch {} (learning rate {}); a lower learning rate may \
                 help",
                staged.epoch, staged.stage.learning_rate
            )));
        }
        Ok(TrainOutput::new(self, loss.backward(), scored))
    }
}

impl<M> TrainStep for Trainee<M>
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    type Input = StagedBatch;
    type Output = Scored;

    /// # Panics
    ///
    /// burn-train lets no step fail, so an [`Error`] of [`learn`](Trainee::learn) unwinds as the
    /// panic's payload, silently; `Training::fit` returns it as the error it is.
    fn step(&self, staged: StagedBatch) -> TrainOutput<Scored> {
        self.learn(staged)
            .unwrap_or_else(|error| std::panic::resume_unwind(Box::new(error)))
    }
}

impl<M> InferenceStep for Trainee<M>
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    type Input = StagedBatch;
    type Output = Scored;

    /// Scores the images unmoved and unattacked.
    fn step(&self, staged: StagedBatch) -> Scored {
        let logits = Numerics::Exact.run(|| self.model.logits(staged.batch.images));
        Scored::cross_entropy(logits, staged.batch.labels)
    }
}
