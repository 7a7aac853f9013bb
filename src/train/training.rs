use crate::base::{Classifier, Error, Result, Seed};
use crate::curriculum::Curriculum;
use crate::data::{DataSummary, ImageSet};
use crate::train::architecture::architecture;
use crate::train::best::LastAndBest;
use crate::train::checked::verify;
use crate::train::checkpoint::Folder;
use crate::train::every_epoch::EveryEpoch;
use crate::train::failure::{Failure, explain};
use crate::train::loader::not_empty;
use crate::train::monitor::{Monitor, Now};
use crate::train::no_metric_files::NoMetricFiles;
use crate::train::progress::Display;
use crate::train::scored::Numbers;
use crate::train::student::seeded;
use crate::train::watch::{Look, Watch};
use crate::train::{
    Augmentation, Best, Course, ObjectiveSpec, PaceSpec, Progress, RobustValidation, StagedLoader,
    StagedRate, Trained, Trainee, best_epoch, sgd,
};
use burn::module::{Module, ModuleDisplay};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

/// The setting of a training: curriculum, objective, augmentation and optimiser.
///
/// A plain value: write it next to the results it made. Where checkpoints go and what is shown are
/// not part of it.
///
/// ```no_run
/// use fireproof::curriculum::Curriculum;
/// use fireproof::model::CnnConfig;
/// use fireproof::group::Group;
/// use fireproof::train::{Augmentation, PgdTraining, Training};
/// use fireproof::transform::Warp;
/// # fn main() -> fireproof::base::Result<()> {
/// let device = fireproof::device();
/// let data = fireproof::data::embedded_mnist();
/// let model = CnnConfig::new(Group::P4, data.train.shape(), 10).with_seed(7).init(&device)?;
/// let trained = Training::new(Curriculum::cusp_mnist().scaled_to(12), PgdTraining::default())
///     .with_augmentation(Augmentation::new(Warp::bilinear()))
///     .with_seed(7)
///     .fit(model, &data.train, &data.test, &device)?;
/// println!("{:.1} %", 100.0 * trained.history.last().unwrap().valid_accuracy);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Training {
    /// Budgets, attack strength and learning rate of every epoch.
    pub curriculum: Curriculum,
    /// How the training goes through the curriculum, if not epoch by epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(into, strip_option)]
    pub pace: Option<PaceSpec>,
    /// How robustness is measured while training, if it is; by it the best model is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub robust: Option<RobustValidation>,
    /// What is learnt from a batch.
    #[setters(into)]
    pub objective: ObjectiveSpec,
    /// How images are moved before.
    pub augmentation: Augmentation,
    /// Images in a batch; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Momentum of stochastic gradient descent, in `[0, 1)`.
    pub momentum: f64,
    /// Weight decay, added to the gradient of every parameter before momentum.
    pub weight_decay: f64,
    /// Seed of order, poses, crops, flips and attacks.
    #[setters(into)]
    pub seed: Seed,
    /// Where `training.json`, `history.json` and the checkpoints of the last two epochs are
    /// written, and of the best one where robustness is measured; by default nothing is written
    /// anywhere.
    #[serde(skip)]
    #[setters(into, strip_option)]
    pub directory: Option<PathBuf>,
    /// Whether to go on after the last complete epoch in the directory, if there is one. It gives
    /// the weights that the uninterrupted training would have given. By default a directory that
    /// holds a training is refused.
    ///
    /// The training there must have had the same model, sets, numerics and settings. Its curriculum alone
    /// may have been another one, for instance shorter, if the stages of the epochs that are done
    /// are the same.
    #[serde(skip)]
    pub resume: bool,
    /// How the training reports itself.
    #[serde(skip)]
    pub progress: Progress,
    /// A name for its reports, to tell several trainings apart.
    #[serde(skip)]
    #[setters(into)]
    pub label: String,
}

impl Training {
    /// A training by this curriculum and objective, with the settings of the published code:
    /// batches of 128, momentum 0.9, weight decay 5·10⁻⁴; no crop or flip, poses in one
    /// nearest-pixel sampling, seed 0.
    pub fn new(curriculum: Curriculum, objective: impl Into<ObjectiveSpec>) -> Self {
        Self {
            curriculum,
            pace: None,
            robust: None,
            objective: objective.into(),
            augmentation: Augmentation::default(),
            batch_size: 128,
            momentum: 0.9,
            weight_decay: 5e-4,
            seed: Seed(0),
            directory: None,
            resume: false,
            progress: Progress::Auto,
            label: String::new(),
        }
    }

