use crate::attack::{Attack, AttackSpec, Frozen, NO_CLASS, Pgd};
use crate::base::{Batch, Error, Result, Seed};
use crate::curriculum::Curriculum;
use crate::train::number;
use burn::tensor::Tensor;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Robustness measured while training, on images held out of the *training* set, never on those of
/// the validation set.
///
/// By it the best epoch is known ([`Trained::best`](crate::train::Trained::best)), robust overfitting
/// is seen in the history (L. Rice et al. 2020, "Overfitting in adversarially robust deep learning"),
/// and a [`Pace`](crate::train::Pace) may advance. The images are drawn evenly over the classes by the
/// seed of the training, which does not learn from them.
///
/// ```
/// use fireproof::attack::Pgd;
/// use fireproof::curriculum::Curriculum;
/// use fireproof::train::{Adaptive, PgdTraining, RobustValidation, Training};
///
/// let robust = RobustValidation::new(Pgd::linf(0.2)).with_images(200).with_staged(true);
/// let training = Training::new(Curriculum::cusp_mnist().scaled_to(40), PgdTraining::default())
///     .with_robust(robust)
///     .with_pace(Adaptive::new(0.6));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields, default)]
#[setters(prefix = "with_")]
pub struct RobustValidation {
    /// The yardstick: the same attack at its own level in every epoch, with the same random starts.
    #[setters(into)]
    pub attack: AttackSpec,
    /// The number of images held out.
    pub images: usize,
    /// Measured after every so many epochs.
    pub every: usize,
    /// Whether also to measure what is learnt: the images moved as the stage says and attacked as the
    /// objective attacks at that stage. It costs as much again, and is what
    /// [`Adaptive`](crate::train::Adaptive) asks.
    pub staged: bool,
}

impl Default for RobustValidation {
    fn default() -> Self {
        Self::new(Pgd::linf(8.0 / 255.0))
    }
}

impl RobustValidation {
    /// Robustness against this attack on 500 images after every epoch.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
            images: 500,
            every: 1,
            staged: false,
        }
    }

    /// Refuses settings that make no sense, or not with this curriculum.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless there is an image, `every` is within 1 to the number of epochs, and the
    /// attack's settings make sense.
    pub fn check(&self, curriculum: &Curriculum) -> Result<()> {
        let (images, every, epochs) = (self.images, self.every, curriculum.epochs());
        Error::unless(
            images > 0,
            "robust validation: images",
            images,
            "at least 1",
        )?;
        let expected = format_args!("1 to the {epochs} epochs");
        let within = (1..=epochs).contains(&every);
        Error::unless(within, "robust validation: every", every, expected)?;
        self.attack.check()
    }

    /// Whether this epoch (counted from 1) is measured.
    pub fn is_due(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.every)
    }
}

/// How a model in training stood on the images held out.
///
/// All are shares of them, in `[0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// Classified rightly as they are.
    #[serde(with = "number")]
    pub clean: f64,
    /// Classified rightly under the attack, and as they are if they belong to what it may choose: robust
    /// accuracy.
    #[serde(with = "number")]
    pub accuracy: f64,
    /// Classified otherwise under the attack than as they are: fooling rate.
    #[serde(with = "number")]
    pub fooling: f64,
    /// Classified rightly as they would be learnt from: moved and attacked as the epoch's stage says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<f64>,
}

/// Counts over the images so far.
#[derive(Default)]
pub(super) struct Tally {
    images: usize,
    clean: usize,
    robust: usize,
    fooled: usize,
    staged: Option<usize>,
}

impl Tally {
    /// Attacks these images as evaluations do: away from what the model takes each for as it is; by an
    /// attack that does not [include](Attack::includes_originals) the image as it is, away from its
    /// label.
    pub fn add(
        &mut self,
        victim: &Frozen,
        batch: &Batch,
        attack: &dyn Attack,
        seed: Seed,
    ) -> Result<()> {
        let (clean, labels) = (victim.predict(batch.images.clone()), batch.labels_to_vec());
        let includes_clean = attack.includes_originals();
        let mut attacked = clean.clone();
        // A model that has diverged may take an image for nothing at all.
        let known = |at: &usize| !includes_clean || clean[*at] != NO_CLASS;
        let known: Vec<usize> = (0..clean.len()).filter(known).collect();
        if !known.is_empty() {
            let mut met = batch.select(&known);
            if includes_clean {
                let classes = Vec::from_iter(known.iter().map(|&at| clean[at]));
                met.labels = Tensor::from_data(classes.as_slice(), &batch.images.device());
            }
            let found = attack.attack(victim, &met, seed)?;
            for (&at, class) in known.iter().zip(found.predicted) {
                attacked[at] = class;
            }
        }
        for ((clean, attacked), label) in clean.into_iter().zip(attacked).zip(labels) {
            let right = clean == label;
            self.images += 1;
            self.clean += usize::from(right);
            self.robust += usize::from((right || !includes_clean) && attacked == label);
            self.fooled += usize::from(attacked != clean);
        }
        Ok(())
    }

    /// Counts images that are shown as they would be learnt from.
    pub fn add_staged(&mut self, predicted: &[i64], labels: &[i64]) {
        let right = predicted.iter().zip(labels).filter(|(p, l)| p == l);
        *self.staged.get_or_insert(0) += right.count();
    }

    pub fn shares(&self) -> Robust {
        let share = |count: usize| count as f64 / self.images as f64;
        Robust {
            clean: share(self.clean),
            accuracy: share(self.robust),
            fooling: share(self.fooled),
            staged: self.staged.map(share),
        }
    }
}
