use super::{Level, Scene, Threat};
use crate::attack::Cost;
use crate::base::{Degrees, Error, Pixels, Purpose, Result, named};
use crate::transform::{Pose, PoseBudget, TwoStep, Warp};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Random rotations and shifts, drawn uniformly: an average case.
///
/// The level stretches both ranges alike; a level of two parts (θ, s) stretches the angle and the
/// shift each by its own.
///
/// ```
/// use fireproof::evaluate::{Axis, RandomPose};
/// use fireproof::base::Degrees;
/// use fireproof::transform::Warp;
///
/// let threat = RandomPose::rotations().with_draws(5).with_warp(Warp::bilinear());
/// let axis = Axis::angles([90.0, 180.0].map(Degrees)).with_threat(threat);
/// assert!(axis.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct RandomPose {
    /// Rotations go up to ± this many degrees per unit of the level.
    pub angle: f64,
    /// Shifts go up to ± this much along each axis per unit of the level, in pixels.
    pub shift: f64,
    /// Shifts are in sides of the image instead: its width to the right, its height down.
    pub of_sides: bool,
    /// How moved images are sampled.
    pub warp: Warp,
    /// Whether images are moved as the published code moves them instead: rotated, and then shifted by
    /// whole pixels; see [`TwoStep`], which samples in its own way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub two_step: bool,
    /// Random poses per image: means over all of them, and intervals that know
    /// which came from one image.
    pub draws: usize,
}

impl Default for RandomPose {
    fn default() -> Self {
        Self::poses()
    }
}

impl RandomPose {
    /// Rotations up to ± the level in degrees; one draw, nearest sampling.
    pub fn rotations() -> Self {
        Self {
            shift: 0.0,
            ..Self::poses()
        }
    }

    /// Shifts up to ± the level in pixels along each axis; one draw, nearest sampling.
    pub fn shifts() -> Self {
        Self {
            angle: 0.0,
            ..Self::poses()
        }
    }

    /// At level a: rotations up to ±180°·a together with shifts up to ±a of the image's width and
    /// height, the coupling of the published evaluation; one draw, nearest sampling.
    pub fn joint() -> Self {
        Self {
            angle: 180.0,
            of_sides: true,
            ..Self::poses()
        }
    }

    /// At level (θ, s): rotations up to ±θ degrees together with shifts up to ±s pixels along each
    /// axis; one draw, nearest sampling.
    pub fn poses() -> Self {
        Self {
            angle: 1.0,
            shift: 1.0,
            of_sides: false,
            warp: Warp::default(),
            two_step: false,
            draws: 1,
        }
    }

    /// The published test pipeline (claim a of the paper, StdCNN and GCNN alike): at level a, rotations up
    /// to ±180°·a by Pillow's nearest pixel and then shifts up to ±a of the image's sides, rounded to whole
    /// pixels; one draw. Normalisation is the model's.
    pub fn published() -> Self {
        Self::joint().with_two_step(true)
    }

    // The largest angle in degrees and shift.
    fn range(&self, level: &Level) -> Result<(f64, f64)> {
        match *level.parts() {
            [both] => Ok((both * self.angle, both * self.shift)),
            [angle, shift] => Ok((angle * self.angle, shift * self.shift)),
            _ => Err(Error::setting("level", level, "one number, or two")),
        }
    }
}

impl Threat for RandomPose {
    fn check(&self, level: &Level) -> Result<()> {
        let (angle, shift) = self.range(level)?;
        let (most, expected) = if self.of_sides {
            (1.0, "shifts from 0 to 1 side")
        } else {
            (Pose::LARGEST_SHIFT.0, "shifts from 0 to 2²⁰ pixels")
        };
        let turns = (0.0..=180.0).contains(&angle);
        Error::unless(turns, "level", level, "angles from 0 to 180 degrees")?;
        Error::unless((0.0..=most).contains(&shift), "level", level, expected)?;
        Error::unless(self.draws > 0, "draws", 0, "1 or more")
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
        let (angle, shift) = self.range(level)?;
        let images = scene.batch().images.clone();
        let mut poses = PoseBudget::new(Degrees(angle), Pixels(shift))?
            .draw_for(Purpose::TestPose, scene.keys());
        if self.of_sides {
            let [_, _, height, width] = images.dims();
            for pose in &mut poses {
                pose.right.0 *= width as f64;
                pose.down.0 *= height as f64;
            }
        }
        let moved = match self.two_step {
            true => TwoStep::move_to(images, &poses),
            false => self.warp.apply(images, &poses),
        };
        Ok(scene.predict(moved))
    }

    fn cost(&self, _: &Level) -> Cost {
        Cost {
            queries: 1,
            gradients: 0,
        }
    }

    fn draws(&self) -> usize {
        self.draws
    }

    fn describe(&self, _: &Level) -> String {
        let sampling = match self.two_step {
            true => "rotation and then whole-pixel shift, by nearest sampling".to_owned(),
            false => self.warp.to_string(),
        };
        match self.draws {
            1 => format!("one random pose per image, {sampling}"),
            draws => format!("{draws} random poses per image, {sampling}"),
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("random_pose", self)
    }
}
