//! Training: the loader, the learning rate, the optimiser, the objectives and whole trainings.
#![cfg(feature = "train")]

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrScheduler;
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use burn::train::{InferenceStep, TrainStep};
use fireproof::base::{Classifier, Degrees, Error, Kind, Pixels, Seed, named};
use fireproof::curriculum::{Curriculum, Milestones, Stage};
use fireproof::data::ImageSet;
use fireproof::group::Group;
use fireproof::model::CnnConfig;
use fireproof::train::{
    Augmentation, Course, EpochRecord, Motion, Natural, Objective, ObjectiveSpec, Pace,
    PgdTraining, Progress, Scored, StagedBatch, StagedLoader, StagedRate, Step, Student, Trained,
    Trainee, Training, sgd,
};
use fireproof::transform::Warp;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

// A stage that neither moves nor attacks.
const CALM: Stage = Stage {
    angle: Degrees(0.0),
    shift: Pixels(0.0),
    epsilon: 0.0,
    steps: 0,
    step_size: 0.0,
    learning_rate: 0.05,
};

// A stage that does both.
const HARD: Stage = Stage {
    angle: Degrees(30.0),
    shift: Pixels(1.0),
    epsilon: 0.1,
    steps: 3,
    step_size: 0.05,
    learning_rate: 0.005,
};

/// 8×8 images of two classes, told apart by which half is brighter, under noise.
fn halves(count: usize) -> ImageSet {
    let mut draws = Seed(1).draws(fireproof::base::Purpose::Subset, 0, 0);
    let labels: Vec<u8> = (0..count).map(|_| draws.below(2) as u8).collect();
    let pixels = labels
        .iter()
        .flat_map(|&label| (0..64).map(move |at| usize::from(at % 8 < 4) == usize::from(label)))
        .map(|bright| if bright { 170 } else { 70 })
        .map(|mean: i64| (mean + draws.below(120) as i64 - 60).clamp(0, 255) as u8)
        .collect();
    ImageSet::new("halves", [1, 8, 8], 2, pixels, labels).unwrap()
}

/// A small network with everything that can spoil reproducibility: lazily initialised weights,
/// running statistics, Burn's dropout.
#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    last: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(64, 16).init(device),
            norm: BatchNormConfig::new(16).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            last: LinearConfig::new(16, 2).init(device),
        }
    }
}

impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.first.forward(images.flatten(1, 3));
        let features = self.norm.forward(features);
        self.last.forward(self.dropout.forward(relu(features)))
    }
}

/// Logits linear in the two halves of the image; what it was given is written down.
#[derive(Module, Debug)]
struct Recorder {
    weight: Param<Tensor<1>>,
    #[module(skip)]
    seen: Arc<Mutex<Vec<Vec<f32>>>>,
}

impl Recorder {
    fn new(device: &Device) -> Self {
        let weight = Tensor::ones([1], device);
        Self {
            weight: Param::from_tensor(weight),
            seen: Arc::default(),
        }
    }
}

impl Classifier for Recorder {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        if images.device().is_autodiff() && self.weight.val().is_autodiff() {
            self.seen.lock().unwrap().push(floats(&images));
        }
        let count = images.dims()[0];
        let left = images.clone().narrow(3, 0, 4).mean_dims(&[1, 2, 3]);
        let right = images.narrow(3, 4, 4).mean_dims(&[1, 2, 3]);
        let logits = Tensor::cat(vec![right, left], 1).reshape([count, 2]);
        logits * self.weight.val().unsqueeze()
    }
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// One epoch of each stage.
fn curriculum(stages: &[Stage]) -> Curriculum {
    let each = |of: fn(&Stage) -> f64| {
        Milestones::new(
            stages
                .iter()
                .enumerate()
                .map(|(at, stage)| (at + 1, of(stage))),
        )
    };
    Curriculum::new(stages.len())
        .with_angle(each(|s| s.angle.0))
        .with_shift(each(|s| s.shift.0))
        .with_epsilon(each(|s| s.epsilon))
        .with_steps(each(|s| s.steps as f64))
        .with_step_size(each(|s| s.step_size))
        .with_learning_rate(each(|s| s.learning_rate))
}

fn course(stages: &[Stage]) -> Arc<Course> {
    Arc::new(curriculum(stages).into())
}

fn training(stages: &[Stage]) -> Training {
    Training::new(curriculum(stages), PgdTraining::default())
        .with_batch_size(16)
        .with_seed(3)
        .with_progress(Progress::Quiet)
}

// Trainings keep out of each other's way; what else draws from Burn's generator takes this lock
// for writing.
static GENERATOR: RwLock<()> = RwLock::new(());

fn fit(training: &Training) -> fireproof::base::Result<Trained<Net>> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    training.fit(Net::new(&device), &halves(72), &halves(40), &device)
}

