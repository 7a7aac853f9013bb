use super::checks::*;
use super::{Evidence, Finding};
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

open_kind! {
    Check in "check",
    "out_of_bounds" => |check: OutOfBounds| check,
    "normalised" => |check: Normalised| check,
    "scale" => |check: Scale| check,
    "probabilities" => |check: Probabilities| check,
    "random_answers" => |check: RandomAnswers| check,
    "saturated_loss" => |check: SaturatedLoss| check,
    "vanished_gradients" => |check: VanishedGradients| check,
    "undefined_gradients" => |check: UndefinedGradients| check,
    "rising_loss" => |check: RisingLoss| check,
    "overlooked" => |check: Overlooked| check,
    "black_box" => |check: BlackBox| check,
    "no_fall" => |check: NoFall| check,
    "rounding" => |check: Rounding| check,
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

/// Whether more than a share of images are.
pub(super) fn exceeds(images: usize, of: usize, share: f64) -> bool {
    images > 0 && images as f64 > share * of as f64
}
