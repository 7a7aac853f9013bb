use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a study declares to test before it sees an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// What is compared, in words that can begin a sentence: `StdCNN, accuracy at ±30° from ε = 0 to 0.3`.
    pub name: String,
    /// Where the claim says that it goes.
    #[serde(default)]
    pub direction: Claimed,
    /// What counts as no effect, in the unit of the effect, if it is not the
    /// [family's](super::Family::margin).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// The direction that a claim declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claimed {
    /// The effect is above 0.
    Rises,
    /// The effect is below 0.
    Falls,
    /// There is an effect, in either direction.
    #[default]
    Differs,
}

impl Endpoint {
    /// An endpoint that [differs](Claimed::Differs), with the margin of its family.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            direction: Claimed::default(),
            margin: None,
        }
    }

    /// The claim that the effect is above 0.
    pub fn rises(mut self) -> Self {
        self.direction = Claimed::Rises;
        self
    }

    /// The claim that the effect is below 0.
    pub fn falls(mut self) -> Self {
        self.direction = Claimed::Falls;
        self
    }

    /// What counts as no effect, in the unit of the effect.
    pub fn with_margin(mut self, margin: f64) -> Self {
        self.margin = Some(margin);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the name is empty, or the margin not above 0.
    pub fn check(&self) -> Result<()> {
        let name = &self.name;
        Error::unless(
            !name.is_empty(),
            "name",
            "\"\"",
            "words that say what is compared",
        )?;
        margin(self.margin.unwrap_or(1.0))
    }
}

/// Checks a margin.
pub(super) fn margin(margin: f64) -> Result<()> {
    Error::unless(
        margin > 0.0 && margin.is_finite(),
        "margin",
        margin,
        "a number above 0: 0.02 is 2 points",
    )
}
