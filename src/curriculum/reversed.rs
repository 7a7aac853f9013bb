use super::{Scaling, Schedule, ScheduleSpec};
use crate::base::{Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Another schedule from its end to its beginning: every value for as many epochs, the last ones
/// first.
///
/// ```
/// use fireproof::curriculum::{Milestones, Reversed, Schedule};
///
/// let back = Reversed::new(Milestones::new([(1, 0.1), (3, 0.2)]));
/// assert_eq!([1, 2, 3].map(|epoch| back.at(epoch, 3)), [0.2, 0.1, 0.1]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversed {
    /// What is gone through backwards.
    pub of: ScheduleSpec,
}

impl Reversed {
    /// This schedule, backwards.
    pub fn new(of: impl Into<ScheduleSpec>) -> Self {
        Self { of: of.into() }
    }
}

impl Schedule for Reversed {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        self.of
            .at((epochs + 1).saturating_sub(epoch).max(1), epochs)
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("reversed", self)
    }

    fn values(&self, epochs: usize) -> Vec<f64> {
        self.of.values(epochs)
    }

    fn check(&self, epochs: usize) -> Result<()> {
        self.of.check(epochs)
    }

    // What begins at an epoch ends, seen from the end, with the one before it.
    fn switches(&self, epochs: usize) -> Vec<usize> {
        let mirrored = |at: usize| epochs + 2 - at;
        let switches = self.of.switches(epochs).into_iter().rev();
        switches.map(mirrored).collect()
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let of = self.of.scaled(&scaling.mirrored());
        Some(Self::new(of.unwrap_or_else(|| self.of.clone())).into())
    }
}
