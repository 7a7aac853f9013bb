use super::{Choice, Targets, in_range};
use crate::base::{Result, named};
use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The same class for all images.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Serialize, Deserialize)]
#[display("class {class}")]
#[serde(deny_unknown_fields)]
pub struct FixedTarget {
    /// The class.
    pub class: usize,
}

impl FixedTarget {
    /// This class for all images.
    pub fn new(class: usize) -> Self {
        Self { class }
    }
}

impl Targets for FixedTarget {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        in_range("targets", self.class, among.classes)?;
        Ok(vec![self.class as i64; among.labels.len()])
    }

    fn settings(&self) -> Value {
        named::<dyn Targets>("fixed", self)
    }
}
