use super::alike::as_of;
use super::{Attack, AttackSpec, Cost, Trial};
use crate::base::{Error, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// An attack that costs each image no more than so many passes: made by [`Attack::within`].
///
/// Forward and backward passes count alike. A candidate that would take one more counts for nothing,
/// and the attack ends when no image has any left; passes that only judge what was found come on top,
/// and the clean pass where the goal itself asks for it.
/// What an attack plans by its number of steps it plans as without a budget.
/// [`Run::budget`](super::Run::budget) is one for all parts of an attack together.
///
/// ```
/// use fireproof::attack::{Attack, AutoAttack, Linf};
///
/// let attack = AutoAttack::standard(Linf, 0.1).within(500);
/// assert_eq!(attack.to_string(), "AutoAttack standard L∞ ε=0.1 within 500 passes");
/// assert_eq!(attack.cost().gradients, 250);
/// ```
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{of} within {passes} passes")]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Forward and backward passes of each image.
    pub passes: u32,
    /// The attack.
    pub of: AttackSpec,
}

impl Budget {
    /// This attack, within so many passes.
    pub fn new(attack: impl Into<AttackSpec>, passes: u32) -> Self {
        Self {
            passes,
            of: attack.into(),
        }
    }
}

impl Attack for Budget {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let passes = vec![self.passes; trial.len()];
        trial.in_budget(&passes, |trial| self.of.search(trial))
    }

    /// # Errors
    ///
    /// [`Error::Setting`] without any pass.
    fn check(&self) -> Result<()> {
        self.of.check()?;
        Error::unless(self.passes > 0, "passes", self.passes, "at least 1")
    }

    fn cost(&self) -> Cost {
        let (of, passes) = (self.of.cost(), self.passes as usize);
        Cost {
            // Verdicts, of which each part of the attack may need one.
            queries: of.queries.min(passes + 1 + self.of.parts().len()),
            gradients: of.gradients.min(passes / 2),
        }
    }

    as_of!("budget");
}