// All weights and running statistics.
fn weights(net: &Net) -> Vec<f32> {
    let linear = |l: &Linear| {
        [
            floats(&l.weight.val()),
            floats(&l.bias.as_ref().unwrap().val()),
        ]
    };
    let mut all = [linear(&net.first), linear(&net.last)].concat();
    all.push(floats(&net.norm.gamma.val()));
    all.push(floats(&net.norm.running_mean.value()));
    all.push(floats(&net.norm.running_var.value()));
    all.concat()
}

fn loader(count: usize, stages: &[Stage], seed: u64) -> StagedLoader {
    let device = fireproof::device();
    StagedLoader::shuffled(halves(count), course(stages), 16, Seed(seed), &device).unwrap()
}

fn epoch(loader: &dyn DataLoader<StagedBatch>) -> Vec<StagedBatch> {
    loader.iter().map(|batch| batch.unwrap()).collect()
}

fn ids(batches: &[StagedBatch]) -> Vec<u64> {
    batches.iter().flat_map(|b| b.batch.ids.clone()).collect()
}

#[test]
fn convention_each_pass_over_the_loader_is_an_epoch() {
    let loader = loader(40, &[CALM, HARD], 3);
    assert_eq!((loader.num_items(), loader.batches()), (40, 3));
    for (number, stage) in [(1, CALM), (2, HARD)] {
        let batches = epoch(&loader);
        let sizes: Vec<usize> = batches.iter().map(|b| b.batch.len()).collect();
        assert_eq!(sizes, [16, 16, 8]);
        for batch in &batches {
            assert_eq!(
                (batch.epoch, batch.stage, batch.seed),
                (number, stage, Seed(3))
            );
        }
        let all: BTreeSet<u64> = ids(&batches).into_iter().collect();
        assert_eq!(all, (0..40).collect());
    }
}

#[test]
fn convention_order_is_a_function_of_seed_and_epoch() {
    let first = loader(40, &[CALM; 3], 3);
    let orders: Vec<_> = (0..3).map(|_| ids(&epoch(&first))).collect();
    assert!(orders[0] != orders[1] && orders[1] != orders[2]);
    // Resumed after two epochs, and copied after one, the third epoch is the third epoch.
    let resumed = loader(40, &[CALM; 3], 3).with_epochs_begun(2);
    assert_eq!(ids(&epoch(&resumed)), orders[2]);
    let other = loader(40, &[CALM; 3], 3);
    epoch(&other);
    let copy = other.to_device(&fireproof::device());
    epoch(&other);
    assert_eq!(ids(&epoch(&*copy)), orders[1]);
    assert_eq!(ids(&epoch(&*copy)), orders[2]);
    assert_ne!(ids(&epoch(&loader(40, &[CALM; 3], 4))), orders[0]);
}

#[test]
fn convention_slices_cut_the_order_of_the_epoch() {
    let whole = loader(40, &[CALM; 2], 3);
    let slices = [whole.slice(0, 13), whole.slice(13, 27), whole.slice(27, 99)];
    let nested = slices[1].slice(4, 10);
    for _ in 0..2 {
        let order = ids(&epoch(&whole));
        let parts: Vec<Vec<u64>> = slices.iter().map(|s| ids(&epoch(&**s))).collect();
        assert_eq!(parts.concat(), order);
        assert_eq!(ids(&epoch(&*nested)), order[17..23]);
    }
    assert_eq!(slices.map(|s| s.num_items()), [13, 14, 13]);
}

#[test]
fn convention_validation_keeps_the_order() {
    let loader = loader(20, &[CALM], 3).in_order();
    let mut iterator = loader.iter();
    let first = iterator.next().unwrap().unwrap();
    assert_eq!(first.batch.ids, (0..16).collect::<Vec<u64>>());
    let progress = iterator.progress();
    assert_eq!((progress.items_processed, progress.items_total), (16, 20));
}

#[test]
fn value_learning_rate_changes_at_milestone_iterations() {
    // Oracle: PyTorch's per-epoch schedule; 3 iterations an epoch, the drop after 2 epochs.
    let stages = [CALM, CALM, HARD];
    let mut rate = StagedRate::new(course(&stages), 3);
    let rates: Vec<f64> = (0..9).map(|_| rate.step()).collect();
    assert_eq!(rates, [[0.05; 3], [0.05; 3], [0.005; 3]].concat());

    let mut begun = StagedRate::new(course(&stages), 3);
    for _ in 0..5 {
        begun.step();
    }
    let mut resumed = StagedRate::new(course(&stages), 3);
    resumed.load_record(begun.to_record());
    assert_eq!([resumed.step(), resumed.step()], [0.05, 0.005]);
}

