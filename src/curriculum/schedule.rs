use super::{Constant, Cosine, Exponential, Linear, Milestones, Reversed, Scaling, Table, Warmup};
use crate::base::{Error, Result, Spec, open_kind};
use serde_json::Value;
use std::fmt;

/// One number for every epoch.
///
/// Built in are [`Constant`] (a plain number converts into it), [`Milestones`], the ramps [`Linear`],
/// [`Cosine`] and [`Exponential`], [`Table`], and [`Warmup`] and [`Reversed`] of any other. One of your own
/// needs [`at`](Schedule::at) and [`settings`](Schedule::settings); for files to know
/// it, add it to the [`registry`](crate::base::Kind::registry):
///
/// ```
/// use fireproof::base::{Kind, named};
/// use fireproof::curriculum::{Curriculum, Schedule, ScheduleSpec};
/// use serde::{Deserialize, Serialize};
/// use std::sync::Arc;
///
/// #[derive(Debug, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Halving {
///     from: f64,
/// }
///
/// impl Schedule for Halving {
///     fn at(&self, epoch: usize, _epochs: usize) -> f64 {
///         self.from * 0.5f64.powi(epoch as i32 - 1)
///     }
///
///     fn settings(&self) -> serde_json::Value {
///         named::<dyn Schedule>("halving", self)
///     }
/// }
///
/// <dyn Schedule>::registry().add("halving", |halving: Halving| Arc::new(halving))?;
/// let curriculum = Curriculum::new(3).with_learning_rate(Halving { from: 0.4 });
/// assert_eq!(curriculum.stage(3).learning_rate, 0.1);
/// let json = r#"{"schedule": "halving", "from": 0.4}"#;
/// assert_eq!(serde_json::from_str::<ScheduleSpec>(json).unwrap(), Halving { from: 0.4 }.into());
/// # Ok::<(), fireproof::base::Error>(())
/// ```
pub trait Schedule: fmt::Debug + Send + Sync {
    /// The value at `epoch` (counted from 1) of `epochs`.
    ///
    /// # Panics
    ///
    /// May panic if [`check`](Schedule::check) refuses the schedule.
    fn at(&self, epoch: usize, epochs: usize) -> f64;

    /// Everything that determines the schedule, with its name: see [`Kind::settings`](crate::base::Kind::settings).
    fn settings(&self) -> Value;

    /// The values that a curriculum must allow, by default those of all epochs. A schedule whose
    /// values may be rounded, as the number of steps is, gives only those it is made of.
    fn values(&self, epochs: usize) -> Vec<f64> {
        (1..=epochs).map(|epoch| self.at(epoch, epochs)).collect()
    }

    /// Refuses what makes no sense in this many epochs.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    fn check(&self, epochs: usize) -> Result<()> {
        let _ = epochs;
        Ok(())
    }

    /// The epochs after the first at which the value jumps: the stages between them keep an epoch
    /// each, where possible, when the curriculum is [scaled](super::Curriculum::scaled_to).
    fn switches(&self, epochs: usize) -> Vec<usize> {
        let _ = epochs;
        Vec::new()
    }

    /// The schedule in another number of epochs, or `None` if [`at`](Schedule::at) says as it is.
    fn scaled(&self, scaling: &Scaling) -> Option<ScheduleSpec> {
        let _ = scaling;
        None
    }
}

/// A [`Schedule`] as a plain value: cheap to clone, in files by name.
///
/// A number in a file is a [`Constant`].
pub type ScheduleSpec = Spec<dyn Schedule>;

open_kind! {
    Schedule in "schedule" or "constant";
    with settings: "constant" => Constant, "milestones" => Milestones, "linear" => Linear,
        "cosine" => Cosine, "exponential" => Exponential, "table" => Table, "warmup" => Warmup,
        "reversed" => Reversed;
}

impl From<f64> for ScheduleSpec {
    fn from(value: f64) -> Self {
        Constant(value).into()
    }
}

impl From<usize> for ScheduleSpec {
    fn from(value: usize) -> Self {
        Constant(value as f64).into()
    }
}

/// Refuses, under this name, a schedule that makes no sense or a value that `valid` refuses.
pub(super) fn check(
    schedule: &ScheduleSpec,
    name: &str,
    epochs: usize,
    valid: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<()> {
    let values = schedule.values(epochs);
    if let Some(value) = values.into_iter().find(|&value| !valid(value)) {
        return Err(Error::setting(name, value, expected));
    }
    schedule.check(epochs).map_err(|error| match error {
        Error::Setting {
            setting,
            found,
            expected,
        } => Error::setting(format!("{name}: {setting}"), found, expected),
        other => other,
    })
}
