use super::rule::Rule;
use crate::base::{Error, Result};

/// For [`SignFeature`](super::SignFeature): finds the coordinate that is exactly ±1 and lets it speak with the mean of all
/// others, which has the standard normal distribution around its own mean.
///
/// The sign of *W + trust·X₀*, wherever X₀ is. All that is best in the setting is of this form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detector {
    /// How much the strong feature counts; infinity for it alone, 0 for the others alone.
    pub trust: f64,
}

impl Detector {
    /// The strong feature alone.
    pub fn exact() -> Self {
        Self::trusting(f64::INFINITY)
    }

    /// A detector with so much trust in what it finds.
    pub fn trusting(trust: f64) -> Self {
        Self { trust }
    }

    /// Refuses a trust that is not a number.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        let sane = !self.trust.is_nan() && self.trust != f64::NEG_INFINITY;
        Error::unless(sane, "trust", self.trust, "a number, or infinity")
    }
}

impl Rule for Detector {
    /// 0 where no coordinate is ±1: there it says nothing.
    fn score(&self, features: &[f64]) -> f64 {
        match split(features) {
            None => 0.0,
            Some(Split { strong, .. }) if self.trust == f64::INFINITY => strong,
            Some(Split { strong, others }) => others + self.trust * strong,
        }
    }
}

/// What there is in a point of a [`SignFeature`](super::SignFeature).
pub(super) struct Split {
    /// The strong feature, +1 or −1.
    pub strong: f64,
    /// The sum of all others in units of its deviation.
    pub others: f64,
}

/// By the first coordinate that is ±1; almost surely there is no other one.
pub(super) fn split(features: &[f64]) -> Option<Split> {
    let strong = *features.iter().find(|x| x.abs() == 1.0)?;
    let sum: f64 = features.iter().sum();
    let others = (sum - strong) / ((features.len() - 1) as f64).sqrt();
    Some(Split { strong, others })
}