#[test]
fn value_sgd_is_pytorchs() {
    // Oracle: the update rule in torch.optim.SGD's documentation, by hand in f64: decay before
    // momentum, no dampening, the velocity starts as the first gradient.
    #[derive(Module, Debug)]
    struct Weight {
        weight: Param<Tensor<1>>,
    }
    let device = fireproof::device().autodiff();
    let mut model = Weight {
        weight: Param::from_tensor(Tensor::from_floats([1.0, -2.0], &device)),
    };
    let mut optimiser = sgd(0.9, 0.1);
    let (mut w, mut v) = ([1.0f64, -2.0], [0.0f64; 2]);
    for (step, rate) in [0.5, 0.5, 0.05].into_iter().enumerate() {
        // Loss Σ w³/3 has gradient w².
        let loss = (model.weight.val().powi_scalar(3) / 3.0).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimiser.step(rate, model, gradients);
        for (w, v) in w.iter_mut().zip(&mut v) {
            let gradient = *w * *w + 0.1 * *w;
            *v = if step == 0 {
                gradient
            } else {
                0.9 * *v + gradient
            };
            *w -= rate * *v;
        }
        for (found, expected) in floats(&model.weight.val()).into_iter().zip(w) {
            let error = (f64::from(found) - expected).abs();
            assert!(
                error < 1e-5 * expected.abs(),
                "step {step}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn smoke_stages_reach_the_model() {
    // What the model is trained on: in epoch 1 the images themselves, in epoch 2 others.
    let device = fireproof::device();
    let model = Recorder::new(&device);
    let seen = model.seen.clone();
    let set = halves(16);
    let pixels: Vec<Vec<f32>> = (0..16)
        .map(|at| {
            set.pixels(at)
                .iter()
                .map(|&p| f32::from(p) / 255.0)
                .collect()
        })
        .collect();
    let still = Stage {
        angle: Degrees(0.0),
        shift: Pixels(0.0),
        ..HARD
    };
    training(&[CALM, still, HARD])
        .fit(model, &set, &set, &device)
        .unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.len(),
        3,
        "one training pass of 16 images in each epoch"
    );
    let nearest = |image: &[f32]| {
        let distance = |other: &Vec<f32>| {
            let differences = image.iter().zip(other).map(|(a, b)| (a - b).abs());
            differences.fold(0.0, f32::max)
        };
        pixels.iter().map(distance).fold(f32::INFINITY, f32::min)
    };
    let furthest = |epoch: usize| seen[epoch].chunks(64).map(nearest).fold(0.0, f32::max);
    assert_eq!(furthest(0), 0.0);
    let attacked = furthest(1);
    assert!((0.09..0.1001).contains(&attacked), "{attacked}");
    assert!(furthest(2) > 0.2, "rotated and shifted as well");
}

#[test]
fn value_pgd_training_learns_from_the_worst_images() {
    // Oracle: for logits linear in the two halves, the worst image in the ball lowers the bright
    // half and raises the dark one by ε everywhere: the margin shrinks by 2ε.
    let device = fireproof::device().autodiff();
    let trainee = |objective: ObjectiveSpec| {
        Trainee::new(
            Recorder::new(&device).train(),
            objective,
            Augmentation::default(),
        )
    };
    let stage = Stage {
        angle: Degrees(0.0),
        shift: Pixels(0.0),
        ..HARD
    };
    let staged = || {
        let set = halves(16);
        StagedBatch {
            batch: set.batch(&(0..16).collect::<Vec<_>>(), &device),
            stage,
            seed: Seed(5),
            epoch: 1,
        }
    };
    let natural = trainee(Natural.into()).learn(staged()).unwrap().item;
    let attacked = trainee(PgdTraining::default().into())
        .learn(staged())
        .unwrap()
        .item;
    let margin = |logits: &Tensor<2>| {
        let labels = staged().batch.labels_to_vec();
        let rows: Vec<f32> = floats(logits)
            .chunks(2)
            .zip(labels)
            .map(|(row, label)| row[label as usize] - row[1 - label as usize])
            .collect();
        rows
    };
    for (clean, attacked) in margin(&natural.logits)
        .into_iter()
        .zip(margin(&attacked.logits))
    {
        // Clipping at black and white takes a little away from 2ε = 0.2.
        let shrunk = clean - attacked;
        assert!((0.15..0.2001).contains(&shrunk), "{shrunk}");
    }
    let (natural, attacked) = (natural.losses.mean(), attacked.losses.mean());
    assert!(attacked.into_scalar::<f32>() > natural.into_scalar::<f32>() + 0.05);
}

#[test]
fn convention_augmentation_follows_image_and_epoch() {
    let device = fireproof::device();
    let set = halves(12);
    let everything = |positions: &[usize], epoch| {
        let staged = StagedBatch {
            batch: set.batch(positions, &device),
            stage: HARD,
            seed: Seed(5),
            epoch,
        };
        let augmentation = Augmentation::new(Warp::bilinear())
            .with_crop(2)
            .with_flip(true);
        floats(&augmentation.apply(&staged))
    };
    let all = everything(&[0, 1, 2, 3], 1);
    assert_eq!(
        everything(&[2, 0], 1),
        [&all[128..192], &all[..64]].concat()
    );
    assert_ne!(everything(&[0, 1, 2, 3], 2), all);

    // Nothing is sampled, let alone blurred, where the stage moves nothing.
    let staged = StagedBatch {
        batch: set.batch(&[0, 1], &device),
        stage: CALM,
        seed: Seed(5),
        epoch: 1,
    };
    for motion in [Motion::TwoStep, Warp::bilinear().into()] {
        let images = Augmentation::new(motion).apply(&staged);
        assert_eq!(floats(&images), floats(&staged.batch.images));
    }
}

#[test]
fn smoke_training_learns_and_records() {
    let stages = [CALM, CALM, CALM, HARD];
    let trained = fit(&training(&stages)).unwrap();
    let history = &trained.history;
    assert_eq!(
        history.iter().map(|e| e.epoch).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(history.iter().map(|e| e.stage).collect::<Vec<_>>(), stages);
    let last = &history[2];
    assert!(
        last.valid_accuracy > 0.95 && last.valid_accuracy <= 1.0,
        "{last:?}"
    );
    assert!(last.valid_loss < history[0].train_loss && last.seconds > 0.0);

    // Oracle: the model returned, scored by hand on the validation images in one batch.
    let device = fireproof::device();
    let staged = StagedBatch {
        batch: halves(40).batch(&(0..40).collect::<Vec<_>>(), &device),
        stage: CALM,
        seed: Seed(0),
        epoch: 1,
    };
    let trainee = Trainee::new(trained.model, Natural, Augmentation::default());
    let scored = InferenceStep::step(&trainee, staged);
    let loss = f64::from(scored.losses.mean().into_scalar::<f32>());
    assert!((loss - history[3].valid_loss).abs() < 1e-5);
}

#[test]
fn convention_the_same_seed_gives_the_same_weights() {
    // Dropout and lazy weights included, one after another and at the same moment.
    let settings = training(&[CALM, HARD]);
    let first = weights(&fit(&settings).unwrap().model);
    let again = weights(&fit(&settings).unwrap().model);
    let other = weights(&fit(&settings.clone().with_seed(4)).unwrap().model);
    assert!(first == again);
    assert!(first != other);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| weights(&fit(&settings).unwrap().model)))
            .collect();
        for thread in threads {
            assert!(first == thread.join().unwrap());
        }
    });
}

