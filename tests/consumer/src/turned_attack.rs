//! An axis of levels (θ, ε): the accuracy A_ε(T_θ(x)) of the paper, a random rotation and then an
//! attack on what came of it.

use fireproof::attack::{AttackSpec, Cost, Pgd};
use fireproof::base::{Degrees, Error, Pixels, Result, named};
use fireproof::evaluate::{Axis, Level, Scene, Threat};
use fireproof::transform::{PoseBudget, Warp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A random rotation up to ±θ degrees, then an attack of radius ε around the rotated image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnedAttack {
    /// The attack.
    pub attack: AttackSpec,
    /// Random rotations per image, each attacked.
    pub draws: usize,
}

impl TurnedAttack {
    fn parts(level: &Level) -> Result<(Degrees, f64)> {
        match *level.parts() {
            [angle, epsilon] => Ok((Degrees(angle), epsilon)),
            _ => Err(Error::setting("level", level, "an angle and a radius")),
        }
    }
}

impl Threat for TurnedAttack {
    fn check(&self, level: &Level) -> Result<()> {
        let (angle, epsilon) = Self::parts(level)?;
        PoseBudget::new(angle, Pixels(0.0))?;
        self.attack.at_level(&[epsilon])?.check()
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
        let (angle, epsilon) = Self::parts(level)?;
        let poses = PoseBudget::new(angle, Pixels(0.0))?.draw(scene.keys());
        let images = Warp::nearest().apply(scene.batch().images.clone(), &poses);
        let batch = scene.batch().clone().with_images(images)?;
        let attack = self.attack.at_level(&[epsilon])?;
        Ok(scene.attack(&*attack, &batch)?.predicted)
    }

    fn cost(&self, _: &Level) -> Cost {
        self.attack.cost()
    }

    fn draws(&self) -> usize {
        self.draws
    }

    fn describe(&self, _: &Level) -> String {
        format!("{} around {} random rotations", self.attack, self.draws)
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("own_turned_attack", self)
    }
}

/// All pairs of these angles and radii, PGD-10 in L∞, one draw.
pub fn axis(angles: &[f64], radii: &[f64]) -> Axis {
    let threat = TurnedAttack {
        attack: Pgd::linf(0.0).into(),
        draws: 1,
    };
    let row = |&angle| radii.iter().map(move |&radius| [angle, radius]);
    Axis::new(
        "turned_attack",
        "degrees, pixel range",
        threat,
        angles.iter().flat_map(row),
    )
    .titled(
        "random rotation up to ±, then attack radius ε",
        "±{}°, ε = {}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use fireproof::attack::Frozen;
    use fireproof::data::embedded_mnist;
    use fireproof::evaluate::{Evaluation, compare};
    use fireproof::group::Group;
    use fireproof::model::CnnConfig;

    // Oracle: the built-in axis of the same attack, which (0, ε) is.
    #[test]
    fn value_the_surface_has_the_attack_at_its_edge() {
        let device = fireproof::device();
        let test = embedded_mnist().test.take(12);
        let model = CnnConfig::new(Group::P4, test.shape(), 10)
            .init(&device)
            .unwrap();
        let victim = Frozen::new(&model);
        let evaluation = Evaluation::new()
            .with_axis(axis(&[0.0, 90.0], &[0.0, 0.1]))
            .with_axis(Axis::epsilons(Pgd::linf(0.0), [0.1]));
        let profile = evaluation.run(&victim, &test, &device).unwrap();
        let edge = profile.at(("turned_attack", [0.0, 0.1])).unwrap();
        let alone = profile.at(("epsilons", 0.1)).unwrap();
        // Not `fooled`: this threat leads away from the label, the built-in one from the prediction.
        assert_eq!(edge.correct, alone.correct);
        assert!(edge.queries > 0.0);
        assert!(profile.to_markdown().contains("| ±90°, ε = 0.1 |"));
        let pairs = compare(&profile, &profile).unwrap();
        assert_eq!(pairs.curve("turned_attack").unwrap().points.len(), 3);
    }

    #[test]
    fn error_a_level_is_a_pair() {
        let mut axis = axis(&[0.0], &[0.1]);
        axis.levels = vec![0.1.into()];
        let error = axis.check().unwrap_err().to_string();
        assert!(error.contains("an angle and a radius"), "{error}");
    }
}
