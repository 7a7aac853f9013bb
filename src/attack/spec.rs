use super::{Attack, Fgsm, Found, Frozen, Norm, Pgd};
use crate::base::{Batch, Result, Seed};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A built-in attack by name, for files and command lines.
///
/// ```
/// use fireproof::attack::{AttackSpec, Pgd};
///
/// let json = r#"{"attack": "pgd", "norm": "linf", "epsilon": 0.1, "restarts": 5}"#;
/// let spec: AttackSpec = serde_json::from_str(json).unwrap();
/// assert_eq!(spec, Pgd::linf(0.1).with_restarts(5).into());
/// assert_eq!(spec.to_string(), "PGD-10 L∞ ε=0.1 step=0.025 ×5");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "attack", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttackSpec {
    /// [`Fgsm`].
    Fgsm(Fgsm),
    /// [`Pgd`].
    Pgd(Pgd),
}

impl AttackSpec {
    fn attack(&self) -> &dyn Attack {
        match self {
            Self::Fgsm(attack) => attack,
            Self::Pgd(attack) => attack,
        }
    }

    /// The same attack with another radius.
    pub fn with_epsilon(self, epsilon: f64) -> Self {
        match self {
            Self::Fgsm(attack) => attack.with_epsilon(epsilon).into(),
            Self::Pgd(attack) => attack.with_epsilon(epsilon).into(),
        }
    }

    /// The norm of the attack's ball.
    pub fn norm(&self) -> Norm {
        self.as_pgd().norm()
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting), as [`Pgd::check`].
    pub fn check(&self) -> Result<()> {
        self.as_pgd().check()
    }

    /// Gradient steps per image at most, over all restarts.
    pub(crate) fn gradient_steps(&self) -> usize {
        let pgd = self.as_pgd();
        pgd.steps * pgd.restarts
    }

    fn as_pgd(&self) -> Pgd {
        match self {
            Self::Fgsm(attack) => attack.to_pgd(),
            Self::Pgd(attack) => attack.clone(),
        }
    }

    /// The attack's settings with its name.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings are plain values")
    }
}

impl Attack for AttackSpec {
    fn attack(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Found> {
        self.attack().attack(victim, batch, seed)
    }

    fn settings(&self) -> serde_json::Value {
        self.to_json()
    }
}

impl fmt::Display for AttackSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fgsm(attack) => attack.fmt(f),
            Self::Pgd(attack) => attack.fmt(f),
        }
    }
}

impl From<Fgsm> for AttackSpec {
    fn from(attack: Fgsm) -> Self {
        Self::Fgsm(attack)
    }
}

impl From<Pgd> for AttackSpec {
    fn from(attack: Pgd) -> Self {
        Self::Pgd(attack)
    }
}
