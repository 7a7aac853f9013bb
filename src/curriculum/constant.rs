use super::Schedule;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The same value at every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Constant(pub f64);

impl Schedule for Constant {
    fn at(&self, _epoch: usize, _epochs: usize) -> f64 {
        self.0
    }

    fn settings(&self) -> Value {
        self.0.into()
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        vec![self.0]
    }
}
