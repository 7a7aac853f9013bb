use super::{Choice, Targets, in_range};
use crate::base::{Error, Result, named};
use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One class for each image, in the order of the batch.
#[derive(Clone, Debug, Display, PartialEq, Eq, Serialize, Deserialize)]
#[display("given classes")]
#[serde(deny_unknown_fields)]
pub struct GivenTargets {
    /// The classes.
    pub classes: Vec<usize>,
}

impl GivenTargets {
    /// These classes, one for each image of the batch.
    pub fn new(classes: impl Into<Vec<usize>>) -> Self {
        Self {
            classes: classes.into(),
        }
    }
}

impl Targets for GivenTargets {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let images = among.labels.len();
        let found = format_args!("{} classes", self.classes.len());
        let expected = format_args!("one class for each of the {images} images");
        Error::unless(self.classes.len() == images, "targets", found, expected)?;
        for (position, &class) in self.classes.iter().enumerate() {
            in_range(format_args!("targets[{position}]"), class, among.classes)?;
        }
        Ok(self.classes.iter().map(|&class| class as i64).collect())
    }

    fn settings(&self) -> Value {
        named::<dyn Targets>("given", self)
    }
}
