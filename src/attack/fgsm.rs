use super::alike::balls;
use super::attack::single;
use super::label::Short;
use super::settings::climbing;
use super::{Attack, AttackSpec, Ball, Cost, Goal, Keep, LossSpec, NormSpec, Pgd, Trial};
use crate::base::{Result, StepSize, named};
use serde_json::Value;
use std::fmt;

climbing! {
    /// The fast gradient sign method: one step of size ε from the image itself.
    ///
    /// Exactly [`Pgd`] with one step of size ε and no random start, and run by it. (I. Goodfellow, J.
    /// Shlens, C. Szegedy 2014, "Explaining and Harnessing Adversarial Examples", section 4; with L2 the
    /// step follows the normalised gradient.)
    ///
    /// As everywhere, the better of the image itself and the step is kept; [`Keep::Last`] returns the
    /// step whatever comes of it.
    pub struct Fgsm {
        /// Which images it returns.
        #[serde(default)]
        pub keep: Keep,
    }
}

impl Fgsm {
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

    /// This attack as the PGD that it is.
    pub fn to_pgd(&self) -> Pgd {
        Pgd {
            steps: 1,
            step_size: StepSize::Absolute(self.epsilon),
            random_start: false,
            loss: self.loss.clone(),
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            keep: self.keep,
            ..Pgd::new(self.norm.clone(), self.epsilon)
        }
    }
}

balls!(Fgsm);

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
