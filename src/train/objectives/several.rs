//! Several attacks inside an objective.

use super::inner::{at_stage, changes_pixels, in_proportion};
use crate::attack::{AttackSpec, Ensemble};
use crate::base::{Error, Result};
use crate::curriculum::Stage;

/// The attacks at the budgets of a stage, those that have one.
pub(super) fn at_stage_each(attacks: &[AttackSpec], stage: &Stage) -> Result<Vec<AttackSpec>> {
    let first = attacks.iter().find_map(radius);
    let mut found = Vec::new();
    for attack in attacks {
        let own = match (radius(attack), first) {
            (Some(own), Some(first)) if first > 0.0 => in_proportion(attack, own / first, stage)?,
            _ => at_stage(attack, stage)?,
        };
        found.extend(own);
    }
    Ok(found)
}

pub(super) fn ensemble(attacks: &[AttackSpec], stage: &Stage) -> Option<AttackSpec> {
    let attacks = at_stage_each(attacks, stage).ok()?;
    match attacks.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(Ensemble::new(attacks).into()),
    }
}

// The radius of an attack on pixels, or on pixels and poses: the number that the stage's takes the place of.
fn radius(attack: &AttackSpec) -> Option<f64> {
    let level = attack.level()?;
    match (changes_pixels(attack), attack.moves_images()) {
        (false, _) => None,
        // Behind the poses.
        (true, true) => level.last().copied(),
        // Of several balls the first, to which the others keep their proportion.
        (true, false) => level.first().copied(),
    }
}

/// Refuses lists of attacks that cannot be meant.
pub(super) fn check_each(attacks: &[AttackSpec]) -> Result<()> {
    Error::unless(!attacks.is_empty(), "attacks", "none", "at least one")?;
    attacks.iter().try_for_each(|attack| attack.check())?;
    let radii = Vec::from_iter(attacks.iter().filter_map(radius));
    let wrong = radii.iter().find(|&&radius| radius == 0.0);
    match wrong {
        Some(radius) if radii.len() > 1 => {
            let expected = "a radius above 0, to which the stage's is in proportion";
            Err(Error::setting(
                "epsilon of one of several attacks",
                radius,
                expected,
            ))
        }
        _ => Ok(()),
    }
}
