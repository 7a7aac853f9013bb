//! Small tasks of every kind, and a watch over them.

use crate::common::{On, bits, fnv1a, uniform};
use burn::module::Module;
use burn::tensor::Device;
use burn::train::TrainStep;
use fireproof::attack::Frozen;
use fireproof::base::{Purpose, count_reads};
use fireproof::kernel::{self, Numerics};
use fireproof::prelude::*;
use fireproof::train::{ObjectiveSpec, StagedBatch, Student, Trainee, sgd};
use rayon::ThreadPoolBuilder;
use std::ops::Range;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Image and batch are as small as they may be for kernels to share them among threads.
const SIDE: usize = 16;
const BATCH: usize = 18;

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    FastAttack,
    ExactAttack,
    Composed,
    Record,
    Training,
    AttackedTraining,
    Evaluation,
    CountedReads,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::FastAttack,
        Self::ExactAttack,
        Self::Composed,
        Self::Record,
        Self::Training,
        Self::AttackedTraining,
        Self::Evaluation,
        Self::CountedReads,
    ];
}

fn model(seed: u64, device: &Device) -> Cnn {
    CnnConfig::new(Group::P4, [1, SIDE, SIDE], 2)
        .with_head(Head::Pooled)
        .with_seed(seed)
        .init(device)
        .unwrap()
}

fn set(seed: u64) -> ImageSet {
    let mut draws = Seed(seed).draws(Purpose::Subset, 0, 0);
    let pixels = uniform(&mut draws, BATCH * SIDE * SIDE, 0.0, 255.9);
    let pixels = pixels.into_iter().map(|pixel| pixel as u8).collect();
    let labels = (0..BATCH).map(|at| (at % 2) as u8).collect();
    ImageSet::new("noise", [1, SIDE, SIDE], 2, pixels, labels).unwrap()
}

fn trained(seed: u64, objective: impl Into<ObjectiveSpec>) -> Vec<u32> {
    let device = On::new(Some("flex")).device().autodiff();
    let model = model(seed, &device).train();
    let mut trainee = Trainee::new(model, objective, Augmentation::default());
    let mut optimiser = sgd(0.9, 0.0);
    for epoch in 1..=2 {
        let staged = StagedBatch {
            batch: set(seed).batch(&Vec::from_iter(0..BATCH), &device),
            stage: Stage {
                angle: Degrees(0.0),
                shift: Pixels(0.0),
                epsilon: 0.1,
                steps: 1,
                step_size: 0.05,
                learning_rate: 0.05,
            },
            seed: Seed(seed),
            epoch,
            step: 1,
            share: 1.0,
        };
        let output = TrainStep::step(&trainee, staged);
        trainee = trainee.optimize(&mut optimiser, 0.05.into(), output.grads);
    }
    // Running statistics of the last pass, too.
    let weights = Student::weights(&trainee.model);
    weights.iter().flat_map(|w| bits(&w.values)).collect()
}

/// The bits that a task gives.
pub fn run(kind: Kind, seed: u64) -> Vec<u32> {
    let device = On::new(Some("flex")).device();
    let attacked = |numerics| {
        let victim = Frozen::new(&model(seed, &device)).with_numerics(numerics);
        let batch = set(seed).batch(&Vec::from_iter(0..BATCH), &device);
        let attack = Pgd::linf(0.1).with_steps(2);
        bits(attack.attack(&victim, &batch, Seed(seed)).unwrap().images)
    };
    let logits = || {
        let images = set(seed).batch(&Vec::from_iter(0..BATCH), &device).images;
        model(seed, &device).forward(images)
    };
    match kind {
        Kind::FastAttack => attacked(Numerics::Fast),
        Kind::ExactAttack => attacked(Numerics::Exact),
        Kind::Composed => bits(kernel::composed(|| logits() + logits())),
        Kind::Record => {
            let (logits, ran) = kernel::record(logits);
            let paths = ran.iter().map(|ran| ran.path as u32);
            bits(logits).into_iter().chain(paths).collect()
        }
        Kind::Training => trained(seed, Natural),
        Kind::AttackedTraining => trained(seed, PgdTraining::default()),
        Kind::Evaluation => {
            let victim = Frozen::new(&model(seed, &device));
            let evaluation = Evaluation::new().with_axis(Axis::angles([Degrees(20.0)]));
            let profile = evaluation.run(&victim, &set(seed), &device).unwrap();
            let text = serde_json::to_string(&profile).unwrap();
            vec![fnv1a(text.bytes()) as u32]
        }
        Kind::CountedReads => {
            let (images, reads) = count_reads(|| attacked(Numerics::Exact));
            let reads = [reads.count as u32, reads.values as u32];
            images.into_iter().chain(reads).collect()
        }
    }
}

/// Runs tasks on a pool of its own. They wait in its queue, and not with one of its threads: so a thread
/// that comes free helps others first, and those take the next task while they wait for it.
pub fn tasks(threads: usize, numbers: Range<usize>, task: impl Fn(usize) + Sync) {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let task = &task;
    pool.unwrap().in_place_scope(|scope| {
        for number in numbers {
            scope.spawn(move |_| task(number));
        }
    });
}

/// Runs `work`, and ends the process if it takes longer: threads that wait for each other cannot be
/// ended in any other way.
pub fn within<R>(limit: Duration, work: impl FnOnce() -> R) -> R {
    let (alive, watched) = channel::<()>();
    std::thread::spawn(move || {
        if watched.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            eprintln!("tasks have not come to an end within {limit:?}");
            std::process::abort();
        }
    });
    let result = work();
    drop(alive);
    result
}
