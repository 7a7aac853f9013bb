use super::surface_map::base;
use super::{FixedPose, Level, RandomPose, ThreatSpec, WorstCase};
use crate::attack::{self, AttackSpec, Orbit};
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

    /// `worst_poses`: the worst rotation and shift that an attack finds
    /// ([`GridSearch`](crate::attack::GridSearch), [`RandomSearch`](crate::attack::RandomSearch),
    /// [`PoseSearch`](crate::attack::PoseSearch), [`PoseGradient`](crate::attack::PoseGradient)), at
    /// levels (θ, s), up to ±θ degrees and ±s pixels; or at levels θ, with shifts in the attack's own
    /// proportion.
    pub fn worst_poses<L: Into<Level>>(
        attack: impl Into<AttackSpec>,
        levels: impl IntoIterator<Item = L>,
    ) -> Self {
        let axis = Self::attack("worst_poses", attack, levels);
        let single = axis.levels.iter().all(|level| level.parts().len() == 1);
        let (unit, title, label) = match single {
            true => (
                "degrees",
                "worst rotation up to ± (degrees), shift in proportion",
                "±{}°",
            ),
            false => (
                "degrees, pixels",
                "worst rotation (degrees) and shift (pixels) up to ±",
                "±{}° ±{} px",
            ),
        };
        axis.in_unit(unit).titled(title, label)
    }

    /// `orbit`: all poses of an [`Orbit`], which move pixels and change none, with whole shifts up to each
    /// of these.
    pub fn orbit(orbit: Orbit, shifts: impl IntoIterator<Item = usize>) -> Self {
        let shifts = shifts.into_iter().map(|shift| shift as f64);
        let title = format!("orbit of {}, shifts up to ± (pixels)", orbit.group);
        Self::attack("orbit", orbit, shifts)
            .in_unit("pixels")
            .titled(title, "±{} px")
    }

    /// `attacked_poses`: one random pose of each image, then an attack of radius ε around it, the published
    /// A_ε(T_θ(x)), at levels (θ, s, ε): all pairs of a pose budget and a radius. At ε = 0 it is the average
    /// case of [`poses`](Self::poses). Nearest sampling. More poses of each image: [`WorstCase::draws`].
    pub fn attacked_poses(
        attack: impl Into<AttackSpec>,
        poses: impl IntoIterator<Item = (Degrees, Pixels)>,
        epsilons: impl IntoIterator<Item = f64>,
    ) -> Self {
        let attack = attack::RandomPose::default().before(attack);
        let axis = Self::surface(attack, poses, epsilons).named("attacked_poses");
        let title = "attack radius ε, in a random pose up to ± (degrees; pixels)";
        axis.titled(title, "±{}° ±{} px, ε = {}")
    }

    /// `surface`: an attack on pose and pixels ([`JointPgd`](crate::attack::JointPgd), a pose attack
    /// [`then`](crate::attack::Attack::then) one on pixels, [or](crate::attack::Attack::or) both) at levels
    /// (θ, s, ε): all pairs of a pose budget and a radius.
    pub fn surface(
        attack: impl Into<AttackSpec>,
        poses: impl IntoIterator<Item = (Degrees, Pixels)>,
        epsilons: impl IntoIterator<Item = f64>,
    ) -> Self {
        let epsilons = Vec::from_iter(epsilons);
        let levels = poses.into_iter().flat_map(|(angle, shift)| {
            let level = move |&epsilon| [angle.0, shift.0, epsilon];
            epsilons.iter().map(level).collect::<Vec<_>>()
        });
        let title = "attack radius ε, with the worst pose up to ± (degrees; pixels)";
        Self::attack("surface", attack, levels)
            .in_unit("degrees, pixels, pixel range")
            .titled(title, "±{}° ±{} px, ε = {}")
    }

    /// With another name, so that several alike can stand beside one another.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn in_unit(mut self, unit: &str) -> Self {
        self.unit = unit.to_owned();
        self
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

    /// Whether its levels (θ, s, ε) are a grid of poses and radii, over which a [`SurfaceMap`](super::SurfaceMap)
    /// has its volume. Levels of two parts may be poses alone, and are none.
    pub fn is_surface(&self) -> bool {
        let several = self.levels.iter().all(|level| level.parts().len() > 2);
        self.levels.len() > 1 && several && base(&self.name, self.levels.iter()).is_ok()
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
