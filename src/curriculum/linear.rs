use super::ramp::Ramp;
use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// From one value to another in equal steps.
///
/// ```
/// use fireproof::curriculum::{Linear, Schedule};
///
/// let ramp = Linear::new(0.0, 8.0);
/// assert_eq!([1, 2, 3, 4, 5].map(|epoch| ramp.at(epoch, 5)), [0.0, 2.0, 4.0, 6.0, 8.0]);
/// let short = ramp.between(2, 4);
/// assert_eq!([1, 2, 3, 4, 5].map(|epoch| short.at(epoch, 5)), [0.0, 0.0, 4.0, 8.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The value at `first` and before.
    pub from: f64,
    /// The value at `last` and after.
    pub to: f64,
    /// The first epoch of the ramp, or the fraction of epochs that pass before it.
    pub first: When,
    /// The last epoch of the ramp, or the fraction of epochs that have passed with it.
    pub last: When,
}

impl Linear {
    /// A ramp over all epochs: `from` at the first, `to` at the last. A single epoch has `to`.
    pub fn new(from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            first: When::Fraction(0.0),
            last: When::Fraction(1.0),
        }
    }

    /// A ramp between these epochs or fractions of the epochs, level before and after.
    pub fn between(self, first: impl Into<When>, last: impl Into<When>) -> Self {
        Self {
            first: first.into(),
            last: last.into(),
            ..self
        }
    }

    fn ramp(&self) -> Ramp {
        Ramp {
            first: self.first,
            last: self.last,
        }
    }
}

impl Schedule for Linear {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let (from, to) = (self.from, self.to);
        self.ramp().at((epoch, epochs), (from, to), |part| {
            from + (to - from) * part
        })
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("linear", self)
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        vec![self.from, self.to]
    }

    fn check(&self, epochs: usize) -> Result<()> {
        self.ramp().check(epochs)
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let Ramp { first, last } = self.ramp().scaled(scaling);
        Some(self.between(first, last).into())
    }
}
