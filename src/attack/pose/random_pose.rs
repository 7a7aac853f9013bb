use super::text::{By, Within};
use super::{level, remade};
use crate::attack::part::clean;
use crate::attack::{Attack, AttackSpec, Ball, Candidate, Cost, Goal, Part, Trial};
use crate::base::{Error, Keys, Purpose, Result, named};
use crate::transform::{Pose, PoseBudget, Warp};
use derive_more::Display;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// A random pose that is dealt to each image: an average case, to be attacked by
/// [`before`](Self::before).
///
/// Poses are drawn uniformly from the budget by seed and id, and are those that
/// [`evaluate::RandomPose`](crate::evaluate::RandomPose) deals by the same ones, but for their rounding to
/// the images' element type. By default sampled at nearest pixels, with zeros outside, as there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct RandomPose {
    /// How far images are moved at most.
    pub budget: PoseBudget,
    /// How moved images are sampled.
    #[serde(default)]
    pub warp: Warp,
}

impl RandomPose {
    /// Poses of a budget.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            warp: Warp::default(),
        }
    }

    /// The pose of each image.
    pub fn draw(&self, keys: &Keys) -> Vec<Pose> {
        self.budget.draw_for(Purpose::TestPose, keys)
    }

    /// The pose, then an attack around the image in it: A_ε(T_θ(x)).
    ///
    /// ```
    /// use fireproof::attack::{Pgd, RandomPose};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let pose = RandomPose::new(PoseBudget::new(Degrees(30.0), Pixels(3.0))?);
    /// let attack = pose.before(Pgd::linf(0.1));
    /// assert_eq!(
    ///     attack.to_string(),
    ///     "PGD-10 L∞ ε=0.1 step=0.025 in a random pose ±30° ±3 px, nearest pixels"
    /// );
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn before(self, attack: impl Into<AttackSpec>) -> InRandomPose {
        InRandomPose {
            pose: self,
            of: attack.into(),
        }
    }

    // The originals in their poses.
    fn moved(&self, trial: &Trial) -> Candidate {
        let originals = trial.originals();
        let poses = self.draw(trial.keys()).into_iter();
        let poses = Vec::from_iter(poses.map(|pose| remade::rounded(pose, originals)));
        let positions = Vec::from_iter(0..trial.len());
        let images = remade::images(trial, self.warp, &positions, &poses);
        let rows = remade::rows(&poses, &images);
        Candidate::moved(images, rows)
    }
}

impl fmt::Display for RandomPose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Within(self.budget), By(self.warp))
    }
}

/// An attack on each image in a random pose: made by [`RandomPose::before`].
///
/// What the attack finds is what it finds on the moved images: its ball is around them, as
/// [`Found::originals`](crate::attack::Found::originals) says, and the image as it was is no candidate. The
/// accuracy is therefore A_ε(T_θ(x)) of S. Kamath et al. 2021, "Can we have it all?": average case over
/// poses, worst case over pixels.
///
/// [`restarts`](Attack::restarts) of this deal another pose each time, and so are the worst of several;
/// of the attack inside, they are of the one pose. Predicted labels are those of the image as it was, and so
/// are the clean logits that targets are chosen by and that [`Kl`](crate::attack::Kl) compares with.
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{of} in a random pose {pose}")]
#[serde(deny_unknown_fields)]
pub struct InRandomPose {
    /// The pose.
    pub pose: RandomPose,
    /// The attack.
    pub of: AttackSpec,
}

impl InRandomPose {
    // A ball of radius 0 has one point.
    fn is_pose_alone(&self) -> bool {
        self.of.ball().is_some_and(|ball| ball.epsilon == 0.0)
    }
}

impl Attack for InRandomPose {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let moved = self.pose.moved(trial);
        trial.instead(moved, |trial| match self.is_pose_alone() {
            true => clean().search(trial),
            false => self.of.search(trial),
        })
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let parts = self.of.parts().into_iter();
        let moved = parts.map(|part| {
            part.within(|trial, search| {
                let moved = self.pose.moved(trial);
                trial.instead(moved, search)
            })
        });
        moved.collect()
    }

    fn goal(&self) -> Goal {
        self.of.goal()
    }

    fn ball(&self) -> Option<Ball> {
        self.of.ball()
    }

    fn moves_images(&self) -> bool {
        true
    }

    fn warps(&self) -> Vec<Warp> {
        vec![self.pose.warp]
    }

    fn includes_originals(&self) -> bool {
        false
    }

    fn untouched(&self) -> Part<'_> {
        Part::new("random pose", |trial| {
            let moved = self.pose.moved(trial);
            trial.instead(moved, |trial| clean().search(trial))
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for a budget that is negative or not finite, and for an attack that moves images
    /// or makes no sense.
    fn check(&self) -> Result<()> {
        self.pose.budget.check_poses()?;
        self.of.check()?;
        let expected = "one that leaves images in their place";
        Error::unless(!self.of.moves_images(), "of", &self.of, expected)
    }

    fn cost(&self) -> Cost {
        match self.is_pose_alone() {
            true => Cost {
                queries: 1,
                gradients: 0,
            },
            false => self.of.cost(),
        }
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some([level::of(self.pose.budget), self.of.level()?].concat())
    }

    /// The last number is the attack's level, those before are the budget's, as those of
    /// [`GridSearch`](super::GridSearch); one number is the attack's alone.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let (budget, last) = level::split(self.pose.budget, level)?;
        let pose = self.pose.with_budget(budget);
        Ok(pose.before(self.of.at_level(&[last])?).into())
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let of = self.of.with_effort(steps, step_size)?;
        Some(self.pose.before(of).into())
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("in_random_pose", self)
    }
}
