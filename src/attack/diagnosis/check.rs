use super::checks::*;
use super::{Evidence, Finding};
use crate::base::statistics::wilson;
use crate::base::{Error, Result, Spec, open_kind};
use serde_json::Value;
use std::fmt;

/// A look for one sign that an evaluation is not to be trusted.
///
/// Object-safe. Thresholds are its fields, so that files have them.
pub trait Check: fmt::Debug + Send + Sync {
    /// Looks at the evidence; makes passes through it where it needs more. `None` if there is no sign.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from looking, such as images without bounds: it is told as
    /// [`Unmade`](super::Unmade).
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>>;

    /// Refuses thresholds that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    fn check(&self) -> Result<()>;

    /// The name in files, with the thresholds.
    fn settings(&self) -> Value;
}

/// A check as a plain value, in files by name.
pub type CheckSpec = Spec<dyn Check>;

// What this crate looks for: the name in files, and the check with its own thresholds. In this order, by
// what costs the least first.
macro_rules! built_in {
    ($($name:literal => $check:ident),+ $(,)?) => {
        open_kind! {
            Check in "check";
            with settings: $($name => $check),+;
        }

        pub(super) fn every_check() -> Vec<CheckSpec> {
            vec![$($check::default().into()),+]
        }
    };
}

built_in! {
    "out_of_bounds" => OutOfBounds,
    "normalised" => Normalised,
    "scale" => Scale,
    "probabilities" => Probabilities,
    "random_answers" => RandomAnswers,
    "saturated_loss" => SaturatedLoss,
    "vanished_gradients" => VanishedGradients,
    "undefined_gradients" => UndefinedGradients,
    "rising_loss" => RisingLoss,
    "overlooked" => Overlooked,
    "black_box" => BlackBox,
    "no_fall" => NoFall,
    "rounding" => Rounding,
}

/// Refuses a share that is none.
pub(super) fn check_share(setting: &str, share: f64) -> Result<()> {
    let valid = (0.0..=1.0).contains(&share);
    Error::unless(valid, setting, share, "a share from 0 to 1")
}

/// Refuses a number that is negative or not finite.
pub(super) fn check_number(setting: &str, number: f64) -> Result<()> {
    let valid = number >= 0.0 && number.is_finite();
    Error::unless(valid, setting, number, "a finite number, 0 or more")
}

/// Whether more than a share of images are, beyond what chance may make of a few: by the lower end of the
/// 95 % interval.
pub(super) fn surely_exceeds(images: usize, of: usize, share: f64) -> bool {
    images > 0 && wilson(images, of).low > share
}

/// Whether more than a share of images are.
pub(super) fn exceeds(images: usize, of: usize, share: f64) -> bool {
    images > 0 && images as f64 > share * of as f64
}
