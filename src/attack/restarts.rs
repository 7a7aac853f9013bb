use super::alike::as_of;
use super::part::in_turn;
use super::{Attack, AttackSpec, Cost, Part, Trial};
use crate::base::{Error, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// An attack run several times, each time in another draw: made by
/// [`Attack::restarts`](super::Attack::restarts).
///
/// The first run attacks every image, so that rounding cannot decide whether one is attacked at
/// all; the others only those that nothing has fooled yet. Accuracy under attack never rises with
/// more restarts.
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{of} ×{count}")]
#[serde(deny_unknown_fields)]
pub struct Restarts {
    /// How often it runs.
    pub count: usize,
    /// The attack.
    pub of: AttackSpec,
}

impl Restarts {
    /// This attack, run `count` times.
    pub fn new(attack: impl Into<AttackSpec>, count: usize) -> Self {
        Self {
            count,
            of: attack.into(),
        }
    }
}

impl Attack for Restarts {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let again = |draw: usize| {
            self.of.parts().into_iter().map(move |part| {
                let name = format!("{} start {}", part.name(), draw + 1);
                part.within(move |trial, search| trial.in_draw(draw as u64, search))
                    .named(name)
            })
        };
        (0..self.count).flat_map(again).collect()
    }

    fn check(&self) -> Result<()> {
        self.of.check()?;
        let count = self.count;
        Error::unless(count > 0, "restarts", count, "at least 1")?;
        let expected = "1 without a random start: all would be the same";
        Error::unless(
            count == 1 || self.of.is_random(),
            "restarts",
            count,
            expected,
        )
    }

    fn cost(&self) -> Cost {
        let Cost { queries, gradients } = self.of.cost();
        Cost {
            queries: self.count * queries,
            gradients: self.count * gradients,
        }
    }

    as_of!("restarts");
}