    /// Trains a copy of the model on `train`; after each epoch measures loss and accuracy on
    /// `valid`, whose images stay unmoved and unattacked.
    ///
    /// Frozen parameters stay frozen. The model handed in, or another copy of it, does not change.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] or [`Error::Input`] for settings, sets or a model that do not go
    /// together; [`Error::Io`] if the directory cannot be written; [`Error::Training`] if the loss
    /// is not a number, a checkpoint cannot be used, or something panics on the way.
    pub fn fit<M: Module + ModuleDisplay + Classifier + 'static>(
        &self,
        model: M,
        train: &ImageSet,
        valid: &ImageSet,
        device: &Device,
    ) -> Result<Trained<M>> {
        self.fit_on(model, train, valid, std::slice::from_ref(device))
    }

    /// The same on several devices of one backend: each has a copy of the model and an equal part of every
    /// batch; the first one updates, validates and keeps the weights.
    ///
    /// Nothing that is drawn depends on the device, so this is the training on one device but for the
    /// rounding of a sum over devices, which is in no fixed order from three devices on; a resumed training may have
    /// other devices. What looks at a whole batch sees its device's part: batch norm, whose running
    /// statistics are the devices' average in an order that is not fixed, and [`Awp`](crate::train::Awp).
    ///
    /// # Errors
    ///
    /// As [`fit`](Training::fit), and [`Error::Setting`] for no device or a batch size that does not divide
    /// into equal parts.
    pub fn fit_on<M: Module + ModuleDisplay + Classifier + 'static>(
        &self,
        model: M,
        train: &ImageSet,
        valid: &ImageSet,
        devices: &[Device],
    ) -> Result<Trained<M>> {
        self.check(train, valid)?;
        let devices = Vec::from_iter(devices.iter().map(|device| device.clone().autodiff()));
        Error::unless(
            !devices.is_empty(),
            "devices of a training",
            0,
            "at least 1",
        )?;
        let mut settings = serde_json::to_value(self).expect("plain values");
        for (name, set) in [("train set", train), ("validation set", valid)] {
            settings[name] = serde_json::json!(DataSummary::of(set));
        }
        settings["numerics"] = serde_json::json!(crate::kernel::Numerics::current());
        // Panics of burn-train, of the model and of anything in between become errors.
        catch_unwind(AssertUnwindSafe(|| {
            self.run(model, train, valid, devices, settings)
        }))
        .unwrap_or_else(|panic| Err(explain(panic)))
    }

    fn run<M: Module + ModuleDisplay + Classifier + 'static>(
        &self,
        model: M,
        train: &ImageSet,
        valid: &ImageSet,
        devices: Vec<Device>,
        mut settings: Value,
    ) -> Result<Trained<M>> {
        let device = devices[0].clone();
        // `valid` makes the copy: a mere clone shares running statistics, and parameters that Burn
        // initialises at their first use. Those are initialised now, hence the seed.
        let model = seeded(&device, self.seed.0, || model.valid());
        let model = model.train().fork(&device);
        check_classes(&model, train, &device)?;
        let mut trainee = Trainee::new(model, self.objective.clone(), self.augmentation);
        let (train, held_out) = match &self.robust {
            None => (train.clone(), None),
            Some(robust) => {
                let (rest, held_out) = train.hold_out(robust.images, self.seed)?;
                not_empty(&rest)?;
                (rest, Some((robust.clone(), held_out)))
            }
        };

        let folder = match &self.directory {
            None => None,
            Some(root) => Some(Folder::open(root, self.resume)?),
        };
        let (done, past) = match &folder {
            None => (0, Vec::new()),
            Some(folder) => {
                let done = folder.latest()?;
                (done, folder.history(done)?)
            }
        };
        let mut course = Course::new(self.curriculum.clone());
        let told = past.iter().map(|record| record.epoch).eq(1..=done);
        if !told && (self.pace.is_some() || self.robust.is_some()) {
            return Err(Error::Training(format!(
                "its history.json does not tell of all {done} epochs, which the pace or the best model \
                 depends on"
            )));
        }
        if let Some(pace) = &self.pace {
            course = course.with_pace(pace.clone());
        }
        let course = Arc::new(course.with_past(past));
        let (mut best, mut kept) = (None, BTreeSet::new());
        if let Some(folder) = &folder {
            settings["model"] = architecture(&trainee.model);
            folder.check(&settings, &course, done)?;
            // burn-train would panic on a checkpoint of another model.
            let load = |into: Trainee<M>, epoch| {
                let path = folder.part("model", epoch);
                verify(&path)?;
                ModuleRecord::load(&path)
                    .and_then(|record| into.try_load_record(record))
                    .map_err(|e| Error::Training(format!("{}: {e}", path.display())))
            };
            if let Some(record) = best_epoch(&course.past()).filter(|_| self.robust.is_some()) {
                best = Some(Best {
                    model: load(trainee.apart(&device), record.epoch)?
                        .valid()
                        .into_judged(),
                    epoch: record.epoch,
                    robust: record.robust.expect("the best is one that was measured"),
                });
            }
            if done > 0 {
                trainee = load(trainee, done)?;
            }
            folder.begin(&settings, done)?;
            kept = folder.epochs()?;
        }
        let watch = held_out.map(|(robust, set)| {
            let inner = device.clone().inner();
            Arc::new(Watch::new(robust, set, self.batch_size, &inner, best))
        });
        let looks = watch.clone().map(|watch| -> Arc<dyn Look> { watch });
        let failure = Failure::default();
        // burn-train hands on the text of what happens on threads of devices, and nothing else.
        let elsewhere = (devices.len() > 1).then(|| failure.clone());
        let trainee = trainee.of_moved().watched(looks).failing_to(elsewhere);

        let load = |set: &ImageSet| {
            let (set, course) = (set.clone(), course.clone());
            StagedLoader::shuffled(set, course, self.batch_size, self.seed, &device)
                .map(|loader| loader.with_epochs_begun(done))
        };
        let train_loader = load(&train)?
            .with_precision(trainee.model.precision())
            .with_augmentation(self.augmentation)
            .with_poses(!self.objective.moves_images())
            .dealt_to(devices.len())?;
        let valid_loader = load(valid)?.in_order();
        let rate = StagedRate::new(course.clone(), train_loader.batches());

        let numbers = [Numbers::default(), Numbers::default()];
        let interrupter = Interrupter::new();
        let monitor = Monitor {
            course: course.clone(),
            label: self.label.clone(),
            folder: folder.clone(),
            failure: Arc::clone(&failure),
            interrupter: interrupter.clone(),
            display: Display::new(self.progress),
            numbers: numbers.clone(),
            finding: (watch.as_ref()).map_or_else(Default::default, |watch| watch.finding()),
            now: Now::default(),
        };
        let [train_numbers, valid_numbers] = numbers;
        let strategy = match devices.len() {
            1 => ExecutionStrategy::SingleDevice(device),
            _ => ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice),
        };
        // burn-train keeps the path but writes nothing there unless told to.
        let directory = self.directory.clone().unwrap_or_default();
        let mut training = SupervisedTraining::<Trainee<M>>::new(
            directory,
            Arc::new(train_loader),
            Arc::new(valid_loader),
        )
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .metric_train(train_numbers)
        .metric_valid(valid_numbers)
        .with_metric_logger(NoMetricFiles)
        .with_application_logger(None)
        .with_interrupter(interrupter)
        .renderer(Box::new(monitor))
        .with_training_strategy(strategy.into())
        .early_stopping(EveryEpoch)
        .num_epochs(course.epochs());
        if let Some(folder) = &folder {
            let [model, optimiser, rate] = folder.checkpointers();
            training = training
                .with_custom_checkpointers(model, optimiser, rate)
                .with_checkpointing_strategy(LastAndBest {
                    course: course.clone(),
                    kept,
                });
        }
        if done > 0 {
            training = training.checkpoint(done);
        }
        let optimiser = sgd(self.momentum, self.weight_decay);
        let result = training.launch(Learner::new(trainee, optimiser, rate));

        if let Some(error) = failure.lock().expect("no panic while it was held").take() {
            return Err(error);
        }
        if let Some(error) = result.error {
            return Err(Error::Training(error.to_string()));
        }
        Ok(Trained {
            model: result.model.into_judged(),
            best: watch.and_then(|watch| watch.best()),
            history: course.past(),
        })
    }
}

fn check_classes<M: Module + Classifier>(model: &M, set: &ImageSet, device: &Device) -> Result<()> {
    let image = set.batch(&[0], &device.clone().inner()).images;
    let [_, classes] = model.valid().logits(image).dims();
    if classes < set.classes() {
        return Err(Error::input(
            "logits of the model",
            format!("{classes} classes"),
            format!("at least the {} of {}", set.classes(), set.name()),
        ));
    }
    Ok(())
}
