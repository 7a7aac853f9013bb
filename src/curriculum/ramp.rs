//! What schedules that go from one value to another have in common.

use super::{Scaling, When};
use crate::base::{Error, Result};

/// The epochs of a ramp: level before and after.
#[derive(Clone, Copy)]
pub(super) struct Ramp {
    pub first: When,
    pub last: When,
}

impl Ramp {
    /// The value at `epoch`: `from` up to the first epoch, `to` from the last one on, and
    /// `between(part)` of the way in parts from 0 to 1.
    pub fn at(
        self,
        (epoch, epochs): (usize, usize),
        (from, to): (f64, f64),
        between: impl Fn(f64) -> f64,
    ) -> f64 {
        let (first, last) = (self.first.start(epochs), self.last.end(epochs));
        if epoch >= last {
            to
        } else if epoch <= first {
            from
        } else {
            let part = (epoch - first) as f64 / (last - first) as f64;
            // Rounding must not carry the value past the end of the ramp.
            between(part).clamp(from.min(to), from.max(to))
        }
    }

    /// # Errors
    ///
    /// [`Error::Setting`] unless both ends lie within `epochs` epochs, the last not before the first.
    pub fn check(self, epochs: usize) -> Result<()> {
        let Self { first, last } = self;
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

    /// The ends in another number of epochs. Fractions scale by themselves.
    pub fn scaled(self, scaling: &Scaling) -> Self {
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
        Self { first, last }
    }
}
