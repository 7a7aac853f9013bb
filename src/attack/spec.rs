use super::{Attack, Ensemble, Fgsm, Pgd, Restarts, Sequence};
use crate::base::{Kind, Registry, Spec};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// An attack as a plain value, in files by name.
///
/// ```
/// use fireproof::attack::{Attack, AttackSpec, Pgd};
///
/// let json = r#"{"attack": "restarts", "count": 5,
///     "of": {"attack": "pgd", "norm": "linf", "epsilon": 0.1}}"#;
/// let spec: AttackSpec = serde_json::from_str(json).unwrap();
/// assert_eq!(spec, Pgd::linf(0.1).restarts(5).into());
/// assert_eq!(spec.to_string(), "PGD-10 L∞ ε=0.1 step=0.025 ×5");
/// ```
pub type AttackSpec = Spec<dyn Attack>;

impl Kind for dyn Attack {
    const KIND: &'static str = "attack";

    fn registry() -> &'static Registry<Self> {
        static ATTACKS: LazyLock<Registry<dyn Attack>> = LazyLock::new(|| {
            Registry::<dyn Attack>::new()
                .with("fgsm", |attack: Fgsm| Arc::new(attack))
                .with("pgd", |attack: Pgd| Arc::new(attack))
                .with("restarts", |attack: Restarts| Arc::new(attack))
                .with("ensemble", |attack: Ensemble| Arc::new(attack))
                .with("sequence", |attack: Sequence| Arc::new(attack))
        });
        &ATTACKS
    }

    fn settings(&self) -> Value {
        Attack::settings(self)
    }
}

impl<A: Attack + 'static> From<A> for AttackSpec {
    fn from(attack: A) -> Self {
        Self(Arc::new(attack))
    }
}

impl AttackSpec {
    /// As [`Attack::restarts`].
    pub fn restarts(self, count: usize) -> Restarts {
        Restarts::new(self, count)
    }

    /// As [`Attack::or`].
    pub fn or(self, other: impl Into<Self>) -> Ensemble {
        Ensemble::new([self, other.into()])
    }

    /// As [`Attack::then`].
    pub fn then(self, other: impl Into<Self>) -> Sequence {
        Sequence::new(self, other)
    }
}
