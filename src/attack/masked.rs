use super::alike::as_of;
use super::{Attack, AttackSpec, Cost, Mask, Part, Trial};
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An attack that may change some pixels and no others: made by [`Attack::masked`].
///
/// The other pixels are those of the originals, to the bit, in every pass and in what is returned; norms
/// are those of the perturbation that is left. Random starts are drawn from the ball of the pixels that
/// may change; everything else the attack does as if there were no mask, so that [`Square`](super::Square)
/// for one wastes the squares that fall outside.
///
/// ```
/// use fireproof::attack::{Attack, Mask, Pgd};
///
/// let frame = Mask::new([1, 28, 28], |[_, y, x]| y.min(x) < 2 || y.max(x) > 25)?;
/// let attack = Pgd::linf(0.5).masked(frame);
/// assert_eq!(attack.to_string(), "PGD-10 L∞ ε=0.5 step=0.125, masked");
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masked {
    /// The pixels that may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Those of images, by id, that have masks of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub each: BTreeMap<u64, Mask>,
    /// The attack.
    pub of: AttackSpec,
}

impl Masked {
    /// This attack with one mask for all images.
    pub fn new(attack: impl Into<AttackSpec>, mask: Mask) -> Self {
        Self {
            mask: Some(mask),
            each: BTreeMap::new(),
            of: attack.into(),
        }
    }

    /// This attack with a mask for each image, by id.
    pub fn each(
        attack: impl Into<AttackSpec>,
        masks: impl IntoIterator<Item = (u64, Mask)>,
    ) -> Self {
        Self {
            mask: None,
            each: masks.into_iter().collect(),
            of: attack.into(),
        }
    }

    fn masks(&self, trial: &Trial) -> Result<Vec<Mask>> {
        let mask = |id: &u64| {
            let mask = self.each.get(id).or(self.mask.as_ref());
            mask.cloned()
                .ok_or_else(|| Error::input(format!("mask of image {id}"), "none", "one"))
        };
        trial.keys().ids.iter().map(mask).collect()
    }
}

impl Attack for Masked {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let masks = self.masks(trial)?;
        trial.masked(&masks, |trial| self.of.search(trial))
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let parts = self.of.parts().into_iter();
        let masked = parts.map(|part| {
            part.within(|trial, search| {
                let masks = self.masks(trial)?;
                trial.masked(&masks, search)
            })
        });
        masked.collect()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for an attack that moves images, and for what it refuses itself.
    fn check(&self) -> Result<()> {
        self.of.check()?;
        let expected = "an attack that leaves images in their place; mask the one that comes after";
        Error::unless(!self.of.moves_images(), "of", &self.of, expected)
    }

    fn cost(&self) -> Cost {
        self.of.cost()
    }

    as_of!("masked");
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, masked", self.of)
    }
}
