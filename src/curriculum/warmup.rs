use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Another schedule that is reached in equal steps: its value at an epoch times 1/n in the first
/// epoch, 2/n in the second, and all of it from the n-th on.
///
/// For ε: a network that has learnt nothing yet is not attacked in full (as in T. Pang et al. 2021,
/// "Bag of tricks for adversarial training"). What is warmed up may be any schedule, a curriculum's
/// milestones among them.
///
/// ```
/// use fireproof::curriculum::{Schedule, Warmup};
///
/// let warm = Warmup::new(0.3, 3);
/// let values = [1, 2, 3, 4].map(|epoch| warm.at(epoch, 10));
/// assert_eq!(values, [0.3 * (1.0 / 3.0), 0.3 * (2.0 / 3.0), 0.3, 0.3]);
/// assert_eq!(Warmup::new(0.3, 0.2).at(1, 10), 0.15); // over a fifth of the epochs
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// What is reached.
    pub of: ScheduleSpec,
    /// The first epoch with all of it, or the fraction of epochs that have passed with that one.
    pub until: When,
}

impl Warmup {
    /// This schedule or number, in full from an epoch on, or after a fraction of the epochs.
    pub fn new(of: impl Into<ScheduleSpec>, until: impl Into<When>) -> Self {
        Self {
            of: of.into(),
            until: until.into(),
        }
    }
}

impl Schedule for Warmup {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let (value, until) = (self.of.at(epoch, epochs), self.until.end(epochs));
        match epoch < until {
            true => value * (epoch as f64 / until as f64),
            false => value,
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("warmup", self)
    }

    // What is between 0 and a value that may be, may be.
    fn values(&self, epochs: usize) -> Vec<f64> {
        self.of.values(epochs)
    }

    fn check(&self, epochs: usize) -> Result<()> {
        self.until.check(epochs)?;
        self.of.check(epochs)
    }

    fn switches(&self, epochs: usize) -> Vec<usize> {
        self.of.switches(epochs)
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let until = match self.until {
            When::Epoch(epoch) => When::Epoch(scaling.epochs(epoch).clamp(1, scaling.new.max(1))),
            fraction => fraction,
        };
        let of = self.of.scaled(scaling);
        Some(Self::new(of.unwrap_or_else(|| self.of.clone()), until).into())
    }
}
