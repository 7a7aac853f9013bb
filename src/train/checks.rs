use super::Training;
use super::loader::not_empty;
use crate::base::{Error, Result};
use crate::data::ImageSet;

impl Training {
    /// # Errors
    ///
    /// [`Error::Setting`] or [`Error::Input`], as [`fit`](Training::fit).
    pub(super) fn check(&self, train: &ImageSet, valid: &ImageSet) -> Result<()> {
        self.check_numbers()?;
        not_empty(train)?;
        not_empty(valid)?;
        if (train.shape(), train.classes()) != (valid.shape(), valid.classes()) {
            return Err(Error::input(
                format!("validation set {}", valid.name()),
                format!("{:?} images of {} classes", valid.shape(), valid.classes()),
                format!("{:?} images of {} classes", train.shape(), train.classes()),
            ));
        }
        Ok(())
    }

    /// Whatever there is to check without images.
    pub(crate) fn check_numbers(&self) -> Result<()> {
        let (momentum, decay) = (self.momentum, self.weight_decay);
        let sane = (0.0..1.0).contains(&momentum);
        Error::unless(sane, "momentum", momentum, "a number in [0, 1)")?;
        let sane = decay.is_finite() && decay >= 0.0;
        Error::unless(sane, "weight decay", decay, "a finite number, 0 or more")?;
        Error::unless(self.batch_size > 0, "batch size", 0, "at least 1")?;
        self.curriculum.check()?;
        if let Some(pace) = &self.pace {
            pace.check(&self.curriculum)?;
            let staged = self.robust.as_ref().is_some_and(|robust| robust.staged);
            let expected = "a robust validation with `staged`, by which it goes on";
            Error::unless(
                staged || !pace.needs_staged(),
                "pace",
                pace.name(),
                expected,
            )?;
        }
        if let Some(robust) = &self.robust {
            robust.check(&self.curriculum)?;
        }
        self.objective.check()
    }
}
