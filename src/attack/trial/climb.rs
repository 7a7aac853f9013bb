//! What gradient passes climb, where that is not what ranks the candidates.

use super::Trial;
use crate::attack::{Loss, LossSpec, Reference, Targets};
use crate::base::{Error, Result};
use burn::tensor::{Int, Tensor};

impl Trial {
    /// Runs `search` with this loss in its gradient passes; candidates are ranked by the goal's all
    /// the same, so that attacks with several losses can be compared and joined.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a loss that does not suit the classifier, and those of `search`.
    pub fn climb(
        &mut self,
        loss: &LossSpec,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        suit(loss, self.classes)?;
        if loss.wants_clean() && self.reference.clean.is_none() {
            self.reference.clean = Some(self.clean());
        }
        let own = (*loss != self.loss).then(|| loss.clone());
        let before = std::mem::replace(&mut self.climbed, own);
        let result = search(self);
        self.climbed = before;
        result
    }

    /// Runs `search` with gradient passes that lead to these classes. What counts as fooled, and what
    /// ranks candidates, stays: an image that is taken for a third class is fooled too, if the goal
    /// says so.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for targets that do not suit the classifier, and those of `search`.
    pub fn towards(
        &mut self,
        targets: &dyn Targets,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let aim = self.choose(targets, self.classes)?;
        let before = self.aim.replace(aim);
        let result = search(self);
        self.aim = before;
        result
    }

    /// Whether gradient passes climb the very loss that ranks candidates.
    pub(in crate::attack) fn climbs_goal(&self) -> bool {
        self.climbed.is_none() && self.aim.is_none()
    }

    /// The classes that gradient passes lead to, if they do.
    pub fn aim(&self) -> Option<&Tensor<1, Int>> {
        self.aim.as_ref()
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    // The loss of a gradient pass, and what it goes by.
    pub(super) fn climbed<'a>(&'a self, loss: Option<&'a dyn Loss>) -> (&'a dyn Loss, Reference) {
        let own = self.climbed.as_ref().unwrap_or(&self.loss);
        let mut reference = self.reference.clone();
        if let Some(aim) = &self.aim {
            reference.targets = Some(aim.clone());
        }
        (loss.unwrap_or(&**own), reference)
    }
}

/// Refuses a loss that needs more classes.
pub(super) fn suit(loss: &LossSpec, classes: usize) -> Result<()> {
    let least = loss.least_classes();
    let expected = format_args!("a loss for {classes} classes (it takes at least {least})");
    Error::unless(classes >= least, "loss", loss, expected)
}