#[test]
fn convention_the_model_handed_in_does_not_change() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let model = Net::new(&device);
    let before = weights(&model.clone());
    let trained = training(&[CALM])
        .fit(model.clone(), &halves(40), &halves(8), &device)
        .unwrap();
    assert_eq!(weights(&model), before);
    assert_ne!(weights(&trained.model), before);
}

#[test]
fn convention_resumed_training_is_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let stages = [CALM, HARD, HARD];
    let settings = training(&stages);
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    assert_eq!(
        weights(&whole.model),
        weights(&fit(&settings).unwrap().model)
    );
    assert_eq!(
        files(folder.path()),
        ["checkpoint", "history.json", "training.json"]
    );
    assert_eq!(
        files(&folder.path().join("checkpoint")),
        [
            "model-2.bpk",
            "model-3.bpk",
            "optim-2.bpk",
            "optim-3.bpk",
            "scheduler-2.bpk",
            "scheduler-3.bpk"
        ]
    );

    // As if it had been killed while the last checkpoint was written.
    let part = folder.path().join("checkpoint/optim-3.bpk");
    let bytes = std::fs::read(&part).unwrap();
    std::fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    let resuming = settings
        .clone()
        .with_directory(folder.path())
        .with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    assert_eq!(resumed.history.len(), 3);
    for (resumed, whole) in resumed.history.iter().zip(&whole.history) {
        assert_eq!((resumed.epoch, resumed.stage), (whole.epoch, whole.stage));
        assert_eq!(resumed.train_loss, whole.train_loss);
        assert_eq!(resumed.valid_loss, whole.valid_loss);
    }

    // Nothing left to do: the weights of the last checkpoint.
    assert_eq!(
        weights(&fit(&resuming).unwrap().model),
        weights(&whole.model)
    );
}

/// A stage further after every epoch whose training accuracy reaches the threshold.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    accuracy: f64,
}

impl Pace for Advance {
    fn stage(&self, curriculum: &Curriculum, epoch: usize, past: &[EpochRecord]) -> Stage {
        assert_eq!(past.len(), epoch - 1, "all epochs before");
        let passed = past.iter().filter(|e| e.train_accuracy >= self.accuracy);
        let stages = curriculum.stages();
        stages[passed.count().min(stages.len() - 1)].1
    }

