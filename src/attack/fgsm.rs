use super::pgd::Short;
use super::{Attack, AttackSpec, Found, Frozen, Keep, Loss, Norm, Pgd, StepSize, Targets};
use crate::base::{Batch, Result, Seed};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The fast gradient sign method: one step of size ε from the image itself.
///
/// Exactly [`Pgd`] with one step of size ε and no random start, and run by it. (I. Goodfellow, J.
/// Shlens, C. Szegedy 2014, "Explaining and Harnessing Adversarial Examples", section 4; with L2 the
/// step follows the normalised gradient.)
///
/// As everywhere, the better of the image itself and the step is kept; [`Keep::Last`] returns the
/// step whatever comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fgsm {
    norm: Norm,
    epsilon: f64,
    #[serde(default)]
    loss: Loss,
    #[serde(default)]
    targets: Option<Targets>,
    #[serde(default)]
    predicted_labels: bool,
    #[serde(default)]
    keep: Keep,
}

impl Fgsm {
    /// The attack with `|δ| ≤ epsilon` for every pixel, `epsilon` in units of the pixels.
    pub fn linf(epsilon: f64) -> Self {
        Self::new(Norm::Linf, epsilon)
    }

    /// The attack with `‖δ‖₂ ≤ epsilon` for every image.
    pub fn l2(epsilon: f64) -> Self {
        Self::new(Norm::L2, epsilon)
    }

    fn new(norm: Norm, epsilon: f64) -> Self {
        Self {
            norm,
            epsilon,
            loss: Loss::default(),
            targets: None,
            predicted_labels: false,
            keep: Keep::default(),
        }
    }

    /// The same attack with another radius, which is also the length of its step.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The same attack on this loss.
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// The same attack towards these classes.
    pub fn with_targets(mut self, targets: impl Into<Targets>) -> Self {
        self.targets = Some(targets.into());
        self
    }

    /// The same attack against the classifier's own clean predictions instead of the labels.
    pub fn with_predicted_labels(mut self, predicted: bool) -> Self {
        self.predicted_labels = predicted;
        self
    }

    /// The same attack, returning these images.
    pub fn with_keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// This attack as the PGD that it is.
    pub fn to_pgd(&self) -> Pgd {
        Pgd {
            norm: self.norm,
            epsilon: self.epsilon,
            steps: 1,
            step_size: StepSize::Absolute(self.epsilon),
            restarts: 1,
            random_start: false,
            loss: self.loss,
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            keep: self.keep,
        }
    }
}

impl Attack for Fgsm {
    fn attack(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Found> {
        self.to_pgd().attack(victim, batch, seed)
    }

    fn settings(&self) -> serde_json::Value {
        AttackSpec::from(self.clone()).to_json()
    }
}

impl fmt::Display for Fgsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FGSM {} ε={}", self.norm, Short(self.epsilon))?;
        self.to_pgd().write_options(f)
    }
}
