use crate::curriculum::Stage;
use crate::train::{Robust, number};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one epoch was and gave.
///
/// In files, a number that is none (a diverged network has such losses) is "NaN", "inf" or "-inf".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The curriculum's stage.
    pub stage: Stage,
    /// Mean loss over the images learnt from (moved, attacked), in nats, while learning.
    #[serde(with = "number")]
    pub train_loss: f64,
    /// Share of the images learnt from that were classified rightly while learning, in `[0, 1]`.
    #[serde(with = "number")]
    pub train_accuracy: f64,
    /// Mean cross-entropy of the unchanged validation images after the epoch, in nats.
    #[serde(with = "number")]
    pub valid_loss: f64,
    /// Share of the unchanged validation images classified rightly after the epoch, in `[0, 1]`.
    #[serde(with = "number")]
    pub valid_accuracy: f64,
    /// Means of the further [`numbers`](crate::train::Scored::numbers) that the objective showed
    /// while learning, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(with = "number::by_name")]
    pub train_numbers: BTreeMap<String, f64>,
    /// Those that it showed in validation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(with = "number::by_name")]
    pub valid_numbers: BTreeMap<String, f64>,
    /// How the model stood after the epoch on the images held out, where that was
    /// [measured](crate::train::RobustValidation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Robust>,
    /// Wall time, validation included, in seconds.
    pub seconds: f64,
}
