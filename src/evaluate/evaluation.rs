use crate::attack::{AttackSpec, Pgd};
use crate::base::{Degrees, Error, Pixels, Result, Seed};
use crate::evaluate::Family;
use crate::transform::{Pose, Warp};
use serde::{Deserialize, Serialize};

/// What to measure of a classifier, and how: plain settings that a [`Profile`] embeds.
///
/// Clean accuracy is always measured; each family of levels only if it has any. Level 0 of every
/// family is the clean measurement itself: nothing is sampled or attacked.
///
/// ```
/// use fireproof::base::{Degrees, Seed};
/// use fireproof::evaluate::Evaluation;
///
/// let evaluation = Evaluation::new()
///     .with_angles([0.0, 45.0, 90.0, 180.0].map(Degrees))
///     .with_epsilons([0.0, 0.1, 0.2])
///     .with_seed(Seed(7));
/// assert!(evaluation.check().is_ok());
/// assert!(evaluation.with_epsilons([-0.1]).check().is_err());
/// ```
///
/// [`Profile`]: crate::evaluate::Profile
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// Test ranges ±θ of random rotations, growing.
    pub angles: Vec<Degrees>,
    /// Test ranges ±s of random shifts along each axis, growing.
    pub shifts: Vec<Pixels>,
    /// Joint levels a, growing, from 0 to 1: rotations up to ±180°·a together with shifts up to
    /// ±a of the image's width and height (the coupling of the published evaluation).
    pub joint: Vec<f64>,
    /// Radii ε of the attack, growing, in units of the pixel range (L∞) or its L2 length.
    pub epsilons: Vec<f64>,
    /// The attack that is run at each ε: its own radius is replaced by the level.
    pub attack: AttackSpec,
    /// How moved images are sampled.
    pub warp: Warp,
    /// Random poses per image and level.
    pub draws: usize,
    /// Resamples of the bootstrap; only used with several draws.
    pub resamples: usize,
    /// Images per forward pass: bounds the memory, does not change the measurement.
    pub batch_size: usize,
    /// The seed of poses, random starts and resamples.
    pub seed: Seed,
    /// Whether the profile keeps every image's outcomes, which [`compare`](super::compare) needs.
    pub keep_outcomes: bool,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            angles: Vec::new(),
            shifts: Vec::new(),
            joint: Vec::new(),
            epsilons: Vec::new(),
            attack: Pgd::linf(0.0).into(),
            warp: Warp::default(),
            draws: 1,
            resamples: 1000,
            batch_size: 128,
            seed: Seed(0),
            keep_outcomes: true,
        }
    }
}

impl Evaluation {
    /// Clean accuracy alone; one pose per image, nearest sampling, PGD with 10 steps of 2.5·ε/10
    /// from the true labels, batches of 128, seed 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these ranges of random rotations.
    pub fn with_angles(mut self, angles: impl Into<Vec<Degrees>>) -> Self {
        self.angles = angles.into();
        self
    }

    /// With these ranges of random shifts.
    pub fn with_shifts(mut self, shifts: impl Into<Vec<Pixels>>) -> Self {
        self.shifts = shifts.into();
        self
    }

    /// With these joint levels.
    pub fn with_joint(mut self, joint: impl Into<Vec<f64>>) -> Self {
        self.joint = joint.into();
        self
    }

    /// With these radii of the attack.
    pub fn with_epsilons(mut self, epsilons: impl Into<Vec<f64>>) -> Self {
        self.epsilons = epsilons.into();
        self
    }

    /// With this attack, whose radius each level replaces. A step size that the attack leaves to
    /// its default grows with the level.
    pub fn with_attack(mut self, attack: impl Into<AttackSpec>) -> Self {
        self.attack = attack.into();
        self
    }

    /// With this sampling and border.
    pub fn with_warp(mut self, warp: Warp) -> Self {
        self.warp = warp;
        self
    }

    /// With several random poses per image and level: means over all of them, and intervals from
    /// a bootstrap that resamples whole images.
    pub fn with_draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// With this many resamples of the bootstrap.
    pub fn with_resamples(mut self, resamples: usize) -> Self {
        self.resamples = resamples;
        self
    }

    /// With this many images per forward pass.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// With this seed.
    pub fn with_seed(mut self, seed: impl Into<Seed>) -> Self {
        self.seed = seed.into();
        self
    }

    /// With or without every image's outcomes in the profile: a bit per image, level, draw and
    /// rate.
    pub fn with_outcomes(mut self, keep: bool) -> Self {
        self.keep_outcomes = keep;
        self
    }

    /// The levels of a family as plain numbers in its [unit](Family::unit).
    pub fn levels(&self, family: Family) -> Vec<f64> {
        match family {
            Family::Angles => self.angles.iter().map(|angle| angle.0).collect(),
            Family::Shifts => self.shifts.iter().map(|shift| shift.0).collect(),
            Family::Joint => self.joint.clone(),
            Family::Epsilons => self.epsilons.clone(),
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a level that is negative, not finite, above 180° or above 1 for
    /// joint levels, for levels that do not grow, and for no draws, resamples or images per batch.
    pub fn check(&self) -> Result<()> {
        for family in Family::ALL {
            let levels = self.levels(family);
            let name = format!("evaluation: {family}");
            let (most, expected) = match family {
                Family::Angles => (180.0, "an angle from 0 to 180 degrees"),
                Family::Shifts => (Pose::LARGEST_SHIFT.0, "a number of pixels from 0 to 2²⁰"),
                Family::Joint => (1.0, "a number from 0 to 1"),
                Family::Epsilons => (f64::MAX, "a finite number, 0 or more"),
            };
            if let Some(level) = levels.iter().find(|level| !(0.0..=most).contains(*level)) {
                return Err(Error::setting(name, level, expected));
            }
            if let Some(pair) = levels.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(Error::setting(
                    name,
                    format!("{} before {}", pair[0], pair[1]),
                    "growing levels, each once",
                ));
            }
        }
        for &epsilon in &self.epsilons {
            self.attack_at(epsilon)?.check()?;
        }
        for (name, count) in [
            ("draws", self.draws),
            ("resamples", self.resamples),
            ("batch size", self.batch_size),
        ] {
            if count == 0 {
                return Err(Error::setting(
                    format!("evaluation: {name}"),
                    0,
                    "1 or more",
                ));
            }
        }
        Ok(())
    }

    /// The attack at this radius, everything else of it kept.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the attack's level is not one number.
    pub fn attack_at(&self, epsilon: f64) -> Result<AttackSpec> {
        self.attack.at_level(&[epsilon])
    }
}
