use crate::base::{Result, Spec, open_kind};
use crate::curriculum::{Curriculum, Stage};
use crate::train::{Adaptive, EpochRecord};
use serde_json::Value;
use std::fmt;

/// How a training goes through its curriculum, if not epoch by epoch: for instance a stage further
/// only once the accuracy under attack is high enough.
///
/// A pace has no state of its own. What it may look at is the record of the epochs before, which a
/// training keeps in any case and writes down before each checkpoint: so a resumed training goes on
/// as the uninterrupted one would have. Built in is [`Adaptive`]. Numbers of your own come into the records by an
/// [`Objective`](crate::train::Objective) that shows them.
pub trait Pace: fmt::Debug + Send + Sync {
    /// What holds at `epoch` (counted from 1, at most the curriculum's epochs), after the epochs
    /// `past`, all that came before. It is asked for often, and must always answer the same.
    fn stage(&self, curriculum: &Curriculum, epoch: usize, past: &[EpochRecord]) -> Stage;

    /// Everything that determines the pace, with its name: see [`Kind::settings`](crate::base::Kind::settings).
    fn settings(&self) -> Value;

    /// Whether it looks at what [`RobustValidation`](crate::train::RobustValidation) finds of images as they are
    /// learnt from ([`Robust::staged`](crate::train::Robust::staged)): then a training without that is
    /// refused.
    fn needs_staged(&self) -> bool {
        false
    }

    /// Refuses settings that make no sense, or not with this curriculum.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting).
    fn check(&self, curriculum: &Curriculum) -> Result<()> {
        let _ = curriculum;
        Ok(())
    }
}

/// A [`Pace`] as a plain value: cheap to clone, in files by name.
pub type PaceSpec = Spec<dyn Pace>;

open_kind! {
    Pace in "pace";
    with settings: "adaptive" => Adaptive;
}
