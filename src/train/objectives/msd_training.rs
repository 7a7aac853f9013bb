use super::alike::{called, crafts_by, learns_from_one};
use crate::attack::{Attack, AttackSpec, Ball, Keep, Msd};
use crate::base::{Error, Result};
use crate::train::Objective;
use serde::{Deserialize, Serialize};

/// Training against a union of balls by multi steepest descent: cross-entropy of the images that [`Msd`]
/// finds (P. Maini, E. Wong, J. Z. Kolter 2020, "Adversarial Robustness Against the Union of Multiple
/// Perturbation Models", section 4).
///
/// The first ball has the stage's ε, and its steps the stage's number and size; radii and steps of the others
/// are in proportion to theirs, as the balls are given. What the last step finds is learnt from.
///
/// ```
/// use fireproof::attack::{Ball, L1, L2, Linf};
/// use fireproof::train::{MsdTraining, Objective};
///
/// let balls = [Ball::new(Linf, 0.3), Ball::new(L2, 1.5), Ball::new(L1, 12.0)];
/// let objective = MsdTraining::new(balls);
/// assert!(objective.check().is_ok());
/// assert!(MsdTraining::new([Ball::new(L2, 0.0)]).check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MsdTraining {
    /// The balls whose union is the threat, radii in proportion.
    pub balls: Vec<Ball>,
}

impl MsdTraining {
    /// The objective for these balls.
    pub fn new(balls: impl IntoIterator<Item = Ball>) -> Self {
        Self {
            balls: balls.into_iter().collect(),
        }
    }

    fn msd(&self) -> Msd {
        Msd::new(self.balls.clone()).with_keep(Keep::Last)
    }
}

impl Objective for MsdTraining {
    crafts_by!(|this| AttackSpec::from(this.msd()));

    learns_from_one!();

    /// # Errors
    ///
    /// [`Error::Setting`] without a ball, and for one whose radius is not a finite number above 0: nothing
    /// would be in proportion to it.
    fn check(&self) -> Result<()> {
        self.msd().check()?;
        self.balls.iter().try_for_each(|ball| {
            let radius = ball.epsilon;
            Error::unless(radius > 0.0, "epsilon", radius, "a finite number above 0")
        })
    }

    called!("msd_training");
}
