//! Pose budgets as levels of attacks.

use crate::base::{Degrees, Error, Pixels, Result};
use crate::transform::PoseBudget;

/// The level of a budget: degrees and pixels.
pub(in crate::attack) fn of(budget: PoseBudget) -> Vec<f64> {
    vec![budget.angle.0, budget.shift.0]
}

/// A budget at another level. One number is the largest angle in degrees, and the largest shift follows
/// in proportion; where there is no angle it is the largest shift. Two are both.
///
/// # Errors
///
/// [`Error::Setting`] for any other number of them.
pub(in crate::attack) fn at(budget: PoseBudget, level: &[f64]) -> Result<PoseBudget> {
    let PoseBudget { angle, shift } = budget;
    let (angle, shift) = match *level {
        [both] if angle.0 != 0.0 => (both, shift.0 * (both / angle.0)),
        [own] if shift.0 != 0.0 => (0.0, own),
        [own] => (own, 0.0),
        [angle, shift] => (angle, shift),
        _ => {
            let expected = "one number, or degrees and pixels";
            return Err(Error::setting("level", format!("{level:?}"), expected));
        }
    };
    Ok(PoseBudget {
        angle: Degrees(angle),
        shift: Pixels(shift),
    })
}

/// A budget at the numbers of a level before the last one, if there are any, and the last one.
///
/// # Errors
///
/// [`Error::Setting`] for any other number of them than one to three.
pub(super) fn split(budget: PoseBudget, level: &[f64]) -> Result<(PoseBudget, f64)> {
    match level {
        [last] => Ok((budget, *last)),
        [own @ .., last] if (1..=2).contains(&own.len()) => Ok((at(budget, own)?, *last)),
        _ => {
            let expected = "a radius, after a pose budget or not";
            Err(Error::setting("level", format!("{level:?}"), expected))
        }
    }
}
