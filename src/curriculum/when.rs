use crate::base::{Error, Result};
use derive_more::{Display, From};
use serde::{Deserialize, Serialize};

/// A point in training. A whole number converts into an epoch, any other into a fraction.
#[derive(Clone, Copy, Debug, Display, From, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// An epoch, counted from 1.
    #[display("epoch {_0}")]
    Epoch(usize),
    /// A fraction of all epochs, from 0 to 1, to the nearest whole number of epochs.
    #[display("fraction {_0}")]
    Fraction(f64),
}

impl When {
    /// The first epoch after this point, which for an epoch is itself; may lie beyond the last
    /// epoch.
    pub fn start(self, epochs: usize) -> usize {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Fraction(fraction) => 1 + (fraction * epochs as f64).round() as usize,
        }
    }

    /// The last epoch before this point, which an epoch itself belongs to.
    pub fn end(self, epochs: usize) -> usize {
        match self {
            Self::Epoch(epoch) => epoch,
            Self::Fraction(fraction) => (fraction * epochs as f64).round() as usize,
        }
    }

    /// # Errors
    ///
    /// [`Error::Setting`] unless it lies within `epochs` epochs.
    pub fn check(self, epochs: usize) -> Result<()> {
        let (inside, expected) = match self {
            Self::Epoch(epoch) => ((1..=epochs).contains(&epoch), format!("1 to {epochs}")),
            Self::Fraction(f) => ((0.0..=1.0).contains(&f), "0 to 1".to_owned()),
        };
        Error::unless(inside, "point in training", self, expected)
    }
}