    fn settings(&self) -> serde_json::Value {
        named::<dyn Pace>("advance", self)
    }
}

#[test]
fn convention_a_pace_goes_through_the_curriculum_by_what_came_of_it() {
    let stages = [CALM, HARD, HARD, HARD, HARD];
    let steady = fit(&training(&stages)).unwrap().history;
    // Between the first two epochs' accuracies, so that the second stage waits for an epoch.
    let accuracy = (steady[0].train_accuracy + 1.0) / 2.0;
    let settings = training(&stages).with_pace(Advance { accuracy });
    let folder = tempfile::tempdir().unwrap();
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    // Oracle: the rule, applied to the accuracies that were written down.
    let mut expected = Vec::new();
    for record in &whole.history {
        let passed = whole.history[..record.epoch - 1].iter();
        let any = passed.filter(|e| e.train_accuracy >= accuracy).count() > 0;
        expected.push(if any { HARD } else { CALM });
    }
    let found: Vec<Stage> = whole.history.iter().map(|e| e.stage).collect();
    assert_eq!(found, expected);
    assert!(found[1] == CALM && found[4] == HARD, "{found:?}");
    // The same without a directory, where nothing but the pace waits for the records.
    assert!(weights(&fit(&settings).unwrap().model) == weights(&whole.model));

    // Resumed, the pace knows the epochs before.
    let part = folder.path().join("checkpoint/model-5.bpk");
    std::fs::remove_file(part).unwrap();
    let resuming = settings.with_directory(folder.path()).with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    let again: Vec<Stage> = resumed.history.iter().map(|e| e.stage).collect();
    assert_eq!(again, found);
    std::fs::remove_file(folder.path().join("history.json")).unwrap();
    let refused = fit(&resuming).unwrap_err().to_string();
    assert!(refused.contains("history.json"), "{refused}");

    // In files by its name, once that is known.
    let registry = <dyn Pace>::registry();
    registry
        .add("advance", |pace: Advance| Arc::new(pace))
        .unwrap();
    let json = serde_json::to_string(&resuming).unwrap();
    let read: Training = serde_json::from_str(&json).unwrap();
    assert_eq!(read.pace, resuming.pace);
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn error_directories() {
    let folder = tempfile::tempdir().unwrap();
    let settings = training(&[CALM]).with_directory(folder.path());
    fit(&settings).unwrap();
    let refused = fit(&settings).unwrap_err().to_string();
    assert!(refused.contains("with_resume(true)"), "{refused}");
    let other = settings.clone().with_resume(true).with_momentum(0.5);
    let refused = fit(&other).unwrap_err().to_string();
    assert!(refused.contains("these differ: momentum"), "{refused}");

    for part in ["model", "optim", "scheduler"] {
        let path = folder.path().join(format!("checkpoint/{part}-1.bpk"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, b"not a checkpoint").unwrap();
        let refused = fit(&settings.clone().with_resume(true)).unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, Error::Training(_)), "{text}");
        assert!(
            text.contains("no checkpoint") && text.contains(&format!("{part}-1")),
            "{text}"
        );
        std::fs::write(&path, bytes).unwrap();
    }

    // A checkpoint of another model.
    let device = fireproof::device();
    let model = Recorder::new(&device);
    let resuming = settings.clone().with_resume(true);
    let refused = resuming
        .fit(model, &halves(72), &halves(40), &device)
        .unwrap_err();
    assert!(refused.to_string().contains("model-1.bpk"), "{refused}");

    // A file where the directory should be.
    let file = folder.path().join("training.json");
    let refused = fit(&training(&[CALM]).with_directory(&file)).unwrap_err();
    assert!(matches!(refused, Error::Io { .. }), "{refused}");
}

#[test]
fn error_settings_and_sets() {
    let device = fireproof::device();
    let text = |result: fireproof::base::Result<Trained<Net>>| result.unwrap_err().to_string();
    let settings = training(&[CALM]);
    let refused = text(fit(&settings.clone().with_batch_size(0)));
    assert!(refused.contains("batch size = 0"), "{refused}");
    let refused = text(fit(&settings.clone().with_momentum(1.0)));
    assert!(refused.contains("momentum = 1"), "{refused}");
    let refused = text(fit(&settings.clone().with_weight_decay(f64::NAN)));
    assert!(refused.contains("weight decay = NaN"), "{refused}");
    for (train, valid) in [(0, 8), (8, 0)] {
        let net = Net::new(&device);
        let refused = text(settings.fit(net, &halves(train), &halves(valid), &device));
        assert!(refused.contains("no image"), "{refused}");
    }
    let three = ImageSet::new("three", [1, 8, 8], 3, vec![0; 64], vec![2]).unwrap();
    let refused = text(settings.fit(Net::new(&device), &halves(8), &three, &device));
    assert!(refused.contains("validation set three"), "{refused}");
    let refused = text(settings.fit(Net::new(&device), &three, &three, &device));
    assert!(refused.contains("2 classes"), "{refused}");
}

