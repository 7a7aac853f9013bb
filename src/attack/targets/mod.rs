//! The classes that targeted attacks want images to be taken for. Another choice of targets is a
//! file with a [`Targets`] and a line in the registry below.

mod fixed;
mod given;
mod kth_best;
mod least_likely;
mod next;
mod random;

pub use fixed::FixedTarget;
pub use given::GivenTargets;
pub use kth_best::KthBest;
pub use least_likely::LeastLikely;
pub use next::NextClass;
pub use random::RandomTarget;

use crate::base::{Error, Keys, Result, Spec, open_kind};
use serde_json::Value;
use std::fmt;

/// How the class is chosen that a targeted attack wants each image to be taken for.
///
/// Object-safe. An image whose target is its own label cannot be fooled: it counts as standing.
///
/// ```
/// use fireproof::attack::{FixedTarget, NextClass, Pgd, RandomTarget};
///
/// let attack = Pgd::linf(0.1).with_targets(NextClass);
/// assert_eq!(attack.with_targets(FixedTarget::new(3)).targets, Some(3.into()));
/// ```
pub trait Targets: fmt::Debug + fmt::Display + Send + Sync {
    /// The target of each image.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a choice that does not suit the images or the classifier.
    fn choose(&self, among: &Choice) -> Result<Vec<i64>>;

    /// Whether it needs [`Choice::logits`].
    fn wants_logits(&self) -> bool {
        false
    }

    /// The name in files, with settings if there are any.
    fn settings(&self) -> Value;
}

/// What targets are chosen by.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The class of each image: the true one, or the one predicted on the clean image.
    pub labels: &'a [i64],
    /// The number of classes.
    pub classes: usize,
    /// The clean logits row by row, if they are [wanted](Targets::wants_logits).
    pub logits: &'a [f32],
    /// What random choices depend on.
    pub keys: &'a Keys,
}

/// A choice of targets as a plain value: what attacks hold.
pub type TargetsSpec = Spec<dyn Targets>;

open_kind! {
    Targets in "targets";
    with settings: "fixed" => FixedTarget, "given" => GivenTargets, "kth_best" => KthBest;
    plain: "least_likely" => LeastLikely, "next" => NextClass, "random" => RandomTarget;
}

impl From<usize> for TargetsSpec {
    /// As [`FixedTarget`].
    fn from(class: usize) -> Self {
        FixedTarget::new(class).into()
    }
}

impl From<Vec<usize>> for TargetsSpec {
    /// As [`GivenTargets`].
    fn from(classes: Vec<usize>) -> Self {
        GivenTargets::new(classes).into()
    }
}

fn in_range(setting: impl fmt::Display, class: usize, classes: usize) -> Result<()> {
    let last = classes - 1;
    let expected = format_args!("0 to {last} (the classifier has {classes} classes)");
    Error::unless(class < classes, setting, class, expected)
}
