use super::attack::single;
use super::label::Short;
use super::settings::goal_settings;
use super::{
    Attack, AttackSpec, Ball, Cost, Goal, Keep, L2, Linf, LossSpec, NormSpec, Pgd, Targets, Trial,
};
use crate::base::{Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    norm: NormSpec,
    epsilon: f64,
    #[serde(default)]
    loss: LossSpec,
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
        Self::new(Linf, epsilon)
    }

    /// The attack with `‖δ‖₂ ≤ epsilon` for every image.
    pub fn l2(epsilon: f64) -> Self {
        Self::new(L2, epsilon)
    }

    /// The attack within a ball of any norm.
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            loss: LossSpec::default(),
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

    goal_settings!();

    /// This attack as the PGD that it is.
    pub fn to_pgd(&self) -> Pgd {
        let pgd = Pgd::new(self.norm.clone(), self.epsilon)
            .with_steps(1)
            .with_step_size(self.epsilon)
            .with_random_start(false)
            .with_loss(self.loss.clone())
            .with_predicted_labels(self.predicted_labels)
            .with_keep(self.keep);
        match &self.targets {
            Some(targets) => pgd.with_targets(targets.clone()),
            None => pgd,
        }
    }
}

impl Attack for Fgsm {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        self.to_pgd().search(trial)
    }

    fn goal(&self) -> Goal {
        self.to_pgd().goal()
    }

    fn ball(&self) -> Option<Ball> {
        self.to_pgd().ball()
    }

    fn check(&self) -> Result<()> {
        self.to_pgd().check()
    }

    fn cost(&self) -> Cost {
        self.to_pgd().cost()
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        Ok(self.clone().with_epsilon(single(level)?).into())
    }

    fn is_random(&self) -> bool {
        false
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("fgsm", self)
    }
}

impl fmt::Display for Fgsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FGSM {} ε={}", self.norm, Short(self.epsilon))?;
        self.goal().fmt(f)?;
        match self.keep {
            Keep::Best => Ok(()),
            Keep::Last => f.write_str(", last iterate"),
        }
    }
}
