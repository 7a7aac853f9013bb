use super::{Level, Scene, Threat};
use crate::attack::{AttackSpec, Cost};
use crate::base::{Result, named};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An attack, once per image: a worst case, as far as the attack finds it.
///
/// An image counts as classified rightly only if it is so as it is, too: the attack may leave it
/// there. The attack leads away from the classifier's own prediction, so that the fooling rate is that
/// of all images, whether it gets them right or not. Where a pose is dealt to the image, which the attack
/// cannot refuse ([`Attack::includes_originals`]), it leads away from the label instead.
///
/// [`Attack::includes_originals`]: crate::attack::Attack::includes_originals
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstCase {
    /// The attack, whose own level (for most its radius) each level replaces. A step size that it
    /// leaves to its default grows with the level.
    pub attack: AttackSpec,
}

impl WorstCase {
    /// This attack at every level.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
        }
    }
}

impl Threat for WorstCase {
    fn check(&self, level: &Level) -> Result<()> {
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

    fn cost(&self, level: &Level) -> Cost {
        (self.attack.at_level(level.parts())).map_or_else(|_| self.attack.cost(), |at| at.cost())
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
        match warps.join("; ") {
            warps if warps.is_empty() => attack.to_string(),
            warps => format!("{attack} ({warps})"),
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("worst_case", self)
    }
}
