use crate::base::{NoSettings, Result};
use crate::train::{Objective, StagedBatch, Step, Student};
use serde::Deserialize;
use serde_json::Value;

/// Cross-entropy of the images as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "NoSettings")]
pub struct Natural;

impl From<NoSettings> for Natural {
    fn from(_: NoSettings) -> Self {
        Self
    }
}

impl Objective for Natural {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        Step::on(staged.batch.images.clone(), student, staged)
    }

    fn settings(&self) -> Value {
        "natural".into()
    }
}
