use super::alike::{called, crafts_by, learns_from_one};
use crate::attack::{Attack, AttackSpec, FriendlyPgd, Pgd};
use crate::base::Result;
use crate::train::Objective;
use serde::{Deserialize, Serialize};

/// Friendly adversarial training: cross-entropy of attacked images that stop soon after they are misclassified
/// (J. Zhang et al. 2020, "Attacks Which Do Not Kill Training Make Adversarial Learning Stronger",
/// algorithm 2).
///
/// As [`PgdTraining`](crate::train::PgdTraining), by [`FriendlyPgd`]: an image takes steps until it is
/// fooled, and so many more. What has stopped is not passed again, so that a step costs less than PGD's. By
/// default in the L∞ ball with a random start, at the stage's ε, steps and step size.
///
/// Published with τ growing from 0 to 3 in the course of a training; here it is one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fat {
    /// How many more steps an image takes after it is fooled.
    pub tau: usize,
    /// The steps, their start and the loss that they climb, at the level of the stage.
    #[serde(default = "steps")]
    pub pgd: Pgd,
}

fn steps() -> Pgd {
    Pgd::linf(0.0)
}

impl Fat {
    /// The objective with this many more steps.
    pub fn new(tau: usize) -> Self {
        Self { tau, pgd: steps() }
    }

    /// The objective by these steps.
    pub fn with_pgd(self, pgd: Pgd) -> Self {
        Self { pgd, ..self }
    }

    fn friendly(&self) -> FriendlyPgd {
        FriendlyPgd::new(self.pgd.clone(), self.tau)
    }
}

impl Objective for Fat {
    crafts_by!(|this| AttackSpec::from(this.friendly()));

    learns_from_one!();

    fn check(&self) -> Result<()> {
        self.friendly().check()
    }

    called!("fat");
}
