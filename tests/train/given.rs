//! Stages, images of two halves, loaders of them, and a model that writes down what it is given.

use crate::common::values;
use burn::data::dataloader::DataLoader;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use fireproof::base::{Classifier, Degrees, Pixels, Seed};
use fireproof::curriculum::{Curriculum, Milestones, Stage};
use fireproof::data::ImageSet;
use fireproof::train::{Course, StagedBatch, StagedLoader};
use std::sync::{Arc, Mutex};

// A stage that neither moves nor attacks.
pub const CALM: Stage = Stage {
    angle: Degrees(0.0),
    shift: Pixels(0.0),
    epsilon: 0.0,
    steps: 0,
    step_size: 0.0,
    learning_rate: 0.05,
};

// A stage that does both.
pub const HARD: Stage = Stage {
    angle: Degrees(30.0),
    shift: Pixels(1.0),
    epsilon: 0.1,
    steps: 3,
    step_size: 0.05,
    learning_rate: 0.005,
};

/// 8×8 images of two classes, told apart by which half is brighter, under noise.
pub fn halves(count: usize) -> ImageSet {
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

/// Logits linear in the two halves of the image; what it was given is written down.
#[derive(Module, Debug)]
pub struct Recorder {
    pub weight: Param<Tensor<1>>,
    #[module(skip)]
    pub seen: Arc<Mutex<Vec<Vec<f32>>>>,
}

impl Recorder {
    pub fn new(device: &Device) -> Self {
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
            self.seen.lock().unwrap().push(values(&images));
        }
        let count = images.dims()[0];
        let left = images.clone().narrow(3, 0, 4).mean_dims(&[1, 2, 3]);
        let right = images.narrow(3, 4, 4).mean_dims(&[1, 2, 3]);
        let logits = Tensor::cat(vec![right, left], 1).reshape([count, 2]);
        logits * self.weight.val().unsqueeze()
    }
}

/// One epoch of each stage.
pub fn curriculum(stages: &[Stage]) -> Curriculum {
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

pub fn course(stages: &[Stage]) -> Arc<Course> {
    Arc::new(curriculum(stages).into())
}

pub fn loader(device: &Device, count: usize, stages: &[Stage], seed: u64) -> StagedLoader {
    StagedLoader::shuffled(halves(count), course(stages), 16, Seed(seed), device).unwrap()
}

pub fn epoch(loader: &dyn DataLoader<StagedBatch>) -> Vec<StagedBatch> {
    loader.iter().map(|batch| batch.unwrap()).collect()
}

pub fn ids(batches: &[StagedBatch]) -> Vec<u64> {
    batches.iter().flat_map(|b| b.batch.ids.clone()).collect()
}
