//! Where the time of an epoch of PGD-10 training goes: data, attack, update. The table in
//! docs/benchmarks.md.
//!
//! Batches of 128 digits, cropped, flipped, rotated and shifted as CuSP is published for CIFAR; attacks of ten
//! steps. Data is what the training waits for: with batches made where they are asked for, all that they
//! take; with batches made ahead by another thread, what is left of it. Both in turns, in one process.
//!
//! `cargo bench --bench epoch -- --batches 20`

use burn::data::dataloader::DataLoader;
use burn::module::{Module, ModuleDisplay};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::TrainStep;
use fireproof::attack::Frozen;
use fireproof::base::{Classifier, Result};
use fireproof::data::embedded_mnist;
use fireproof::prelude::*;
use fireproof::train::{
    Augmentation, Course, Natural, Objective, PgdTraining, StagedLoader, Trainee, sgd,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const BATCH: usize = 128;

fn main() -> Result<()> {
    let option = |name: &str| {
        let at = std::env::args().position(|arg| arg == name)?;
        std::env::args().nth(at + 1)
    };
    let batches = option("--batches").map_or(12, |text| text.parse().expect("a number"));
    let device = fireproof::device().autodiff();
    let shape = embedded_mnist().train.shape();
    println!("| network | batches | data (ms) | attack (ms) | update (ms) | data |");
    println!("|---|---|---|---|---|---|");
    let p4 = CnnConfig::new(Group::P4, shape, 10)
        .with_seed(7)
        .init(&device)?;
    split("p4-cnn", p4, batches)?;
    let small = SmallCnnConfig::new(shape, 10).with_seed(7).init(&device)?;
    split("small-cnn", small, batches)
}

/// Times of one way to make batches, summed over the steps.
#[derive(Default)]
struct Times {
    data: Duration,
    attack: Duration,
    update: Duration,
}

fn split<M: Module + ModuleDisplay + Classifier + 'static>(
    name: &str,
    model: M,
    batches: usize,
) -> Result<()> {
    let device = fireproof::device().autodiff();
    let set = embedded_mnist().train.take(BATCH * batches);
    let curriculum = Curriculum::cusp_mnist().with_shift(2.0);
    let course = Arc::new(Course::new(curriculum));
    let objective = PgdTraining::default();
    let mut trainee = Trainee::new(model, Natural, Augmentation::default());
    let mut optimiser = sgd(0.9, 5e-4);
    let loader = |ahead| -> Result<StagedLoader> {
        let loader = StagedLoader::shuffled(set.clone(), course.clone(), BATCH, 1, &device)?;
        Ok(loader
            .with_augmentation(Augmentation::cifar_cusp())
            .with_ahead(ahead))
    };
    let ways = [(0, "made where asked for"), (2, "made ahead")];
    let mut times: [Times; 2] = Default::default();
    // The first time of each warms up.
    for round in 0..3 {
        for ((ahead, _), times) in ways.iter().zip(&mut times) {
            if round == 1 {
                *times = Times::default();
            }
            let loader = loader(*ahead)?;
            let mut epoch = loader.iter();
            loop {
                let begun = Instant::now();
                let Some(staged) = epoch.next() else {
                    break;
                };
                let mut staged = staged.expect("no file to fail");
                times.data += begun.elapsed();

                let begun = Instant::now();
                let attack = objective.attack(&staged.stage).expect("ε is above 0");
                let victim = Frozen::new(&trainee.model);
                let seed = staged.seed.derive(staged.epoch as u64);
                staged.batch.images = attack.perturb(&victim, &staged.batch, seed)?;
                times.attack += begun.elapsed();

                let begun = Instant::now();
                (staged.stage.angle, staged.stage.shift) = (Degrees(0.0), Pixels(0.0));
                let output = trainee.learn(staged)?;
                let rate = ModuleLearningRate::from(1e-3);
                trainee = TrainStep::optimize(trainee, &mut optimiser, rate, output.grads);
                times.update += begun.elapsed();
            }
        }
    }
    let steps = (2 * batches) as f64;
    for ((_, way), times) in ways.iter().zip(&times) {
        let ms = |time: Duration| 1e3 * time.as_secs_f64() / steps;
        let [data, attack, update] = [times.data, times.attack, times.update].map(ms);
        let share = 100.0 * data / (data + attack + update);
        println!("| {name} | {way} | {data:.2} | {attack:.0} | {update:.0} | {share:.2} % |");
    }
    Ok(())
}
