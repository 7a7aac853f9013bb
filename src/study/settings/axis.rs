//! Axes in a study's file: those of [`Axis`] by the name of the function that makes them.

use crate::attack::{AttackSpec, Orbit};
use crate::base::{Degrees, Error, Pixels, Result};
use crate::evaluate::{Axis, Level, RandomPose, WorstCase};
use crate::transform::Warp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An axis by name, with what its function takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sketch {
    axis: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    levels: Vec<Level>,
    #[serde(default)]
    attack: Option<AttackSpec>,
    #[serde(default)]
    orbit: Option<Orbit>,
    #[serde(default)]
    poses: Vec<(f64, f64)>,
    #[serde(default)]
    epsilons: Vec<f64>,
    #[serde(default)]
    draws: Option<usize>,
    #[serde(default)]
    warp: Option<Warp>,
    #[serde(default)]
    published: bool,
}

const NAMES: &str = "angles, shifts, joint, poses, rotations, epsilons, attack, worst_poses, orbit, \
                     attacked_poses, surface";

impl Sketch {
    fn axis(self) -> Result<Axis> {
        let kind = self.axis.as_str();
        let of = format!("axis `{kind}`");
        let attack = || {
            let missing = || Error::setting(&of, "no `attack`", "an attack");
            self.attack.clone().ok_or_else(missing)
        };
        let levels = self.levels.clone();
        let poses = || {
            self.poses
                .iter()
                .map(|&(angle, shift)| (Degrees(angle), Pixels(shift)))
        };
        let epsilons = self.epsilons.iter().copied();
        let mut axis = match kind {
            "angles" => Axis::angles([]).with_threat(self.random(RandomPose::rotations())),
            "shifts" => Axis::shifts([]).with_threat(self.random(RandomPose::shifts())),
            "joint" => Axis::joint([]).with_threat(self.random(RandomPose::joint())),
            "poses" => Axis::poses([]).with_threat(self.random(RandomPose::poses())),
            "rotations" => Axis::rotations([]),
            "epsilons" => Axis::epsilons(attack()?, []),
            "attack" => Axis::attack::<Level>("attack", attack()?, []),
            "worst_poses" => Axis::worst_poses(attack()?, levels.clone()),
            "orbit" => {
                let missing = || Error::setting(&of, "no `orbit`", "an orbit");
                Axis::orbit(self.orbit.clone().ok_or_else(missing)?, [])
            }
            "attacked_poses" => Axis::attacked_poses(attack()?, poses(), epsilons),
            "surface" => Axis::surface(attack()?, poses(), epsilons),
            _ => return Err(Error::setting("axis", kind, format!("one of: {NAMES}"))),
        };
        let levelled = !matches!(kind, "attacked_poses" | "surface");
        Error::unless(
            levelled || levels.is_empty(),
            &of,
            "`levels`",
            "`poses` and `epsilons`",
        )?;
        if levelled {
            axis.levels = levels;
        }
        let random = matches!(kind, "angles" | "shifts" | "joint" | "poses");
        let draws = self.draws.unwrap_or(1);
        if draws != 1 && !random {
            let attack = match kind {
                "attacked_poses" => crate::attack::RandomPose::default()
                    .before(attack()?)
                    .into(),
                _ => attack()?,
            };
            axis = axis.with_threat(WorstCase::new(attack).with_draws(draws));
        }
        let unused = [
            (self.warp.is_some() && !random, "`warp`"),
            (self.published && kind != "joint", "`published`"),
            (self.orbit.is_some() && kind != "orbit", "`orbit`"),
            (
                levelled && !(self.poses.is_empty() && self.epsilons.is_empty()),
                "`poses`, `epsilons`",
            ),
            (
                self.attack.is_some() && (random || kind == "rotations"),
                "`attack`",
            ),
        ];
        if let Some((_, field)) = unused.into_iter().find(|(given, _)| *given) {
            return Err(Error::setting(of, field, "no such field: it has none"));
        }
        if let Some(name) = self.name {
            axis = axis.named(name);
        }
        if let Some(title) = self.title {
            axis.title = title;
        }
        if let Some(label) = self.label {
            axis.label = label;
        }
        Ok(axis)
    }

    fn random(&self, mut threat: RandomPose) -> RandomPose {
        threat.draws = self.draws.unwrap_or(1);
        threat.two_step = self.published;
        threat.warp = self.warp.unwrap_or(threat.warp);
        threat
    }
}

/// For a field by `#[serde(deserialize_with)]`: an axis by name has a field `axis`, any other is one of
/// [`Axis`]'s own form.
pub(super) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<Axis>, D::Error> {
    let axes = Vec::<Value>::deserialize(deserializer)?;
    let axis = |value: Value| match value.get("axis") {
        None => serde_json::from_value(value).map_err(D::Error::custom),
        Some(_) => {
            let sketch: Sketch = serde_json::from_value(value).map_err(D::Error::custom)?;
            sketch.axis().map_err(D::Error::custom)
        }
    };
    axes.into_iter().map(axis).collect()
}
