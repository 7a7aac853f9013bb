use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// A point in training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// An epoch, counted from 1.
    Epoch(usize),
    /// A fraction of all epochs, from 0 to 1, to the nearest whole number of epochs.
    Fraction(f64),
}

/// A value and when it begins to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// The first epoch with the value, or the fraction of epochs that pass before it.
    pub from: When,
    /// The value.
    pub value: f64,
}

/// One number for every epoch.
///
/// ```
/// use fireproof::curriculum::Schedule;
///
/// let steps = Schedule::milestones([(1, 0.1), (75, 0.01)]);
/// assert_eq!((steps.at(74, 120), steps.at(75, 120)), (0.1, 0.01));
///
/// let ramp = Schedule::linear(0.0, 8.0);
/// assert_eq!([1, 2, 3, 4, 5].map(|epoch| ramp.at(epoch, 5)), [0.0, 2.0, 4.0, 6.0, 8.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same value at every epoch.
    Constant(f64),
    /// Each value until the next one begins. The first must begin with the first epoch.
    Milestones(Vec<Milestone>),
    /// From one value to another in equal steps.
    #[serde(rename_all = "snake_case")]
    Linear {
        /// The value at `first` and before.
        from: f64,
        /// The value at `last` and after.
        to: f64,
        /// The first epoch of the ramp, or the fraction of epochs that pass before it.
        first: When,
        /// The last epoch of the ramp, or the fraction of epochs that have passed with it.
        last: When,
    },
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl From<usize> for Schedule {
    fn from(value: usize) -> Self {
        Self::Constant(value as f64)
    }
}

impl Schedule {
    /// Values by the epoch (from 1) at which each begins, in ascending order from epoch 1 on.
    pub fn milestones(values: impl IntoIterator<Item = (usize, f64)>) -> Self {
        Self::milestones_at(values.into_iter().map(|(e, v)| (When::Epoch(e), v)))
    }

    /// Values by the fraction of the epochs after which each begins, in ascending order from 0 on.
    pub fn milestone_fractions(values: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self::milestones_at(values.into_iter().map(|(f, v)| (When::Fraction(f), v)))
    }

    fn milestones_at(values: impl Iterator<Item = (When, f64)>) -> Self {
        Self::Milestones(
            values
                .map(|(from, value)| Milestone { from, value })
                .collect(),
        )
    }

    /// A ramp over all epochs: `from` at the first, `to` at the last. A single epoch has `to`.
    pub fn linear(from: f64, to: f64) -> Self {
        Self::linear_fractions(from, to, 0.0, 1.0)
    }

    /// A ramp from `from` at epoch `first` to `to` at epoch `last`, level before and after.
    pub fn linear_epochs(from: f64, to: f64, first: usize, last: usize) -> Self {
        Self::Linear {
            from,
            to,
            first: When::Epoch(first),
            last: When::Epoch(last),
        }
    }

    /// A ramp between these fractions of the epochs, level before and after.
    pub fn linear_fractions(from: f64, to: f64, first: f64, last: f64) -> Self {
        Self::Linear {
            from,
            to,
            first: When::Fraction(first),
            last: When::Fraction(last),
        }
    }

    /// The value at `epoch` (counted from 1) of `epochs`.
    ///
    /// # Panics
    ///
    /// Panics if there are no milestones; [`Curriculum::check`](super::Curriculum::check) refuses
    /// that.
    pub fn at(&self, epoch: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Milestones(milestones) => {
                milestones
                    .iter()
                    .rev()
                    .find(|milestone| milestone.from.start(epochs) <= epoch)
                    .unwrap_or(&milestones[0])
                    .value
            }
            Self::Linear {
                from,
                to,
                first,
                last,
            } => {
                let (first, last) = (first.start(epochs), last.end(epochs));
                if epoch >= last {
                    *to
                } else if epoch <= first {
                    *from
                } else {
                    let part = (epoch - first) as f64 / (last - first) as f64;
                    // Rounding must not carry the value past the end of the ramp.
                    (from + (to - from) * part).clamp(from.min(*to), from.max(*to))
                }
            }
        }
    }

    /// All values the schedule is made of.
    pub(super) fn values(&self) -> Vec<f64> {
        match self {
            Self::Constant(value) => vec![*value],
            Self::Milestones(milestones) => milestones.iter().map(|m| m.value).collect(),
            Self::Linear { from, to, .. } => vec![*from, *to],
        }
    }

    /// Refuses what makes no sense in `epochs` epochs, or a value that `valid` refuses.
    pub(super) fn check(
        &self,
        name: &str,
        epochs: usize,
        valid: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Result<()> {
        if let Some(value) = self.values().into_iter().find(|&v| !valid(v)) {
            return Err(Error::setting(name, value, expected));
        }
        match self {
            Self::Constant(_) => Ok(()),
            Self::Milestones(milestones) => check_milestones(name, milestones, epochs),
            Self::Linear { first, last, .. } => {
                first.check(name, epochs)?;
                last.check(name, epochs)?;
                let ordered = match (first, last) {
                    (When::Epoch(a), When::Epoch(b)) => a <= b,
                    (When::Fraction(a), When::Fraction(b)) => a <= b,
                    _ => first.start(epochs) <= last.end(epochs),
                };
                if !ordered {
                    return Err(Error::setting(
                        format!("{name}: ramp"),
                        format!("{first} to {last}"),
                        "an end that is not before the start",
                    ));
                }
                Ok(())
            }
        }
    }
}

fn check_milestones(name: &str, milestones: &[Milestone], epochs: usize) -> Result<()> {
    let Some(first) = milestones.first() else {
        return Err(Error::setting(name, "no milestone", "at least one"));
    };
    for milestone in milestones {
        milestone.from.check(name, epochs)?;
    }
    if first.from.start(epochs) != 1 {
        return Err(Error::setting(
            format!("{name}: first milestone"),
            first.from,
            "epoch 1 or fraction 0",
        ));
    }
    for pair in milestones.windows(2) {
        let (a, b) = (pair[0].from, pair[1].from);
        if a == b || a.start(epochs) > b.start(epochs) {
            return Err(Error::setting(
                format!("{name}: milestone after {a}"),
                b,
                "milestones in ascending order",
            ));
        }
    }
    Ok(())
}

impl When {
    /// The first epoch after this point; may lie beyond the last epoch.
    pub(super) fn start(self, epochs: usize) -> usize {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Fraction(fraction) => 1 + (fraction * epochs as f64).round() as usize,
        }
    }

    /// The last epoch before this point, which an epoch itself belongs to.
    pub(super) fn end(self, epochs: usize) -> usize {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Fraction(fraction) => (fraction * epochs as f64).round() as usize,
        }
    }

    fn check(self, name: &str, epochs: usize) -> Result<()> {
        let (inside, expected) = match self {
            Self::Epoch(epoch) => ((1..=epochs).contains(&epoch), format!("1 to {epochs}")),
            Self::Fraction(f) => ((0.0..=1.0).contains(&f), "0 to 1".to_owned()),
        };
        match inside {
            true => Ok(()),
            false => Err(Error::setting(
                format!("{name}: point in training"),
                self,
                expected,
            )),
        }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Epoch(epoch) => write!(f, "epoch {epoch}"),
            Self::Fraction(fraction) => write!(f, "fraction {fraction}"),
        }
    }
}
