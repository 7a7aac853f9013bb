//! Whole trainings of a small network, on Flex.

use super::given::{curriculum, halves};
use crate::common::values;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use fireproof::base::Classifier;
use fireproof::curriculum::Stage;
use fireproof::train::{PgdTraining, Progress, Trained, Training};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

/// A small network with everything that can spoil reproducibility: lazily initialised weights,
/// running statistics, Burn's dropout.
#[derive(Module, Debug)]
pub struct Net {
    pub first: Linear,
    pub norm: BatchNorm,
    pub dropout: Dropout,
    pub last: Linear,
}

impl Net {
    pub fn new(device: &Device) -> Self {
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

pub fn training(stages: &[Stage]) -> Training {
    Training::new(curriculum(stages), PgdTraining::default())
        .with_batch_size(16)
        .with_seed(3)
        .with_progress(Progress::Quiet)
}

// Trainings keep out of each other's way; what else draws from Burn's generator takes this lock
// for writing.
pub static GENERATOR: RwLock<()> = RwLock::new(());

pub fn fit(training: &Training) -> fireproof::base::Result<Trained<Net>> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    training.fit(Net::new(&device), &halves(72), &halves(40), &device)
}

// All weights and running statistics.
pub fn weights(net: &Net) -> Vec<f32> {
    let linear = |l: &Linear| {
        [
            values(l.weight.val()),
            values(l.bias.as_ref().unwrap().val()),
        ]
    };
    let mut all = [linear(&net.first), linear(&net.last)].concat();
    all.push(values(net.norm.gamma.val()));
    all.push(values(net.norm.running_mean.value()));
    all.push(values(net.norm.running_var.value()));
    all.concat()
}

pub fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
