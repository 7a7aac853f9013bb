use super::alike::as_of;
use super::part::in_turn;
use super::{Attack, AttackSpec, Cost, KthBest, Part, Trial};
use crate::base::{Error, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// An attack led to one class after the other, the most likely first: made by
/// [`Attack::towards_each`](super::Attack::towards_each).
///
/// Each image that still stands meets the next class. What counts as fooled stays what the attack
/// says, any class but the label: an image on its way to one class may end in another. There are at
/// most as many targets as there are other classes. Each has a draw of its own.
///
/// With [`Apgd`](super::Apgd) on [`Dlr`](super::Dlr) and nine classes this is APGD-T. (F. Croce, M.
/// Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
/// parameter-free attacks", sections 4 and 5.)
///
/// ```
/// use fireproof::attack::{Apgd, Attack, Dlr};
///
/// let attack = Apgd::linf(0.3).with_loss(Dlr).towards_each(9);
/// assert_eq!(attack.to_string(), "APGD-100 L∞ ε=0.3, DLR loss, towards each of 9 classes");
/// assert_eq!(attack.cost().gradients, 900);
/// ```
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{of}, towards each of {classes} classes")]
#[serde(deny_unknown_fields)]
pub struct EachTarget {
    /// How many classes at most.
    pub classes: usize,
    /// The attack.
    pub of: AttackSpec,
}

impl EachTarget {
    /// This attack, led to `classes` classes.
    pub fn new(attack: impl Into<AttackSpec>, classes: usize) -> Self {
        Self {
            classes,
            of: attack.into(),
        }
    }
}

impl Attack for EachTarget {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let towards = |k: usize| {
            self.of.parts().into_iter().map(move |part| {
                let name = format!("{} towards {}", part.name(), KthBest::new(k));
                let part = part.within(move |trial, search| {
                    trial.in_draw(k as u64, |trial| trial.towards(&KthBest::new(k), search))
                });
                part.named(name).with_least_classes(k + 1)
            })
        };
        (1..=self.classes).flat_map(towards).collect()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if there is no class, or if the attack has targets of its own.
    fn check(&self) -> Result<()> {
        self.of.check()?;
        Error::unless(self.classes > 0, "classes", self.classes, "at least 1")?;
        let expected = "an attack without targets of its own";
        Error::unless(self.goal().targets.is_none(), "of", &self.of, expected)
    }

    fn cost(&self) -> Cost {
        let Cost { queries, gradients } = self.of.cost();
        Cost {
            queries: self.classes * queries,
            gradients: self.classes * gradients,
        }
    }

    as_of!("each_target");
}
