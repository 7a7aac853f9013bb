use super::{Milestone, Scaling, Schedule, ScheduleSpec, When};
use crate::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values at some epochs or fractions of the epochs, and straight lines between them; level before
/// the first and after the last.
///
/// With a value for each epoch it is any schedule at all. With few it is what
/// a picture shows: the learning rate of fast adversarial training, for instance, which rises and falls
/// (E. Wong et al. 2020, "Fast is better than free").
///
/// ```
/// use fireproof::curriculum::{Schedule, Table};
///
/// let cyclic = Table::new([(0.0, 0.0), (0.4, 0.2), (1.0, 0.0)]);
/// assert_eq!([1, 4, 7, 10].map(|epoch| cyclic.at(epoch, 10)), [0.0, 0.2, 0.1, 0.0]);
/// let each = Table::of_epochs([0.1, 0.3, 0.2]);
/// assert_eq!([1, 2, 3].map(|epoch| each.at(epoch, 3)), [0.1, 0.3, 0.2]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The values in order, each reached in its epoch, or in the last epoch of the fraction (0: in
    /// the first one).
    pub points: Vec<Milestone>,
}

impl Table {
    /// Values by their epochs (from 1), or by the fractions of the epochs that have passed with them,
    /// in ascending order.
    pub fn new<W: Into<When>>(points: impl IntoIterator<Item = (W, f64)>) -> Self {
        let point = |(at, value): (W, f64)| Milestone {
            from: at.into(),
            value,
        };
        Self {
            points: points.into_iter().map(point).collect(),
        }
    }

    /// A value for each epoch, from the first on. Epochs after the last value have that one.
    pub fn of_epochs(values: impl IntoIterator<Item = f64>) -> Self {
        Self::new((1..).zip(values))
    }
}

// The epoch of a point.
fn place(at: When, epochs: usize) -> usize {
    at.end(epochs).max(1)
}

impl Schedule for Table {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let at = |point: &Milestone| place(point.from, epochs);
        // Of points that a short training has in one epoch, the last one holds.
        let after = self.points.partition_point(|point| at(point) <= epoch);
        match (after.checked_sub(1), self.points.get(after)) {
            (None, _) => self.points[0].value,
            (Some(before), None) => self.points[before].value,
            (Some(before), Some(next)) => {
                let (from, to) = (self.points[before], next);
                let part = (epoch - at(&from)) as f64 / (at(to) - at(&from)) as f64;
                from.value + (to.value - from.value) * part
            }
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("table", self)
    }

    fn values(&self, _epochs: usize) -> Vec<f64> {
        self.points.iter().map(|point| point.value).collect()
    }

    fn check(&self, epochs: usize) -> Result<()> {
        Error::unless(!self.points.is_empty(), "table", "no value", "at least one")?;
        for point in &self.points {
            point.from.check(epochs)?;
        }
        for pair in self.points.windows(2) {
            let (a, b) = (pair[0].from, pair[1].from);
            let rises = a != b && place(a, epochs) <= place(b, epochs);
            let name = format_args!("point after {a}");
            Error::unless(rises, name, b, "points in ascending order")?;
        }
        Ok(())
    }

    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let mut points: Vec<Milestone> = Vec::new();
        for &Milestone { from, value } in &self.points {
            let from = match from {
                When::Epoch(1) => When::Epoch(1),
                When::Epoch(epoch) => {
                    When::Epoch(scaling.epochs(epoch).clamp(1, scaling.new.max(1)))
                }
                fraction => fraction,
            };
            // The later one, as where fractions meet.
            points.pop_if(|last| last.from == from);
            points.push(Milestone { from, value });
        }
        Some(Self { points }.into())
    }
}
