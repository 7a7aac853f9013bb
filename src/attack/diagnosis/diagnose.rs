use super::check::every_check;
use super::{Check, CheckSpec, Diagnosis, Evidence, Unmade};
use crate::attack::{Attack, Frozen, Whole};
use crate::base::{Batch, Error, Kind, Result, Seed};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How an evaluation is diagnosed; made with [`Diagnose::new`].
///
/// Defaults: every check of this crate with its own thresholds, on the first 64 images.
///
/// # What it costs
///
/// The attack once on those images; two forward passes; for [`NoFall`](super::NoFall) the attack again at
/// two to four larger radii, on images that stand; for [`BlackBox`](super::BlackBox), if no part of the
/// attack does without gradients, up to 1,000 queries of [`Square`](crate::attack::Square) on images that
/// stand. [`Diagnosis::queries`] and [`Diagnosis::gradients`] tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Diagnose {
    /// Seed of all draws.
    #[setters(into)]
    pub seed: Seed,
    /// How many images are looked at, the first ones of the batch.
    #[serde(default = "default_images")]
    pub images: usize,
    /// What is looked for.
    #[serde(default = "every_check")]
    pub checks: Vec<CheckSpec>,
}

fn default_images() -> usize {
    64
}

impl Diagnose {
    /// Every check of this crate, with this seed.
    pub fn new(seed: impl Into<Seed>) -> Self {
        Self {
            seed: seed.into(),
            images: default_images(),
            checks: every_check(),
        }
    }

    /// Looks for signs that what this attack says of this classifier is not to be trusted, on images such
    /// as those of the batch. With the `whole` run of the evaluation, what that tells counts for all of
    /// its images: the gradients' flaws, and which part has fooled whom.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no images, thresholds or an attack that make no sense; [`Error::Input`] for
    /// an empty batch, labels or images of another type that the classifier does not know, or a run of
    /// another attack. What
    /// keeps a single check from looking is told as [`Diagnosis::unmade`].
    pub fn examine(
        &self,
        attack: &(impl Attack + ?Sized),
        victim: &Frozen,
        batch: &Batch,
        whole: Option<&Whole>,
    ) -> Result<Diagnosis> {
        Error::unless(self.images > 0, "images", self.images, "at least 1")?;
        self.checks
            .iter()
            .try_for_each(|check| Check::check(&**check).map_err(|e| e.within(&check.name())))?;
        attack.check()?;
        if batch.is_empty() {
            return Err(Error::input("batch", "no image", "at least one image"));
        }
        let victim = &victim.for_ids(&batch.ids);
        victim.accept(&batch.images)?;
        batch.check_labels(victim.classes(&batch.images))?;
        if let Some(other) = whole.filter(|whole| whole.attack != attack.settings()) {
            let expected = format!("one of {attack}");
            return Err(Error::input("whole run", &other.attack, expected));
        }
        let few = Vec::from_iter(0..batch.len().min(self.images));
        let mut evidence = Evidence::new(&attack, victim, batch.select(&few), self.seed, whole);
        let mut diagnosis = Diagnosis {
            name: attack.to_string(),
            attack: attack.settings(),
            checks: self
                .checks
                .iter()
                .map(|check| Kind::settings(&**check))
                .collect(),
            seed: self.seed,
            images: few.len(),
            findings: Vec::new(),
            unmade: Vec::new(),
            queries: 0,
            gradients: 0,
        };
        for check in &self.checks {
            match check.examine(&mut evidence) {
                Ok(None) => {}
                Ok(Some(mut finding)) => {
                    finding.check = check.name();
                    diagnosis.findings.push(finding);
                }
                Err(error) => diagnosis.unmade.push(Unmade {
                    check: check.name(),
                    reason: error.to_string(),
                }),
            }
        }
        [diagnosis.queries, diagnosis.gradients] = evidence.spent();
        Ok(diagnosis)
    }
}
