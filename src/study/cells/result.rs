//! What is kept of a cell, in files.

use super::address::Address;
use super::measured::Measured;
use crate::evaluate::Versions;
use crate::train::EpochRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the files of cells. It grows when a field changes its meaning or goes.
pub const CELL_SCHEMA: u32 = 1;

/// What came of a cell: a function of its settings, but for rounding between backends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// The version of the file, [`CELL_SCHEMA`].
    pub schema: u32,
    /// All settings that determine the result; their address names the file.
    pub settings: Value,
    /// The address of the trained network.
    pub trained: Address,
    /// The number of its parameters, running statistics of batch norm included.
    pub parameters: usize,
    /// Every epoch of its training, without times.
    pub history: Vec<EpochRecord>,
    /// What was measured, in the order of the settings.
    pub measured: Vec<Measured>,
    /// The address of all the rest, by which damage is noticed; none in files of before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Address>,
}

impl CellResult {
    /// With its digest.
    pub(super) fn sealed(self) -> Self {
        let bare = Self {
            digest: None,
            ..self
        };
        // As it is read again: numbers of less precision are other ones when they are not written.
        let text = serde_json::to_string(&bare).expect("plain values");
        let written = serde_json::from_str(&text).expect("what was just written");
        Self {
            digest: Some(Address::of(&written)),
            ..bare
        }
    }

    /// Whether the other one says the same, whichever of them has a digest.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        self.clone().sealed().digest == other.clone().sealed().digest
    }
}

/// Whether the contents of a file are those that its digest is of, if it has one.
pub(super) fn is_whole(mut written: Value) -> bool {
    let fields = written.as_object_mut();
    match fields.and_then(|fields| fields.remove("digest")) {
        None | Some(Value::Null) => true,
        Some(digest) => digest.as_str() == Some(&Address::of(&written).to_string()),
    }
}

/// How long a cell took, and where: in a file of its own, as it may differ from time to time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellTimes {
    /// Seconds of each epoch of the training.
    pub epochs: Vec<f64>,
    /// Seconds of all measurements.
    pub measuring: f64,
    /// Software and device.
    pub versions: Versions,
    /// Operating system, processor and number of threads.
    pub machine: String,
}

impl CellTimes {
    /// Seconds of training and measurements.
    pub fn total(&self) -> f64 {
        self.epochs.iter().sum::<f64>() + self.measuring
    }
}

/// A network that is trained, with its weights beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainedRecord {
    pub parameters: usize,
    // With its times.
    pub history: Vec<EpochRecord>,
    // Of the file of weights; none in those of before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Address>,
}

/// A part of a measurement, on some of its images.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub trained: Address,
    pub from: usize,
    pub measured: Measured,
    pub seconds: f64,
}
