use super::alike::{called, crafts_by, learns_from_one};
use crate::attack::{AttackSpec, Keep, Pgd};
use crate::base::Result;
use crate::train::Objective;
use serde::{Deserialize, Serialize};

/// Cross-entropy of attacked images (Madry et al. 2018, "Towards deep learning models resistant to
/// adversarial attacks", equation 2.1).
///
/// The attack runs on a copy of the model in inference mode with the stage's budgets, steps and step size
/// in place of its own; a stage with nothing for it to do attacks nothing. Only the attacked images are
/// learnt from, in training mode. By default it is PGD in the L∞ ball with a random start and the
/// last iterate.
///
/// An attack on poses, or on poses and pixels, has the stage's angle and shift, and no random pose is dealt to
/// the images before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PgdTraining {
    /// The attack, at the level and with the steps of the stage.
    pub attack: AttackSpec,
}

impl Default for PgdTraining {
    fn default() -> Self {
        Self::new(Pgd::linf(0.0).with_keep(Keep::Last))
    }
}

impl PgdTraining {
    /// Training on what this attack finds.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
        }
    }
}

impl Objective for PgdTraining {
    crafts_by!(|this| this.attack);

    learns_from_one!();

    fn check(&self) -> Result<()> {
        self.attack.check()
    }

    called!("pgd_training");
}
