use crate::base::{Error, Result};
use crate::data::DataSummary;
use crate::evaluate::{Evaluation, Outcomes, Rate, TradeOff};
use crate::kernel::Numerics;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of change that a profile measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Random rotations up to ±θ.
    Angles,
    /// Random shifts up to ±px along each axis.
    Shifts,
    /// Random rotations up to ±180°·a together with shifts up to ±a of the image's sides.
    Joint,
    /// The attack's radius ε.
    Epsilons,
}

impl Family {
    /// All families, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Angles, Self::Shifts, Self::Joint, Self::Epsilons];

    /// The unit of the family's levels.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Angles => "degrees",
            Self::Shifts => "pixels",
            Self::Joint => "share of 180 degrees and of the image's sides",
            Self::Epsilons => "pixel range",
        }
    }

    /// A title for the family, with the unit, as on the axis of a plot.
    pub fn title(self) -> &'static str {
        match self {
            Self::Angles => "random rotation up to ± (degrees)",
            Self::Shifts => "random shift up to ± (pixels)",
            Self::Joint => "rotation and shift up to ± a · (180°, side)",
            Self::Epsilons => "attack radius ε",
        }
    }

    /// A level as short text: `±45°`, `±2 px`, `a = 0.1`, `ε = 0.1`.
    pub fn label(self, level: f64) -> String {
        let level = short(level);
        match self {
            Self::Angles => format!("±{level}°"),
            Self::Shifts => format!("±{level} px"),
            Self::Joint => format!("a = {level}"),
            Self::Epsilons => format!("ε = {level}"),
        }
    }
}

// A number for people, without the tail of digits that 8/255 has.
pub(crate) fn short(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}

/// The name used in files: `angles`, `shifts`, `joint`, `epsilons`.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Angles => "angles",
            Self::Shifts => "shifts",
            Self::Joint => "joint",
            Self::Epsilons => "epsilons",
        })
    }
}

/// What was measured at one level of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The level in the family's [unit](Family::unit).
    pub value: f64,
    /// The share of images classified as labelled. At a radius ε > 0 an image counts only if the
    /// classifier is right on the clean image, too: that one lies in the ball.
    pub accuracy: Rate,
    /// The share of images whose predicted class differs from the classifier's own prediction on
    /// the clean image.
    pub fooling: Rate,
    /// Random poses per image; 1 for attacks.
    pub draws: usize,
    /// Forward passes per image, on average.
    pub queries: f64,
    /// Whether each image (and draw) counted for the accuracy, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<Outcomes>,
    /// Whether each image (and draw) counted for the fooling rate, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fooled: Option<Outcomes>,
}

/// The software and device that made a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// This crate's version.
    pub fireproof: String,
    /// The version of Burn that this crate is built and tested with.
    pub burn: String,
    /// The device that computed.
    pub device: String,
}

impl Versions {
    /// The versions of this build, computing on `device`.
    pub fn of(device: &Device) -> Self {
        Self {
            fireproof: env!("CARGO_PKG_VERSION").to_owned(),
            burn: BURN.to_owned(),
            device: format!("{device:?}"),
        }
    }
}

// Burn does not export its version; a test holds this against Cargo.lock.
pub(crate) const BURN: &str = "0.22.1";

/// One classifier, measured: what [`Evaluation::run`] gives.
///
/// Besides `versions`, it depends only on the classifier, the images and the settings: the same
/// three give the same profile, but for rounding between backends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The classifier's name, for tables and legends.
    pub name: String,
    /// The images.
    pub data: DataSummary,
    /// Accuracy on the clean images.
    pub clean: Rate,
    /// Whether each clean image was classified as labelled, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_correct: Option<Outcomes>,
    /// Over ranges of random rotations; values in degrees.
    #[serde(default)]
    pub angles: Vec<Level>,
    /// Over ranges of random shifts; values in pixels.
    #[serde(default)]
    pub shifts: Vec<Level>,
    /// Over joint levels of both.
    #[serde(default)]
    pub joint: Vec<Level>,
    /// Over attack radii; values in units of the pixel range.
    #[serde(default)]
    pub epsilons: Vec<Level>,
    /// The settings that made the profile, its seed among them.
    pub settings: Evaluation,
    /// The numerics of the attacks' gradients; all else is exact.
    #[serde(default)]
    pub numerics: Numerics,
    /// The software and device that made it.
    pub versions: Versions,
}

impl Profile {
    /// The same profile under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The levels of a family, growing.
    pub fn levels(&self, family: Family) -> &[Level] {
        match family {
            Family::Angles => &self.angles,
            Family::Shifts => &self.shifts,
            Family::Joint => &self.joint,
            Family::Epsilons => &self.epsilons,
        }
    }

    /// The level of a family with this value.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it was not measured.
    pub fn level(&self, family: Family, value: f64) -> Result<&Level> {
        self.levels(family)
            .iter()
            .find(|level| (level.value - value).abs() <= 1e-9 * value.abs().max(1.0))
            .ok_or_else(|| {
                let measured: Vec<String> = (self.levels(family).iter())
                    .map(|level| level.value.to_string())
                    .collect();
                Error::setting(
                    format!("level of {family} of `{}`", self.name),
                    value,
                    format!("one of those measured: [{}]", measured.join(", ")),
                )
            })
    }

    /// The place of the classifier in the trade-off plane: accuracy at a level of a spatial
    /// family against accuracy at a radius.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if one of the two was not measured.
    pub fn trade_off(&self, spatial: (Family, f64), epsilon: f64) -> Result<TradeOff> {
        Ok(TradeOff {
            spatial: self.level(spatial.0, spatial.1)?.accuracy.value,
            adversarial: self.level(Family::Epsilons, epsilon)?.accuracy.value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: the lock file that this crate is tested with.
    #[test]
    fn convention_burn_version_is_the_locked_one() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"))
            .expect("Cargo.lock");
        assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{BURN}\"")));
    }
}
