use crate::attack::Frozen;
use crate::base::{Classifier, Error, Result};
use crate::data::ImageSet;
use crate::train::robust::Tally;
use crate::train::{Augmentation, ObjectiveSpec, Robust, RobustValidation, StagedBatch};
use burn::module::Module;
use burn::tensor::Device;
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The best model of a training so far.
///
/// The epoch whose robust accuracy on the images held out is highest; of equal ones, the first.
#[derive(Clone, Debug)]
pub struct Best<M> {
    /// The model, ready for inference.
    pub model: M,
    /// The epoch after which it was the model.
    pub epoch: usize,
    /// How it stood.
    pub robust: Robust,
}

/// What was measured after the epoch that is just done, on its way into the history.
pub(super) type Finding = Arc<Mutex<Option<Robust>>>;

/// Who looks at a model after each epoch, whatever the model's type: Burn lets no field of a module that
/// is none itself have it.
pub(super) trait Look: fmt::Debug + Send + Sync {
    /// Looks at a model in inference mode at the first validation batch of an epoch.
    ///
    /// # Errors
    ///
    /// Those of the attacks.
    fn look(
        &self,
        model: &dyn Any,
        staged: &StagedBatch,
        objective: &ObjectiveSpec,
        augmentation: &Augmentation,
    ) -> Result<()>;
}

/// Measures the robustness of a model after each epoch, and keeps the best.
pub(super) struct Watch<M> {
    settings: RobustValidation,
    held_out: ImageSet,
    batch_size: usize,
    device: Device,
    finding: Finding,
    seen: Mutex<Seen<M>>,
}

struct Seen<M> {
    // The last epoch that was looked at.
    epoch: usize,
    best: Option<Best<M>>,
}

impl<M> Watch<M> {
    pub fn new(
        settings: RobustValidation,
        held_out: ImageSet,
        batch_size: usize,
        device: &Device,
        best: Option<Best<M>>,
    ) -> Self {
        Self {
            settings,
            held_out,
            batch_size,
            device: device.clone(),
            finding: Finding::default(),
            seen: Mutex::new(Seen { epoch: 0, best }),
        }
    }

    /// Where the monitor finds what was measured.
    pub fn finding(&self) -> Finding {
        self.finding.clone()
    }

    /// The best model so far.
    pub fn best(&self) -> Option<Best<M>>
    where
        M: Clone,
    {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.best.clone()
    }
}

impl<M: Module + Classifier + 'static> Look for Watch<M> {
    fn look(
        &self,
        model: &dyn Any,
        staged: &StagedBatch,
        objective: &ObjectiveSpec,
        augmentation: &Augmentation,
    ) -> Result<()> {
        let model: &M = model.downcast_ref().expect("the model of this training");
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if std::mem::replace(&mut seen.epoch, staged.epoch) == staged.epoch {
                return Ok(());
            }
        }
        if !self.settings.is_due(staged.epoch) {
            return Ok(());
        }
        // Not under a lock: on a pool, whoever waits inside may be back here meanwhile.
        let robust = self.measure(model, staged, objective, augmentation)?;
        *self.finding.lock().unwrap_or_else(PoisonError::into_inner) = Some(robust);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let better = |best: &Best<M>| robust.accuracy > best.robust.accuracy;
        if seen.best.as_ref().is_none_or(better) {
            seen.best = Some(Best {
                model: model.clone(),
                epoch: staged.epoch,
                robust,
            });
        }
        Ok(())
    }
}

impl<M: Module + Classifier + 'static> Watch<M> {
    fn measure(
        &self,
        model: &M,
        staged: &StagedBatch,
        objective: &ObjectiveSpec,
        augmentation: &Augmentation,
    ) -> Result<Robust> {
        let victim = Frozen::new(model);
        let failed = |error| match error {
            Error::Setting { .. } => error,
            other => Error::Training(format!(
                "robust validation in epoch {}: {other}",
                staged.epoch
            )),
        };
        let mut tally = Tally::default();
        for mut batch in self.held_out.batches(self.batch_size, &self.device) {
            if let Some(precision) = model.precision() {
                batch = batch.with_precision(precision);
            }
            // No epoch has number 0: no training attack has these random starts.
            let seed = staged.seed.derive(0);
            tally
                .add(&victim, &batch, &*self.settings.attack, seed)
                .map_err(failed)?;
            if self.settings.staged {
                let held_out = StagedBatch {
                    batch,
                    ..staged.clone()
                };
                let predicted = learnt(&victim, held_out.clone(), objective, augmentation);
                tally.add_staged(&predicted.map_err(failed)?, &held_out.batch.labels_to_vec());
            }
        }
        Ok(tally.shares())
    }
}

/// The classes of images moved and attacked as those that are learnt from.
fn learnt(
    victim: &Frozen,
    mut staged: StagedBatch,
    objective: &ObjectiveSpec,
    augmentation: &Augmentation,
) -> Result<Vec<i64>> {
    staged.batch.images = augmentation.moved(&staged, !objective.moves_images());
    let images = match objective.attack(&staged.stage) {
        None => staged.batch.images,
        Some(attack) => {
            let seed = staged.seed.derive(staged.epoch as u64);
            attack.perturb(victim, &staged.batch, seed)?
        }
    };
    Ok(victim.predict(images))
}

impl<M> fmt::Debug for Watch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.settings).finish()
    }
}
