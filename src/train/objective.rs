use crate::attack::AttackSpec;
use crate::base::{Error, Result, Spec, open_kind};
use crate::curriculum::Stage;
use crate::train::{
    AverageOver, Awp, Crafted, Ema, FastFgsm, Fat, Mart, MaxOver, MsdTraining, Natural,
    PgdTraining, PoseKl, Scored, StagedBatch, Student, Swa, Trades, WorstPose,
};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde_json::Value;
use std::fmt;

/// What a model learns from a batch of images, and how.
///
/// Built in are those of the [table](crate::train#objectives). One of your own needs [`step`](Objective::step)
/// and [`settings`](Objective::settings); for files to know it, add it to the
/// [`registry`](crate::base::Kind::registry).
///
/// An objective has no state of its own, so that one value can serve several trainings. What it
/// must remember from step to step, such as an average of the weights, is the training's: tensors
/// that it [begins](Objective::begin) with, may change after each update, and that are saved with
/// each checkpoint.
///
/// ```
/// use fireproof::base::Result;
/// use fireproof::train::{Objective, Scored, StagedBatch, Step, Student};
///
/// /// Cross-entropy plus a pull of the logits towards zero.
/// #[derive(Debug)]
/// struct Squeezed(f64);
///
/// impl Objective for Squeezed {
///     fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
///         let logits = student.pass(staged.batch.images.clone(), &staged.keys());
///         let size = logits.clone().powi_scalar(2).mean_dim(1).squeeze_dim(1);
///         let scored = Scored::cross_entropy(logits, staged.batch.labels.clone());
///         let losses = scored.losses.clone() + size.clone() * self.0;
///         Step::down(losses.mean(), student, staged, scored.with_number("size", size))
///     }
///
///     fn settings(&self) -> serde_json::Value {
///         serde_json::json!({"objective": "squeezed", "weight": self.0})
///     }
/// }
/// ```
pub trait Objective: fmt::Debug + Send + Sync {
    /// Forward and backward pass on images that have been moved already, and what is shown of
    /// them; see [`Step::down`].
    ///
    /// # Errors
    ///
    /// [`Error::Training`] if the loss is not a finite number or an attack fails,
    /// [`Error::Setting`] if the stage makes no sense as an attack.
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step>;

    /// The images that the step's are made into before anything is learnt from them, as by an attack:
    /// the first half of a step that has two, nothing unless an objective says otherwise.
    ///
    /// What learns from such images more than once, as [`Awp`] does, asks for them once.
    ///
    /// # Errors
    ///
    /// As [`step`](Objective::step).
    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        let _ = (student, staged);
        Ok(Crafted::default())
    }

    /// The second half of a step: learns from images that are made already. An objective that
    /// [crafts](Objective::craft) nothing makes its whole step here.
    ///
    /// # Errors
    ///
    /// As [`step`](Objective::step).
    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        let _ = crafted;
        self.step(student, staged)
    }

    /// Whether it puts images in poses of the stage's budget itself, so that none may be dealt to them
    /// before.
    fn moves_images(&self) -> bool {
        false
    }

    /// Everything that determines the objective, with its name: see [`Kind::settings`](crate::base::Kind::settings).
    fn settings(&self) -> Value;

    /// The attack that the images of this stage are learnt under, if there is one.
    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        let _ = stage;
        None
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// What is remembered at the beginning of a training.
    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        let _ = student;
        Vec::new()
    }

    /// What is done after each update of the weights by the optimiser, with the weights and with
    /// what is remembered. The number and sizes of the latter must stay as they are. `epoch` is that of
    /// the step, counted from 1.
    ///
    /// # Errors
    ///
    /// Of the objective's own choice; they end the training.
    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        epoch: usize,
    ) -> Result<()> {
        let _ = (student, memory, epoch);
        Ok(())
    }

    /// The weights, in the order of [`Student::weights`], that are validated and handed back
    /// instead of the model's own: for instance an average that is remembered.
    fn judged(&self, student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        let _ = (student, memory);
        None
    }

    /// Scores validation images, by default unmoved and unattacked, by cross-entropy.
    ///
    /// # Errors
    ///
    /// Of the objective's own choice; they end the training.
    fn validate(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Scored> {
        let logits = student.exact_logits(staged.batch.images.clone());
        Ok(Scored::cross_entropy(logits, staged.batch.labels.clone()))
    }
}

/// What a step of an [`Objective`] gives.
pub struct Step {
    /// Gradients for the optimiser.
    pub gradients: GradientsParams,
    /// What is shown.
    pub scored: Scored,
}

impl Step {
    /// A step down the gradients of this loss `[1]`, the mean over the batch: times the batch's
    /// [`share`](StagedBatch::share), as burn-train adds up the gradients of several devices.
    ///
    /// # Errors
    ///
    /// [`Error::Training`] if the loss is not a finite number.
    pub fn down(
        loss: Tensor<1>,
        student: &dyn Student,
        staged: &StagedBatch,
        scored: Scored,
    ) -> Result<Self> {
        let value = loss.clone().into_scalar::<f32>();
        if !value.is_finite() {
            return Err(Error::Training(format!(
                "the loss is {value} in epoch {} (learning rate {}); a lower learning rate may \
                 help",
                staged.epoch, staged.stage.learning_rate
            )));
        }
        let loss = match staged.share {
            1.0 => loss,
            share => loss * share,
        };
        Ok(Self {
            gradients: student.gradients(loss),
            scored,
        })
    }

    /// A training pass of these images, and a step down their mean cross-entropy.
    ///
    /// # Errors
    ///
    /// As [`down`](Step::down).
    pub fn on(images: Tensor<4>, student: &dyn Student, staged: &StagedBatch) -> Result<Self> {
        let logits = student.pass(images, &staged.keys());
        let scored = Scored::cross_entropy(logits, staged.batch.labels.clone());
        Self::down(scored.losses.clone().mean(), student, staged, scored)
    }
}

/// An [`Objective`] as a plain value: cheap to clone, in files by name.
pub type ObjectiveSpec = Spec<dyn Objective>;

open_kind! {
    Objective in "objective";
    with settings: "average_over" => AverageOver, "awp" => Awp, "ema" => Ema,
        "fast_fgsm" => FastFgsm, "fat" => Fat, "mart" => Mart, "max_over" => MaxOver,
        "msd_training" => MsdTraining, "pgd_training" => PgdTraining, "pose_kl" => PoseKl,
        "swa" => Swa, "trades" => Trades, "worst_pose" => WorstPose;
    plain: "natural" => Natural;
}
