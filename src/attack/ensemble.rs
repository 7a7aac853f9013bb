use super::part::in_turn;
use super::{Attack, AttackSpec, Ball, Cost, Goal, Part, Trial};
use crate::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Attacks on one threat model, one after the other: made by [`Attack::or`](super::Attack::or).
///
/// Only images that still stand meet the next attack. Each climbs its own loss; the first one's ranks
/// the candidates of all.
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
        self.attacks.first().and_then(|first| first.ball())
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if there is no attack, one makes no sense, or two of them differ in their
    /// ball or in what counts as fooled.
    fn check(&self) -> Result<()> {
        let Some(first) = self.attacks.first() else {
            return Err(Error::setting("attacks", "none", "at least one"));
        };
        for attack in &self.attacks {
            attack.check()?;
            let agree = attack.ball() == first.ball() && attack.goal().agrees_with(&first.goal());
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

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        self.map(|attack| attack.at_level(level))
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

impl fmt::Display for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attack) in self.attacks.iter().enumerate() {
            let separator = if index == 0 { "" } else { " or " };
            write!(f, "{separator}{attack}")?;
        }
        Ok(())
    }
}
