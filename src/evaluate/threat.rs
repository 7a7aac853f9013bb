use super::{FixedPose, Level, PublishedPgd, RandomPose, Scene, WorstCase};
use crate::attack::Cost;
use crate::base::{Result, Spec, open_kind};
use serde_json::Value;
use std::fmt;

/// What happens to images, more or less of it by the level: what an [`Axis`](super::Axis) varies.
///
/// A threat is average-case, as a random pose is, or worst-case, as an attack is. To add one,
/// implement [`classes`](Self::classes) on a [`Scene`], which counts the passes; give it a name with
/// [`Registry::add`](crate::base::Registry::add) to use it in files.
///
/// ```
/// use fireproof::attack::Cost;
/// use fireproof::base::{Error, NoSettings, Result, named};
/// use fireproof::evaluate::{Axis, Level, Scene, Threat};
/// use serde_json::Value;
///
/// /// Less contrast: pixels move towards one half by the level's share.
/// #[derive(Debug)]
/// struct Fading;
///
/// impl Threat for Fading {
///     fn check(&self, level: &Level) -> Result<()> {
///         match level.parts() {
///             [share] if (0.0..=1.0).contains(share) => Ok(()),
///             _ => Err(Error::setting("share", level, "a number from 0 to 1")),
///         }
///     }
///
///     fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
///         let share = level.parts()[0];
///         Ok(scene.predict(scene.batch().images.clone() * (1.0 - share) + share / 2.0))
///     }
///
///     fn cost(&self, _: &Level) -> Cost {
///         Cost { queries: 1, gradients: 0 }
///     }
///
///     fn describe(&self, level: &Level) -> String {
///         format!("contrast less by {level}")
///     }
///
///     fn settings(&self) -> Value {
///         named::<dyn Threat>("fading", &NoSettings {})
///     }
/// }
///
/// let axis = Axis::new("fading", "share", Fading, [0.0, 0.5, 0.9]);
/// assert!(axis.check().is_ok());
/// ```
pub trait Threat: fmt::Debug + Send + Sync {
    /// Refuses a level that makes no sense: called for every level before anything is measured.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting).
    fn check(&self, level: &Level) -> Result<()>;

    /// The class that the classifier takes each image of the scene for once the threat has met it:
    /// once per draw.
    ///
    /// # Errors
    ///
    /// Those of the scene's passes, and what the threat itself refuses.
    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>>;

    /// The classes once the threat has led away from what the classifier takes the clean images for, by
    /// which the fooling rate is counted. `classes` are those that [`classes`](Self::classes) gave for the
    /// same draw; they are it unless the threat is led by the labels, and may so leave alone an image that
    /// the classifier gets wrong as it is.
    ///
    /// # Errors
    ///
    /// As [`classes`](Self::classes).
    fn misled(&self, level: &Level, scene: &mut Scene, classes: &[i64]) -> Result<Vec<i64>> {
        let _ = (level, scene);
        Ok(classes.to_vec())
    }

    /// The passes that one image costs in one draw, about: what a progress bar is told.
    fn cost(&self, level: &Level) -> Cost;

    /// How often each image meets the threat, each time in another draw of the scene.
    fn draws(&self) -> usize {
        1
    }

    /// Whether the image as it is belongs to what the threat may choose, so that the classifier has
    /// to be right there as well.
    fn includes_clean(&self) -> bool {
        false
    }

    /// Whether the level changes nothing: then the clean measurement stands for it.
    fn is_clean(&self, level: &Level) -> bool {
        level.is_zero()
    }

    /// The threat at this level in words, as in the captions of tables.
    fn describe(&self, level: &Level) -> String;

    /// Everything that determines the threat besides level and seed, with its name under `threat`.
    fn settings(&self) -> Value;
}

/// A threat as a plain value, in files by name.
pub type ThreatSpec = Spec<dyn Threat>;

open_kind! {
    Threat in "threat";
    with settings: "fixed_pose" => FixedPose, "published_pgd" => PublishedPgd,
        "random_pose" => RandomPose, "worst_case" => WorstCase;
}
