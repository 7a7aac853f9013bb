use super::ramp::Ramp;
use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// From one value to another in equal ratios: every epoch multiplies by the same number.
///
/// PyTorch's `ExponentialLR` with γ = (to / from)^(1 / (epochs - 1)); given by its ends, it keeps
/// them in any number of epochs.
///
/// ```
/// use fireproof::curriculum::{Exponential, Schedule};
///
/// let fall = Exponential::new(0.4, 0.1);
/// assert_eq!([1, 2, 3].map(|epoch| fall.at(epoch, 3)), [0.4, 0.2, 0.1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The value at `first` and before, above 0.
    pub from: f64,
    /// The value at `last` and after, above 0.
    pub to: f64,
    /// The first epoch of the ramp, or the fraction of epochs that pass before it.
    pub first: When,
    /// The last epoch of the ramp, or the fraction of epochs that have passed with it.
    pub last: When,
}

impl Exponential {
    /// Equal ratios over all epochs: `from` at the first, `to` at the last. A single epoch has `to`.
    pub fn new(from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            first: When::Fraction(0.0),
            last: When::Fraction(1.0),
        }
    }

    /// Equal ratios between these epochs or fractions of the epochs, level before and after.
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

impl Schedule for Exponential {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let (from, to) = (self.from, self.to);
        self.ramp().at((epoch, epochs), (from, to), |part| {
            from * (to / from).powf(part)
        })
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("exponential", self)
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        vec![self.from, self.to]
    }

    fn check(&self, epochs: usize) -> Result<()> {
        for (end, value) in [("from", self.from), ("to", self.to)] {
            let positive = value.is_finite() && value > 0.0;
            Error::unless(
                positive,
                format_args!("exponential: {end}"),
                value,
                "a finite number above 0",
            )?;
        }
        self.ramp().check(epochs)
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let Ramp { first, last } = self.ramp().scaled(scaling);
        Some(self.between(first, last).into())
    }
}
