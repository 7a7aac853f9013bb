use super::{FixedPose, Level, RandomPose, ThreatSpec, WorstCase};
use crate::attack::AttackSpec;
use crate::base::{Degrees, Error, Pixels, Result};
use serde::{Deserialize, Serialize};

/// One thing that an evaluation varies: a threat at growing levels, under a name.
///
/// ```
/// use fireproof::attack::Pgd;
/// use fireproof::base::Degrees;
/// use fireproof::evaluate::Axis;
///
/// let axes = [
///     Axis::angles([30.0, 180.0].map(Degrees)),
///     Axis::epsilons(Pgd::linf(0.0), [0.1, 0.2]),
///     Axis::attack("L2", Pgd::l2(0.0), [0.5, 1.0]),
/// ];
/// assert!(axes.iter().all(|axis| axis.check().is_ok()));
/// assert_eq!(axes[2].label_at(&axes[2].levels[0]), "L2: 0.5");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The name, by which results are found.
    pub name: String,
    /// The unit of its levels.
    pub unit: String,
    /// A title with the unit, as beside a plot; empty for `name (unit)`.
    #[serde(default)]
    pub title: String,
    /// A level as short text, with `{}` for each part: `±{}°`; empty for `name: level`.
    #[serde(default)]
    pub label: String,
    /// What happens to the images.
    pub threat: ThreatSpec,
    /// How strongly: growing, each once; tuples by their first part, then the next.
    pub levels: Vec<Level>,
}

impl Axis {
    /// A threat at these levels.
    pub fn new<L: Into<Level>>(
        name: impl Into<String>,
        unit: impl Into<String>,
        threat: impl Into<ThreatSpec>,
        levels: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            title: String::new(),
            label: String::new(),
            threat: threat.into(),
            levels: levels.into_iter().map(Into::into).collect(),
        }
    }

    /// An attack at these levels: for most its radius.
    pub fn attack<L: Into<Level>>(
        name: impl Into<String>,
        attack: impl Into<AttackSpec>,
        levels: impl IntoIterator<Item = L>,
    ) -> Self {
        Self::new(name, "pixel range", WorstCase::new(attack), levels)
    }

    /// `epsilons`: radii ε of an attack, in units of the pixel range.
    pub fn epsilons(attack: impl Into<AttackSpec>, levels: impl IntoIterator<Item = f64>) -> Self {
        Self::attack("epsilons", attack, levels).titled("attack radius ε", "ε = {}")
    }

    /// `angles`: random rotations up to ±θ.
    pub fn angles(levels: impl IntoIterator<Item = Degrees>) -> Self {
        Self::new("angles", "degrees", RandomPose::rotations(), levels)
            .titled("random rotation up to ± (degrees)", "±{}°")
    }

    /// `shifts`: random shifts up to ±s along each axis of the image.
    pub fn shifts(levels: impl IntoIterator<Item = Pixels>) -> Self {
        Self::new("shifts", "pixels", RandomPose::shifts(), levels)
            .titled("random shift up to ± (pixels)", "±{} px")
    }

    /// `joint`: levels a from 0 to 1 of random rotations up to ±180°·a together with shifts up to
    /// ±a of the image's sides, the coupling of the published evaluation.
    pub fn joint(levels: impl IntoIterator<Item = f64>) -> Self {
        let unit = "share of 180 degrees and of the image's sides";
        Self::new("joint", unit, RandomPose::joint(), levels)
            .titled("rotation and shift up to ± a · (180°, side)", "a = {}")
    }

    /// `poses`: random rotations up to ±θ together with shifts up to ±s, each of its own.
    pub fn poses(levels: impl IntoIterator<Item = (Degrees, Pixels)>) -> Self {
        Self::new("poses", "degrees, pixels", RandomPose::poses(), levels).titled(
            "random rotation (degrees) and shift (pixels) up to ±",
            "±{}° ±{} px",
        )
    }

    /// `rotations`: every image rotated by exactly the level, counter-clockwise, for instance all around;
    /// nearest sampling.
    pub fn rotations(levels: impl IntoIterator<Item = Degrees>) -> Self {
        Self::new("rotations", "degrees", FixedPose::default(), levels)
            .titled("rotation by (degrees)", "{}°")
    }

    /// With this title and form of labels.
    pub fn titled(mut self, title: impl Into<String>, label: impl Into<String>) -> Self {
        self.title = title.into();
        self.label = label.into();
        self
    }

    /// With another threat over the same levels, for instance more draws of random poses.
    pub fn with_threat(mut self, threat: impl Into<ThreatSpec>) -> Self {
        self.threat = threat.into();
        self
    }

    /// The title, made from name and unit if none was given.
    pub fn full_title(&self) -> String {
        match (&*self.title, &*self.unit) {
            ("", "") => self.name.clone(),
            ("", unit) => format!("{} ({unit})", self.name),
            (title, _) => title.to_owned(),
        }
    }

    /// A level as short text, for example `±45°`.
    pub fn label_at(&self, level: &Level) -> String {
        level.within(&self.full_label(level))
    }

    pub(super) fn full_label(&self, level: &Level) -> String {
        if self.label.is_empty() {
            format!(
                "{}: {}",
                self.name,
                vec!["{}"; level.parts().len()].join("; ")
            )
        } else {
            self.label.clone()
        }
    }

    /// Refuses an axis that makes no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`], naming the axis, for no levels, for levels that are not finite, have
    /// not as many parts each, or do not grow, and for what the threat refuses.
    pub fn check(&self) -> Result<()> {
        let name = format!("axis `{}`", self.name);
        let parts = self.levels.first().map_or(0, |first| first.parts().len());
        Error::unless(!self.levels.is_empty(), &name, "no level", "at least one")?;
        for level in &self.levels {
            let finite = level.parts().iter().all(|part| part.is_finite());
            Error::unless(finite, &name, level, "finite numbers")?;
            let alike = parts > 0 && level.parts().len() == parts;
            Error::unless(alike, &name, level, "levels of equally many parts")?;
            self.threat
                .check(level)
                .map_err(|error| error.within(&name))?;
        }
        for [a, b] in self.levels.array_windows() {
            let found = format_args!("{a} before {b}");
            Error::unless(a < b, &name, found, "growing levels, each once")?;
        }
        Ok(())
    }
}
