//! The networks that are measured, and how each is trained.

use crate::{Options, common};
use burn::module::Module;
use burn::tensor::Device;
use fireproof::base::Result;
use fireproof::evaluate::TrainingRecord;
use fireproof::prelude::*;
use fireproof::train::{ObjectiveSpec, Progress};
use std::io::IsTerminal;
use std::time::Instant;

// Base channels of the GCNN.
const WIDTH: usize = 5;

/// One training of one network.
pub struct Cell {
    group: Group,
    trained: &'static str,
    curriculum: Curriculum,
    objective: ObjectiveSpec,
}

/// StdCNN and GCNN, each trained on images as they are, in random poses, by PGD, and by CuSP.
pub fn cells(options: &Options) -> Vec<Cell> {
    let rate = Milestones::new([(0.0, 0.05), (0.6, 0.02), (0.8, 0.005)]);
    let base = Curriculum::new(options.epochs)
        .with_steps(4)
        .with_relative_step_size(2.5)
        .with_learning_rate(rate.clone());
    let (angle, shift, epsilon) = (options.angle, options.shift, options.epsilon);
    // A third of the budgets, two thirds, all, from the epochs on in which the published CuSP raises its own.
    let stages = |most: f64| {
        let parts = [most / 3.0, most * 2.0 / 3.0, most];
        Milestones::new([1, 75, 90].into_iter().zip(parts))
    };
    let cusp = Curriculum::new(120)
        .with_epsilon(stages(epsilon))
        .with_angle(stages(angle))
        .with_shift(stages(shift))
        .scaled_to(options.epochs.saturating_mul(2))
        .with_steps(4)
        .with_relative_step_size(2.5)
        .with_learning_rate(rate);
    let posed = base.clone().with_angle(angle).with_shift(shift);
    let trainings: [(&str, Curriculum, ObjectiveSpec); 4] = [
        ("natural", base.clone(), Natural.into()),
        ("random poses", posed, Natural.into()),
        (
            "PGD",
            base.with_epsilon(epsilon),
            PgdTraining::default().into(),
        ),
        ("CuSP", cusp, PgdTraining::default().into()),
    ];
    let each = |(trained, curriculum, objective): (&'static str, Curriculum, ObjectiveSpec)| {
        [Group::P1, Group::P4].map(|group| Cell {
            group,
            trained,
            curriculum: curriculum.clone(),
            objective: objective.clone(),
        })
    };
    trainings.into_iter().flat_map(each).collect()
}

impl Cell {
    pub fn check(&self) -> Result<()> {
        self.curriculum.check()
    }

    pub fn name(&self) -> String {
        let network = common::network_name(self.group);
        format!("{network}, {}", self.trained)
    }

    /// The trained network, and how it was trained.
    pub fn train(
        &self,
        train: &ImageSet,
        watch: &ImageSet,
        options: &Options,
        device: &Device,
    ) -> Result<(Frozen, TrainingRecord)> {
        let started = Instant::now();
        let gcnn = (Group::P4, WIDTH);
        let config = common::network(self.group, gcnn, options.seed, train, device)?;
        let model = config.init(device)?;
        let progress = match std::io::stderr().is_terminal() {
            true => Progress::Auto,
            false => Progress::Quiet,
        };
        let training = Training::new(self.curriculum.clone(), self.objective.clone())
            .with_batch_size(50)
            .with_seed(options.seed)
            .with_progress(progress)
            .with_label(self.name());
        let trained = training.fit(model, train, watch, device)?;
        let mut record = TrainingRecord::new(
            self.name(),
            trained.model.num_params(),
            self.objective.name(),
            options.seed,
        )
        .with_curriculum(&self.curriculum)
        .with_train_size(train.len())
        .with_epochs(self.curriculum.epochs())
        .with_seconds(started.elapsed().as_secs_f64());
        record.extras = record.extras.with("history", &trained.history);
        Ok((Frozen::new(&trained.model), record))
    }
}
