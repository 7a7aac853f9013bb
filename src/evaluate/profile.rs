use crate::base::{Error, Result};
use crate::data::DataSummary;
use crate::evaluate::{At, Curve, Evaluation, Extras, Outcomes, Point, Rate, TradeOff};
use crate::kernel::Numerics;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The software and device that made a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// This crate's version.
    pub fireproof: String,
    /// The version of Burn that this crate is built and tested with.
    pub burn: String,
    /// The device that computed.
    pub device: String,
}

impl Versions {
    /// The versions of this build, computing on `device`.
    pub fn of(device: &Device) -> Self {
        Self {
            fireproof: env!("CARGO_PKG_VERSION").to_owned(),
            burn: BURN.to_owned(),
            device: format!("{device:?}"),
        }
    }
}

// Burn does not export its version; a test holds this against Cargo.lock.
pub(crate) const BURN: &str = "0.22.1";

/// One classifier, measured: what [`Evaluation::run`] gives.
///
/// Besides `versions`, it depends only on the classifier, the images and the settings: the same
/// three give the same profile, but for rounding between backends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The classifier's name, for tables and legends.
    pub name: String,
    /// The images.
    pub data: DataSummary,
    /// Accuracy on the clean images.
    pub clean: Rate,
    /// Whether each clean image was classified as labelled, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_correct: Option<Outcomes>,
    /// What was found along every axis of the evaluation, in its order.
    #[serde(default)]
    pub curves: Vec<Curve>,
    /// The settings that made the profile, its seed among them, as
    /// [`evaluation`](Self::evaluation) reads them.
    pub settings: Value,
    /// The numerics of the attacks' gradients; all else is exact.
    #[serde(default)]
    pub numerics: Numerics,
    /// The software and device that made it.
    pub versions: Versions,
    /// Further sections, which a reader may skip.
    #[serde(default, skip_serializing_if = "Extras::is_empty")]
    pub extras: Extras,
}

impl Profile {
    /// The same profile under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The evaluation that made the profile.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the settings name a threat, attack or norm that this program has not
    /// registered; all else of the profile can be used without.
    pub fn evaluation(&self) -> Result<Evaluation> {
        Evaluation::deserialize(&self.settings).map_err(|error| {
            let what = format!("settings of profile `{}`", self.name);
            Error::input(what, error, "those of an evaluation")
        })
    }

    /// What was found along the axis of this name.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none.
    pub fn curve(&self, axis: &str) -> Result<&Curve> {
        Curve::named(&self.curves, axis)
    }

    /// What was measured there.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if nothing was.
    pub fn at(&self, at: impl Into<At>) -> Result<&Point> {
        let At { axis, level } = at.into();
        self.curve(&axis)?.at(level)
    }

    /// The place of the classifier in the trade-off plane: accuracy at a level of a spatial axis
    /// against accuracy at a level of an adversarial one.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if one of the two was not measured.
    pub fn trade_off(
        &self,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<TradeOff> {
        Ok(TradeOff {
            spatial: self.at(spatial)?.accuracy.value,
            adversarial: self.at(adversarial)?.accuracy.value,
        })
    }
}
