use serde::{Deserialize, Serialize};

/// A two-sided confidence interval: of a proportion, within `[0, 1]`, of a difference of two, within
/// `[-1, 1]`, or of a sum of two, within `[0, 2]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether the interval holds this value.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}
