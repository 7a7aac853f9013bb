use super::{Level, Scene, Threat};
use crate::attack::{AttackSpec, Cost};
use crate::base::{Error, Result, named};
use burn::tensor::Tensor;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An attack on each image: a worst case, as far as the attack finds it.
///
/// An image counts as classified rightly only if it is so as it is, too: the attack may leave it
/// there. The attack leads away from the classifier's own prediction, so that the fooling rate is that
/// of all images, whether it gets them right or not. Where a pose is dealt to the image, which the attack
/// cannot refuse ([`Attack::includes_originals`]), an image that is wrong as it is may be right there: it is
/// attacked twice, away from its label for the accuracy, and away from the clean prediction for the
/// fooling rate.
///
/// ```
/// use fireproof::attack::{Pgd, RandomPose};
/// use fireproof::base::{Degrees, Pixels};
/// use fireproof::evaluate::{Axis, WorstCase};
///
/// // The average over five poses of each image, each attacked: A_ε(T_θ(x)).
/// let attack = RandomPose::default().before(Pgd::linf(0.0));
/// let axis = Axis::attacked_poses(Pgd::linf(0.0), [(Degrees(30.0), Pixels(3.0))], [0.1])
///     .with_threat(WorstCase::new(attack).with_draws(5));
/// assert!(axis.check().is_ok());
/// ```
///
/// [`Attack::includes_originals`]: crate::attack::Attack::includes_originals
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct WorstCase {
    /// The attack, whose own level (for most its radius) each level replaces. A step size that it
    /// leaves to its default grows with the level.
    #[setters(into)]
    pub attack: AttackSpec,
    /// Attacks on each image, each with random numbers of its own: means over all of them, and intervals
    /// that know which came from one image. 1 by default. For an attack that draws nothing they are
    /// all alike.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub draws: usize,
}

fn once() -> usize {
    1
}

// Files from before there were several draws stay as they are.
fn is_once(draws: &usize) -> bool {
    *draws == 1
}

impl WorstCase {
    /// This attack at every level, once on each image.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
            draws: once(),
        }
    }
}

impl Threat for WorstCase {
    fn check(&self, level: &Level) -> Result<()> {
        Error::unless(self.draws > 0, "draws", 0, "1 or more")?;
        self.attack.at_level(level.parts())?.check()
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
        let attack = self.attack.at_level(level.parts())?;
        if !attack.includes_originals() {
            return Ok(scene.attack(&*attack, scene.batch())?.predicted);
        }
        // Away from the classifier's own prediction: where it is right that is the label, and
        // elsewhere the label has nothing to lose.
        let mut batch = scene.batch().clone();
        batch.labels = Tensor::from_data(scene.clean(), &batch.images.device());
        Ok(scene.attack(&*attack, &batch)?.predicted)
    }

    // Once more what is wrong as it is and was led away from its label in a pose dealt to it.
    fn misled(&self, level: &Level, scene: &mut Scene, classes: &[i64]) -> Result<Vec<i64>> {
        let mut classes = classes.to_vec();
        let attack = self.attack.at_level(level.parts())?;
        let goal = attack.goal();
        if attack.includes_originals() || goal.predicted_labels || goal.targets.is_some() {
            return Ok(classes);
        }
        let (clean, labels) = (scene.clean(), scene.batch().labels_to_vec());
        // One that has left its clean prediction already is fooled.
        let stays = |at: &usize| clean[*at] != labels[*at] && classes[*at] == clean[*at];
        let wrong = Vec::from_iter((0..clean.len()).filter(stays));
        if wrong.is_empty() {
            return Ok(classes);
        }
        let mut batch = scene.batch().select(&wrong);
        let predicted = Vec::from_iter(wrong.iter().map(|&at| clean[at]));
        batch.labels = Tensor::from_data(&predicted[..], &batch.images.device());
        let found = scene.search(&*attack, &batch)?;
        for (&at, class) in wrong.iter().zip(found.predicted) {
            classes[at] = class;
        }
        Ok(classes)
    }

    fn cost(&self, level: &Level) -> Cost {
        (self.attack.at_level(level.parts())).map_or_else(|_| self.attack.cost(), |at| at.cost())
    }

    fn draws(&self) -> usize {
        self.draws
    }

    fn includes_clean(&self) -> bool {
        self.attack.includes_originals()
    }

    // At level 0 a part of the attack may still be at a level of its own.
    fn is_clean(&self, level: &Level) -> bool {
        let zero = |level: Vec<f64>| level.iter().all(|&part| part == 0.0);
        let at = self.attack.at_level(level.parts());
        level.is_zero() && at.is_ok_and(|attack| attack.level().is_none_or(zero))
    }

    fn describe(&self, level: &Level) -> String {
        let attack = self.attack.at_level(level.parts());
        let attack = attack.unwrap_or_else(|_| self.attack.clone());
        let warps = Vec::from_iter(attack.warps().iter().map(ToString::to_string));
        let once = match warps.join("; ") {
            warps if warps.is_empty() => attack.to_string(),
            warps => format!("{attack} ({warps})"),
        };
        match self.draws {
            1 => once,
            draws => format!("{once}, {draws} draws per image"),
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("worst_case", self)
    }
}
