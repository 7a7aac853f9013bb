//! Trainings that are killed, in their first checkpoint or at any moment: processes, by the system.

use super::fitting::{self, GENERATOR, files, training};
use super::given::{CALM, HARD, halves};
use crate::common::values;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use fireproof::attack::Pgd;
use fireproof::base::{Classifier, Purpose, Seed};
use fireproof::curriculum::Stage;
use fireproof::train::{Adaptive, Ema, PgdTraining, RobustValidation, Training};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

const FOLDER: &str = "FIREPROOF_TEST_TRAIN_INTO";
const ALL: &str = "FIREPROOF_TEST_TRAIN_WITH_ALL";
const KILLS: u64 = 10;

/// A network whose checkpoint takes a while to write: 8 MB, and as much for the optimiser.
#[derive(Module, Debug)]
struct Large {
    first: Linear,
    second: Linear,
    dropout: Dropout,
    last: Linear,
}

impl Large {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(64, 2048).init(device),
            second: LinearConfig::new(2048, 1024).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            last: LinearConfig::new(1024, 2).init(device),
        }
    }
}

impl Classifier for Large {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let features = relu(self.first.forward(images.flatten(1, 3)));
        let features = relu(self.second.forward(features));
        self.last.forward(self.dropout.forward(features))
    }
}

fn settings() -> Training {
    training(&[CALM, CALM])
}

/// With averaged weights, attacks, an adaptive pace and the best checkpoint beside the last.
fn with_all() -> Training {
    let hard = |epsilon| Stage { epsilon, ..HARD };
    training(&[CALM, hard(0.02), hard(0.05)])
        .with_objective(Ema::new(PgdTraining::default()))
        .with_robust(
            RobustValidation::new(Pgd::linf(0.05))
                .with_images(16)
                .with_staged(true),
        )
        .with_pace(Adaptive::new(0.6).with_at_most(2))
}

/// A training in this folder, in a process of its own.
fn begin(folder: &Path, all: bool) -> Child {
    let mut process = Command::new(std::env::current_exe().unwrap());
    if all {
        process.env(ALL, "1");
    }
    process
        .args(["--exact", "killed::trains_until_it_is_killed"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn weights(training: &Training) -> Vec<f32> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let (train, valid) = (halves(48), halves(16));
    let trained = training.fit(Large::new(&device), &train, &valid, &device);
    let net = trained.unwrap().model;
    let layers = [&net.first, &net.second, &net.last];
    layers.map(|layer| values(layer.weight.val())).concat()
}

/// What is killed: does nothing unless another test starts it in a process of its own.
#[test]
fn trains_until_it_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let settings = match std::env::var_os(ALL) {
            Some(_) => with_all(),
            None => settings(),
        };
        weights(&settings.with_directory(folder).with_resume(true));
    }
}

/// How far the checkpoints have got: bytes and files.
fn written(checkpoints: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(checkpoints) else {
        return 0;
    };
    // A file may get its name between the two.
    let size = |entry: std::io::Result<std::fs::DirEntry>| Some(entry.ok()?.metadata().ok()?.len());
    entries.map(|entry| 1 + size(entry).unwrap_or(0)).sum()
}

#[test]
fn convention_killed_in_its_first_checkpoint_it_starts_afresh() {
    // Oracle: the weights of the uninterrupted training.
    let folder = tempfile::tempdir().unwrap();
    let whole = weights(&settings().with_directory(folder.path()));
    let both = written(&folder.path().join("checkpoint"));

    let mut kills = 0;
    let mut states = std::collections::BTreeSet::new();
    for attempt in 0.. {
        assert!(attempt < 40 * KILLS, "{kills} kills in a first checkpoint");
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = folder.path().join("checkpoint");
        let mut process = begin(folder.path(), false);
        let until = 1 + both / 2 * kills / KILLS;
        while process.try_wait().unwrap().is_none() && written(&checkpoints) < until {
            std::hint::spin_loop();
        }
        process.kill().unwrap();
        process.wait().unwrap();

        let left = files(&checkpoints);
        let complete = left.iter().filter(|name| !name.ends_with(".tmp")).count() >= 6;
        if !complete && !left.is_empty() {
            kills += 1;
            let state = left.iter().map(|name| match name.strip_suffix(".tmp") {
                None => name.clone(),
                Some(name) => format!("a part of {}", name.split(".bpk").next().unwrap()),
            });
            states.insert(state.collect::<Vec<_>>().join(", "));
        }
        let resuming = settings().with_directory(folder.path()).with_resume(true);
        assert!(weights(&resuming) == whole, "killed with {left:?}");
        assert_eq!(files(&checkpoints), fitting::checkpoints(&[1, 2]));
        if kills == KILLS {
            break;
        }
    }
    println!("killed with: {states:#?}");
}

#[test]
fn convention_killed_at_any_moment_it_goes_on() {
    // Oracle: the weights of the uninterrupted training.
    let folder = tempfile::tempdir().unwrap();
    let whole = weights(&with_all().with_directory(folder.path()));
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    assert!(begin(folder.path(), true).wait().unwrap().success());
    let all = began.elapsed();

    let mut draws = Seed(5).draws(Purpose::Search, 0, 0);
    let (mut kills, mut finished, mut in_epochs) = (0, 0, 0);
    while kills < 2 * KILLS || finished == 0 {
        let folder = tempfile::tempdir().unwrap();
        loop {
            let mut process = begin(folder.path(), true);
            let after = Duration::from_secs_f64(draws.uniform(0.0, 1.2) * all.as_secs_f64());
            std::thread::sleep(after);
            let end = process.try_wait().unwrap();
            if let Some(end) = end {
                assert!(end.success());
                break;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            kills += 1;
            // Killed early, it has not even made the folder.
            in_epochs += u32::from(written(&folder.path().join("checkpoint")) > 0);
        }
        finished += 1;
        let resuming = with_all().with_directory(folder.path()).with_resume(true);
        assert!(weights(&resuming) == whole, "after {kills} kills");
    }
    assert!(in_epochs > 0, "{kills} kills before any checkpoint");
    println!("{kills} kills, {in_epochs} with a checkpoint begun, in {finished} trainings");
}
