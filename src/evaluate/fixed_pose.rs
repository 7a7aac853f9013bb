use super::{Level, Scene, Threat};
use crate::attack::Cost;
use crate::base::{Degrees, Error, Pixels, Result, named};
use crate::transform::{Pose, Warp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The same pose for every image, exactly that of the level: what a polar plot of accuracy shows.
///
/// The level is an angle in degrees, or an angle and shifts to the right and down in pixels. Nothing is
/// drawn, and the image as it is does not belong to it.
///
/// ```
/// use fireproof::base::Degrees;
/// use fireproof::evaluate::{Axis, FixedPose};
/// use fireproof::transform::Warp;
///
/// let around = (0..24).map(|at| Degrees(15.0 * f64::from(at)));
/// let axis = Axis::rotations(around).with_threat(FixedPose::new(Warp::bilinear()));
/// assert!(axis.check().is_ok());
/// assert_eq!(axis.label_at(&axis.levels[2]), "30°");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FixedPose {
    /// How moved images are sampled.
    pub warp: Warp,
}

impl FixedPose {
    /// Poses by this warp; the default one takes the nearest pixel, and zeros outside.
    pub fn new(warp: Warp) -> Self {
        Self { warp }
    }

    fn pose(level: &Level) -> Result<Pose> {
        let pose = match *level.parts() {
            [angle] => Pose::rotation(Degrees(angle)),
            [angle, right, down] => Pose {
                angle: Degrees(angle),
                ..Pose::shift(Pixels(right), Pixels(down))
            },
            _ => {
                let expected = "an angle, or an angle and shifts to the right and down";
                return Err(Error::setting("level", level, expected));
            }
        };
        let checked = pose.check();
        checked.map_err(|error| Error::setting("level", level, error.to_string()))?;
        Ok(pose)
    }
}

impl Threat for FixedPose {
    fn check(&self, level: &Level) -> Result<()> {
        Self::pose(level).map(drop)
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
        let batch = scene.batch();
        let poses = vec![Self::pose(level)?; batch.len()];
        Ok(scene.predict(self.warp.apply(batch.images.clone(), &poses)))
    }

    fn cost(&self, _: &Level) -> Cost {
        Cost {
            queries: 1,
            gradients: 0,
        }
    }

    fn describe(&self, _: &Level) -> String {
        format!("every image in exactly this pose, {}", self.warp)
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("fixed_pose", self)
    }
}