#[test]
fn error_a_loss_that_is_not_a_number_stops() {
    let stages = [Stage {
        learning_rate: 1e30,
        ..CALM
    }; 2];
    let error = fit(&training(&stages)).unwrap_err();
    assert!(matches!(error, Error::Training(_)), "{error}");
    assert!(error.to_string().contains("the loss is"), "{error}");
}

#[test]
fn error_a_panic_in_the_model_is_an_error() {
    #[derive(Module, Debug)]
    struct Broken {
        weight: Param<Tensor<1>>,
    }
    impl Classifier for Broken {
        fn logits(&self, images: Tensor<4>) -> Tensor<2> {
            assert!(images.dims()[0] < 2, "too many images for me");
            images.flatten::<2>(1, 3).narrow(1, 0, 2) * self.weight.val().unsqueeze()
        }
    }
    let device = fireproof::device();
    let model = Broken {
        weight: Param::from_tensor(Tensor::ones([1], &device)),
    };
    let set = halves(8);
    let error = training(&[CALM])
        .fit(model, &set, &set, &device)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "training stopped: too many images for me"
    );
}

#[test]
fn convention_piped_progress_is_a_line_for_each_epoch() {
    // Runs itself again in a process whose standard error is a pipe.
    const PROBE: &str = "FIREPROOF_PROBE_PROGRESS";
    if std::env::var_os(PROBE).is_some() {
        let settings = training(&[CALM, HARD])
            .with_progress(Progress::Auto)
            .with_label("p4 7");
        fit(&settings).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .current_dir(folder.path())
        .args([
            "--exact",
            "convention_piped_progress_is_a_line_for_each_epoch",
            "--nocapture",
        ])
        .env(PROBE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("p4 7: "))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("p4 7: epoch 1/2 rate 0.05 | train loss "),
        "{text}"
    );
    let budgets = "p4 7: epoch 2/2 ±30° ±1 px ε 0.1000 rate 0.005 | train loss ";
    assert!(
        lines[1].starts_with(budgets) && lines[1].ends_with(" s"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no terminal codes in a pipe");
    // No metric or log files either, where no directory was given.
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn smoke_a_step_of_ones_own() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device);
    let mut trainee = Trainee::new(net, PgdTraining::default(), Augmentation::published_cifar());
    let mut optimiser = sgd(0.9, 5e-4);
    let loader = loader(32, &[HARD], 1).to_device(&device);
    for staged in epoch(&*loader) {
        let output = TrainStep::step(&trainee, staged);
        trainee = optimiser.step(0.01, trainee, output.grads);
    }
    let images = Tensor::from_data(TensorData::new(vec![0.5f32; 64], [1, 1, 8, 8]), &device);
    assert!(
        floats(&trainee.model.logits(images))
            .iter()
            .all(|v| v.is_finite())
    );
}

/// Learns by another objective; validates and hands back a running average of all weights, and
/// shows how far the average is behind.
#[derive(Debug)]
struct Averaged {
    inner: ObjectiveSpec,
    keep: f32,
}

impl Objective for Averaged {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> fireproof::base::Result<Step> {
        let mut step = self.inner.step(student, staged)?;
        let right = step.scored.logits.clone().argmax(1).squeeze_dim::<1>(1);
        let right = right.equal(staged.batch.labels.clone()).float();
        step.scored = step.scored.with_number("right", right);
        Ok(step)
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({"objective": "averaged", "inner": self.inner, "keep": self.keep})
    }

    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        student.weights().into_iter().map(|w| w.values).collect()
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
    ) -> fireproof::base::Result<()> {
        for (average, weight) in memory.iter_mut().zip(student.weights()) {
            *average = average.clone() * self.keep + weight.values * (1.0 - self.keep);
        }
        Ok(())
    }

    fn judged(&self, _student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        Some(memory.to_vec())
    }

    fn validate(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
    ) -> fireproof::base::Result<Scored> {
        let scored = self.inner.validate(student, staged)?;
        let losses = scored.losses.clone();
        Ok(scored.with_number("loss again", losses))
    }
}

fn averaged(stages: &[Stage]) -> Training {
    let objective = Averaged {
        inner: PgdTraining::default().into(),
        keep: 0.75,
    };
    let mut settings = training(stages);
    settings.objective = objective.into();
    settings
}

