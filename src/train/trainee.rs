use crate::base::{Classifier, Result};
use crate::kernel::Numerics;
use crate::train::failure::Failure;
use crate::train::watch::Look;
use crate::train::{Augmentation, ObjectiveSpec, Scored, StagedBatch, Student};
use burn::module::{Module, ModuleDisplay, Param, ParamId};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

/// A model with how its images are moved and what it learns from them: what burn-train trains.
///
/// [`Training::fit`](crate::train::Training::fit) is built on it; use it directly for a loop, an
/// optimiser or a device strategy of your own. Its parameters are the model's, under `model`, and
/// what the objective remembers, under `memory`.
#[derive(Module, Debug)]
pub struct Trainee<M: Module> {
    /// The model.
    pub model: M,
    memory: Vec<Param<Tensor<1>>>,
    #[module(skip)]
    objective: ObjectiveSpec,
    #[module(skip)]
    augmentation: Augmentation,
    // Those of the thread that made this: attacks have them on whichever thread a step is.
    #[module(skip)]
    numerics: Numerics,
    // Whether batches come moved already.
    #[module(skip)]
    moved: bool,
    #[module(skip)]
    watch: Option<Arc<dyn Look>>,
    // The epoch of the last step; copies on other devices are in the same one.
    #[module(skip)]
    epoch: Arc<AtomicUsize>,
    // Where an error goes from a thread whose panics arrive as text.
    #[module(skip)]
    failure: Option<Failure>,
}

impl<M: Module + ModuleDisplay + Classifier + 'static> Trainee<M> {
    /// A model that will learn from moved images by this objective.
    pub fn new(model: M, objective: impl Into<ObjectiveSpec>, augmentation: Augmentation) -> Self {
        let objective = objective.into();
        let memory = objective.begin(&model).into_iter().map(remembered);
        Self {
            memory: memory.collect(),
            model,
            objective,
            augmentation,
            numerics: Numerics::current(),
            moved: false,
            watch: None,
            epoch: Arc::default(),
            failure: None,
        }
    }

    /// The same for batches that come moved already.
    pub(super) fn of_moved(self) -> Self {
        Self {
            moved: true,
            ..self
        }
    }

    /// The same, looked at in validation.
    pub(super) fn watched(mut self, watch: Option<Arc<dyn Look>>) -> Self {
        self.watch = watch;
        self
    }

    /// The same, whose errors of steps go here.
    pub(super) fn failing_to(mut self, failure: Option<Failure>) -> Self {
        self.failure = failure;
        self
    }

    /// The forward and backward pass of one training step.
    ///
    /// Seeds the device's global generator before the forward pass (see [`train`](crate::train)).
    ///
    /// # Errors
    ///
    /// What [`Objective::step`](crate::train::Objective::step) fails with.
    pub fn learn(&self, staged: StagedBatch) -> Result<TrainOutput<Scored>> {
        let mut staged = self.taken(staged);
        self.epoch.store(staged.epoch, Ordering::Relaxed);
        if !self.moved {
            let posed = !self.objective.moves_images();
            staged.batch.images = self.augmentation.moved(&staged, posed);
        }
        let step = (self.numerics).run(|| self.objective.step(&self.model, &staged))?;
        Ok(TrainOutput {
            grads: step.gradients,
            item: step.scored,
        })
    }

    /// The model that is validated and handed back, in inference mode, where the objective wants
    /// another than the one learnt.
    pub fn judged(&self) -> Option<M> {
        let weights = self.objective.judged(&self.model, &self.memory())?;
        // A mere clone would share its running statistics.
        let mut judged = self.model.valid();
        judged.replace(weights);
        Some(judged)
    }

    /// The same with a model that shares nothing with this one, to be loaded into.
    pub(super) fn apart(&self, device: &Device) -> Self {
        Self {
            // `valid` makes the copy.
            model: self.model.valid().train().fork(device),
            ..self.clone()
        }
    }

    /// The model that is validated and handed back, whichever it is.
    pub(super) fn into_judged(self) -> M {
        self.judged().unwrap_or(self.model)
    }

    // With images of the model's element type, which an image set does not know.
    fn taken(&self, mut staged: StagedBatch) -> StagedBatch {
        if let Some(precision) = self.model.precision() {
            staged.batch = staged.batch.with_precision(precision);
        }
        staged
    }

    fn memory(&self) -> Vec<Tensor<1>> {
        let values = |param: &Param<Tensor<1>>| param.val().without_autodiff();
        self.memory.iter().map(values).collect()
    }

    // What the objective does after an update by the optimiser.
    fn updated(mut self) -> Self {
        let mut memory = self.memory();
        let epoch = self.epoch.load(Ordering::Relaxed);
        let done = (self.objective).after_update(&mut self.model, &mut memory, epoch);
        if let Err(error) = done {
            resume_unwind(Box::new(error));
        }
        let remembered = memory.into_iter().zip(self.memory);
        self.memory = remembered
            .map(|(values, before)| before.map(|_| values.without_autodiff()))
            .collect();
        self
    }
}

// Outside autodiff: the optimiser must not touch it.
fn remembered(values: Tensor<1>) -> Param<Tensor<1>> {
    Param::initialized(ParamId::new(), values.without_autodiff())
}

/// # Panics
///
/// burn-train lets no step fail, so an [`Error`](crate::base::Error) unwinds as the panic's
/// payload, silently; `Training::fit` returns it as the error it is.
impl<M: Module + ModuleDisplay + Classifier + 'static> TrainStep for Trainee<M> {
    type Input = StagedBatch;
    type Output = Scored;

    fn step(&self, staged: StagedBatch) -> TrainOutput<Scored> {
        self.learn(staged).unwrap_or_else(|error| {
            let Some(failure) = &self.failure else {
                resume_unwind(Box::new(error));
            };
            let text = error.to_string();
            failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
            resume_unwind(Box::new(text))
        })
    }

    fn optimize(
        self,
        optimiser: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        optimiser.step(rate, self, gradients).updated()
    }

    fn optimize_multi(
        self,
        optimiser: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: MultiGradientsParams,
    ) -> Self {
        optimiser.step_multi(rate, self, gradients).updated()
    }
}

impl<M: Module + ModuleDisplay + Classifier + 'static> InferenceStep for Trainee<M> {
    type Input = StagedBatch;
    type Output = Scored;

    fn step(&self, staged: StagedBatch) -> Scored {
        let (judged, staged) = (self.judged(), self.taken(staged));
        let model = judged.as_ref().unwrap_or(&self.model);
        let looked = match &self.watch {
            Some(watch) => watch.look(model, &staged, &self.objective, &self.augmentation),
            None => Ok(()),
        };
        looked
            .and_then(|()| self.objective.validate(model, &staged))
            .unwrap_or_else(|error| resume_unwind(Box::new(error)))
    }
}
