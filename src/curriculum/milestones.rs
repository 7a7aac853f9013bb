use super::{Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value and when it begins to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// The first epoch with the value, or the fraction of epochs that pass before it.
    pub from: When,
    /// The value.
    pub value: f64,
}

/// Each value until the next one begins. The first must begin with the first epoch.
///
/// ```
/// use fireproof::curriculum::{Milestones, Schedule};
///
/// let by_epoch = Milestones::new([(1, 0.1), (75, 0.01)]);
/// assert_eq!((by_epoch.at(74, 120), by_epoch.at(75, 120)), (0.1, 0.01));
/// let by_fraction = Milestones::new([(0.0, 0.1), (0.5, 0.01)]);
/// assert_eq!((by_fraction.at(60, 120), by_fraction.at(61, 120)), (0.1, 0.01));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestones {
    /// The values in order.
    pub values: Vec<Milestone>,
}

impl Milestones {
    /// Values by the epoch (from 1) at which each begins, in ascending order from epoch 1 on; or
    /// by the fraction of the epochs after which each begins, in ascending order from 0.0 on.
    pub fn new<W: Into<When>>(values: impl IntoIterator<Item = (W, f64)>) -> Self {
        let milestone = |(from, value): (W, f64)| Milestone {
            from: from.into(),
            value,
        };
        Self {
            values: values.into_iter().map(milestone).collect(),
        }
    }
}

impl Schedule for Milestones {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let begun = |milestone: &&Milestone| milestone.from.start(epochs) <= epoch;
        let last = self.values.iter().rev().find(begun);
        last.unwrap_or(&self.values[0]).value
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("milestones", self)
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        self.values.iter().map(|of| of.value).collect()
    }

    fn check(&self, epochs: usize) -> Result<()> {
        let Some(first) = self.values.first() else {
            return Err(Error::setting("milestones", "none", "at least one"));
        };
        for milestone in &self.values {
            milestone.from.check(epochs)?;
        }
        let begins = first.from.start(epochs) == 1;
        let expected = "epoch 1 or fraction 0";
        Error::unless(begins, "first milestone", first.from, expected)?;
        for pair in self.values.windows(2) {
            let (a, b) = (pair[0].from, pair[1].from);
            let rises = a != b && a.start(epochs) <= b.start(epochs);
            let name = format_args!("milestone after {a}");
            Error::unless(rises, name, b, "milestones in ascending order")?;
        }
        Ok(())
    }

    fn switches(&self, epochs: usize) -> Vec<usize> {
        let starts = self
            .values
            .iter()
            .map(|milestone| milestone.from.start(epochs));
        starts
            .filter(|&at| {
                (2..=epochs).contains(&at) && self.at(at, epochs) != self.at(at - 1, epochs)
            })
            .collect()
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        if scaling.starts.is_empty() || self.values.is_empty() {
            return None;
        }
        let mut scaled: Vec<Milestone> = Vec::new();
        for &(old, new) in &scaling.starts {
            let value = self.at(old, scaling.old);
            if scaled.last().is_none_or(|last| last.value != value) {
                let from = When::Epoch(new);
                scaled.push(Milestone { from, value });
            }
        }
        Some(Self { values: scaled }.into())
    }
}
