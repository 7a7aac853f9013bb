use crate::train::Course;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::optim::LearningRate;
use std::sync::Arc;

/// The learning rate of a [`Course`], for burn-train, which asks once an *iteration*, before
/// the optimiser's step.
#[derive(Clone, Debug)]
pub struct StagedRate {
    course: Arc<Course>,
    steps_per_epoch: usize,
    steps: u64,
}

impl StagedRate {
    /// The rates of a training with this many iterations an epoch.
    ///
    /// # Panics
    ///
    /// Panics if there is no iteration in an epoch.
    pub fn new(course: Arc<Course>, steps_per_epoch: usize) -> Self {
        assert!(steps_per_epoch > 0, "an epoch needs an iteration");
        Self {
            course,
            steps_per_epoch,
            steps: 0,
        }
    }
}

impl LrScheduler for StagedRate {
    fn step(&mut self) -> LearningRate {
        let epoch = self.steps as usize / self.steps_per_epoch + 1;
        self.steps += 1;
        self.course.stage(epoch).learning_rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("steps", self.steps)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(steps) = record.scalar::<u64>("steps") {
            self.steps = steps;
        }
    }
}
