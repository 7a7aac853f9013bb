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

/// A schedule that goes from one value to another between two epochs: its fields, how it is made, and all
/// that such schedules say alike. Given are its name in files, its values between the ends
/// (`|from, to, part| ..`), and what its ends must be, if anything.
macro_rules! ramp {
    (
        $(#[$about:meta])*
        pub struct $ramp:ident in $name:literal: $between:expr $(, ends $check:expr)?;
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $ramp {
            /// The value at `first` and before.
            pub from: f64,
            /// The value at `last` and after.
            pub to: f64,
            /// The first epoch of the ramp, or the fraction of epochs that pass before it.
            pub first: $crate::curriculum::When,
            /// The last epoch of the ramp, or the fraction of epochs that have passed with it.
            pub last: $crate::curriculum::When,
        }

        impl $ramp {
            /// A ramp over all epochs: `from` at the first, `to` at the last. A single epoch has `to`.
            pub fn new(from: f64, to: f64) -> Self {
                Self {
                    from,
                    to,
                    first: $crate::curriculum::When::Fraction(0.0),
                    last: $crate::curriculum::When::Fraction(1.0),
                }
            }

            /// A ramp between these epochs or fractions of the epochs, level before and after.
            pub fn between(
                self,
                first: impl Into<$crate::curriculum::When>,
                last: impl Into<$crate::curriculum::When>,
            ) -> Self {
                Self {
                    first: first.into(),
                    last: last.into(),
                    ..self
                }
            }

            fn ramp(&self) -> $crate::curriculum::ramp::Ramp {
                $crate::curriculum::ramp::Ramp {
                    first: self.first,
                    last: self.last,
                }
            }
        }

        impl $crate::curriculum::Schedule for $ramp {
            fn at(&self, epoch: usize, epochs: usize) -> f64 {
                let (from, to) = (self.from, self.to);
                let between: fn(f64, f64, f64) -> f64 = $between;
                self.ramp().at((epoch, epochs), (from, to), |part| between(from, to, part))
            }

            fn settings(&self) -> serde_json::Value {
                $crate::base::named::<dyn $crate::curriculum::Schedule>($name, self)
            }

            fn values(&self, _epochs: usize) -> Vec<f64> {
                vec![self.from, self.to]
            }

            fn check(&self, epochs: usize) -> $crate::base::Result<()> {
                $(
                    let check: fn(&str, f64) -> $crate::base::Result<()> = $check;
                    check("from", self.from)?;
                    check("to", self.to)?;
                )?
                self.ramp().check(epochs)
            }

            fn scaled(
                &self,
                scaling: &$crate::curriculum::Scaling,
            ) -> Option<$crate::curriculum::ScheduleSpec> {
                let ramp = self.ramp().scaled(scaling);
                Some(self.between(ramp.first, ramp.last).into())
            }
        }
    };
}
pub(super) use ramp;
