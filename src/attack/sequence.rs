use super::{Attack, AttackSpec, Ball, Cost, Goal, Trial};
use crate::base::{Error, Result, named};
use crate::transform::Warp;
use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One attack after another: made by [`Attack::then`](super::Attack::then).
///
/// For each image the best of three: what the first finds alone, what the second finds around the
/// image itself, and what the second finds around what the first found. There the ball's centre is
/// the image of the first, as [`Found::originals`](super::Found::originals) says. Images that
/// something has fooled meet nothing more. The first attack's loss ranks all candidates.
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{first} then {then}")]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The one that comes first.
    pub first: AttackSpec,
    /// The one around what the first found.
    pub then: AttackSpec,
}

impl Sequence {
    /// `first`, and `then` around what it found.
    pub fn new(first: impl Into<AttackSpec>, then: impl Into<AttackSpec>) -> Self {
        Self {
            first: first.into(),
            then: then.into(),
        }
    }
}

impl Attack for Sequence {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        // What the first attack finds, not what others found before it, is a centre.
        let ball = self.first.ball();
        let found = trial.alone(ball.as_ref(), |trial| self.first.search(trial))?;
        trial.survivors(|trial| self.then.search(trial))?;
        trial.survivors_around(found, |trial| self.then.search(trial))
    }

    fn goal(&self) -> Goal {
        self.first.goal()
    }

    fn ball(&self) -> Option<Ball> {
        let (first, then) = (self.first.ball(), self.then.ball()?);
        let radius = first.map_or(0.0, |ball| ball.epsilon);
        Some(Ball {
            epsilon: then.epsilon.max(radius),
            ..then
        })
    }

    fn moves_images(&self) -> bool {
        self.first.moves_images() || self.then.moves_images()
    }

    fn warps(&self) -> Vec<Warp> {
        self.first.warps()
    }

    fn includes_originals(&self) -> bool {
        self.first.includes_originals() || self.then.includes_originals()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if a part makes no sense, if the parts differ in what counts as fooled,
    /// if they have balls of different norms, or if the second moves images: what has been moved twice
    /// is in no pose.
    fn check(&self) -> Result<()> {
        self.first.check()?;
        self.then.check()?;
        let expected = "one that leaves images in their place";
        Error::unless(!self.then.moves_images(), "then", &self.then, expected)?;
        let norms = [self.first.ball(), self.then.ball()].map(|ball| ball.map(|b| b.norm));
        let norms_differ = matches!(&norms, [Some(a), Some(b)] if a != b);
        let agree = !norms_differ && self.first.goal().agrees_with(&self.then.goal());
        let expected = "attacks with one norm, the same targets and the same labels";
        Error::unless(agree, "attacks", self, expected)
    }

    fn cost(&self) -> Cost {
        let then = self.then.cost();
        self.first.cost().plus(then).plus(then)
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some([self.first.level()?, self.then.level()?].concat())
    }

    /// One number is the second attack's level; several are shared out, the last one to it.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let (first, then) = match level {
            [own @ .., last] if !own.is_empty() => (self.first.at_level(own)?, [*last]),
            [last] => (self.first.clone(), [*last]),
            _ => return Err(Error::setting("level", "nothing", "at least one number")),
        };
        Ok(Self::new(first, self.then.at_level(&then)?).into())
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let then = self.then.with_effort(steps, step_size)?;
        Some(Self::new(self.first.clone(), then).into())
    }

    fn is_random(&self) -> bool {
        self.first.is_random() || self.then.is_random()
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("sequence", self)
    }
}
