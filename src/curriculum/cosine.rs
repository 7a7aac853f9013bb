use super::ramp::Ramp;
use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// From one value to another along half a wave of the cosine: slowly at both ends, fastest in the
/// middle.
///
/// As a learning rate it is cosine annealing (I. Loshchilov and F. Hutter 2017, "SGDR", equation 5,
/// without restarts): PyTorch's `CosineAnnealingLR(T_max = epochs - 1, eta_min = to)`. A learning
/// rate must stay above 0, so let it end there.
///
/// ```
/// use fireproof::curriculum::{Cosine, Schedule};
///
/// let ramp = Cosine::new(0.0, 8.0);
/// let values = [1, 2, 3, 4, 5].map(|epoch| ramp.at(epoch, 5));
/// assert_eq!([values[0], values[4]], [0.0, 8.0]);
/// assert!(values[1] < 2.0 && (values[2] - 4.0).abs() < 1e-12 && values[3] > 6.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The value at `first` and before.
    pub from: f64,
    /// The value at `last` and after.
    pub to: f64,
    /// The first epoch of the ramp, or the fraction of epochs that pass before it.
    pub first: When,
    /// The last epoch of the ramp, or the fraction of epochs that have passed with it.
    pub last: When,
}

impl Cosine {
    /// Half a wave over all epochs: `from` at the first, `to` at the last. A single epoch has `to`.
    pub fn new(from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            first: When::Fraction(0.0),
            last: When::Fraction(1.0),
        }
    }

    /// Half a wave between these epochs or fractions of the epochs, level before and after.
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

impl Schedule for Cosine {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let (from, to) = (self.from, self.to);
        self.ramp().at((epoch, epochs), (from, to), |part| {
            from + (to - from) * 0.5 * (1.0 - (PI * part).cos())
        })
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("cosine", self)
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
