use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Error, Result, named};
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

    /// The ramp between these epochs or fractions of the epochs, level before and after.
    pub fn between(self, first: impl Into<When>, last: impl Into<When>) -> Self {
        Self {
            first: first.into(),
            last: last.into(),
            ..self
        }
    }
}

impl Schedule for Linear {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let (from, to) = (self.from, self.to);
        let (first, last) = (self.first.start(epochs), self.last.end(epochs));
        if epoch >= last {
            to
        } else if epoch <= first {
            from
        } else {
            let part = (epoch - first) as f64 / (last - first) as f64;
            // Rounding must not carry the value past the end of the ramp.
            (from + (to - from) * part).clamp(from.min(to), from.max(to))
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("linear", self)
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        vec![self.from, self.to]
    }

    fn check(&self, epochs: usize) -> Result<()> {
        let (first, last) = (self.first, self.last);
        first.check(epochs)?;
        last.check(epochs)?;
        let ordered = match (first, last) {
            (When::Epoch(a), When::Epoch(b)) => a <= b,
            (When::Fraction(a), When::Fraction(b)) => a <= b,
            _ => first.start(epochs) <= last.end(epochs),
        };
        let found = format_args!("{first} to {last}");
        let expected = "an end that is not before the start";
        Error::unless(ordered, "ramp", found, expected)
    }

    // Fractions scale by themselves.
    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let new = scaling.new;
        let first = match self.first {
            When::Epoch(epoch) => {
                let before = scaling.epochs(epoch.saturating_sub(1));
                When::Epoch((before + 1).min(new))
            }
            fraction => fraction,
        };
        let last = match self.last {
            When::Epoch(epoch) => {
                let end = scaling.epochs(epoch);
                When::Epoch(end.max(first.start(new)).min(new))
            }
            fraction => fraction,
        };
        Some(self.between(first, last).into())
    }
}
