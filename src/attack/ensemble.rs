use super::part::{clean, in_turn};
use super::{Attack, AttackSpec, Ball, Cost, Goal, Part, Trial};
use crate::base::{Error, Result, named};
use crate::transform::Warp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Attacks on one threat model, one after the other: made by [`Attack::or`](super::Attack::or).
///
/// Only images that still stand meet the next attack. Each climbs its own loss; the first one's ranks
/// the candidates of all.
///
/// Of an attack that moves images and one that changes pixels it is the union of two threats: an image
/// stands that no pose fools and no perturbation of the image in its own pose. (F. Tramèr, D. Boneh
/// 2019, "Adversarial Training and Robustness for Multiple Perturbations", section 2, the max
/// strategy.) A ball is then around the image that each candidate comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// The attacks in their order.
    pub attacks: Vec<AttackSpec>,
}

impl Ensemble {
    /// These attacks in their order.
    pub fn new(attacks: impl IntoIterator<Item = AttackSpec>) -> Self {
        Self {
            attacks: attacks.into_iter().collect(),
        }
    }

    // Of what moves images and what does not.
    fn is_union(&self) -> bool {
        let mut moves = self.attacks.iter().map(only_moves);
        let first = moves.next().unwrap_or(false);
        moves.any(|moves| moves != first)
    }

    fn map(&self, change: impl FnMut(&AttackSpec) -> Result<AttackSpec>) -> Result<AttackSpec> {
        let attacks = self.attacks.iter().map(change);
        Ok(Self::new(attacks.collect::<Result<Vec<_>>>()?).into())
    }
}

impl Attack for Ensemble {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        self.attacks
            .iter()
            .flat_map(|attack| attack.parts())
            .collect()
    }

    fn goal(&self) -> Goal {
        (self.attacks.first()).map_or_else(Goal::default, |first| first.goal())
    }

    fn ball(&self) -> Option<Ball> {
        self.attacks.iter().find_map(|attack| attack.ball())
    }

    fn moves_images(&self) -> bool {
        self.attacks.iter().any(|attack| attack.moves_images())
    }

    fn warps(&self) -> Vec<Warp> {
        let mut warps = Vec::new();
        for warp in self.attacks.iter().flat_map(|attack| attack.warps()) {
            if !warps.contains(&warp) {
                warps.push(warp);
            }
        }
        warps
    }

    fn includes_originals(&self) -> bool {
        self.attacks
            .iter()
            .any(|attack| attack.includes_originals())
    }

    fn untouched(&self) -> Part<'_> {
        match self.attacks.first() {
            Some(first) if !self.includes_originals() => first.untouched(),
            _ => clean(),
        }
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if there is no attack, one makes no sense, or two of them differ in their
    /// ball or in what counts as fooled. An attack that only moves images is in every ball.
    fn check(&self) -> Result<()> {
        let Some(first) = self.attacks.first() else {
            return Err(Error::setting("attacks", "none", "at least one"));
        };
        let ball = self.ball();
        for attack in &self.attacks {
            attack.check()?;
            let agree = (only_moves(attack) || attack.ball() == ball)
                && attack.goal().agrees_with(&first.goal());
            let found = format_args!("{first} and {attack}");
            let expected = "attacks with one ball, the same targets and the same labels";
            Error::unless(agree, "attacks", found, expected)?;
        }
        Ok(())
    }

    fn cost(&self) -> Cost {
        let costs = self.attacks.iter().map(|attack| attack.cost());
        costs.fold(Cost::default(), Cost::plus)
    }

    fn level(&self) -> Option<Vec<f64>> {
        let levels = self.attacks.iter().filter_map(|attack| attack.level());
        let levels = Vec::from_iter(levels);
        match self.is_union() {
            // Of several, one that is not nothing.
            false => {
                let some = |level: &&Vec<f64>| level.iter().any(|&part| part != 0.0);
                levels.iter().find(some).or(levels.first()).cloned()
            }
            true => {
                let ball = self.ball()?;
                let moves = self.attacks.iter().find(|attack| only_moves(attack))?;
                Some([moves.level()?, vec![ball.epsilon]].concat())
            }
        }
    }

    /// The level of each. Where some only move images and others do not, it is shared out as in a
    /// [`Sequence`](super::Sequence): the last number, or the only one, to what changes pixels, those
    /// before to what moves, all to what does both.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let &[.., last] = level else {
            return Err(Error::setting("level", "nothing", "at least one number"));
        };
        let union = self.is_union();
        self.map(
            |attack| match (union, attack.moves_images(), attack.ball().is_some()) {
                (true, true, false) if level.len() == 1 => Ok(attack.clone()),
                (true, true, false) => attack.at_level(&level[..level.len() - 1]),
                (true, false, _) => attack.at_level(&[last]),
                _ => attack.at_level(level),
            },
        )
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let effort = |a: &AttackSpec| Ok(a.with_effort(steps, step_size).unwrap_or(a.clone()));
        self.map(effort).ok()
    }

    fn is_random(&self) -> bool {
        self.attacks.iter().any(|attack| attack.is_random())
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("ensemble", self)
    }
}

// Whether the attack leaves pixels as the pose makes them: those that look for the nearest image have no
// ball either.
fn only_moves(attack: &AttackSpec) -> bool {
    attack.moves_images() && attack.ball().is_none() && attack.goal().nearest.is_none()
}

impl fmt::Display for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attack) in self.attacks.iter().enumerate() {
            let separator = if index == 0 { "" } else { " or " };
            write!(f, "{separator}{attack}")?;
        }
        Ok(())
    }
}
