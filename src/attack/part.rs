use super::{AttackSpec, Trial};
use crate::base::Result;
use std::fmt;

type Search<'a> = dyn Fn(&mut Trial) -> Result<()> + Send + Sync + 'a;

/// A piece of an attack, for the images that the pieces before it left standing: one restart, one
/// target, one attack of an ensemble.
///
/// [`Run`](super::Run) gathers the images that stand across batches before each.
pub struct Part<'a> {
    name: String,
    least_classes: usize,
    search: Box<Search<'a>>,
}

impl<'a> Part<'a> {
    /// A piece that is run as `search`.
    pub fn new(
        name: impl Into<String>,
        search: impl Fn(&mut Trial) -> Result<()> + Send + Sync + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            least_classes: 2,
            search: Box::new(search),
        }
    }

    /// The same piece, but for classifiers of at least so many classes alone.
    pub fn with_least_classes(mut self, classes: usize) -> Self {
        self.least_classes = self.least_classes.max(classes);
        self
    }

    /// The same piece under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What tables call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fewest classes for which there is anything to do.
    pub fn least_classes(&self) -> usize {
        self.least_classes
    }

    /// Searches on all images of the trial.
    ///
    /// # Errors
    ///
    /// Those of the attack that it belongs to.
    pub fn search(&self, trial: &mut Trial) -> Result<()> {
        match trial.classes() < self.least_classes {
            true => Ok(()),
            false => trial.piece(|trial| (self.search)(trial)),
        }
    }

    /// This piece with its search run by another function.
    pub fn within(
        self,
        run: impl Fn(&mut Trial, &Search<'a>) -> Result<()> + Send + Sync + 'a,
    ) -> Self {
        let search = self.search;
        Self {
            search: Box::new(move |trial| run(trial, &*search)),
            ..self
        }
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Part").field(&self.name).finish()
    }
}

/// Offers the images as they are.
pub(super) fn clean<'a>() -> Part<'a> {
    Part::new("clean", |trial| {
        trial.offer_originals();
        Ok(())
    })
}

/// The pieces of an attack that nothing else keeps.
pub(super) fn owned(attack: AttackSpec) -> Vec<Part<'static>> {
    let made = attack.parts();
    let about = made
        .iter()
        .map(|part| (part.name.clone(), part.least_classes));
    about
        .enumerate()
        .map(|(at, (name, least_classes))| {
            let attack = attack.clone();
            Part::new(name, move |trial| attack.parts()[at].search(trial))
                .with_least_classes(least_classes)
        })
        .collect()
}

/// Runs pieces one after the other, each on the images that still stand; the first on all, so that
/// rounding cannot decide whether an image is attacked at all.
///
/// # Errors
///
/// Those of the pieces.
pub(super) fn in_turn(parts: &[Part], trial: &mut Trial) -> Result<()> {
    for (at, part) in parts.iter().enumerate() {
        match at {
            0 => part.search(trial)?,
            _ => trial.survivors(|trial| part.search(trial))?,
        }
    }
    Ok(())
}
