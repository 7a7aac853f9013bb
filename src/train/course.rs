use crate::curriculum::{Curriculum, Stage};
use crate::train::{EpochRecord, PaceSpec};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A training on its way through a curriculum: the one who says which stage an epoch has.
///
/// Loader, learning rate and display share it. Its state is the record of the epochs so far: that
/// is what a training writes down and resumes from, and all that a [`Pace`](crate::train::Pace)
/// may depend on.
#[derive(Debug)]
pub struct Course {
    curriculum: Curriculum,
    pace: Option<PaceSpec>,
    past: Mutex<Arc<Vec<EpochRecord>>>,
}

impl From<Curriculum> for Course {
    fn from(curriculum: Curriculum) -> Self {
        Self::new(curriculum)
    }
}

impl Course {
    /// The beginning of a curriculum, gone through epoch by epoch.
    pub fn new(curriculum: Curriculum) -> Self {
        Self {
            curriculum,
            pace: None,
            past: Mutex::default(),
        }
    }

    /// The same course at this pace.
    pub fn with_pace(mut self, pace: impl Into<PaceSpec>) -> Self {
        self.pace = Some(pace.into());
        self
    }

    /// The same course after these epochs, which must be all from the first on for a pace.
    pub fn with_past(self, past: Vec<EpochRecord>) -> Self {
        *self.records() = past.into();
        self
    }

    /// The number of epochs.
    pub fn epochs(&self) -> usize {
        self.curriculum.epochs()
    }

    /// What holds at `epoch`, counted from 1. After the last epoch its stage holds on.
    ///
    /// With a pace, the epochs before must have been [told](Course::after_epoch).
    ///
    /// # Panics
    ///
    /// Panics if the epoch is 0.
    pub fn stage(&self, epoch: usize) -> Stage {
        let epoch = epoch.min(self.epochs());
        match &self.pace {
            None => self.curriculum.stage(epoch),
            Some(pace) => {
                // Not under the lock: a pace is anyone's code, which may ask this course.
                let records = self.records().clone();
                let before = records.iter().take_while(|record| record.epoch < epoch);
                let past = &records[..before.count()];
                pace.stage(&self.curriculum, epoch, past)
            }
        }
    }

    /// Takes down what an epoch gave.
    pub fn after_epoch(&self, record: EpochRecord) {
        Arc::make_mut(&mut self.records()).push(record);
    }

    /// The epochs so far.
    pub fn past(&self) -> Vec<EpochRecord> {
        self.records().to_vec()
    }

    fn records(&self) -> MutexGuard<'_, Arc<Vec<EpochRecord>>> {
        // Nothing under the lock can be half done.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
