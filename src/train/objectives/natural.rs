use crate::base::Result;
use crate::train::{Objective, StagedBatch, Step, Student};
use serde_json::Value;

/// Cross-entropy of the images as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Natural;

impl Objective for Natural {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        Step::on(staged.batch.images.clone(), student, staged)
    }

    fn settings(&self) -> Value {
        "natural".into()
    }
}
