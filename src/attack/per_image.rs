use super::{Attack, AttackSpec, Ball, Cost, Goal, Trial};
use crate::attack::alike::moves_as_of;
use crate::attack::attack::single;
use crate::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// An attack at a level of each image's own, for most attacks its ε: made by
/// [`Attack::at_each`].
///
/// What is found for an image is what the attack finds [at that level](Attack::at_level), and it is held
/// to that ball. Images of one level are attacked together: the fewer levels there are, the fuller the
/// batches.
///
/// ```
/// use fireproof::attack::{Attack, Pgd};
///
/// let attack = Pgd::linf(0.1).at_each([(0, 0.05), (1, 0.2), (2, 0.05)]);
/// assert_eq!(attack.to_string(), "PGD-10 L∞ ε=0.1 step=0.025 at 2 levels");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerImage {
    /// The level of each image, by id.
    pub levels: BTreeMap<u64, f64>,
    /// The attack.
    pub of: AttackSpec,
}

impl PerImage {
    /// This attack at the level of each image, by id.
    pub fn new(
        attack: impl Into<AttackSpec>,
        levels: impl IntoIterator<Item = (u64, f64)>,
    ) -> Self {
        Self {
            levels: levels.into_iter().collect(),
            of: attack.into(),
        }
    }

    fn distinct(&self) -> Vec<f64> {
        let mut levels = Vec::from_iter(self.levels.values().copied());
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        levels
    }

    // The attacks at each of the levels.
    fn attacks(&self) -> Result<Vec<(f64, AttackSpec)>> {
        let at = |level: f64| Ok((level, self.of.at_level(&[level])?));
        self.distinct().into_iter().map(at).collect()
    }
}

impl Attack for PerImage {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let level = |id: &u64| {
            let expected = "one for each image";
            let missing = || Error::input(format!("level of image {id}"), "none", expected);
            self.levels.get(id).copied().ok_or_else(missing)
        };
        let levels = trial.keys().ids.iter().map(level);
        let levels = levels.collect::<Result<Vec<f64>>>()?;
        for (level, attack) in self.attacks()? {
            let mine = |&at: &usize| levels[at] == level;
            let positions = Vec::from_iter((0..trial.len()).filter(mine));
            trial.part(&positions, |trial| {
                trial.held(attack.ball().as_ref(), |trial| attack.search(trial))
            })?;
        }
        Ok(())
    }

    /// That of the attack at its levels.
    fn goal(&self) -> Goal {
        let attacks = self.attacks().unwrap_or_default();
        let at_level = attacks.first().map(|(_, attack)| attack.goal());
        at_level.unwrap_or_else(|| self.of.goal())
    }

    /// The largest one.
    fn ball(&self) -> Option<Ball> {
        let attacks = self.attacks().ok()?;
        let balls = attacks.iter().filter_map(|(_, attack)| attack.ball());
        balls.max_by(|a, b| a.epsilon.total_cmp(&b.epsilon))
    }

    moves_as_of!();

    fn level(&self) -> Option<Vec<f64>> {
        self.distinct().last().map(|&level| vec![level])
    }

    /// # Errors
    ///
    /// [`Error::Setting`] without any level, for one that the attack refuses and for an attack in
    /// balls of different norms.
    fn check(&self) -> Result<()> {
        Error::unless(!self.levels.is_empty(), "levels", "none", "at least one")?;
        self.attacks()?
            .iter()
            .try_for_each(|(_, attack)| attack.check())
    }

    fn cost(&self) -> Cost {
        self.of.cost()
    }

    /// All levels in proportion, so that the largest is this one; if all are 0, all are this one.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let level = single(level)?;
        let largest = self.levels.values().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            let levels = self.levels.keys().map(|&id| (id, level));
            return Ok(Self::new(self.of.clone(), levels).into());
        }
        let factor = level / largest;
        let levels = self.levels.iter().map(|(&id, &level)| (id, level * factor));
        Ok(Self::new(self.of.clone(), levels).into())
    }

    fn is_random(&self) -> bool {
        self.of.is_random()
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("per_image", self)
    }
}

impl fmt::Display for PerImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} levels", self.of, self.distinct().len())
    }
}