#[test]
fn value_an_objective_may_average_weights() {
    // Oracle: the averages, on the host, of the weights that the inner objective's own training
    // has after each step.
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let average = Averaged {
        inner: Natural.into(),
        keep: 0.75,
    };
    let copy = net.valid().train();
    let mut plain = Trainee::new(net, Natural, Augmentation::default());
    let mut trainee = Trainee::new(copy, average, Augmentation::default());
    // Burn takes running statistics down late, but for this.
    let settled = |trainee: &Trainee<Net>| weights(&trainee.model.valid());
    let mut expected = settled(&plain);
    let optimisers = &mut [sgd(0.9, 5e-4), sgd(0.9, 5e-4)];
    let loader = loader(48, &[CALM], 1).to_device(&device);
    for staged in epoch(&*loader) {
        let output = TrainStep::step(&plain, staged.clone());
        plain = plain.optimize(&mut optimisers[0], 0.1.into(), output.grads);
        let output = TrainStep::step(&trainee, staged);
        trainee = trainee.optimize(&mut optimisers[1], 0.1.into(), output.grads);
        for (expected, weight) in expected.iter_mut().zip(settled(&plain)) {
            *expected = *expected * 0.75 + weight * 0.25;
        }
    }
    assert!(settled(&trainee) == settled(&plain));
    let judged = weights(&trainee.judged().unwrap());
    assert!(
        judged
            .iter()
            .zip(&expected)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    assert!(judged != settled(&plain));
    // Judging left the running statistics of the model alone.
    assert!(settled(&trainee) == settled(&plain));
}

#[test]
fn convention_what_an_objective_remembers_survives_resumption() {
    let stages = [CALM, HARD, HARD];
    let folder = tempfile::tempdir().unwrap();
    let settings = averaged(&stages);
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    let plain = fit(&training(&stages)).unwrap();
    assert!(weights(&whole.model) != weights(&plain.model));
    for (averaged, plain) in whole.history.iter().zip(&plain.history) {
        // What is learnt is the same, what is validated is not.
        assert_eq!(averaged.train_loss, plain.train_loss);
        assert_ne!(averaged.valid_loss, plain.valid_loss);
        let right = averaged.train_numbers["right"];
        assert!((right - plain.train_accuracy).abs() < 1e-6, "{right}");
        let again = averaged.valid_numbers["loss again"];
        assert!((again - averaged.valid_loss).abs() < 1e-6, "{again}");
        assert!(plain.train_numbers.is_empty() && plain.valid_numbers.is_empty());
    }
    std::fs::remove_file(folder.path().join("checkpoint/model-3.bpk")).unwrap();
    let resuming = settings.with_directory(folder.path()).with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    assert_eq!(resumed.history[2].valid_loss, whole.history[2].valid_loss);
    assert_eq!(
        resumed.history[2].train_numbers,
        whole.history[2].train_numbers
    );
}

#[test]
fn value_an_objective_may_learn_at_moved_weights() {
    // As adversarial weight perturbation does: gradients at weights moved up the loss, applied to
    // the weights themselves. Oracle: a network that has the moved weights as its own.
    #[derive(Debug)]
    struct Perturbed;
    impl Perturbed {
        fn moved(student: &dyn Student, staged: &StagedBatch) -> Vec<Tensor<1>> {
            let up = Natural.step(student, staged).unwrap().gradients;
            let gradients = student.flat_gradients(&up);
            let weights = student.weights().into_iter().zip(gradients);
            let moved = weights.map(|(weight, gradient)| match gradient {
                Some(gradient) if weight.shape.len() > 1 => {
                    assert!(
                        weight.learnt && weight.name.ends_with("weight"),
                        "{weight:?}"
                    );
                    weight.values + gradient.mul_scalar(0.5)
                }
                _ => weight.values,
            });
            moved.collect()
        }
    }
    impl Objective for Perturbed {
        fn step(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Step> {
            let moved = student.moved(Self::moved(student, staged));
            Natural.step(&*moved, staged)
        }
        fn settings(&self) -> serde_json::Value {
            "perturbed".into()
        }
    }
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let staged = epoch(&*loader(16, &[CALM], 1).to_device(&device)).remove(0);
    let mut twin = net.valid().train();
    let before = weights(&net);
    let found = Perturbed.step(&net, &staged).unwrap();
    let moved = Perturbed::moved(&twin, &staged);
    twin.replace(moved);
    let expected = Natural.step(&twin, &staged).unwrap();
    assert_eq!(
        floats(&found.scored.losses),
        floats(&expected.scored.losses)
    );
    let flat = |student: &Net, step: &Step| -> Vec<Vec<f32>> {
        let gradients = student.flat_gradients(&step.gradients);
        gradients.iter().flatten().map(floats).collect()
    };
    assert_eq!(flat(&net, &found), flat(&twin, &expected));
    assert_eq!(
        flat(&net, &found).len(),
        6,
        "two linear layers and the norm's"
    );
    // The weights are where they were, and both passes counted in the running statistics.
    let (learnt, statistics) = (before.len() - 32, weights(&net));
    assert_eq!(statistics[..learnt], before[..learnt]);
    assert_ne!(statistics[learnt..], before[learnt..]);
    assert_eq!(statistics[learnt..], weights(&twin)[learnt..]);
}

#[test]
fn error_of_an_objective_ends_the_training() {
    #[derive(Debug)]
    struct Failing(&'static str);
    impl Objective for Failing {
        fn step(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Step> {
            Natural.step(student, staged)
        }
        fn settings(&self) -> serde_json::Value {
            "failing".into()
        }
        fn check(&self) -> fireproof::base::Result<()> {
            self.fail("check")
        }
        fn after_update(
            &self,
            _: &mut dyn Student,
            _: &mut [Tensor<1>],
        ) -> fireproof::base::Result<()> {
            self.fail("update")
        }
        fn validate(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Scored> {
            self.fail("validation")?;
            Natural.validate(student, staged)
        }
    }
    impl Failing {
        fn fail(&self, at: &str) -> fireproof::base::Result<()> {
            match self.0 == at {
                true => Err(Error::setting("failing", at, "anything else")),
                false => Ok(()),
            }
        }
    }
    for at in ["check", "update", "validation"] {
        let mut settings = training(&[CALM]);
        settings.objective = Failing(at).into();
        let refused = fit(&settings).unwrap_err();
        assert!(matches!(refused, Error::Setting { .. }), "{refused}");
        assert!(refused.to_string().contains(at), "{refused}");
    }
}

#[test]
fn convention_settings_are_a_plain_value() {
    let settings = Training::new(Curriculum::cusp_mnist(), PgdTraining::default())
        .with_augmentation(Augmentation::published_cifar())
        .with_seed(9);
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Training>(&text).unwrap(), settings);
    let value = serde_json::to_value(&settings).unwrap();
    assert_eq!(value["objective"]["objective"], "pgd_training");
    let attack = &value["objective"]["attack"];
    assert_eq!(
        (&attack["attack"], &attack["keep"]),
        (&"pgd".into(), &"last".into())
    );
    for (field, wrong, part) in [
        (
            "momentums",
            serde_json::json!(0.9),
            "unknown field `momentums`",
        ),
        (
            "objective",
            "trades".into(),
            "one of: natural, pgd_training",
        ),
        (
            "objective",
            serde_json::json!({"objective": "natural", "beta": 6.0}),
            "`beta`",
        ),
        (
            "augmentation",
            serde_json::json!({"motion": "two_step", "crops": 4}),
            "`crops`",
        ),
    ] {
        let mut misspelt = value.clone();
        misspelt[field] = wrong;
        let refused = serde_json::from_value::<Training>(misspelt)
            .unwrap_err()
            .to_string();
        assert!(refused.contains(part), "{refused}");
    }
    let natural: ObjectiveSpec = serde_json::from_str("\"natural\"").unwrap();
    assert_eq!(
        (natural.name().as_str(), &natural),
        ("natural", &Natural.into())
    );
    // Where it is written and how it is shown is not part of it.
    let elsewhere = settings.with_directory("elsewhere").with_label("name");
    assert_eq!(serde_json::to_string(&elsewhere).unwrap(), text);
}

#[test]
fn convention_dropout_follows_image_and_epoch() {
    // This crate's dropout, unlike Burn's, needs no lock and no memory: a training resumed from
    // its checkpoint drops what the uninterrupted one would have dropped.
    let device = fireproof::device();
    let set = halves(32);
    let model = || {
        let config = CnnConfig::new(Group::P1, [1, 28, 28], 2).with_seed(1);
        config.init(&device).unwrap()
    };
    let large = {
        let pixels: Vec<u8> = (0..32)
            .flat_map(|at| (0..784).map(move |p| (at, p)))
            .map(|(at, p)| set.pixels(at)[(p / 28 * 8 / 28) * 8 + p % 28 * 8 / 28])
            .collect();
        ImageSet::new("large", [1, 28, 28], 2, pixels, set.labels()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = training(&[CALM, CALM]);
    let fit = |settings: &Training| {
        settings
            .fit(model(), &large, &large, &device)
            .unwrap()
            .model
    };
    let logits = |model: fireproof::model::Cnn| {
        floats(&model.logits(large.batch(&(0..32).collect::<Vec<_>>(), &device).images))
    };
    let whole = logits(fit(&settings.clone().with_directory(folder.path())));
    std::fs::remove_file(folder.path().join("checkpoint/model-2.bpk")).unwrap();
    let resuming = settings
        .clone()
        .with_directory(folder.path())
        .with_resume(true);
    assert_eq!(logits(fit(&resuming)), whole);
    assert_ne!(logits(fit(&settings.with_seed(4))), whole);
}
