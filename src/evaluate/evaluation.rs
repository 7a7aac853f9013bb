use crate::base::{Error, Result, Seed};
use crate::evaluate::Axis;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// What to measure of a classifier, and how: plain settings that a [`Profile`] embeds.
///
/// Clean accuracy is always measured; beyond it, what the axes say. Where a level changes nothing
/// (level 0 of every built-in threat), the clean measurement stands for it: nothing is sampled or
/// attacked.
///
/// ```
/// use fireproof::attack::Pgd;
/// use fireproof::base::{Degrees, Seed};
/// use fireproof::evaluate::{Axis, Evaluation};
///
/// let evaluation = Evaluation::new()
///     .with_axis(Axis::angles([0.0, 45.0, 90.0, 180.0].map(Degrees)))
///     .with_axis(Axis::epsilons(Pgd::linf(0.0), [0.0, 0.1, 0.2]))
///     .with_seed(Seed(7));
/// assert!(evaluation.check().is_ok());
/// let beyond = Axis::angles([Degrees(200.0)]);
/// assert!(Evaluation::new().with_axis(beyond).check().is_err());
/// ```
///
/// [`Profile`]: crate::evaluate::Profile
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Evaluation {
    /// What is varied, each under a name of its own.
    #[setters(skip)]
    pub axes: Vec<Axis>,
    /// Images per forward pass: bounds the memory, does not change the measurement.
    pub batch_size: usize,
    /// The seed of poses and random starts.
    #[setters(into)]
    pub seed: Seed,
    /// Whether the profile keeps every image's outcomes, which [`compare`](super::compare) needs: a
    /// bit per image, level, draw and rate.
    #[setters(rename = "with_outcomes")]
    pub keep_outcomes: bool,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            axes: Vec::new(),
            batch_size: 128,
            seed: Seed(0),
            keep_outcomes: true,
        }
    }
}

impl Evaluation {
    /// Clean accuracy alone; batches of 128, seed 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this axis after those that there are.
    pub fn with_axis(mut self, axis: Axis) -> Self {
        self.axes.push(axis);
        self
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for what an axis refuses, for a name that two axes share or that is
    /// `clean`, and for no images per batch.
    pub fn check(&self) -> Result<()> {
        for (at, axis) in self.axes.iter().enumerate() {
            axis.check()?;
            let taken = self.axes[..at].iter().any(|other| other.name == axis.name);
            Error::unless(
                !taken && axis.name != "clean" && !axis.name.is_empty(),
                "evaluation: name of an axis",
                format_args!("`{}`", axis.name),
                "a name of its own, not `clean`",
            )?;
        }
        Error::unless(
            self.batch_size > 0,
            "evaluation: batch size",
            0,
            "1 or more",
        )
    }
}
