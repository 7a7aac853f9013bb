//! Whole trainings of a small network, on Flex.

use super::given::{curriculum, halves};
use crate::common::values;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use fireproof::base::Classifier;
use fireproof::curriculum::Stage;
use fireproof::nn::InitialWeights;
use fireproof::train::{PgdTraining, Progress, Trained, Training};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
        Self::with(16, 0.5, device)
    }

    /// The same network whenever it is made, without a draw from Burn's generator.
    pub fn seeded(seed: u64, device: &Device) -> Self {
        Self::new(device).map(&mut InitialWeights::uniform(seed))
    }

    pub fn with(hidden: usize, dropout: f64, device: &Device) -> Self {
        Self {
            first: LinearConfig::new(64, hidden).init(device),
            norm: BatchNormConfig::new(hidden).init(device),
            dropout: DropoutConfig::new(dropout).init(),
            last: LinearConfig::new(hidden, 2).init(device),
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
    fit_net(training, Net::new(&fireproof::device()))
}

pub fn fit_net(training: &Training, net: Net) -> fireproof::base::Result<Trained<Net>> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    training.fit(net, &halves(72), &halves(40), &fireproof::device())
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

// The files of the checkpoints of these epochs.
pub fn checkpoints(epochs: &[usize]) -> Vec<String> {
    let mut names = Vec::new();
    for part in ["model", "optim", "scheduler"] {
        for epoch in epochs {
            names.extend(["bpk", "crc"].map(|kind| format!("{part}-{epoch}.{kind}")));
        }
    }
    names
}

// All files in a folder and below it, with what they hold.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut contents(&path)),
            false => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
        }
    }
    found
}
